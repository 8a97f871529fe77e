"""What does an answer of TikTok mean? By the code in its body: the HTTP status is 200 even for errors."""

from __future__ import annotations

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

OK, PARTLY = 0, 20001
NAME_TAKEN = frozenset({"40002", "40911"})
"""Among other things: something of this name is there already."""

# OutcomeUnknown means: TikTok itself failed, or an earlier request of ours was faster; a read may be asked again.
_CODES: dict[type[ConnectorError], str] = {
    InvalidRequest: "40000 40002 40006 40010 40011 40051 40061 40065 40700 40911",
    Permission: "40001 40003 40113 40117 40118 40119 40124 40125 40130 40301",
    AuthExpired: "40101 40102 40104 40105 40106 40110 40115 40116",
    NotFound: "40007 40300 40905",
    RateLimited: "40016 40100 40132 40133 40202",
    PolicyRejected: "40502 40904 40916",
    # A task or a video is still worked on.
    Unavailable: "40201 40901",
    OutcomeUnknown: "20001 40050 50000 50002 60001 61000",
}
_OF_CODE = {int(code): kind for kind, codes in _CODES.items() for code in codes.split()}
_OF_STATUS: dict[int, type[ConnectorError]] = {
    401: AuthExpired,
    403: Permission,
    404: NotFound,
    413: InvalidRequest,
    429: RateLimited,
}
# Two writes to one thing at once: one of them was not done.
_CONFLICT, _CONFLICT_S = 40202, 5.0
_HINTS = {
    20001: "done in part only",
    40002: "a field breaks a rule, or something of this name is there already",
    40050: "the same request was made a moment ago",
    40106: "the token is not for this advertiser",
    40202: "something else is changing it at this moment",
    40502: "the account has as many ads as it may",
    40901: "the video is still being worked on",
    40911: "a file of this name is there already",
    60001: "maintenance",
}


def error_of(answer: requests.Response, body: dict[str, Any], what: str, *, effect: bool) -> ConnectorError:
    """Class an answer that is no success. TikTok's own text is left out: it may repeat what was sent.

    Args:
        body: The answer's JSON object; empty if it is none.
        what: What was asked for, for people.
        effect: Whether the request may have changed something; then a failure of TikTok leaves the outcome unknown.
    """
    code = body.get("code")
    code = code if isinstance(code, int) and not isinstance(code, bool) else None
    status = answer.status_code
    kind = _kind(code, status, effect=effect)
    hint = _HINTS.get(code or 0)
    message = f"{what}: TikTok answered " + (f"status {status}" if code is None else f"code {code}")
    message += f" ({hint})" if hint else ""
    said = body.get("request_id") or answer.headers.get("X-TT-LOGID")
    request_id = said if isinstance(said, str) else None
    name = None if code is None else str(code)
    if kind is RateLimited:
        conflict = code == _CONFLICT
        return RateLimited(
            message,
            retry_after_s=_CONFLICT_S if conflict else None,
            of="run" if conflict else "connection",
            code=name,
            http_status=status,
            request_id=request_id,
        )
    return kind(message, code=name, http_status=status, request_id=request_id)


def _kind(code: int | None, status: int, *, effect: bool) -> type[ConnectorError]:
    unclear: type[ConnectorError] = OutcomeUnknown if effect else Unavailable
    if status >= 500 or status == 408:
        return unclear
    known = _OF_CODE.get(code or 0)
    if known is not None:
        return unclear if known is OutcomeUnknown else known
    if code is not None and 40_000 <= code < 50_000:
        return InvalidRequest
    if code is None and 400 <= status < 500:
        return _OF_STATUS.get(status, InvalidRequest)
    return unclear
