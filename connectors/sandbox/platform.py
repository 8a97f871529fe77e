"""What is a platform to the sandbox? The seam that every platform file fills in."""

from __future__ import annotations

import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from connectors.sandbox import callbacks, effects, webhooks
from connectors.sandbox.contract import Contract, Operation, Problem
from connectors.sandbox.signatures import Scheme

JSON_TYPE = "application/json"


@dataclass(frozen=True, slots=True)
class Reply:
    """One HTTP answer. A body of ``bytes`` or ``str`` goes out as it is, anything else as JSON, None as no body."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = JSON_TYPE


class Refusal(Exception):
    """Raised by platform code to undo the request's work and answer with ``reply``."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


@dataclass(slots=True)
class Call:
    """One request that matched an operation, while it is being answered.

    ``path``, ``query`` and ``body`` are filled once the request is found to fit the contract, and are then of the
    contract's types. ``principal`` is whatever the platform's ``authenticate`` returned. ``fails_after`` says that the
    client will get a server error in place of the answer, for platforms that remember what they answered.
    """

    operation: Operation
    raw_path: str
    headers: Mapping[str, str]
    path: dict[str, str]
    raw_query: bytes
    raw_body: bytes
    db: sqlite3.Connection
    now: float
    visible_at: float
    manner: callbacks.Manner = callbacks.IN_ORDER
    fails_after: bool = False
    query: dict[str, Any] = field(default_factory=dict)
    body: Any = None
    principal: Any = None

    def effect(
        self,
        action: str,
        provider_id: str | None,
        *,
        key: str | None = None,
        recipient: str | None = None,
        text: str | None = None,
    ) -> None:
        """Count one real effect of this request."""
        effects.record(
            self.db,
            connector=self.operation.connector,
            action=action,
            provider_id=provider_id,
            at=self.now,
            key=key,
            recipient=recipient,
            text=text,
        )

    def call_back(self, provider_id: str, url: str, posts: Sequence[callbacks.Post]) -> None:
        """Post these to the client's URL once they are due; a URL that is not on this machine is only recorded."""
        callbacks.plan(
            self.db,
            connector=self.operation.connector,
            provider_id=provider_id,
            url=url,
            posts=posts,
            manner=self.manner,
        )

    def tell(
        self, provider_id: str, bodies: Sequence[tuple[float, Mapping[str, Any]]], *, scheme: Scheme, secret: str
    ) -> None:
        """Tell the account's owner about this request once it is due; see ``webhooks.tell``."""
        webhooks.tell(
            self.db,
            self.operation.connector,
            provider_id,
            bodies,
            scheme=scheme,
            secret=secret,
            manner=self.manner,
        )


Handler = Callable[[Call], Reply]


class Platform(ABC):
    """The behaviour of one platform. State lives in its tables, never in the object.

    Attributes:
        slug: The connector's slug; also the name of its contract.
        tables: SQL that creates its tables; every statement says IF NOT EXISTS.
        operations: One handler per operationId of the contract, all of them. A handler runs inside a transaction.
        more_operations: What faults can be set for besides, where one operationId stands for many things.
        is_connector: Whether anyone connects to it; not so what only serves other platforms, such as their tokens.
    """

    slug: ClassVar[str]
    tables: ClassVar[str]
    operations: ClassVar[Mapping[str, Handler]]
    more_operations: ClassVar[frozenset[str]] = frozenset()
    is_connector: ClassVar[bool] = True

    def operation_name(self, operation: Operation, raw_body: bytes) -> str:
        """What a request does, for faults. Default: the operationId."""
        return operation.id

    def widen(self, contract: Contract) -> None:  # noqa: B027
        """Add what the platform accepts and the contract cannot say, such as a second encoding. Default: nothing."""

    @abstractmethod
    def seed(self, db: sqlite3.Connection, *, now: float) -> None:
        """Create the account that a new sandbox starts with; called once per state directory."""

    @abstractmethod
    def describe(self, db: sqlite3.Connection) -> dict[str, Any]:
        """The seeded account, its credential and its settings, in the shape a connection wants."""

    @abstractmethod
    def authenticate(self, call: Call) -> Any:
        """Return who is asking.

        Raises:
            Refusal: the credentials are missing, wrong or expired.
        """

    @abstractmethod
    def refuse(self, problem: Problem) -> Reply:
        """The platform's own answer to a request that does not fit the contract."""

    @abstractmethod
    def rate_limited(self, *, retry_after_s: int | None) -> Reply:
        """The platform's own 429; with None it does not say how long to wait."""

    @abstractmethod
    def server_error(self, status: int) -> Reply:
        """The platform's own 500 or 503."""

    @abstractmethod
    def auth_expired(self) -> Reply:
        """The platform's own answer to a credential that was valid once."""

    def exclusive(self, headers: Mapping[str, str]) -> str | None:
        """What only one request at a time may work with, such as an idempotency key. Default: nothing."""
        return None

    def in_use(self) -> Reply:
        """The platform's own answer to a request whose ``exclusive`` another one is still working with."""
        raise NotImplementedError(f"connector {self.slug} keeps nothing exclusive")

    def recognizes(self, headers: Mapping[str, str], raw_query: bytes, db: sqlite3.Connection) -> bool:
        """Is this platform meant? Asked only when two platforms share a host and a path. Default: yes."""
        return True

    def opt_out(self, db: sqlite3.Connection, address: str, *, out: bool, now: float) -> None:
        """Simulate a recipient who says STOP (or START again).

        Raises:
            NotImplementedError: this platform knows no opt-outs.
        """
        raise NotImplementedError(f"connector {self.slug} knows no opt-outs")

    def hear(self, db: sqlite3.Connection, address: str, *, now: float) -> None:
        """Simulate a person who writes to the account, which may open the time in which they may be answered.

        Raises:
            NotImplementedError: nobody writes to this platform's account.
        """
        raise NotImplementedError(f"connector {self.slug} hears nobody")

    def write_in(self, db: sqlite3.Connection, address: str, text: str, *, now: float) -> None:  # noqa: B027
        """Tell the account's owner what a person wrote; called after ``hear``. Default: nothing."""
