"""Is every documented error of Search Console classed, and does no strange answer do harm?"""

from __future__ import annotations

import json
from typing import Any

import pytest
import responses

from connectors.google_search_console.analytics import QuerySearchAnalytics, query_search_analytics
from connectors.google_search_console.inspection import InspectUrl, inspect_url
from connectors.google_search_console.sitemaps import ListSitemaps, SitemapRef, list_sitemaps, submit_sitemap
from connectors.google_search_console.sites import Nothing, list_sites
from connectors.kit.action import Output
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
from tests.unit.connectors.calls import call
from tests.unit.connectors.wire_google import CONSOLE, SITE, SITE_PATH, SITEMAP, SITEMAP_PATH

SLUG = "google_search_console"


def body(status: int, reason: str | None = None, canonical: str | None = None, info: str | None = None) -> str:
    said: dict[str, Any] = {"code": status, "message": f"About '{SITE}'"}
    if reason is not None:
        said["errors"] = [{"message": f"About '{SITE}'", "domain": "global", "reason": reason}]
    if canonical is not None:
        said["status"] = canonical
    if info is not None:
        said["details"] = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": info}]
    return json.dumps({"error": said})


def submit(**answer: Any) -> ConnectorError:
    with responses.RequestsMock() as mock:
        mock.put(SITEMAP_PATH, **answer)
        with pytest.raises(ConnectorError) as caught:
            submit_sitemap(call(SLUG), SitemapRef(site_url=SITE, sitemap_url=SITEMAP))
    return caught.value


def query(**answer: Any) -> Output:
    with responses.RequestsMock() as mock:
        mock.post(f"{SITE_PATH}/searchAnalytics/query", **answer)
        given = {"site_url": SITE, "start_date": "2026-11-12", "end_date": "2026-11-18", "dimensions": ["query"]}
        return query_search_analytics(call(SLUG), QuerySearchAnalytics.model_validate(given))


@pytest.mark.parametrize(
    ("status", "reason", "canonical", "info", "kind"),
    [
        (400, "invalidParameter", None, None, InvalidRequest),
        (400, "badRequest", None, None, InvalidRequest),
        (400, "required", None, None, InvalidRequest),
        (400, None, "INVALID_ARGUMENT", None, InvalidRequest),
        (401, "authError", "UNAUTHENTICATED", None, AuthExpired),
        (403, "forbidden", "PERMISSION_DENIED", None, Permission),
        (403, "insufficientPermissions", None, None, Permission),
        (403, None, "PERMISSION_DENIED", "ACCESS_TOKEN_SCOPE_INSUFFICIENT", Permission),
        (403, "accessNotConfigured", None, "SERVICE_DISABLED", Permission),
        (403, "quotaExceeded", "PERMISSION_DENIED", None, RateLimited),
        (429, "quotaExceeded", "RESOURCE_EXHAUSTED", None, RateLimited),
        (403, "rateLimitExceeded", None, None, RateLimited),
        (403, "userRateLimitExceeded", None, None, RateLimited),
        (403, "dailyLimitExceeded", None, None, RateLimited),
        (429, None, "RESOURCE_EXHAUSTED", None, RateLimited),
        (404, "notFound", "NOT_FOUND", None, NotFound),
        (500, "backendError", "INTERNAL", None, OutcomeUnknown),
        (500, "internalError", None, None, OutcomeUnknown),
        (502, None, None, None, OutcomeUnknown),
        (503, "backendError", None, None, OutcomeUnknown),
        (504, None, None, None, OutcomeUnknown),
        (418, "brandNew", None, None, InvalidRequest),
    ],
)
def test_every_documented_error(
    status: int, reason: str | None, canonical: str | None, info: str | None, kind: type[ConnectorError]
) -> None:
    answer = {"status": status, "body": body(status, reason, canonical, info)}

    found = submit(**answer)
    assert type(found) is kind
    assert (found.http_status, SITE in str(found)) == (status, False)
    with pytest.raises(Unavailable if kind is OutcomeUnknown else kind):
        query(**answer)


def test_a_used_up_load_quota_pauses_the_action_for_a_quarter_of_an_hour() -> None:
    with pytest.raises(RateLimited, match="fewer days at once") as caught:
        query(status=403, body=body(403, "quotaExceeded"))

    assert (caught.value.retry_after_s, caught.value.of) == (900.0, "action")


def test_a_permission_says_what_is_usually_wrong() -> None:
    assert "named exactly as listSites does" in str(submit(status=403, body=body(403, "forbidden")))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "<html>",
        '{"rows": {}}',
        '{"rows": [7]}',
        '{"rows": [{"keys": "sale"}]}',
        '{"rows": [{"keys": [], "clicks": 1}]}',
        '{"rows": [{"keys": ["a"], "clicks": "many"}]}',
        '{"rows": [{"keys": ["a"], "clicks": NaN}]}',
        '{"rows": [{"keys": ["a"], "clicks": 1e999}]}',
        '{"metadata": 7}',
    ],
)
def test_an_answer_that_is_not_understood_is_asked_for_again(text: str) -> None:
    with pytest.raises(Unavailable):
        query(status=200, body=text)


def test_unknown_fields_and_words_are_no_failure() -> None:
    text = '{"rows": [{"keys": ["a"], "clicks": 1, "new": {}}], "responseAggregationType": "BY_NEW_THING", "more": 1}'

    assert query(status=200, body=text).model_dump()["aggregation"] == "bynewthing"


@pytest.mark.parametrize("level", ["siteOwner", "SITE_OWNER"])
def test_words_are_read_in_either_case(level: str) -> None:
    with responses.RequestsMock() as mock:
        mock.get(CONSOLE, json={"siteEntry": [{"siteUrl": SITE, "permissionLevel": level}]})
        found = list_sites(call(SLUG), Nothing())

    assert found.sites[0].permission_level == "siteOwner"


def test_a_sitemaps_counts_are_numbers_however_they_are_written() -> None:
    one = {"path": SITEMAP, "errors": "3", "warnings": 4, "type": "RSS_FEED", "contents": [{"type": "ANDROID_APP"}]}
    with responses.RequestsMock() as mock:
        mock.get(f"{SITE_PATH}/sitemaps", json={"sitemap": [one]})
        (found,) = list_sitemaps(call(SLUG), ListSitemaps(site_url=SITE)).sitemaps

    assert (found.errors, found.warnings, found.kind, found.contents[0].kind) == (3, 4, "rssFeed", "androidApp")


def test_an_inspection_without_a_verdict_is_none() -> None:
    with responses.RequestsMock() as mock:
        mock.post("https://searchconsole.googleapis.com/v1/urlInspection/index:inspect", json={"inspectionResult": {}})
        with pytest.raises(Unavailable):
            inspect_url(call(SLUG), InspectUrl(site_url=SITE, url=f"{SITE}a"))


@pytest.mark.parametrize("text", ["", "{}", "<html>"])
def test_a_change_needs_no_body_in_its_answer(text: str) -> None:
    with responses.RequestsMock() as mock:
        mock.put(SITEMAP_PATH, status=200, body=text)
        assert submit_sitemap(call(SLUG), SitemapRef(site_url=SITE, sitemap_url=SITEMAP)).provider_id() == SITEMAP
