"""What may be asked of us? A request, checked in full before it is accepted: the same checks on every way in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from pydantic_core import ErrorDetails
from sqlalchemy import Connection

from connectors import registry
from connectors.kit.action import Action, Input, LookUp, Output
from neonhub_worker import clock, ids, storable
from neonhub_worker.errors import FieldError, InvalidInput, UnknownConnection, UnknownOrganization
from neonhub_worker.ledger.acceptance import Draft
from neonhub_worker.vault import connections
from neonhub_worker.vault.connections import Described

QUEUES = ("actions", "bulk")
"""Queues a producer may choose: ``bulk`` is for campaigns whose pace nobody waits for."""

_Key = Annotated[str, StringConstraints(min_length=1, max_length=255)]


def _within_reach(moment: datetime) -> datetime:
    if not clock.within_reach(moment):
        raise ValueError(f"must lie between the years 1970 and {clock.LAST_YEAR}")
    return moment


def _known(zone: str) -> str:
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError):
        raise ValueError("must be an IANA time zone, such as America/New_York") from None
    return zone


_Zone = Annotated[str, StringConstraints(min_length=1, max_length=64), AfterValidator(_known)]
_Instant = Annotated[AwareDatetime, AfterValidator(_within_reach)]


class RunRequest(BaseModel):
    """One request, as ``enqueue`` takes it and as a line of ``neonhub enqueue --file`` holds it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    action: str = Field(
        max_length=100, description="slug.camelCase, such as sms.sendSMS; `neonhub catalog` lists them."
    )
    organization_id: str = Field(max_length=63, description="The organization it is done for.")
    connection: str = Field(max_length=255, description="Name of the organization's connection that does it.")
    input: dict[str, Any] = Field(description="The action's input; `neonhub catalog ACTION` shows its fields.")
    idempotency_key: _Key | None = Field(default=None, description="Same key and same input give the same run.")
    at: _Instant | None = Field(default=None, description="When it is due; now if left out.")
    expires_at: _Instant | None = Field(default=None, description="After this instant it is not begun any more.")
    priority: int = Field(default=5, ge=0, le=9, description="0 goes first.")
    queue: str | None = Field(default=None, pattern="^(actions|bulk)$", description="actions (the default) or bulk.")
    recipient_zone: _Zone | None = Field(
        default=None, description="IANA zone of the person it reaches, for quiet hours; else found from the number."
    )
    transactional: bool = Field(
        default=False, description="The person waits for it, as for a code: neither quiet hours nor caps hold it."
    )


def parse(request: RunRequest | Mapping[str, Any], *, where: str = "") -> RunRequest:
    """Read a request.

    Args:
        where: Put before each field's name in errors, such as ``"item 3: "``.

    Raises:
        InvalidInput: A field is missing, unknown or wrong.
    """
    if broken := storable.broken_rules(vars(request) if isinstance(request, RunRequest) else request, where=where):
        raise InvalidInput(broken)
    if isinstance(request, RunRequest):
        return request
    try:
        return RunRequest.model_validate(request)
    except ValidationError as error:
        raise InvalidInput(field_errors(error, where=where)) from None


def parse_all(wanted: Sequence[RunRequest | Mapping[str, Any]]) -> list[RunRequest]:
    """Read requests.

    Raises:
        InvalidInput: Lists every broken rule of every request; the items are numbered from 1 if there are several.
    """
    read: list[RunRequest] = []
    errors: list[FieldError] = []
    for number, request in enumerate(wanted, start=1):
        try:
            read.append(parse(request, where=f"item {number}: " if len(wanted) > 1 else ""))
        except InvalidInput as error:
            errors += error.errors
    if errors:
        raise InvalidInput(errors)
    return read


def field_errors(error: ValidationError, *, where: str = "") -> list[FieldError]:
    """The broken rules of a pydantic error, without the values: they may be personal."""
    return [
        # A rule about an object as a whole has no field of its own.
        FieldError(
            (where + ".".join(storable.field_name(part) for part in found["loc"])).removesuffix("."), _rule(found)
        )
        for found in error.errors(include_input=False, include_url=False, include_context=False)
    ]


def _rule(found: ErrorDetails) -> str:
    plain = {"extra_forbidden": "there is no such field", "missing": "is missing"}
    return plain.get(found["type"], found["msg"].removeprefix("Value error, "))


