"""What is an action's function given? The connection it acts for, and the run it works for."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol, TypeVar

from pydantic import BaseModel

from connectors.kit import clock
from connectors.kit.errors import OutcomeUnknown, Postpone
from connectors.kit.http import Http

if TYPE_CHECKING:
    from connectors.kit.action import JsonValue
    from connectors.kit.connector import Connector

T = TypeVar("T")
Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True)
class OptOut:
    """A person's wish not to be written to on one channel.

    Attributes:
        since_at: When we learned of it; aware, in UTC.
        source: What told us, such as ``"twilio 21610"``.
    """

    since_at: datetime
    source: str


class RunLedger(Protocol):
    """What an action may ask of the run it works for.

    Attributes:
        key: The effect key: opaque, made of ids only, the same in every attempt.
        attempt: Number of this attempt, from 1.
        first_sent_at: When the effect may first have been sent (aware, UTC, the database's clock); None if never.
    """

    key: str
    attempt: int
    first_sent_at: datetime | None

    def check_lease(self, *, needed_s: float) -> None:
        """Called before an effect's request is prepared.

        Raises:
            NotSent: The lease would end before the call could.
        """

    def keep_lease(self) -> None:
        """Called between the parts of a long transfer: the lease begins anew once half of it has passed."""

    def before_write(self, *, needed_s: float) -> None:
        """Called right before every socket write of an effect's request.

        Raises:
            NotSent: It must not be written: the lease would end before the answer, or its slot has passed.
        """

    def after_write(self) -> None:
        """Called right after every socket write of an effect's request."""

    def step(self, name: str, do: Callable[[], JsonValue]) -> JsonValue:
        """Run a step that may be repeated without harm, unless its result is recorded; return the result."""

    def effect(self, name: str, do: Callable[[], JsonValue]) -> JsonValue:
        """Run the irreversible step: written ahead, settled by the repeat policy after a crash; return its result.

        The result must be the action's output as JSON: a read-back that finds the effect records just that.
        """

    def recall(self, name: str) -> JsonValue | None:
        """The result of a finished step; None if it has not finished."""

    def taken(self, provider_ids: Collection[str]) -> set[str]:
        """Which of these provider ids belong to other runs of this connection."""

    def opt_out(self, channel: str, address: str) -> OptOut | None:
        """Whether a person has opted out, as far as the organization knows."""

    def record_consent(self, channel: str, address: str, *, opted_out: bool, source: str) -> None:
        """Record what the platform told us about a person's consent."""


class Call:
    """One attempt at one action.

    Args:
        connector: The platform.
        ledger: The run it works for.
        credential: The connection's secrets, of the connector's credential type.
        settings: The connection's settings, of the connector's settings type.
        sandbox_url: Base URL of the sandbox; None for the real platform.
    """

    def __init__(
        self,
        connector: Connector,
        *,
        ledger: RunLedger,
        credential: BaseModel,
        settings: BaseModel,
        sandbox_url: str | None = None,
    ) -> None:
        self.connector = connector
        self.ledger = ledger
        self.credential = credential
        self.settings = settings
        self.sandbox_url = sandbox_url
        self.http = Http(connector, sandbox_url=sandbox_url, guard=ledger)

    @property
    def key(self) -> str:
        """The effect key."""
        return self.ledger.key

    @property
    def first_sent_at(self) -> datetime | None:
        """When the effect may first have been sent; None if never."""
        return self.ledger.first_sent_at

    def credential_as(self, kind: type[Model]) -> Model:
        """The credential, as the type that its connector declared.

        Raises:
            TypeError: It is of another type.
        """
        if not isinstance(self.credential, kind):
            raise TypeError(f"{self.connector.slug} was called with a {type(self.credential).__name__}")
        return self.credential

    def settings_as(self, kind: type[Model]) -> Model:
        """The settings, as the type that its connector declared.

        Raises:
            TypeError: They are of another type.
        """
        if not isinstance(self.settings, kind):
            raise TypeError(f"{self.connector.slug} was called with a {type(self.settings).__name__}")
        return self.settings

    def step(self, name: str, do: Callable[[], JsonValue]) -> JsonValue:
        """See ``RunLedger.step``."""
        return self.ledger.step(name, do)

    def effect(self, name: str, do: Callable[[], JsonValue]) -> JsonValue:
        """See ``RunLedger.effect``."""
        return self.ledger.effect(name, do)

    def keep_lease(self) -> None:
        """See ``RunLedger.keep_lease``."""
        self.ledger.keep_lease()

    def recall(self, name: str) -> JsonValue | None:
        """See ``RunLedger.recall``."""
        return self.ledger.recall(name)

    def wait_for(
        self, name: str, check: Callable[[], T | None], *, every_s: float = 2.0, timeout_s: float = 120.0
    ) -> T:
        """Wait until the platform gives an answer, without holding a worker.

        Args:
            name: Name of the step that remembers when the wait began.
            check: Asks once; None means not yet.
            every_s: Seconds between two questions.
            timeout_s: Seconds after which waiting ends.

        Returns:
            The first answer that is not None.

        Raises:
            Postpone: Not yet; the run goes on here later.
            OutcomeUnknown: ``timeout_s`` have passed; what was waited for may still happen.
        """
        began = self.step(f"wait:{name}", lambda: clock.now().isoformat())
        found = check()
        if found is not None:
            return found
        if clock.now() - datetime.fromisoformat(str(began)) >= timedelta(seconds=timeout_s):
            raise OutcomeUnknown(f"{self.connector.title} did not report '{name}' within {timeout_s:.0f} s")
        raise Postpone(every_s, f"waiting for {name}")
