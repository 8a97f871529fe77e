"""The sandbox's Search Console is as strict as Google's, and shows the same figures whenever it is asked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib import resources
from typing import Any
from urllib.parse import quote

import jsonschema_rs
import pytest

from tests.unit.sandbox.process import Box, running

SITE, READ_ONLY = "https://www.acme.example/", "https://partner.example/"
PATH = f"webmasters/v3/sites/{quote(SITE, safe='')}"
INSPECT = "v1/urlInspection/index:inspect"
MAP = quote(f"{SITE}map.xml", safe="")
DAYS = {"startDate": "2026-11-12", "endDate": "2026-11-18"}


@pytest.fixture(scope="module")
def running_box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    with running(tmp_path_factory.mktemp("sandbox")) as found:
        yield found


@pytest.fixture
def box(running_box: Box) -> Iterator[Box]:
    yield running_box
    running_box.no_faults()


def fits(component: str, answer: Any) -> Any:
    spec = json.loads(resources.files("connectors.specs").joinpath("google_search_console.json").read_text())
    schema = {"$ref": f"#/components/schemas/{component}", "components": spec["components"]}
    jsonschema_rs.validate(schema, answer)
    return answer


def refused(box: Box, method: str, path: str, body: Any = None, **options: Any) -> tuple[int, str]:
    answer = box.search_console(method, path, body, **options)
    error = fits("GoogleError", answer.json())["error"]
    assert error["code"] == answer.status_code
    return answer.status_code, error["errors"][0]["reason"]


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        (DAYS | {"planet": "Mars"}, (400, "invalidArgument")),
        ({"startDate": "2026-11-12"}, (400, "required")),
        (DAYS | {"rowLimit": 25_001}, (400, "invalidArgument")),
        (DAYS | {"dimensions": ["planet"]}, (400, "invalidArgument")),
        (DAYS | {"startDate": "2026-13-01"}, (400, "invalidParameter")),
        (DAYS | {"startDate": "2026-11-19"}, (400, "invalidParameter")),
        (DAYS | {"dimensions": ["searchAppearance", "query"]}, (400, "invalidParameter")),
        (DAYS | {"dimensions": ["hour"]}, (400, "invalidParameter")),
        (DAYS | {"dimensions": ["page"], "aggregationType": "byProperty"}, (400, "invalidParameter")),
        (
            DAYS
            | {
                "dimensionFilterGroups": [
                    {"filters": [{"dimension": "query", "operator": "includingRegex", "expression": "("}]}
                ]
            },
            (400, "invalidParameter"),
        ),
    ],
)
def test_a_query_that_google_refuses_is_refused(box: Box, body: dict[str, Any], wanted: tuple[int, str]) -> None:
    assert refused(box, "POST", f"{PATH}/searchAnalytics/query", body) == wanted


def test_a_query_takes_both_spellings_and_gives_the_same_figures_again(box: Box) -> None:
    def ask(**more: Any) -> Any:
        answer = box.search_console("POST", f"{PATH}/searchAnalytics/query", {**DAYS, **more})
        return fits("SearchAnalyticsQueryResponse", answer.json())

    camel = ask(dimensions=["searchAppearance"], type="googleNews", dataState="all")
    upper = ask(dimensions=["SEARCH_APPEARANCE"], type="GOOGLE_NEWS", dataState="ALL")
    assert camel == upper == ask(dimensions=["searchAppearance"], type="googleNews", dataState="all")
    device = {"dimension": "device", "operator": "notEquals", "expression": "MOBILE"}
    rows = ask(dimensions=["device"], dimensionFilterGroups=[{"groupType": "and", "filters": [device]}])["rows"]
    assert {row["keys"][0] for row in rows} <= {"DESKTOP", "TABLET"}
    assert "rows" not in ask(startRow=5)


def test_rights_are_those_of_the_property(box: Box) -> None:
    assert refused(box, "GET", f"webmasters/v3/sites/{quote('https://x.example/', safe='')}") == (403, "forbidden")
    partner = f"webmasters/v3/sites/{quote(READ_ONLY, safe='')}"
    assert box.search_console("GET", partner).json()["permissionLevel"] == "siteRestrictedUser"
    assert refused(box, "PUT", f"{partner}/sitemaps/{quote(f'{READ_ONLY}a.xml', safe='')}") == (403, "forbidden")
    assert refused(box, "GET", "webmasters/v3/sites/acme") == (400, "invalidParameter")
    reader = box.console["limited_credential"]["access_token"]
    assert box.search_console("GET", "webmasters/v3/sites", token=reader).status_code == 200
    assert refused(box, "PUT", f"{PATH}/sitemaps/{MAP}", token=reader) == (403, "insufficientPermissions")
    assert refused(box, "GET", "webmasters/v3/sites", token="ya29.wrong") == (401, "authError")


def test_a_sitemap_must_lie_in_its_property_and_is_read_a_moment_later(box: Box) -> None:
    outside = quote("https://x.example/map.xml", safe="")
    assert refused(box, "PUT", f"{PATH}/sitemaps/{outside}") == (400, "invalidParameter")
    assert refused(box, "GET", f"{PATH}/sitemaps/{MAP}") == (404, "notFound")
    before = box.last_effect()
    answer = box.search_console("PUT", f"{PATH}/sitemaps/{MAP}")
    assert (answer.status_code, answer.content) == (204, b"")
    (effect,) = box.effects(since_id=before)
    assert (effect["action"], effect["provider_id"], effect["recipient"]) == ("submitSitemap", f"{SITE}map.xml", SITE)
    assert fits("WmxSitemap", box.search_console("GET", f"{PATH}/sitemaps/{MAP}").json())["isPending"]
    box.control("POST", "clock", {"advance_s": 6})
    (read,) = fits("SitemapsListResponse", box.search_console("GET", f"{PATH}/sitemaps").json())["sitemap"]
    assert (read["isPending"], "lastDownloaded" in read) == (False, True)
    assert box.search_console("DELETE", f"{PATH}/sitemaps/{MAP}").status_code == 204
    assert refused(box, "DELETE", f"{PATH}/sitemaps/{MAP}") == (404, "notFound")


def test_a_slash_that_is_not_encoded_leads_nowhere(box: Box) -> None:
    answer = box.search_console("GET", f"webmasters/v3/sites/{SITE}")

    assert (answer.status_code, answer.headers["Content-Type"]) == (404, "text/html")


def test_the_older_host_serves_all_but_the_inspection(box: Box) -> None:
    body, older = {"siteUrl": SITE, "inspectionUrl": f"{SITE}sale"}, "www.googleapis.com"
    assert box.search_console("GET", "webmasters/v3/sites", host=older).status_code == 200
    assert box.search_console("POST", INSPECT, body, host=older).status_code == 404
    found = fits("InspectUrlIndexResponse", box.search_console("POST", INSPECT, body).json())
    assert found["inspectionResult"]["indexStatusResult"]["verdict"] == "PASS"
    wrong = body | {"inspectionUrl": "https://x.example/"}
    assert refused(box, "POST", INSPECT, wrong) == (400, "invalidArgument")


def test_faults_are_in_googles_words(box: Box) -> None:
    fault = {"connector": "google_search_console", "operation": "listSites", "times": 1}
    box.fault("rate_limit", seconds=30, **fault)
    error = box.search_console("GET", "webmasters/v3/sites").json()["error"]
    assert (error["status"], error["details"][0]["retryDelay"]) == ("RESOURCE_EXHAUSTED", "30s")
    box.fault("auth_expired", **fault)
    assert refused(box, "GET", "webmasters/v3/sites") == (401, "authError")
    box.fault("error_503_before", **fault)
    assert box.search_console("GET", "webmasters/v3/sites").headers["Content-Type"] == "text/html"
