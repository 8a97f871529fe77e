"""How is the Google Ads API called? For one account, perhaps through a manager; changes are all or nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from connectors.dialects.google_api import Answer, GoogleApi
from connectors.dialects.google_errors import error_of
from connectors.dialects.google_oauth import HOST as TOKEN_HOST
from connectors.dialects.google_oauth import GoogleCredential, GoogleOAuth
from connectors.google_ads import failures
from connectors.google_ads.failures import RULES
from connectors.kit.action import Limit
from connectors.kit.errors import ConnectorError, OutcomeUnknown, RateLimited, Unavailable
from connectors.kit.fields import Secret

if TYPE_CHECKING:
    import requests

    from connectors.kit.call import Call

VERSION = "v26"
"""Released in autumn 2026; a major version lives about a year."""

HOST = "googleads.googleapis.com"
HOSTS = (HOST, TOKEN_HOST)
SCOPES = ("https://www.googleapis.com/auth/adwords",)
OAUTH = GoogleOAuth(scopes=SCOPES)

PACE = (Limit(count=1, per_s=1.0),)
"""Changes of one account that overlap fail with CONCURRENT_MODIFICATION."""

LIMITS = ("operations a day of the Cloud project: 2,880 (Explorer), 15,000 (Basic), unlimited (Standard)",)

_LEAST_WAIT_S = 30.0
_DAILY_WAIT_S = 3600.0
_MOST_PAGES = 20
_LONG_TERM = "quotaError.EXCESSIVE_LONG_TERM_QUERY_RESOURCE_CONSUMPTION"
_REQUEST_ID = re.compile(r"[\w-]{1,100}")


def _without_dashes(text: str) -> str:
    return text.replace("-", "")


CustomerId = Annotated[
    str, StringConstraints(pattern=r"^\d{3}-?\d{3}-?\d{4}$", strip_whitespace=True), AfterValidator(_without_dashes)
]


class GoogleAdsCredential(GoogleCredential):
    """A consent or a service account, and the developer token of set-ups older than September 2026."""

    developer_token: Secret | None = Field(
        default=None, description="Ignored by Google since 2026-09-09; sent only where it is given."
    )


class GoogleAdsSettings(BaseModel):
    """Which account it is."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    customer_id: CustomerId = Field(description="The account's ten digits, with or without dashes.")
    login_customer_id: CustomerId | None = Field(
        default=None, description="The manager account's ten digits, where access runs through it."
    )


class _Named(Answer):
    resource_name: str


class _Result(Answer):
    campaign_budget_result: _Named | None = None
    campaign_result: _Named | None = None


class Made(Answer):
    """The answer to a change of several resources."""

    mutate_operation_responses: tuple[_Result, ...] = ()
    partial_failure_error: dict[str, Any] | None = None


class Changed(Answer):
    """The answer to changes of one kind; of operations that failed it holds an empty result."""

    results: tuple[dict[str, Any], ...] = ()
    partial_failure_error: dict[str, Any] | None = None


class Rows(Answer):
    """One page of a search."""

    results: tuple[dict[str, Any], ...] = ()
    next_page_token: str | None = None


class Customers(Answer):
    """The accounts that whoever agreed may use by themselves."""

    resource_names: tuple[str, ...] = ()


@dataclass(frozen=True)
class AdsApi(GoogleApi):
    """The Google Ads API on behalf of one call."""

    def error(self, what: str, answer: requests.Response, *, effect: bool) -> ConnectorError:
        """Class a failure, with the field it is about and the time it asks to wait."""
        found = error_of(answer, what, self.rules, effect=effect)
        errors = failures.errors_of(_status(answer))
        place = failures.place_of(errors[0]) if errors else ""
        text = f"{found} at {place}" if place else str(found)
        given = answer.headers.get("request-id", "")
        request_id = given if _REQUEST_ID.fullmatch(given) else None
        if isinstance(found, RateLimited):
            return _limited(found, text, failures.delay_s(errors), request_id)
        return type(found)(text, code=found.code, http_status=found.http_status, request_id=request_id)


def _limited(found: RateLimited, text: str, told_s: float | None, request_id: str | None) -> RateLimited:
    """Google wants at least half a minute; a day's operations come back by and by within 24 hours."""
    wait_s = told_s if told_s is not None else found.retry_after_s
    if wait_s is None and found.code in ("quotaError.RESOURCE_EXHAUSTED", _LONG_TERM):
        wait_s = _DAILY_WAIT_S
    return RateLimited(
        text,
        retry_after_s=max(_LEAST_WAIT_S, wait_s or 0.0),
        of=found.of,
        code=found.code,
        http_status=found.http_status,
        request_id=request_id,
    )


