"""The sandbox, once per test process, and calls to the connectors against it."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
import requests
from pydantic import BaseModel

from connectors import registry
from connectors.kit.action import Input, LookUp, Output
from connectors.kit.call import Call
from connectors.kit.connector import AnyAction, Connector
from connectors.kit.errors import Postpone
from connectors.kit.http import Http
from connectors.kit.oauth import OAuthCredential
from tests import servers
from tests.contract.memory_ledger import MemoryLedger

_numbers = itertools.count(1000)


@dataclass(frozen=True)
class Sandbox:
    """A running sandbox: the judge of what really happened."""

    url: str
    accounts: dict[str, dict[str, Any]] = field(default_factory=dict)

    def ask(self, method: str, path: str, **content: Any) -> dict[str, Any]:
        answer = requests.request(method, f"{self.url}/_sandbox/{path}", timeout=10, **content)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found

    def fault(self, kind: str, connector: str, operation: str, **more: Any) -> None:
        fault = {"kind": kind, "connector": connector, "operation": operation, "times": 1, **more}
        self.ask("POST", "faults", json=fault)

    def effects(self, since: int = 0) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.ask("GET", "effects", params={"since_id": since})["effects"]
        return found

    def mark(self) -> int:
        last: int = self.ask("GET", "effects")["last_id"]
        return last


class Performer:
    """Performs actions of one run after another, as a worker would."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self.account: dict[str, dict[str, Any]] = copy.deepcopy(sandbox.accounts)

    def call(self, slug: str, ledger: MemoryLedger | None = None, *, read_s: float | None = None) -> Call:
        """A call on the seeded account.

        Args:
            read_s: Seconds to wait for an answer, if not the connector's own.
        """
        connector = copy.copy(registry.connector(slug))
        connector.read_s = read_s or connector.read_s
        account = self.account[slug]
        return Call(
            connector,
            ledger=ledger or MemoryLedger(),
            credential=self._alive(connector, connector.credential.model_validate(account["credential"])),
            settings=connector.settings.model_validate(account["settings"]),
            sandbox_url=self._sandbox.url,
        )

    def _alive(self, connector: Connector, credential: BaseModel) -> BaseModel:
        """A credential whose token lives: other tests move the platforms' clock, and the vault renews what ends."""
        if connector.oauth is None or not isinstance(credential, OAuthCredential):
            return credential
        now = datetime.fromtimestamp(self._sandbox.ask("GET", "health")["now"], UTC)
        if not connector.oauth.is_stale(credential, now):
            return credential
        return connector.oauth.refresh(Http(connector, sandbox_url=self._sandbox.url), credential)

    def perform(self, action: AnyAction, call: Call, data: Input) -> Output:
        """One attempt. As in the ledger, only an effect in doubt has a time at which it may have been sent."""
        ledger = call.ledger
        assert isinstance(ledger, MemoryLedger)
        ledger.settle = lambda: _as_json(self.look_up(action, call, data))
        began_at = datetime.now(UTC)
        try:
            return action.perform(call, data)
        finally:
            if action.effect and not action.multi_step:
                ledger.sent(began_at)

    def look_up(self, action: AnyAction, call: Call, data: Input) -> Output | None:
        # Any other policy asks nobody: the effect is sent again.
        return action.repeat.find(call, data) if isinstance(action.repeat, LookUp) else None

    def hear(self, slug: str, address: str) -> None:
        """Let a person write to the account."""
        self._sandbox.ask("POST", "inbound", json={"connector": slug, "address": address})

    def do(self, full_name: str, **given: Any) -> Output:
        """Perform an action that is expected to work."""
        action = registry.action(full_name)
        return self.perform(action, self.call(action.slug), action.input.model_validate(given))

    def finished(self, full_name: str, **given: Any) -> Output:
        """Perform an action that is expected to work in the end; the sandbox's clock moves while it waits."""
        action = registry.action(full_name)
        return self.finish(action, self.call(action.slug), action.input.model_validate(given))

    def finish(self, action: AnyAction, call: Call, data: Input) -> Output:
        """Perform until it is over, however often it has to wait."""
        while True:
            try:
                return self.perform(action, call, data)
            except Postpone:
                self._sandbox.ask("POST", "clock", json={"advance_s": 1.0})


def _as_json(output: Output | None) -> Any:
    return None if output is None else output.model_dump(mode="json")


@pytest.fixture(scope="session")
def running_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with servers.sandbox(tmp_path_factory.mktemp("sandbox")) as url:
        yield Sandbox(url, Sandbox(url).ask("GET", "accounts"))


@pytest.fixture
def sandbox(running_sandbox: Sandbox) -> Sandbox:
    """The sandbox, with no fault set."""
    running_sandbox.ask("DELETE", "faults")
    return running_sandbox


@pytest.fixture
def performer(sandbox: Sandbox) -> Performer:
    return Performer(sandbox)


@pytest.fixture
def recipient() -> str:
    """A phone number that no other test writes to."""
    return f"+1415555{next(_numbers):04d}"
