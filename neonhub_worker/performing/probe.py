"""Does a connection work? One harmless call, outside any run."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime

from connectors import registry
from connectors.kit.action import JsonValue
from connectors.kit.call import Call, OptOut
from connectors.kit.errors import GrantDead, Unavailable
from neonhub_worker.performing import tokens
from neonhub_worker.performing.tokens import Unready
from neonhub_worker.settings import settings
from neonhub_worker.vault import connections
from neonhub_worker.vault.connections import Opened


class _NoRun:
    """The ledger of a call that belongs to no run: it may read the platform, and nothing else."""

    key = "probe"
    attempt = 1
    first_sent_at: datetime | None = None

    def check_lease(self, *, needed_s: float) -> None:
        raise AssertionError("a connection test must not change anything")

    def keep_lease(self) -> None:
        """There is none."""

    def before_write(self, *, needed_s: float) -> None:
        raise AssertionError("a connection test must not change anything")

    def after_write(self) -> None:
        raise AssertionError("a connection test must not change anything")

    def step(self, name: str, do: Callable[[], JsonValue]) -> JsonValue:
        return do()

    def effect(self, name: str, do: Callable[[], JsonValue]) -> JsonValue:
        raise AssertionError("a connection test must not change anything")

    def recall(self, name: str) -> JsonValue | None:
        return None

    def taken(self, provider_ids: Collection[str]) -> set[str]:
        return set()

    def opt_out(self, channel: str, address: str) -> OptOut | None:
        return None

    def record_consent(self, channel: str, address: str, *, opted_out: bool, source: str) -> None:
        raise AssertionError("a connection test must not change anything")


def test_connection(organization_id: str, name: str) -> str:
    """Make the connector's harmless call.

    Returns:
        What the platform said, in a few words.

    Raises:
        UnknownConnection: There is none of this name.
        ConnectorError: The call failed; its class says what to do.
    """
    opened = _usable(connections.open_connection(connections.get_by_name(organization_id, name).id))
    connector = registry.connector(opened.connector)
    call = Call(
        connector,
        ledger=_NoRun(),
        credential=connector.credential.model_validate(opened.credential),
        settings=connector.settings.model_validate(opened.settings),
        sandbox_url=settings().sandbox_url,
    )
    return connector.test(call)


def _usable(opened: Opened) -> Opened:
    found = tokens.ready(opened)
    if isinstance(found, Unready):
        kind = GrantDead if found.dead else Unavailable
        raise kind(str(found.error["message"]), code=found.error["code"])
    return found
