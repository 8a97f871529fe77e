"""What does an error of X mean? Its problem type decides, then an old numeric code, then the HTTP status."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from connectors.kit import clock
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

DUPLICATE, NO_CREDITS, USED_UP = "duplicate", "no-credits", "usage-capped"

_TYPES: dict[type[ConnectorError], str] = {
    InvalidRequest: "invalid-request",
    Permission: """client-forbidden client-not-enrolled not-authorized-for-resource not-authorized-for-field
        unsupported-authentication disallowed-resource noncompliant-rules""",
    NotFound: "resource-not-found resource-unavailable",
    RateLimited: "rate-limit-exceeded usage-capped",
}
# Of the API's first version; some answers still carry them.
_CODES: dict[type[ConnectorError], str] = {
    AuthExpired: "32 89 135 215",
    Permission: "87 93 179 220 261 453",
    NotFound: "17 34 50 144",
    InvalidRequest: "25 44 170 186 323 324 325 354 385",
    PolicyRejected: "63 64 187 226 326 416 433",
    RecipientOptedOut: "150 151 349",
    RateLimited: "88 185 420",
    OutcomeUnknown: "130 131",
}
_OF_TYPE = {name: kind for kind, names in _TYPES.items() for name in names.split()}
_OF_CODE = {code: kind for kind, codes in _CODES.items() for code in codes.split()}
_OF_STATUS: dict[int, type[ConnectorError]] = {
    401: AuthExpired,
    402: PolicyRejected,
    403: PolicyRejected,
    404: NotFound,
    429: RateLimited,
}
_HINTS = {
    DUPLICATE: "the account has posted this text already",
    NO_CREDITS: "the credits or the spending limit are used up; top up in X's developer console",
    USED_UP: "the month's cap on posts read is used up",
    "client-forbidden": "the app lacks a right; look at its settings in X's developer console",
    "scope": "the consent lacks a scope; connect the account again",
}
# A month's cap does not say when it ends; the connection asks again once a day.
_CAPPED_S = 86_400.0
_BUCKETS = ("x-rate-limit", "x-app-limit-24hour", "x-user-limit-24hour")


def error_of(answer: requests.Response, what: str, *, effect: bool) -> ConnectorError:
    """Class an answer that is no success, also one of status 200 that holds errors in place of what was asked for.

    Args:
        what: What was asked, for people; nothing personal.
        effect: Whether the request may have changed something; then a failure of X leaves the outcome unknown.
    """
    said, status = _said(answer), answer.status_code
    name = _name(said, status)
    kind = _kind(name, status, effect=effect)
    hint = _HINTS.get(name or "")
    message = f"{what}: X answered {status}" + (f" {name}" if name else "") + (f" ({hint})" if hint else "")
    request_id = answer.headers.get("x-transaction-id")
    if not issubclass(kind, RateLimited):
        return kind(message, code=name, http_status=status, request_id=request_id)
    return RateLimited(
        message,
        retry_after_s=_CAPPED_S if name == USED_UP else _wait_s(answer.headers),
        of="connection" if name == USED_UP else "action",
        code=name,
        http_status=status,
        request_id=request_id,
    )


def errors_in(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The problems that an answer lists, also one of status 200."""
    found = body.get("errors")
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def names_parameter(answer: requests.Response, parameter: str) -> bool:
    """Whether an answer says that this query parameter is not right."""
    said = _said(answer)
    problems = [said, *errors_in(said)]
    return any(
        one.get("parameter") == parameter
        or parameter in (one["parameters"] if isinstance(one.get("parameters"), dict) else {})
        for one in problems
    )


def _kind(name: str | None, status: int, *, effect: bool) -> type[ConnectorError]:
    unclear: type[ConnectorError] = OutcomeUnknown if effect else Unavailable
    if name == "scope":
        return Permission
    known = _OF_TYPE.get(name or "") or _OF_CODE.get(name or "")
    if known is not None and status < 500:
        return unclear if known is OutcomeUnknown else known
    if status < 300 or status >= 500 or status == 408:
        return unclear
    return _OF_STATUS.get(status, InvalidRequest)


def _name(said: Mapping[str, Any], status: int) -> str | None:
    """The problem in one word: the end of its type's address, or an old code, or what only its text tells."""
    first = next(iter(errors_in(said)), {})
    for one in (said, first):
        ending = str(one.get("type") or "").rpartition("/")[2]
        if ending in _OF_TYPE:
            return ending
        code = one.get("code")
        if isinstance(code, int) and str(code) in _OF_CODE:
            return DUPLICATE if code == 187 else str(code)
    if status == 402:
        return NO_CREDITS
    if status != 403:
        return None
    # Of these X tells the kind in the text alone: the problem type is about:blank.
    detail = str(said.get("detail") or first.get("detail") or first.get("message") or "")
    if "duplicate content" in detail.lower():
        return DUPLICATE
    return "scope" if detail == "Forbidden" else None


def _wait_s(headers: Mapping[str, str]) -> float | None:
    """Seconds until the bucket that is empty fills again; X tells the second, on its own clock."""
    ends: list[int] = []
    for bucket in _BUCKETS:
        left, end = headers.get(f"{bucket}-remaining", ""), headers.get(f"{bucket}-reset", "")
        if end.isdecimal() and len(end) < 12 and (left == "0" or (bucket == _BUCKETS[0] and not ends)):
            ends.append(int(end))
    if not ends:
        return retry_after_s(headers)
    return max(0.0, max(ends) - clock.now().timestamp())


def _said(answer: requests.Response) -> dict[str, Any]:
    try:
        found = answer.json()
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