def _status(answer: requests.Response) -> Mapping[str, Any]:
    try:
        body = json.loads(answer.content)
    except (ValueError, RecursionError):
        return {}
    if isinstance(body, list):
        body = body[0] if body else None
    said = body.get("error") if isinstance(body, dict) else None
    return said if isinstance(said, dict) else {}


def api(call: Call) -> AdsApi:
    """The API with the connection's token and the headers that name its manager."""
    credential, settings = call.credential_as(GoogleAdsCredential), account(call)
    headers: dict[str, str] = {}
    if settings.login_customer_id is not None:
        headers["login-customer-id"] = settings.login_customer_id
    if credential.developer_token is not None:
        headers["developer-token"] = credential.developer_token.get_secret_value()
    return AdsApi(call, f"https://{HOST}/{call.connector.api_version}", RULES, headers)


def account(call: Call) -> GoogleAdsSettings:
    """The connection's account."""
    return call.settings_as(GoogleAdsSettings)


def name_of(call: Call, kind: str, number: str | int) -> str:
    """A resource name in the connection's account, such as customers/1234567890/campaigns/1."""
    return f"customers/{account(call).customer_id}/{kind}/{number}"


def make(call: Call, operations: list[dict[str, Any]], *, validate_only: bool = False) -> Made:
    """Make several resources at once: all of them or none.

    Raises:
        ConnectorError: None was made, or perhaps all.
    """
    body = {"mutateOperations": operations, "partialFailure": False, "validateOnly": validate_only}
    path = f"customers/{account(call).customer_id}/googleAds:mutate"
    made = api(call).post(Made, "googleAds:mutate", path, body, effect=not validate_only)
    if made.partial_failure_error:
        raise OutcomeUnknown("googleAds:mutate: Google answered with a partial failure that was not asked for")
    return made


def change(call: Call, kind: str, operations: list[dict[str, Any]], *, partial: bool = False) -> Changed:
    """Change resources of one kind.

    Args:
        kind: Such as ``campaigns``.
        partial: Whether some may fail; else all are changed or none.

    Raises:
        ConnectorError: None was changed, or perhaps all.
    """
    body = {"operations": operations, "partialFailure": partial}
    changed = api(call).post(
        Changed, f"{kind}:mutate", f"customers/{account(call).customer_id}/{kind}:mutate", body, effect=True
    )
    if len(changed.results) != len(operations) or (changed.partial_failure_error and not partial):
        raise OutcomeUnknown(f"{kind}:mutate: Google answered without the results of all operations")
    return changed


def search(call: Call, query: str, *, page_token: str | None = None) -> Rows:
    """One page of up to 10,000 rows."""
    path = f"customers/{account(call).customer_id}/googleAds:search"
    return api(call).post(Rows, "googleAds:search", path, {"query": query, "pageToken": page_token}, effect=False)


def rows(call: Call, query: str) -> Iterator[dict[str, Any]]:
    """The rows of all pages.

    Raises:
        Unavailable: There are more pages than may be read.
    """
    token: str | None = None
    for _ in range(_MOST_PAGES):
        page = search(call, query, page_token=token)
        yield from page.results
        token = page.next_page_token
        if not token:
            return
    raise Unavailable(f"googleAds:search has more than {_MOST_PAGES} pages; the answer may be on a later one")


def stream(call: Call, query: str) -> list[dict[str, Any]]:
    """All rows of a report, which come in batches of one answer.

    Raises:
        ConnectorError: Google did not answer with them.
    """
    ads, what = api(call), "googleAds:searchStream"
    path = f"customers/{account(call).customer_id}/googleAds:searchStream"
    answer = ads.ask("POST", path, {"query": query}, effect=False)
    try:
        batches = json.loads(answer.content) if answer.status_code == 200 else None
        if isinstance(batches, list) and all(isinstance(one, dict) and "error" not in one for one in batches):
            return [row for one in batches for row in one.get("results", ()) if isinstance(row, dict)]
    except (ValueError, RecursionError, TypeError):
        pass
    raise ads.error(what, answer, effect=False)


def text(value: str) -> str:
    """A value as a string of the query language."""
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def pattern(value: str) -> str:
    """A value as it stands in a LIKE pattern: its wildcards in brackets."""
    return "".join(f"[{one}]" if one in "[]%_" else one for one in value)
