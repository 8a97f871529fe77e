"""How is Reddit's Ads API called? All in ``data``, page by page, with names as marks; and what its errors mean."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit

from pydantic import Field, StringConstraints

from connectors.kit.action import Limit, Output
from connectors.kit.errors import (
    AuthExpired,
    ConnectorError,
    InvalidRequest,
    NotFound,
    OutcomeUnknown,
    Permission,
    RateLimited,
    Unavailable,
    looking,
)
from connectors.kit.http import retry_after_s
from connectors.reddit import api

if TYPE_CHECKING:
    import requests

    from connectors.kit.call import Call

SETTLE_AFTER_S = 30.0
"""What a list does not show half a minute after the request was not made by it."""

WRITE, READ = ("adsedit",), ("adsread",)
WRITES = (Limit(200, per_s=60, of="action"),)
READS = (Limit(400, per_s=60, of="action"),)
_MOST_PAGES = 20
_BASE = f"https://{api.ADS_HOST}/api/v{api.VERSION}"

Name = Annotated[str, StringConstraints(min_length=3, max_length=460, pattern=r"^[^\[\]]+$")]
NAME = Field(description="3 to 460 characters, no square brackets; a mark of this run in brackets is appended.")
Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
Micros = Annotated[int, Field(ge=1, le=10**15)]

_OF_STATUS: dict[int, type[ConnectorError]] = {
    401: AuthExpired,
    403: Permission,
    404: NotFound,
    429: RateLimited,
}
_HINTS = {
    403: "the token needs the action's scope, and its member a role in the ad account",
    410: f"version {api.VERSION} of the Ads API is gone; a newer release of this package speaks a living one",
}
_FIELD = re.compile(r"[\w.\[\]-]{1,80}", re.ASCII)
_POLICY = re.compile(r"\br=(\d+)\s*;\s*t=(\d{1,6})|\bt=(\d{1,6})\s*;\s*r=(\d+)")


class Created(Output):
    """Something that was created."""

    id: str = Field(description="Reddit's id.")
    name: str = Field(description="Its name, with the mark of this run.")

    def provider_id(self) -> str:
        """Reddit's id."""
        return self.id


def marked(name: str, call: Call) -> str:
    """A name that no other run gives."""
    return f"{name} [nh-{call.key}]"


def create(call: Call, path: str, fields: Mapping[str, Any]) -> Created:
    """Create something, which is an effect.

    Raises:
        OutcomeUnknown: It may exist.
        ConnectorError: It does not.
    """
    made = send(call, "POST", path, fields, effect=True)
    if api.text(made.get("id")) is None:
        raise OutcomeUnknown("Reddit's answer has no id of what was created")
    return Created(id=made["id"], name=str(fields["name"]))


def find(call: Call, path: str, name: str) -> Created | None:
    """What carries this run's mark, as a list shows it."""
    if call.first_sent_at is None:
        return None
    wanted = marked(name, call)
    with looking():
        found = [row for row in listed(call, path, {"page.size": 1000}) if row.get("name") == wanted]
    return Created(id=str(found[0]["id"]), name=wanted) if found else None


def send(call: Call, method: str, path: str, fields: Mapping[str, Any], *, effect: bool) -> dict[str, Any]:
    """Send ``fields``; returns the answer's ``data``.

    Raises:
        ConnectorError: Reddit did not say yes.
    """
    answer = _request(call, method, f"{_BASE}{path}", effect=effect, body={"data": dict(fields)})
    data = _data(answer)
    if answer.status_code in (200, 201) and isinstance(data, dict):
        return data
    raise error(answer, effect=effect)


def read(call: Call, path: str) -> dict[str, Any]:
    """Read one thing.

    Raises:
        ConnectorError: Reddit did not answer.
    """
    answer = _request(call, "GET", f"{_BASE}{path}", effect=False)
    data = _data(answer)
    if answer.status_code == 200 and isinstance(data, dict):
        return data
    raise error(answer, effect=False)


