"""What does an error of Discord mean? Its code decides if it is known, else the HTTP status."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from connectors.kit.errors import (
    AuthExpired,
    ConnectorError,
    InvalidRequest,
    NotFound,
    OutcomeUnknown,
    Permission,
    PolicyRejected,
    RateLimited,
    RecipientOptedOut,
    Unavailable,
)
from connectors.kit.http import retry_after_s

if TYPE_CHECKING:
    import requests

UNKNOWN_MESSAGE, UNKNOWN_EVENT, ALREADY_CROSSPOSTED = "10008", "10070", "40033"

_CODES: dict[type[ConnectorError], str] = {
    AuthExpired: "40001 50014 50025 50027 10015",
    Permission: "20012 40007 50001 50005 50013 50026 50278 160002 160005 400001",
    RecipientOptedOut: "50007",
    NotFound: "10003 10004 10008 10070",
    InvalidRequest: """40005 40033 40058 40067 50006 50008 50024 50035 50068 50083 50091 50109 180000 220001""",
    PolicyRejected: "20009 200000 200001 240000",
    RateLimited: "20016 20022 20028 20029 30038 30046 40003 40062",
    # Switched off for a time, or an index that is not ready: Discord says that it did nothing.
    Unavailable: "40004 40006 110000",
    # Overloaded: the request may have been taken up before.
    OutcomeUnknown: "130000",
}
_OF_CODE = {code: kind for kind, codes in _CODES.items() for code in codes.split()}
_OF_STATUS: dict[int, type[ConnectorError]] = {
    401: AuthExpired,
    403: Permission,
    404: NotFound,
    429: RateLimited,
}
# Seconds to wait where Discord names the limit but not the time: a place among the events, an edit of an old message,
# a new conversation.
_WAITS_S = {"30038": 3600.0, "30046": 600.0, "40003": 600.0}
_HINTS = {
    "10015": "the webhook was deleted; add the connection again with a new one",
    "30038": "a server holds at most 100 events that are not over",
    "40058": "a forum takes threads, not messages",
    "50001": "let the bot see the channel",
    "50007": "the person takes no direct messages from this bot",
    "50013": "give the bot the permission in the server's settings",
    "50027": "the webhook's token is wrong; add the connection again",
    "220001": "a forum's webhook needs thread_name or thread_id",
}
_FIELD = re.compile(r"[A-Za-z0-9_]{1,40}")


def error_of(answer: requests.Response, path: str, *, effect: bool) -> ConnectorError:
    """Class an answer that is no success: by Discord's code if it is known, else by the HTTP status.

    Args:
        path: What was asked, for people; only its words are shown, no id and no token.
        effect: Whether the request may have changed something; then a failure of Discord leaves the outcome unknown.
    """
    found = body_of(answer)
    body = found if isinstance(found, dict) else {}
    number, status = body.get("code"), answer.status_code
    code = str(number) if isinstance(number, int) and not isinstance(number, bool) else None
    kind = _kind(status, code, effect=effect)
    what = " ".join(word for word in path.split("/") if word.isascii() and word.replace("-", "").isalpha())
    said = " ".join(filter(None, (f"code {code}" if code else f"status {status}", _field_at_fault(body.get("errors")))))
    hint = _HINTS.get(code or "")
    message = f"{what}: Discord answered {said}" + (f" ({hint})" if hint else "")
    request_id = answer.headers.get("CF-Ray")
    if not issubclass(kind, RateLimited):
        return kind(message, code=code, http_status=status, request_id=request_id)
    wait_s = _seconds(body.get("retry_after"))
    wait_s = retry_after_s(answer.headers) if wait_s is None else wait_s
    wait_s = _WAITS_S.get(code or "") if wait_s is None else wait_s
    return RateLimited(
        message, retry_after_s=wait_s, of=_limited(body, path), code=code, http_status=status, request_id=request_id
    )


def _kind(status: int, code: str | None, *, effect: bool) -> type[ConnectorError]:
    unclear: type[ConnectorError] = OutcomeUnknown if effect else Unavailable
    if status == 429:
        return RateLimited
    known = _OF_CODE.get(code or "")
    if known is not None:
        return unclear if known is OutcomeUnknown else known
    if 300 <= status < 500 and status != 408:
        return _OF_STATUS.get(status, InvalidRequest)
    return unclear


def _limited(body: Mapping[str, Any], path: str) -> Literal["connection", "action", "target"]:
    """What a 429 holds back. Without Discord's own body it comes from the edge, which holds back the whole address."""
    if body.get("global") is True or "message" not in body:
        return "connection"
    return "target" if path.startswith("channels/") else "action"


def _field_at_fault(errors: Any) -> str | None:
    """The first field that 50035 names, with its rule; Discord nests them by field and place in a list."""
    path: list[str] = []
    while isinstance(errors, dict) and errors and "_errors" not in errors and len(path) < 8:
        name, errors = next(iter(errors.items()))
        path.append(name if _FIELD.fullmatch(name) else "?")
    first = errors.get("_errors") if isinstance(errors, dict) else None
    rule = first[0].get("code") if isinstance(first, list) and first and isinstance(first[0], dict) else None
    shown = rule if isinstance(rule, str) and _FIELD.fullmatch(rule) else ""
    return f"at {'.'.join(path)} {shown}".rstrip() if path else None


def _seconds(value: Any) -> float | None:
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 <= value < float("inf"):
        return None
    return float(value)


def body_of(answer: requests.Response) -> Any:
    """The JSON of an answer; None if it has none."""
    try:
        return answer.json()
    except (ValueError, RecursionError):
        return None
