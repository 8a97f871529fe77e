"""What does an error of Meta's Graph API mean? Its code and subcode decide; the HTTP status is nearly always 400."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from connectors.kit.errors import (
    AuthExpired,
    ConnectorError,
    InvalidRequest,
    NotFound,
    OutcomeUnknown,
    Permission,
    PolicyRejected,
    RateLimited,
    Unavailable,
)

if TYPE_CHECKING:
    import requests

Table = dict[type[ConnectorError], str]
"""Error class to codes, separated by spaces; ``200-299`` is a range. OutcomeUnknown means: Meta itself failed, so an
effect may have happened, and a read may be asked again."""

_CODES: Table = {
    AuthExpired: "102 190",
    Permission: "3 10 200-299",
    NotFound: "33 803",
    PolicyRejected: "368",
    RateLimited: "4 17 32 613",
    InvalidRequest: "100 2635",
    OutcomeUnknown: "1 2",
}
_SUBCODES: Table = {
    # The token is good, but its owner has to pass a checkpoint first.
    PolicyRejected: "459",
    NotFound: "33",
}
_HINTS = {
    190: "the access token has expired or was revoked; add the connection again with a new one",
    2635: "this version of the Graph API has ended; update neonhub-worker",
}
# The app's hour moves on and its use falls bit by bit, but Meta does not say when it is low enough.
_APP_USED_UP_S = 300.0


@dataclass(frozen=True)
class Rules:
    """What a platform's codes mean, besides those that every part of the Graph API knows.

    Attributes:
        codes: Classes of its codes.
        subcodes: Classes of its subcodes; they go before codes.
        waits_s: Seconds to wait after a code, where Meta names the limit but not the time.
        hints: What to do about a code, in a few words.
    """

    codes: Mapping[int, type[ConnectorError]]
    subcodes: Mapping[int, type[ConnectorError]]
    waits_s: Mapping[int, float] = field(default_factory=dict)
    hints: Mapping[int, str] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        *,
        codes: Table,
        subcodes: Table | None = None,
        waits_s: Mapping[int, float] | None = None,
        hints: Mapping[int, str] | None = None,
    ) -> Rules:
        """Rules from tables, with the common ones below them."""
        return cls(
            codes={**_read(_CODES), **_read(codes)},
            subcodes={**_read(_SUBCODES), **_read(subcodes or {})},
            waits_s=waits_s or {},
            hints={**_HINTS, **(hints or {})},
        )


def error_of(answer: requests.Response, what: str, rules: Rules, *, effect: bool) -> ConnectorError:
    """Class an answer that is no success.

    Args:
        what: What was asked, for people; nothing personal.
        effect: Whether the request may have changed something; then a failure of Meta leaves the outcome unknown.
    """
    said = _said(answer)
    code, subcode = _whole(said.get("code")), _whole(said.get("error_subcode"))
    status = answer.status_code
    kind = _kind(rules, code, subcode, status=status, passing=said.get("is_transient") is True, effect=effect)
    name = None if code is None else f"{code}/{subcode}" if subcode is not None else str(code)
    hint = rules.hints.get(subcode or 0) or rules.hints.get(0 if code is None else code)
    message = f"{what}: Meta answered " + (f"status {status}" if name is None else f"code {name}")
    message += f" ({hint})" if hint else ""
    trace = said.get("fbtrace_id") or answer.headers.get("x-fb-trace-id")
    request_id = trace if isinstance(trace, str) else None
    if issubclass(kind, RateLimited):
        wait_s = _wait_s(answer.headers) or rules.waits_s.get(subcode or 0) or rules.waits_s.get(code or 0)
        return RateLimited(message, retry_after_s=wait_s, code=name, http_status=status, request_id=request_id)
    return kind(message, code=name, http_status=status, request_id=request_id)


def _kind(
    rules: Rules, code: int | None, subcode: int | None, *, status: int, passing: bool, effect: bool
) -> type[ConnectorError]:
    unclear: type[ConnectorError] = OutcomeUnknown if effect else Unavailable
    known = rules.subcodes.get(subcode or 0) or (None if code is None else rules.codes.get(code))
    if known is OutcomeUnknown:
        return unclear
    if known is not None:
        return known
    if passing or status < 300 or status >= 500 or status == 408:
        return unclear
    by_status: dict[int, type[ConnectorError]] = {401: AuthExpired, 429: RateLimited}
    return by_status.get(status, InvalidRequest)


def _wait_s(headers: Mapping[str, str]) -> float | None:
    """Seconds until Meta takes requests again, as its usage headers tell; it sends no ``Retry-After``."""
    business = _json(headers.get("X-Business-Use-Case-Usage", ""))
    uses = [use for found in business.values() if isinstance(found, list) for use in found if isinstance(use, dict)]
    minutes = max((_share(use.get("estimated_time_to_regain_access")) for use in uses), default=0.0)
    if minutes > 0:
        return minutes * 60.0
    account_s = _share(_json(headers.get("X-Ad-Account-Usage", "")).get("reset_time_duration"))
    if account_s > 0:
        return account_s
    used_up = any(_share(percent) >= 100 for percent in _json(headers.get("X-App-Usage", "")).values())
    return _APP_USED_UP_S if used_up else None


def _said(answer: requests.Response) -> dict[str, Any]:
    found = _json(answer.text).get("error")
    return found if isinstance(found, dict) else {}


def _json(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _share(value: Any) -> float:
    return float(value) if isinstance(value, (int, float)) else 0.0


def _read(table: Table) -> dict[int, type[ConnectorError]]:
    return {code: kind for kind, codes in table.items() for word in codes.split() for code in _numbers(word)}


def _numbers(word: str) -> Iterator[int]:
    first, _, last = word.partition("-")
    yield from range(int(first), int(last or first) + 1)