def listed(call: Call, path: str, params: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The rows of all pages of a list; each has an id.

    Raises:
        Unavailable: There are more pages than may be read, or they cannot be read.
        ConnectorError: Reddit did not answer.
    """
    for answer in paged(call, "GET", path, params=params):
        rows = _data(answer)
        if not isinstance(rows, list):
            raise Unavailable("Reddit's list cannot be read")
        yield from (row for row in rows if isinstance(row, dict) and isinstance(row.get("id"), str))


def paged(
    call: Call, method: str, path: str, *, params: Mapping[str, Any], body: Mapping[str, Any] | None = None
) -> Iterator[requests.Response]:
    """The answers of all pages; a body is sent again with each of them.

    Raises:
        Unavailable: There are more pages than may be read, or Reddit names one elsewhere.
        ConnectorError: Reddit did not answer.
    """
    url: str | None = f"{_BASE}{path}"
    for number in range(_MOST_PAGES):
        answer = _request(call, method, url, effect=False, params=params if number == 0 else None, body=body)
        if answer.status_code != 200:
            raise error(answer, effect=False)
        yield answer
        url = _next_url(answer, path)
        if url is None:
            return
    raise Unavailable(f"Reddit's list has more than {_MOST_PAGES} pages; narrow it down")


def _next_url(answer: requests.Response, path: str) -> str | None:
    """Where the next page is; only the same list may go on there."""
    body = api.json_of(answer)
    pagination = body.get("pagination") if isinstance(body, dict) else None
    url = pagination.get("next_url") if isinstance(pagination, dict) else None
    if url is None:
        return None
    parts = urlsplit(url) if isinstance(url, str) else None
    wanted = ("https", api.ADS_HOST, f"/api/v{api.VERSION}{path}")
    if parts is None or (parts.scheme, parts.netloc, parts.path) != wanted:
        raise Unavailable("Reddit names a next page that is not of the same list")
    return f"{_BASE}{path}?{parts.query}"


def error(answer: requests.Response, *, effect: bool) -> ConnectorError:
    """Class an answer that is no success."""
    status, body = answer.status_code, api.json_of(answer)
    said = body.get("error") if isinstance(body, dict) else None
    code = api.number(said.get("code")) if isinstance(said, dict) else None
    fields = said.get("fields") if isinstance(said, dict) else None
    named = [one.get("field") for one in fields if isinstance(one, dict)] if isinstance(fields, list) else []
    shown = [one for one in named if isinstance(one, str) and _FIELD.fullmatch(one)][:5]
    message = f"Reddit Ads answered {status}" + (f" for {', '.join(shown)}" if shown else "")
    message += f" ({_HINTS[status]})" if status in _HINTS else ""
    kind = _OF_STATUS.get(status)
    if kind is None:
        unclear: type[ConnectorError] = OutcomeUnknown if effect else Unavailable
        kind = InvalidRequest if 300 <= status < 500 and status != 408 else unclear
    named_code = None if code is None else str(code)
    if issubclass(kind, RateLimited):
        wait_s = _wait_s(answer.headers)
        return RateLimited(message, retry_after_s=wait_s, of="action", code=named_code, http_status=status)
    return kind(message, code=named_code, http_status=status)


def _wait_s(headers: Mapping[str, str]) -> float | None:
    """Seconds until the policy that is used up begins anew: ``"policy";r=0;t=30``."""
    found = [
        (int(left or later_left), int(seconds or later_seconds))
        for left, seconds, later_seconds, later_left in _POLICY.findall(headers.get("RateLimit", ""))
    ]
    waits = [seconds for left, seconds in found if left == 0] or [seconds for _, seconds in found]
    return float(max(waits)) if waits else retry_after_s(headers)


def _request(
    call: Call,
    method: str,
    url: str | None,
    *,
    effect: bool,
    params: Mapping[str, Any] | None = None,
    body: Mapping[str, Any] | None = None,
) -> requests.Response:
    content = None if body is None else json.dumps(body, ensure_ascii=False).encode()
    kind = {} if content is None else {"Content-Type": "application/json; charset=utf-8"}
    return call.http.request(
        method, str(url), effect=effect, params=params, data=content, headers={**api.headers(call), **kind}
    )


def _data(answer: requests.Response) -> Any:
    body = api.json_of(answer)
    return body.get("data") if isinstance(body, dict) else None


def zulu(moment: datetime | None) -> str | None:
    """An instant as Reddit takes it; other offsets than Z are refused."""
    return None if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def given(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that are not None."""
    return {name: value for name, value in fields.items() if value is not None}