def drafts(connection: Connection, requests: Sequence[RunRequest]) -> list[Draft]:
    """Check requests and turn them into rows to be.

    Raises:
        InvalidInput: Lists every broken rule of every request; the items are numbered from 1 if there are several.
    """
    book = _ConnectionBook(connection)
    made: list[Draft] = []
    errors: list[FieldError] = []
    for number, request in enumerate(requests, start=1):
        where = f"item {number}: " if len(requests) > 1 else ""
        try:
            made.append(_draft(request, book))
        except InvalidInput as error:
            errors += [FieldError(where + found.field, found.rule) for found in error.errors]
    if errors:
        raise InvalidInput(errors)
    return made


class _ConnectionBook:
    """Looks each organization's connection up once."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._known: dict[tuple[str, str], Described] = {}

    def find(self, organization_id: str, name: str) -> Described:
        key = (organization_id, name)
        if key not in self._known:
            self._known[key] = connections.get_by_name(organization_id, name, connection=self._connection)
        return self._known[key]


def _draft(request: RunRequest, book: _ConnectionBook) -> Draft:
    try:
        action = registry.action(request.action)
    except registry.UnknownAction as error:
        raise InvalidInput([FieldError("action", str(error))]) from None
    link = _link(request, action, book)
    try:
        data = action.input.accept(request.input, now=request.at or clock.now())
    except ValidationError as error:
        raise InvalidInput(field_errors(error, where="input.")) from None
    normal = data.model_dump(mode="json", exclude_unset=True)
    alike = action.repeat.alike if isinstance(action.repeat, LookUp) else None
    return Draft(
        id=ids.new_id(),
        organization_id=request.organization_id,
        kind="action",
        name=action.full_name,
        connection_id=link.id,
        input=normal,
        input_hash=ids.digest([request.connection, normal]),
        queue=request.queue or QUEUES[0],
        max_retries=action.retry.max_retries,
        effect="send" if action.effect and not action.multi_step else None,
        alike=None if alike is None else ids.digest(alike(data)),
        channel=action.channel,
        recipient=None if action.recipient is None else action.recipient(data),
        recipient_zone=request.recipient_zone,
        transactional=request.transactional,
        target=None if action.target is None else ids.digest(action.target(data)),
        limits=None if action.multi_step else [asdict(limit) for limit in action.pace],
        idempotency_key=request.idempotency_key,
        priority=request.priority,
        run_at=request.at,
        expires_at=request.expires_at,
    )


def _link(request: RunRequest, action: Action[Input, Output], book: _ConnectionBook) -> Described:
    try:
        link = book.find(request.organization_id, request.connection)
    except UnknownOrganization as error:
        raise InvalidInput([FieldError("organization_id", str(error))]) from None
    except UnknownConnection as error:
        raise InvalidInput([FieldError("connection", str(error))]) from None
    if link.connector != action.slug:
        rule = f"{request.connection!r} belongs to {link.connector}, but {action.full_name} needs a {action.slug} one"
        raise InvalidInput([FieldError("connection", rule)])
    if link.state == "disabled":
        raise InvalidInput(
            [FieldError("connection", f"{request.connection!r} is disabled; enable it or use another one")]
        )
    return link


def forbid(request: RunRequest, *fields: str, why: str) -> None:
    """Refuse fields that make no sense here.

    Raises:
        InvalidInput: One of them is set.
    """
    given = [FieldError(field, f"must be left out: {why}") for field in fields if getattr(request, field) is not None]
    if given:
        raise InvalidInput(given)


def template(draft: Draft) -> dict[str, Any]:
    """The columns of ``run`` that every occurrence of a schedule shares, as JSON."""
    return {
        "kind": draft.kind,
        "name": draft.name,
        "connection_id": None if draft.connection_id is None else str(draft.connection_id),
        "input": draft.input,
        "input_hash": draft.input_hash,
        "queue": draft.queue,
        "priority": draft.priority,
        "effect": draft.effect,
        "alike": draft.alike,
        "channel": draft.channel,
        "recipient": draft.recipient,
        "recipient_zone": draft.recipient_zone,
        "transactional": draft.transactional,
        "target": draft.target,
        "limits": draft.limits,
        "max_retries": draft.max_retries,
    }
