"""How is LinkedIn's REST API called? Versioned, in Rest.li's query syntax, and with what its errors mean."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

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
from connectors.kit.oauth import OAuthCredential

if TYPE_CHECKING:
    import requests

    from connectors.kit.call import Call

API_HOST, UPLOAD_HOST = "api.linkedin.com", "www.linkedin.com"
HOSTS = (API_HOST, UPLOAD_HOST)
VERSION = "202607"
SUNSET = date(2027, 7, 15)

_OF_STATUS: dict[int, type[ConnectorError]] = {
    401: AuthExpired,
    403: Permission,
    404: NotFound,
    # A write conflict: nothing was written.
    409: Unavailable,
    410: NotFound,
    429: RateLimited,
}
_HINTS = {
    403: "the token needs the action's scope, and its member a role in the Page or ad account",
    426: f"version {VERSION} has been sunset; a newer release of this package speaks a living one",
}
_CODE, _FIELD = re.compile(r"[A-Z0-9_]{1,80}"), re.compile(r"[\w$/.\[\]-]{1,120}", re.ASCII)
POST_URN = re.compile(r"urn:li:(?:share|ugcPost):[0-9]+")


class DuplicatePost(InvalidRequest):
    """The author has the same post already.

    Attributes:
        urn: Of that post; None if LinkedIn does not name it.
    """

    urn: str | None = None


def get(call: Call, path: str, query: str = "", *, needs: tuple[str, ...] = (), finder: bool = False) -> dict[str, Any]:
    """Read.

    Args:
        path: Behind ``/rest/``, with its values encoded.
        query: In Rest.li's syntax, with its values encoded.
        needs: What the answer must hold to be understood.
        finder: Whether it is a finder, which LinkedIn wants to be told.

    Raises:
        ConnectorError: LinkedIn did not answer; the class says what may be done next.
    """
    method = "FINDER" if finder else None
    answer = _request(call, "GET", path, query, effect=False, method_header=method)
    body = _json(answer)
    if answer.status_code == 200 and all(name in body for name in needs):
        return body
    raise error(call, answer, effect=False)


def create(call: Call, path: str, body: Mapping[str, Any]) -> str:
    """Create something, which is an effect; returns its id, which comes in a header.

    Raises:
        ConnectorError: As for ``get``.
    """
    answer = _request(call, "POST", path, effect=True, body=body)
    made = answer.headers.get("x-restli-id") or answer.headers.get("x-linkedin-id")
    if answer.status_code == 201 and made:
        return made
    raise error(call, answer, effect=True)


def act(call: Call, path: str, action: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """Call a Rest.li action of an upload, which may be repeated without harm; returns its ``value``."""
    answer = _request(call, "POST", path, f"action={action}", effect=False, body=body)
    found = _json(answer)
    if answer.status_code == 200:
        value = found.get("value")
        return value if isinstance(value, dict) else {}
    raise error(call, answer, effect=False)


def update(call: Call, path: str, fields: Mapping[str, Any]) -> None:
    """Set fields of something that is there."""
    body = {"patch": {"$set": dict(fields)}}
    answer = _request(call, "POST", path, effect=True, body=body, method_header="PARTIAL_UPDATE")
    if answer.status_code not in (200, 204):
        raise error(call, answer, effect=True)


def delete(call: Call, path: str) -> None:
    """Delete something."""
    answer = _request(call, "DELETE", path, effect=True, method_header="DELETE")
    if answer.status_code not in (200, 204):
        raise error(call, answer, effect=True)


def bearer(call: Call) -> dict[str, str]:
    """The header with the connection's token."""
    return call.credential_as(OAuthCredential).bearer()


def encoded(urn: str) -> str:
    """A URN as it stands in a path or in a value of a query."""
    return quote(urn, safe="")


def listed(values: tuple[str, ...]) -> str:
    """A list in Rest.li's syntax, whose own signs stay as they are."""
    return f"List({','.join(encoded(one) for one in values)})"


