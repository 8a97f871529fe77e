"""How is TikTok's API for Business called? JSON in and out, the token in a header of its own, one advertiser."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from urllib3.filepost import encode_multipart_formdata

from connectors.kit import clock
from connectors.kit.errors import AuthExpired, OutcomeUnknown, Unavailable, looking
from connectors.kit.oauth import OAuthCredential
from connectors.tiktok.errors import OK, error_of

if TYPE_CHECKING:
    import requests

    from connectors.kit.call import Call

VERSION = "v1.3"
HOST, TEST_HOST = "business-api.tiktok.com", "sandbox-ads.tiktok.com"
HOSTS = (HOST, TEST_HOST)

ObjectId = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,32}$")]
"""The id of anything at TikTok: digits."""

_PAGE, _MOST_PAGES = 1000, 20


class TikTokCredential(OAuthCredential):
    """An app and the token of an advertiser, which has no end: it dies when it is revoked."""

    def bearer(self) -> dict[str, str]:
        """The header that every request carries.

        Raises:
            AuthExpired: There is no access token (yet).
        """
        if self.access_token is None:
            raise AuthExpired("the connection has no access token; add its consent anew")
        return {"Access-Token": self.access_token.get_secret_value()}


class TikTokSettings(BaseModel):
    """Which advertiser, and whether money is meant."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    advertiser_id: ObjectId = Field(description="The ad account.")
    environment: Literal["production", "sandbox"] = Field(
        default="production", description="sandbox is TikTok's own test environment, with an advertiser of its own."
    )


def advertiser(call: Call) -> str:
    """The connection's advertiser."""
    return call.settings_as(TikTokSettings).advertiser_id


def get(call: Call, path: str, **params: Any) -> dict[str, Any]:
    """Read; arguments that are None are left out, lists and objects go as JSON.

    Raises:
        ConnectorError: TikTok did not answer with it.
    """
    query = {name: _as_text(value) for name, value in params.items() if value is not None}
    answer = call.http.get(_url(call, path), params=query, headers=_headers(call))
    return _object(_data(answer, path, effect=False), path, effect=False)


def post(call: Call, path: str, fields: Mapping[str, Any], *, effect: bool) -> dict[str, Any]:
    """Send fields for the connection's advertiser; those that are None are left out.

    Args:
        effect: Whether a repeat would do harm.

    Raises:
        ConnectorError: TikTok did not answer that it is done; the class says what may be done next.
    """
    given = {"advertiser_id": advertiser(call), **fields}
    content = json.dumps({name: value for name, value in given.items() if value is not None}, ensure_ascii=False)
    answer = call.http.request(
        "POST",
        _url(call, path),
        effect=effect,
        data=content.encode(),
        headers={**_headers(call), "Content-Type": "application/json; charset=utf-8"},
    )
    return _object(_data(answer, path, effect=effect), path, effect=effect)


def post_form(call: Call, path: str, fields: Mapping[str, str]) -> Any:
    """Send a form of several parts, as uploads want it; an effect. Returns an object or a list.

    Raises:
        ConnectorError: TikTok did not answer that it is done.
    """
    content, kind = encode_multipart_formdata({"advertiser_id": advertiser(call), **fields})
    headers = {**_headers(call), "Content-Type": kind}
    answer = call.http.request("POST", _url(call, path), effect=True, data=content, headers=headers)
    return _data(answer, path, effect=True)


def listed(call: Call, path: str, **params: Any) -> Iterator[dict[str, Any]]:
    """The rows of all pages of a list.

    Raises:
        Unavailable: There are more pages than may be read.
        ConnectorError: TikTok did not answer with a list.
    """
    size = params.pop("page_size", _PAGE)
    for page in range(1, _MOST_PAGES + 1):
        found = get(call, path, advertiser_id=advertiser(call), page=page, page_size=size, **params)
        yield from rows(found, path)
        if page >= pages(found):
            return
    raise Unavailable(f"{what(path)}: more than {_MOST_PAGES} pages of {size}; ask for less")


def rows(found: Mapping[str, Any], path: str) -> list[dict[str, Any]]:
    """The rows of a page.

    Raises:
        Unavailable: It holds none that can be read.
    """
    listing = found.get("list")
    if not isinstance(listing, list) or not all(isinstance(row, dict) for row in listing):
        raise Unavailable(f"{what(path)}: TikTok's answer is not readable", http_status=200)
    return listing


def pages(found: Mapping[str, Any]) -> int:
    """How many pages there are in all."""
    info = found.get("page_info")
    total = info.get("total_page") if isinstance(info, dict) else None
    return total if isinstance(total, int) else 1


def made_id(found: Mapping[str, Any], field: str) -> str:
    """The id of what was created.

    Raises:
        OutcomeUnknown: The answer holds none that can be read.
    """
    one = found.get(field)
    if isinstance(one, str) and one:
        return one
    raise OutcomeUnknown(f"TikTok's answer holds no readable {field}", http_status=200)


def mark(call: Call) -> str:
    """What the names of this run's objects carry, to find them by."""
    return f"nh-{call.key}"


def since_sent(call: Call) -> str:
    """The earliest creation time of what this run may have created, as TikTok writes it."""
    since_at = (call.first_sent_at or clock.now()) - clock.SKEW
    return shown_time(since_at)


def shown_time(moment: datetime) -> str:
    """An instant as TikTok writes it, in UTC."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def find_named(
    call: Call, path: str, name: str, *, id_field: str, name_field: str, filtering: Mapping[str, Any]
) -> str | None:
    """The id of the one object of exactly this name; None if there is none.

    Raises:
        OutcomeUnknown: There are several, or TikTok refuses to tell.
    """
    with looking():
        shown = [*listed(call, path, filtering={**filtering, "creation_filter_start_time": since_sent(call)})]
    found = [str(row.get(id_field)) for row in shown if row.get(name_field) == name]
    if len(found) > 1:
        raise OutcomeUnknown(f"ambiguous: {len(found)} objects carry this run's mark: {', '.join(found)}")
    return found[0] if found else None


def what(path: str) -> str:
    """A path in words."""
    return path.strip("/").replace("/", " ").replace("_", " ")


def _url(call: Call, path: str) -> str:
    host = TEST_HOST if call.settings_as(TikTokSettings).environment == "sandbox" else HOST
    # Without the slash at the end TikTok knows no path at all.
    return f"https://{host}/open_api/{VERSION}/{path}/"


def _headers(call: Call) -> dict[str, str]:
    return call.credential_as(TikTokCredential).bearer()


def _as_text(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, (dict, list, tuple)) else value


def _data(answer: requests.Response, path: str, *, effect: bool) -> Any:
    body = body_of(answer)
    if answer.status_code == 200 and body.get("code") == OK and body.get("code") is not False:
        return body.get("data")
    raise error_of(answer, body, what(path), effect=effect)


def body_of(answer: requests.Response) -> dict[str, Any]:
    """An answer's JSON object; empty if it is none."""
    try:
        body = answer.json()
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def _object(data: Any, path: str, *, effect: bool) -> dict[str, Any]:
    if data is None:
        return {}
    if isinstance(data, dict):
        return data
    unclear = OutcomeUnknown if effect else Unavailable
    raise unclear(f"{what(path)}: TikTok's answer is not readable", http_status=200)
