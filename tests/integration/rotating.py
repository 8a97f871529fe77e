"""A connection to Slack whose tokens rotate, as the sandbox plays it: each refresh token is good for once."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import requests
from sqlalchemy import text

from neonhub_worker import enqueue_many
from neonhub_worker.db.engine import transaction
from neonhub_worker.vault import cipher, connections
from neonhub_worker.vault.connections import Opened
from tests.integration.sandboxes import Sandbox


@dataclass
class Rotating:
    """The connection ``slack`` of acme.

    Attributes:
        credential: A pair of tokens whose refresh token is good; its access token has ended.
    """

    sandbox: Sandbox
    id: uuid.UUID
    credential: dict[str, Any]

    @property
    def refresh_token(self) -> str:
        return str(self.credential["refresh_token"])

    @property
    def client_secret(self) -> str:
        return str(self.credential["client_secret"])

    def stored(self) -> Opened:
        return connections.open_connection(self.id)

    def store(self, **changes: Any) -> None:
        """Store the credential with changes, as a person does."""
        connections.replace_credential(self.id, {**self.credential, **changes}, {})

    def store_end(self, ahead: timedelta, **credential: Any) -> None:
        """Store a credential whose access token ends so soon."""
        ends_at = (datetime.now(UTC) + ahead).isoformat()
        connections.replace_credential(self.id, {**credential, "expires_at": ends_at}, {})

    def asked(self, *, delay_s: float = 0) -> Callable[[], int]:
        """How many requests come to the token endpoint from now on; each is held back for so long."""
        return self.sandbox.count("slack", "exchangeToken", delay_s=delay_s)

    def fault(self, **fault: Any) -> None:
        """Let the token endpoint fail."""
        self.sandbox.fault(connector="slack", operation="exchangeToken", **fault)

    def exchange(self) -> dict[str, Any]:
        """What the refresh token brings; it is spent then."""
        answer = requests.post(
            f"{self.sandbox.url}/slack.com/api/oauth.v2.access",
            data={"grant_type": "refresh_token", "refresh_token": self.refresh_token},
            auth=(self.credential["client_id"], self.client_secret),
            timeout=10,
        ).json()
        assert answer["ok"], answer
        return {**self.credential, **_pair(answer, ends_at=datetime.now(UTC) + timedelta(hours=12))}

    def renew_at_the_platform(self) -> None:
        """A person agreed again: the newest refresh token of the platform is stored."""
        account = requests.get(f"{self.sandbox.url}/_sandbox/accounts", timeout=10).json()["slack"]
        self.credential = _ended(account["oauth"])
        self.store()

    def let_renewal_be_long_ago(self) -> None:
        """As if the token had been renewed an hour ago."""
        with transaction() as connection:
            connection.execute(text("update connection set renewed_at = renewed_at - interval '1 hour'"))


def rotating_slack(sandbox: Sandbox) -> Rotating:
    """Give the connection a pair of tokens from the sandbox; its access token has ended."""
    account = requests.get(f"{sandbox.url}/_sandbox/accounts", timeout=10).json()["slack"]
    credential = _ended(account["oauth"])
    with transaction() as connection:
        connection_id = connections.get_by_name("acme", "slack", connection=connection).id
        sql = text("update connection set credential = :credential where id = :id")
        connection.execute(sql, {"id": connection_id, "credential": cipher.encrypt(credential)})
    return Rotating(sandbox, connection_id, credential)


def messages(count: int = 1, *, first: int = 0) -> list[uuid.UUID]:
    """Accept messages that no limit of Slack's makes wait for each other."""
    run_ids = enqueue_many(
        {
            "action": "slack.sendMessage",
            "organization_id": "acme",
            "connection": "slack",
            "input": {"channel": "C0SPRINGLNCH", "text": f"Number {first + number}"},
        }
        for number in range(count)
    )
    with transaction() as connection:
        connection.execute(text("update run set limits = '[]' where id = any(:ids)"), {"ids": run_ids})
    return run_ids


def _ended(app: dict[str, Any]) -> dict[str, Any]:
    ended_at = datetime.now(UTC) - timedelta(hours=1)
    return {**app, "access_token": "xoxe.xoxb-1-ended", "expires_at": ended_at.isoformat()}


def _pair(answer: dict[str, Any], *, ends_at: datetime) -> dict[str, Any]:
    names = ("access_token", "refresh_token")
    return {**{name: answer[name] for name in names}, "expires_at": ends_at.isoformat()}