def error(call: Call, answer: requests.Response, *, effect: bool) -> ConnectorError:
    """Class an answer that is no success."""
    status, body = answer.status_code, _json(answer)
    inputs = _input_errors(body)
    codes = [one.get("code") for one in inputs] or [body.get("code")]
    code = next((one for one in codes if isinstance(one, str) and _CODE.fullmatch(one)), None)
    said = f"LinkedIn answered {status}" + (f" {code}" if code else "")
    field = next((found for one in inputs if (found := _field(one)) is not None), None)
    said += f" for {field}" if field else ""
    said += f" ({_HINTS[status]})" if status in _HINTS else ""
    request_id = answer.headers.get("x-li-uuid") or answer.headers.get("x-li-request-id")
    if status == 422 and "DUPLICATE_POST" in codes:
        named = POST_URN.search(str(body.get("message", "")))
        duplicate = DuplicatePost(said, code="DUPLICATE_POST", http_status=status, request_id=request_id)
        duplicate.urn = None if named is None else named.group()
        return duplicate
    kind = _OF_STATUS.get(status)
    if kind is None:
        unclear: type[ConnectorError] = OutcomeUnknown if effect else Unavailable
        kind = InvalidRequest if 300 <= status < 500 and status != 408 else unclear
    if kind is RateLimited:
        return RateLimited(
            said, retry_after_s=_wait_s(call), of="action", code=code, http_status=status, request_id=request_id
        )
    return kind(said, code=code, http_status=status, request_id=request_id)


def _wait_s(call: Call) -> float:
    """LinkedIn says neither how long it limits nor why: it may be over in a minute, or the day's quota is used up.

    A day's quota begins anew at midnight UTC.
    """
    now = clock.now()
    first_at = call.ledger.step(f"limited:{now.date().isoformat()}", now.isoformat)
    if now - datetime.fromisoformat(str(first_at)) < timedelta(seconds=50):
        return 60.0
    midnight = datetime.combine(now.date() + timedelta(days=1), datetime.min.time(), UTC)
    return (midnight - now).total_seconds()


def _request(
    call: Call,
    method: str,
    path: str,
    query: str = "",
    *,
    effect: bool,
    body: Mapping[str, Any] | None = None,
    method_header: str | None = None,
) -> requests.Response:
    headers = {
        **bearer(call),
        "LinkedIn-Version": VERSION,
        "X-Restli-Protocol-Version": "2.0.0",
        **({"X-RestLi-Method": method_header} if method_header else {}),
        **({"Content-Type": "application/json; charset=utf-8"} if body is not None else {}),
    }
    # Byte for byte the same for the same content: LinkedIn then knows a repeated post.
    content = None if body is None else json.dumps(body, ensure_ascii=False).encode()
    url = f"https://{API_HOST}/rest/{path}" + (f"?{query}" if query else "")
    return call.http.request(method, url, effect=effect, data=content, headers=headers)


def _json(answer: requests.Response) -> dict[str, Any]:
    try:
        body = answer.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _input_errors(body: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    details = body.get("errorDetails")
    inputs = details.get("inputErrors") if isinstance(details, dict) else None
    return [one for one in inputs if isinstance(one, dict)] if isinstance(inputs, list) else []


def _field(input_error: Mapping[str, Any]) -> str | None:
    given = input_error.get("input")
    path = given.get("inputPath") if isinstance(given, dict) else None
    field = path.get("fieldPath") if isinstance(path, dict) else None
    return field if isinstance(field, str) and _FIELD.fullmatch(field) else None


def text(value: Any) -> str | None:
    """A text of an answer; None if it is none."""
    return value if isinstance(value, str) else None


def instant(milliseconds: Any) -> datetime | None:
    """An instant of an answer; None if it is none."""
    if not isinstance(milliseconds, int) or isinstance(milliseconds, bool):
        return None
    try:
        return datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (OverflowError, ValueError, OSError):
        return None
