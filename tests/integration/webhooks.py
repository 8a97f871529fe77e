"""The webhooks app as a platform meets it, on a real port, with connections whose secrets the tests know."""

from __future__ import annotations

import json
import socket
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import requests
from sqlalchemy import text

from neonhub_worker.db.engine import transaction
from neonhub_worker.vault import connections
from neonhub_worker.webhooks import act, serving
from tests import signing
from tests.servers import wait_for


@dataclass(frozen=True)
class Hooks:
    """A running app."""

    url: str

    def address(self, slug: str, connection_id: uuid.UUID | None = None) -> str:
        """Of the organization's connection that is named like its platform, or of another."""
        found = connections.get_by_name("acme", slug).id if connection_id is None else connection_id
        return f"{self.url}/webhooks/{slug}/{found}"

    def send(
        self, slug: str, content: dict[str, Any], *, query: str = "", at: float | None = None, **secrets: str
    ) -> requests.Response:
        """Deliver as the platform does.

        Args:
            query: Of the address, which Twilio signs.
            at: When it was signed.
            **secrets: What to sign with instead of what the connection holds.
        """
        url = self.address(slug) + query
        known = {**_credential(slug), **secrets}
        body = signing.encoded(slug, content)
        return requests.post(url, data=body, headers=signing.headers(slug, url, body, secrets=known, at=at), timeout=10)

    def tell(self, slug: str, content: dict[str, Any], **more: Any) -> None:
        """Deliver, and wait until all that can be worked off is."""
        answer = self.send(slug, content, **more)
        assert answer.status_code in (200, 204), answer.text
        wait_until_worked_off()


def _credential(slug: str) -> dict[str, Any]:
    found = connections.get_by_name("acme", slug).id
    return connections.open_connection(found).credential


def wait_until_worked_off() -> None:
    """Until no event is due."""
    wait_for(lambda: scalar("select count(*) from webhook_event where act_at <= clock_timestamp()") == 0, "the events")


def scalar(query: str, **values: Any) -> Any:
    """What a query finds."""
    with transaction() as connection:
        return connection.execute(text(query), values).scalar()


def now_due() -> int:
    """Work off everything, also what was put off; how many events there were."""
    with transaction() as connection:
        connection.execute(text("update webhook_event set act_at = clock_timestamp() where act_at is not null"))
    return act.work_off(limit=1000)


def outcomes() -> dict[str, str | None]:
    """What came of each event, by its id."""
    with transaction() as connection:
        return {
            row.event_id: row.outcome for row in connection.execute(text("select event_id, outcome from webhook_event"))
        }


def refused(number: int = 1) -> dict[tuple[str, str], int]:
    """How many deliveries were refused, as soon as so many are written down."""
    wait_for(lambda: (scalar("select sum(number) from webhook_refusal") or 0) >= number, "the count of refusals")
    with transaction() as connection:
        rows = connection.execute(text("select connector, reason, number from webhook_refusal"))
        return {(row.connector, row.reason): row.number for row in rows}


@contextmanager
def serving_hooks(*, public_url: str | None = None) -> Iterator[Hooks]:
    """The app in a thread of this process."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        server = serving.server(public_url=public_url)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            wait_for(lambda: server.started or not thread.is_alive(), "the webhooks app")
            yield Hooks(f"http://127.0.0.1:{listener.getsockname()[1]}")
        finally:
            server.should_exit = True
            thread.join(15)


def raw(hooks: Hooks, request: bytes) -> socket.socket:
    """A connection on which this much of a request was written."""
    host, _, port = hooks.url.removeprefix("http://").partition(":")
    made = socket.create_connection((host, int(port)), timeout=20)
    made.sendall(request)
    return made


def answered(connection: socket.socket) -> bytes:
    """All that comes until the other side closes."""
    found = b""
    while chunk := connection.recv(65_536):
        found += chunk
    return found


def as_json(answer: requests.Response) -> Any:
    """The body of an answer."""
    return json.loads(answer.content)
