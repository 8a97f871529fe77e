"""How is Reddit's Data API called, and what do its errors mean? A 200 may say no: one has to look inside."""

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
    Unavailable,
)
from connectors.kit.http import retry_after_s
from connectors.reddit import api

if TYPE_CHECKING:
    import requests

    from connectors.kit.call import Call

_CODES: dict[type[ConnectorError], str] = {
    AuthExpired: "USER_REQUIRED",
    Permission: "SUBREDDIT_NOTALLOWED SUBREDDIT_NO_ACCESS NO_SELFS NO_LINKS VERIFIED_USER_REQUIRED",
    NotFound: "SUBREDDIT_NOEXIST",
    PolicyRejected: "DOMAIN_BANNED IN_TIMEOUT BANNED_FROM_SUBREDDIT",
    RateLimited: "RATELIMIT QUOTA_FILLED SUBREDDIT_RATELIMIT",
    InvalidRequest: "NO_TEXT TOO_LONG NO_URL BAD_URL INVALID_OPTION BAD_SR_NAME SUBREDDIT_REQUIRED ALREADY_SUB",
}
_OF_CODE = {name: kind for kind, names in _CODES.items() for name in names.split()}
_OF_STATUS: dict[int, type[ConnectorError]] = {
    401: AuthExpired,
    403: Permission,
    404: NotFound,
    429: RateLimited,
}
_HINTS = {
    "ALREADY_SUB": "the link is in that subreddit already; resubmit posts it again",
    "insufficient_scope": "the token lacks the action's scope",
}
_CODE = re.compile(r"[A-Za-z_]{1,60}")
_WAIT = re.compile(r"(\d{1,4})\s*(second|minute|hour)")
_UNITS_S = {"second": 1.0, "minute": 60.0, "hour": 3600.0}


def get(call: Call, path: str, **params: Any) -> Any:
    """Read; parameters that are None are left out, and texts come without HTML entities.

    Raises:
        ConnectorError: Reddit did not answer; the class says what may be done next.
    """
    given = {name: value for name, value in {**params, "raw_json": 1}.items() if value is not None}
    return _read(call, path, given)


def get_plain(call: Call, path: str) -> Any:
    """Read where no parameters are taken; otherwise as ``get``."""
    return _read(call, path, None)


def _read(call: Call, path: str, params: Mapping[str, Any] | None) -> Any:
    answer = call.http.get(f"https://{api.DATA_HOST}{path}", params=params, headers=api.headers(call))
    body = api.json_of(answer)
    if answer.status_code == 200 and isinstance(body, (dict, list)):
        return body
    raise error(answer, effect=False)


def post(call: Call, path: str, form: Mapping[str, Any], *, effect: bool) -> dict[str, Any]:
    """Call a method that takes a form; returns the answer's body.

    Raises:
        ConnectorError: Reddit did not say yes.
    """
    texts = {name: str(value).lower() if isinstance(value, bool) else value for name, value in form.items()}
    answer = call.http.request(
        "POST", f"https://{api.DATA_HOST}{path}", effect=effect, data=texts, headers=api.headers(call)
    )
    body = api.json_of(answer)
    if answer.status_code != 200 or not isinstance(body, dict):
        raise error(answer, effect=effect)
    return body


def post_for(call: Call, path: str, form: Mapping[str, Any]) -> dict[str, Any]:
    """Call a method that says inside its answer whether it worked, and is an effect; returns its ``data``.

    Raises:
        OutcomeUnknown: The answer says neither yes nor no.
        ConnectorError: Reddit said no.
    """
    body = post(call, path, {"api_type": "json", **form}, effect=True)
    said = body.get("json")
    errors = said.get("errors") if isinstance(said, dict) else None
    if not isinstance(said, dict) or not isinstance(errors, list):
        raise OutcomeUnknown("Reddit's answer says neither yes nor no", http_status=200)
    if errors:
        raise _inner_error(said, errors[0])
    data = said.get("data")
    return data if isinstance(data, dict) else {}


def listed(body: Any) -> list[dict[str, Any]]:
    """What a listing holds.

    Raises:
        Unavailable: It is no listing.
    """
    data = body.get("data") if isinstance(body, dict) else None
    children = data.get("children") if isinstance(data, dict) else None
    if not isinstance(children, list):
        raise Unavailable("Reddit's list cannot be read")
    found = [one.get("data") for one in children if isinstance(one, dict)]
    return [one for one in found if isinstance(one, dict) and isinstance(one.get("name"), str)]


def error(answer: requests.Response, *, effect: bool) -> ConnectorError:
    """Class an answer by its status, and the reason that its body gives."""
    status, body = answer.status_code, api.json_of(answer)
    reason = body.get("reason") if isinstance(body, dict) else None
    if status == 403 and 'error="insufficient_scope"' in answer.headers.get("www-authenticate", ""):
        reason = "insufficient_scope"
    code = reason if isinstance(reason, str) and _CODE.fullmatch(reason) else None
    message = _message(f"Reddit answered {status}", code)
    kind = _OF_STATUS.get(status) or (_kind(code) if status == 400 and code else None)
    if kind is None:
        unclear: type[ConnectorError] = OutcomeUnknown if effect else Unavailable
        kind = InvalidRequest if 300 <= status < 500 and status != 408 else unclear
    if issubclass(kind, RateLimited):
        return RateLimited(message, retry_after_s=_reset_s(answer.headers), code=code, http_status=status)
    return kind(message, code=code, http_status=status)


def _inner_error(said: Mapping[str, Any], first: Any) -> ConnectorError:
    """Class an error that came with 200: nothing was done."""
    parts = first if isinstance(first, list) else []
    code = parts[0] if parts and isinstance(parts[0], str) and _CODE.fullmatch(parts[0]) else None
    field = parts[2] if len(parts) > 2 and isinstance(parts[2], str) and _CODE.fullmatch(parts[2]) else None
    message = _message("Reddit refused", code) + (f" for {field}" if field else "")
    kind = _kind(code or "")
    if not issubclass(kind, RateLimited):
        return kind(message, code=code, http_status=200)
    of: Literal["action", "target"] = "target" if code == "SUBREDDIT_RATELIMIT" else "action"
    return RateLimited(message, retry_after_s=_told_s(said, parts), of=of, code=code, http_status=200)


def _kind(code: str) -> type[ConnectorError]:
    # Whatever else it says no to was not done.
    return _OF_CODE.get(code, InvalidRequest)


def _message(said: str, code: str | None) -> str:
    hint = _HINTS.get(code or "")
    return said + (f" {code}" if code else "") + (f" ({hint})" if hint else "")


def _told_s(said: Mapping[str, Any], parts: list[Any]) -> float | None:
    """Seconds to wait: a number of their own, or else those in the text, which no number replaces in old answers."""
    seconds = said.get("ratelimit")
    if isinstance(seconds, (int, float)) and not isinstance(seconds, bool) and 0 <= seconds < 10**7:
        return float(seconds)
    found = _WAIT.search(parts[1]) if len(parts) > 1 and isinstance(parts[1], str) else None
    return None if found is None else float(found[1]) * _UNITS_S[found[2]]


def _reset_s(headers: Mapping[str, str]) -> float | None:
    reset = headers.get("x-ratelimit-reset", "").strip()
    return float(reset) if re.fullmatch(r"\d{1,6}(\.\d{1,6})?", reset, re.ASCII) else retry_after_s(headers)
