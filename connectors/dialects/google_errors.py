"""What does an error of a Google JSON API mean? Its reasons decide, then its canonical status, then the HTTP status.

Read in this order, as https://google.aip.dev/193 and the APIs' own "Resolve errors" pages have it: ``ErrorInfo`` in
``details``, the older ``errors[0].reason``, ``status``, and the status of the answer. The message is for people.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Literal
from zoneinfo import ZoneInfo

from connectors.kit import clock
from connectors.kit.errors import (
    AuthExpired,
    ConnectorError,
    InvalidRequest,
    NotFound,
    OutcomeUnknown,
    Permission,
    RateLimited,
    Unavailable,
)
from connectors.kit.http import retry_after_s

if TYPE_CHECKING:
    import requests

Table = Mapping[type[ConnectorError], str]
"""Error class to reasons, separated by spaces. OutcomeUnknown means: Google itself failed, so an effect may have
happened, and a read may be asked again."""

_COMMON: Table = {
    AuthExpired: "ACCESS_TOKEN_EXPIRED ACCESS_TOKEN_TYPE_UNSUPPORTED CREDENTIALS_MISSING authError UNAUTHENTICATED",
    Permission: """ACCESS_TOKEN_SCOPE_INSUFFICIENT insufficientPermissions SERVICE_DISABLED accessNotConfigured
        CONSUMER_INVALID CONSUMER_SUSPENDED BILLING_DISABLED USER_PROJECT_DENIED SECURITY_POLICY_VIOLATED domainPolicy
        forbidden accountDisabled PERMISSION_DENIED""",
    RateLimited: """rateLimitExceeded userRateLimitExceeded dailyLimitExceeded quotaExceeded RATE_LIMIT_EXCEEDED
        RESOURCE_QUOTA_EXCEEDED RESOURCE_EXHAUSTED""",
    NotFound: "notFound NOT_FOUND",
    InvalidRequest: """invalidArgument invalidParameter badRequest badContent parseError required invalid
        failedPrecondition uploadTooLarge duplicate conflict INVALID_ARGUMENT FAILED_PRECONDITION OUT_OF_RANGE
        ALREADY_EXISTS UNIMPLEMENTED""",
    OutcomeUnknown: """backendError internalError INTERNAL UNAVAILABLE UNKNOWN DEADLINE_EXCEEDED ABORTED CANCELLED
        DATA_LOSS""",
}
_OF_STATUS: dict[int, type[ConnectorError]] = {
    401: AuthExpired,
    403: Permission,
    404: NotFound,
    409: OutcomeUnknown,
    410: NotFound,
    429: RateLimited,
}
_HINTS = {
    "ACCESS_TOKEN_SCOPE_INSUFFICIENT": "the consent lacks a scope; connect the account again with it",
    "insufficientPermissions": "the consent lacks a scope; connect the account again with it",
    "SERVICE_DISABLED": "enable the API in the app's Google Cloud project",
    "accessNotConfigured": "enable the API in the app's Google Cloud project",
    "domainPolicy": "the Workspace administrator has switched the API off",
}

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.:]{0,99}")
_DELAY = re.compile(r"(\d{1,6}(?:\.\d{1,9})?)s")
_UNTIL = re.compile(r"[Rr]etry after (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z)")
_PACIFIC = ZoneInfo("America/Los_Angeles")
_LONGEST_S = 2 * 86_400.0


def _nothing(error: Mapping[str, Any]) -> Iterable[str]:
    return ()


@dataclass(frozen=True)
class Rules:
    """What an API's reasons mean, besides those that all of them share.

    Attributes:
        kinds: Classes of its reasons, ErrorInfo reasons and canonical statuses; they go before the common ones.
        hints: What to do about a reason, in a few words.
        waits_s: Seconds to wait after a reason, where Google names the limit but not the time.
        daily: Reasons that hold until midnight Pacific time, when the daily quotas begin anew.
        limited: What a rate limit is counted for.
        own_names: Reads further names from the ``error`` object, for an API whose details have a shape of their own;
            they go before all others.
    """

    kinds: Mapping[str, type[ConnectorError]] = field(default_factory=dict)
    hints: Mapping[str, str] = field(default_factory=dict)
    waits_s: Mapping[str, float] = field(default_factory=dict)
    daily: frozenset[str] = frozenset()
    limited: Literal["connection", "action", "target", "run"] = "connection"
    own_names: Callable[[Mapping[str, Any]], Iterable[str]] = _nothing

    @classmethod
    def of(
        cls,
        table: Table | None = None,
        *,
        hints: Mapping[str, str] | None = None,
        waits_s: Mapping[str, float] | None = None,
        daily: str = "",
        limited: Literal["connection", "action", "target", "run"] = "connection",
        own_names: Callable[[Mapping[str, Any]], Iterable[str]] = _nothing,
    ) -> Rules:
        """Rules from a table; ``daily`` are reasons separated by spaces."""
        return cls(
            kinds=_read(table or {}),
            hints={**_HINTS, **(hints or {})},
            waits_s=waits_s or {},
            daily=frozenset({"dailyLimitExceeded", *daily.split()}),
            limited=limited,
            own_names=own_names,
        )


def error_of(answer: requests.Response, what: str, rules: Rules, *, effect: bool) -> ConnectorError:
    """Class an answer that is no success.

    Args:
        what: What was asked, as Google's reference names it, such as ``users.drafts.send``; nothing personal.
        effect: Whether the request may have changed something; then a failure of Google leaves the outcome unknown.
    """
    said, status = _said(answer), answer.status_code
    names = [name for name in (*rules.own_names(said), *_names(said)) if _NAME.fullmatch(name)]
    kind, decisive = _kind(rules, names, status, effect=effect)
    name = decisive or next(iter(names), None)
    hint = rules.hints.get(name or "")
    message = f"{what}: Google answered {status}" + (f" {name}" if name else "") + (f" ({hint})" if hint else "")
    given = answer.headers.get("request-id", "")
    request_id = given if _NAME.fullmatch(f"r{given}") and given else None
    if issubclass(kind, RateLimited):
        wait_s = _wait_s(answer, said, rules, name or "")
        limited = rules.limited
        return RateLimited(
            message, retry_after_s=wait_s, of=limited, code=name, http_status=status, request_id=request_id
        )
    return kind(message, code=name, http_status=status, request_id=request_id)


def _kind(rules: Rules, names: list[str], status: int, *, effect: bool) -> tuple[type[ConnectorError], str | None]:
    """The class, and the name that decided."""
    unclear: type[ConnectorError] = OutcomeUnknown if effect else Unavailable
    if status < 300 or status >= 500 or status == 408:
        return unclear, None
    # 401 is said before anything is done, whatever reason goes with it, unless the API itself knows better.
    tables = (rules.kinds,) if status == 401 else (rules.kinds, _OF_NAME)
    for table in tables:
        for name in names:
            if name in table:
                return (unclear if table[name] is OutcomeUnknown else table[name]), name
    kind = _OF_STATUS.get(status, InvalidRequest)
    return (unclear if kind is OutcomeUnknown else kind), None


def _said(answer: requests.Response) -> Mapping[str, Any]:
    """The error object. Some methods answer with a list that holds it, and proxies with a page that does not."""
    try:
        body = json.loads(answer.content)
    except (ValueError, RecursionError):
        return {}
    if isinstance(body, list):
        body = body[0] if body else None
    error = body.get("error") if isinstance(body, dict) else None
    return error if isinstance(error, dict) else {}


def _names(said: Mapping[str, Any]) -> list[str]:
    infos = [one.get("reason") for one in _objects(said.get("details")) if _is(one, "google.rpc.ErrorInfo")]
    reasons = [one.get("reason") for one in _objects(said.get("errors"))[:1]]
    return [name for name in (*infos, *reasons, said.get("status")) if isinstance(name, str)]


def _wait_s(answer: requests.Response, said: Mapping[str, Any], rules: Rules, name: str) -> float | None:
    """Seconds until Google takes requests again, if it says so, or else if its limit has a known end."""
    delays = [one.get("retryDelay") for one in _objects(said.get("details")) if _is(one, "google.rpc.RetryInfo")]
    found = [_DELAY.fullmatch(delay) for delay in delays if isinstance(delay, str)]
    told = next((float(delay[1]) for delay in found if delay), None)
    if told is None:
        told = retry_after_s(answer.headers)
    if told is None:
        told = _until_told_s(answer, said.get("message"))
    if told is not None:
        return min(told, _LONGEST_S)
    return _until_midnight_s() if name in rules.daily else rules.waits_s.get(name)


def _until_told_s(answer: requests.Response, message: Any) -> float | None:
    # Gmail gives the time nowhere else: "User-rate limit exceeded. Retry after 2026-11-25T18:00:00.000Z".
    found = _UNTIL.search(message) if isinstance(message, str) else None
    if found is None:
        return None
    try:
        until_at = datetime.fromisoformat(found[1])
        # Measured on Google's own clock where it shows it.
        now = parsedate_to_datetime(answer.headers["Date"]) if "Date" in answer.headers else clock.now()
        return max(0.0, (until_at - now).total_seconds())
    except (ValueError, TypeError):
        return None


def _until_midnight_s() -> float:
    now = clock.now().astimezone(_PACIFIC)
    tomorrow = (now + timedelta(days=1)).date()
    midnight = datetime(tomorrow.year, tomorrow.month, tomorrow.day, tzinfo=_PACIFIC)
    return (midnight.astimezone(UTC) - clock.now()).total_seconds()


def _is(detail: Mapping[str, Any], kind: str) -> bool:
    return detail.get("@type") == f"type.googleapis.com/{kind}"


def _objects(value: Any) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _read(table: Table) -> dict[str, type[ConnectorError]]:
    return {name: kind for kind, names in table.items() for name in names.split()}


_OF_NAME = _read(_COMMON)
