"""What does each action do at Google Search Console? Asked of the sandbox."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.google_search_console.analytics import QuerySearchAnalytics, Row, SearchAnalytics
from connectors.google_search_console.inspection import Inspection, InspectUrl
from connectors.google_search_console.sitemaps import Sitemap, SitemapList, SitemapRef
from connectors.google_search_console.sites import Site, SiteList, SiteRef
from connectors.kit.errors import NotFound, Permission
from connectors.registry import action, connector
from tests.contract.conftest import Performer, Sandbox
from tests.contract.memory_ledger import MemoryLedger

SLUG = "google_search_console"
SITE, DOMAIN = "https://www.acme.example/", "sc-domain:acme.example"
READ_ONLY, UNPROVEN = "https://partner.example/", "https://unproven.example/"


@pytest.fixture
def sitemap_url() -> str:
    """A sitemap that no other test submits."""
    return f"{SITE}maps/{uuid.uuid4().hex}.xml?part=1&lang=de"


def days(ago: int, last: int | None = None) -> dict[str, str]:
    today = datetime.now(UTC).date()
    return {
        "start_date": (today - timedelta(days=ago)).isoformat(),
        "end_date": (today - timedelta(days=ago if last is None else last)).isoformat(),
    }


def figures(performer: Performer, **given: Any) -> SearchAnalytics:
    found = performer.do(f"{SLUG}.querySearchAnalytics", **{"site_url": SITE, **days(9, 3), **given})
    assert isinstance(found, SearchAnalytics)
    return found


def test_properties_are_listed_with_what_may_be_done(performer: Performer) -> None:
    found = performer.do(f"{SLUG}.listSites")

    assert isinstance(found, SiteList)
    levels = {one.site_url: one.permission_level for one in found.sites}
    assert levels.items() >= performer.account[SLUG]["sites"].items()
    one = performer.do(f"{SLUG}.getSite", site_url=DOMAIN)
    assert one == Site(site_url=DOMAIN, permission_level="siteFullUser")


def test_a_property_is_added_unproven_and_removed(performer: Performer) -> None:
    given = {"site_url": f"https://{uuid.uuid4().hex}.example/shop/"}

    assert performer.do(f"{SLUG}.addSite", **given).provider_id() == given["site_url"]
    found = performer.do(f"{SLUG}.getSite", **given)
    assert isinstance(found, Site)
    assert found.permission_level == "siteUnverifiedUser"
    performer.do(f"{SLUG}.deleteSite", **given)
    with pytest.raises(Permission):
        performer.do(f"{SLUG}.getSite", **given)


def test_a_sitemap_is_submitted_read_listed_and_removed(
    performer: Performer, sandbox: Sandbox, sitemap_url: str
) -> None:
    given = {"site_url": SITE, "sitemap_url": sitemap_url}
    performer.do(f"{SLUG}.submitSitemap", **given)

    fresh = performer.do(f"{SLUG}.getSitemap", **given)
    assert isinstance(fresh, Sitemap)
    assert (fresh.is_pending, fresh.downloaded_at, fresh.kind) == (True, None, "sitemap")
    sandbox.ask("POST", "clock", json={"advance_s": 6})
    again = performer.do(f"{SLUG}.submitSitemap", **given)
    assert again.provider_id() == sitemap_url
    listed = performer.do(f"{SLUG}.listSitemaps", site_url=SITE)
    assert isinstance(listed, SitemapList)
    (ours,) = [one for one in listed.sitemaps if one.sitemap_url == sitemap_url]
    assert ours.submitted_at is not None
    assert fresh.submitted_at is not None
    assert ours.submitted_at > fresh.submitted_at
    assert [(one.kind, one.submitted) for one in ours.contents] == [("web", 120)]
    performer.do(f"{SLUG}.deleteSitemap", **given)
    with pytest.raises(NotFound):
        performer.do(f"{SLUG}.getSitemap", **given)


@pytest.mark.parametrize(("name", "given"), [("deleteSite", SiteRef), ("deleteSitemap", SitemapRef)])
def test_what_is_gone_already_counts_as_removed_only_if_we_may_have_removed_it(
    performer: Performer, sitemap_url: str, name: str, given: type[SiteRef | SitemapRef]
) -> None:
    fields = {"site_url": SITE, "sitemap_url": sitemap_url} if given is SitemapRef else {"site_url": f"{SITE}x/"}
    data, ledger = given.model_validate(fields), MemoryLedger()
    with pytest.raises(NotFound):
        performer.perform(action(f"{SLUG}.{name}"), performer.call(SLUG), data)

    ledger.sent()
    assert performer.perform(action(f"{SLUG}.{name}"), performer.call(SLUG, ledger), data).provider_id()


@pytest.mark.parametrize("site_url", [READ_ONLY, UNPROVEN, "https://nobody.example/", "http://www.acme.example/"])
def test_without_the_right_to_it_nothing_is_submitted(performer: Performer, sandbox: Sandbox, site_url: str) -> None:
    mark = sandbox.mark()

    with pytest.raises(Permission, match="named exactly as listSites does"):
        performer.do(f"{SLUG}.submitSitemap", site_url=site_url, sitemap_url=f"{site_url}map.xml")

    assert sandbox.effects(mark) == []


def test_a_consent_to_read_does_not_write(performer: Performer, sitemap_url: str) -> None:
    performer.account[SLUG]["credential"] = performer.account[SLUG]["limited_credential"]

    assert isinstance(performer.do(f"{SLUG}.listSites"), SiteList)
    with pytest.raises(Permission, match="lacks a scope"):
        performer.do(f"{SLUG}.submitSitemap", site_url=SITE, sitemap_url=sitemap_url)


def test_figures_are_grouped_filtered_and_read_page_by_page(performer: Performer) -> None:
    everything = figures(performer)
    (total,) = everything.rows
    assert (total.keys, everything.aggregation, everything.next_start_row) == ((), "byProperty", None)

    rows: list[Row] = []
    start = 0
    while True:
        page = figures(performer, dimensions=["date", "query"], row_limit=10, start_row=start)
        rows += page.rows
        if page.next_start_row is None:
            break
        start = page.next_start_row
    assert len(rows) == 7 * 6
    assert sum(row.clicks for row in rows) == total.clicks
    assert [row.keys[0] for row in rows] == sorted(row.keys[0] for row in rows)

    sale = [{"dimension": "query", "operator": "contains", "expression": "sale"}]
    found = figures(performer, dimensions=["page"], filters=sale)
    assert found.aggregation == "byPage"
    assert {row.keys[0] for row in found.rows} == {SITE, f"{SITE}sale"}
    clicks = [row.clicks for row in found.rows]
    assert clicks == sorted(clicks, reverse=True)
    assert all(0 <= row.ctr <= 1 and (row.position or 0) >= 1 for row in found.rows)


def test_fresh_days_are_said_to_be_incomplete(performer: Performer) -> None:
    final = figures(performer, **days(0))
    fresh = figures(performer, **days(0), data_state="all")

    assert (final.rows, final.first_incomplete_date) == ((), None)
    assert fresh.rows
    assert fresh.first_incomplete_date is not None
    hours = figures(performer, **days(1, 0), data_state="hourly_all", dimensions=["hour"])
    assert len(hours.rows) == 8


def test_a_property_that_is_not_proven_shows_no_figures(performer: Performer) -> None:
    with pytest.raises(Permission):
        figures(performer, site_url=UNPROVEN)


def test_a_page_is_inspected(performer: Performer) -> None:
    found = performer.do(f"{SLUG}.inspectUrl", site_url=DOMAIN, url=f"{SITE}sale")

    assert isinstance(found, Inspection)
    assert (found.verdict, found.indexing_state, found.crawled_as) == ("PASS", "INDEXING_ALLOWED", "MOBILE")
    assert found.crawled_at is not None
    assert found.rich_results == ("Products",)
    assert [(one.what, one.severity) for one in found.issues] == [("Products", "WARNING")]
    unknown = performer.do(f"{SLUG}.inspectUrl", site_url=DOMAIN, url=f"{SITE}no/such/page")
    assert isinstance(unknown, Inspection)
    assert (unknown.verdict, unknown.crawled_at, unknown.rich_results) == ("NEUTRAL", None, ())


def test_the_credential_check_counts_the_properties(performer: Performer) -> None:
    said = connector(SLUG).test(performer.call(SLUG))
    assert said.startswith("Google Search Console, ")
    assert said.endswith(" properties")


@pytest.mark.parametrize(
    "site_url",
    [
        "www.acme.example",
        "https://www.acme.example",
        "https://www.acme.example/page",
        "https://user@acme.example/",
        "https://www.acme.example/?a=/",
        "sc-domain:",
        "sc-domain:acme.example/",
        "sc-domain:Acme.example",
        "ftp://acme.example/",
        "https://www.acme.example/ /",
    ],
)
def test_a_property_is_named_as_search_console_names_it(site_url: str) -> None:
    with pytest.raises(ValidationError, match="as listSites names it"):
        SiteRef(site_url=site_url)


@pytest.mark.parametrize(
    ("site_url", "page_url", "inside"),
    [
        (SITE, f"{SITE}a", True),
        (SITE, "https://www.acme.example.evil.example/a", False),
        (SITE, "http://www.acme.example/a", False),
        ("https://www.acme.example/shop/", f"{SITE}shop/a", True),
        ("https://www.acme.example/shop/", f"{SITE}shopping/a", False),
        (DOMAIN, "http://shop.acme.example/a", True),
        (DOMAIN, "https://acme.example/", True),
        (DOMAIN, "https://notacme.example/", False),
    ],
)
def test_an_address_outside_its_property_is_refused(site_url: str, page_url: str, inside: bool) -> None:
    if inside:
        assert InspectUrl(site_url=site_url, url=page_url)
        assert SitemapRef(site_url=site_url, sitemap_url=page_url)
        return
    with pytest.raises(ValidationError, match="url must lie in the property"):
        InspectUrl(site_url=site_url, url=page_url)
    with pytest.raises(ValidationError, match="sitemap_url must lie in the property"):
        SitemapRef(site_url=site_url, sitemap_url=page_url)


@pytest.mark.parametrize(
    ("wrong", "rule"),
    [
        ({"start_date": "2026-11-19"}, "end_date must not be before start_date"),
        ({"start_date": "18.11.2026"}, "start_date"),
        ({"dimensions": ["query", "query"]}, "each of dimensions may stand once"),
        ({"dimensions": ["query", "searchAppearance"]}, "searchAppearance must be the only one"),
        ({"dimensions": ["hour"]}, "dimension hour and data_state hourly_all belong together"),
        ({"data_state": "hourly_all"}, "dimension hour and data_state hourly_all belong together"),
        (
            {"dimensions": ["hour"], "data_state": "hourly_all", "start_date": "2026-11-07"},
            "hours are kept for 10 days",
        ),
        ({"aggregation": "byProperty", "dimensions": ["page"]}, "goes neither with page"),
        (
            {"aggregation": "byProperty", "filters": [{"dimension": "page", "expression": "a"}]},
            "goes neither with page",
        ),
        ({"aggregation": "byProperty", "kind": "discover"}, "goes neither with page"),
        ({"row_limit": 25_001}, "row_limit"),
        ({"row_limit": 0}, "row_limit"),
        ({"start_row": -1}, "start_row"),
        ({"filters": [{"dimension": "date", "expression": "a"}]}, "filters"),
        ({"filters": [{"dimension": "query", "operator": "like", "expression": "a"}]}, "filters"),
        ({"filters": [{"dimension": "query", "expression": "x" * 4097}]}, "filters"),
    ],
)
def test_bad_input_names_its_field_or_rule(wrong: dict[str, object], rule: str) -> None:
    given = {"site_url": SITE, "start_date": "2026-11-12", "end_date": "2026-11-18"}

    assert QuerySearchAnalytics.model_validate(given).end_date == date(2026, 11, 18)
    with pytest.raises(ValidationError, match=rule):
        QuerySearchAnalytics.model_validate({**given, **wrong})
