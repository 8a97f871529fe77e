"""Inspection: what Google's index holds of a page. It shows the index's copy and never looks at the page itself."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import Field, model_validator

from connectors.dialects.google_api import Answer, GoogleApi
from connectors.google_search_console import api
from connectors.google_search_console.api import SITE_URL, PageUrl, SiteUrl
from connectors.google_search_console.platform import GOOGLE_SEARCH_CONSOLE
from connectors.kit.action import Input, Limit, Output
from connectors.kit.call import Call


class InspectUrl(Input):
    """Which page to inspect."""

    site_url: SiteUrl = SITE_URL
    url: PageUrl = Field(description="Address of the page; it must lie in the property.")
    language: str = Field(
        default="en-US", pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$", description="Language of the texts, BCP 47."
    )

    @model_validator(mode="after")
    def _lies_in_the_property(self) -> InspectUrl:
        if not api.belongs(self.url, self.site_url):
            raise ValueError("url must lie in the property site_url")
        return self


class Issue(Output):
    """Something that is wrong with a page's structured data or AMP version."""

    what: str = Field(description="Which kind of rich result it belongs to.")
    severity: str = Field(description="WARNING or ERROR.")
    message: str


class Inspection(Output):
    """What Google's index holds of a page. Texts are translated: decide by the words in capitals."""

    verdict: str = Field(description="PASS, PARTIAL, FAIL or NEUTRAL (known, and not in the index).")
    coverage_state: str | None = Field(description="Why, in words.")
    indexing_state: str | None = Field(description="INDEXING_ALLOWED, or what forbids it.")
    robots_txt_state: str | None = Field(description="ALLOWED or DISALLOWED.")
    page_fetch_state: str | None = Field(description="SUCCESSFUL, or what went wrong, such as SOFT_404.")
    crawled_at: datetime | None = Field(description="When Google last read the page.")
    crawled_as: str | None = Field(description="MOBILE or DESKTOP.")
    google_canonical: str | None = Field(description="The address that Google shows for it.")
    user_canonical: str | None = Field(description="The address that the page itself names.")
    sitemaps: tuple[str, ...] = Field(description="Sitemaps that name it.")
    referring_urls: tuple[str, ...] = Field(description="Some pages that link to it.")
    rich_results_verdict: str | None = Field(description="As verdict, for its structured data.")
    rich_results: tuple[str, ...] = Field(description="Kinds of rich result that were found.")
    issues: tuple[Issue, ...]
    amp_verdict: str | None = Field(description="As verdict, for its AMP version.")
    link: str | None = Field(description="The same in Search Console.")


class _Issue(Answer):
    issue_message: str = ""
    severity: str = "SEVERITY_UNSPECIFIED"


class _Item(Answer):
    issues: tuple[_Issue, ...] = ()


class _Detected(Answer):
    rich_result_type: str = ""
    items: tuple[_Item, ...] = ()


class _RichResults(Answer):
    verdict: str | None = None
    detected_items: tuple[_Detected, ...] = ()


class _Amp(Answer):
    verdict: str | None = None


class _Index(Answer):
    verdict: str
    coverage_state: str | None = None
    indexing_state: str | None = None
    robots_txt_state: str | None = None
    page_fetch_state: str | None = None
    last_crawl_time: datetime | None = None
    crawled_as: str | None = None
    google_canonical: str | None = None
    user_canonical: str | None = None
    sitemap: tuple[str, ...] = ()
    referring_urls: tuple[str, ...] = ()


class _Result(Answer):
    index_status_result: _Index
    rich_results_result: _RichResults = _RichResults()
    amp_result: _Amp = _Amp()
    inspection_result_link: str | None = None


class _Inspected(Answer):
    inspection_result: _Result


@GOOGLE_SEARCH_CONSOLE.read(
    "inspectUrl",
    InspectUrl,
    Inspection,
    scopes=(api.READ,),
    target=lambda data: data.site_url,
    pace=(Limit(600, per_s=60.0, of="target"), Limit(2000, per_s=86_400.0, of="target")),
    limits=("600/min and 2,000/day per property", "asking for indexing is not possible here"),
)
def inspect_url(call: Call, data: InspectUrl) -> Inspection:
    """Tell what Google's index holds of a page."""
    of_urls = GoogleApi(call, base=f"https://{api.HOST}/{api.VERSION}", rules=api.RULES)
    body: dict[str, Any] = {"inspectionUrl": data.url, "siteUrl": data.site_url, "languageCode": data.language}
    found = of_urls.post(_Inspected, "urlInspection.index.inspect", "urlInspection/index:inspect", body, effect=False)
    result = found.inspection_result
    index, rich = result.index_status_result, result.rich_results_result
    return Inspection(
        verdict=index.verdict,
        coverage_state=index.coverage_state,
        indexing_state=index.indexing_state,
        robots_txt_state=index.robots_txt_state,
        page_fetch_state=index.page_fetch_state,
        crawled_at=index.last_crawl_time,
        crawled_as=index.crawled_as,
        google_canonical=index.google_canonical,
        user_canonical=index.user_canonical,
        sitemaps=index.sitemap,
        referring_urls=index.referring_urls,
        rich_results_verdict=rich.verdict,
        rich_results=tuple(one.rich_result_type for one in rich.detected_items),
        issues=tuple(
            Issue(what=kind.rich_result_type, severity=one.severity, message=one.issue_message)
            for kind in rich.detected_items
            for item in kind.items
            for one in item.issues
        ),
        amp_verdict=result.amp_result.verdict,
        link=result.inspection_result_link,
    )
