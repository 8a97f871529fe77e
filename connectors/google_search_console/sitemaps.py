"""Sitemaps: the lists of pages that a site offers to Google."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field, model_validator

from connectors.dialects.google_api import Answer, segment
from connectors.google_search_console import api
from connectors.google_search_console.api import PACE, SITE_URL, PageUrl, SiteUrl
from connectors.google_search_console.platform import GOOGLE_SEARCH_CONSOLE
from connectors.kit.action import Input, Output, Resend
from connectors.kit.call import Call
from connectors.kit.errors import NotFound

_KINDS = ("notSitemap", "urlList", "sitemap", "rssFeed", "atomFeed", "patternSitemap", "oceanfront")
_CONTENTS = (
    "web",
    "image",
    "video",
    "news",
    "mobile",
    "androidApp",
    "pattern",
    "iosApp",
    "dataFeedElement",
)


class SitemapRef(Input):
    """A sitemap of a property."""

    site_url: SiteUrl = SITE_URL
    sitemap_url: PageUrl = Field(description="Whole address of the sitemap; it must lie in the property.")

    @model_validator(mode="after")
    def _lies_in_the_property(self) -> SitemapRef:
        if not api.belongs(self.sitemap_url, self.site_url):
            raise ValueError("sitemap_url must lie in the property site_url")
        return self


class ListSitemaps(Input):
    """Which sitemaps to list."""

    site_url: SiteUrl = SITE_URL
    index_url: PageUrl | None = Field(default=None, description="Only the sitemaps of this sitemap index.")


class Content(Output):
    """How much of one kind a sitemap holds."""

    kind: str = Field(description="web, image, video, news and so on.")
    submitted: int = Field(description="How many addresses it names.")


class Sitemap(Output):
    """A sitemap as Google knows it."""

    sitemap_url: str
    kind: str | None = Field(description="sitemap, rssFeed, atomFeed, urlList and so on.")
    is_index: bool = Field(description="Whether it lists other sitemaps.")
    is_pending: bool = Field(description="Whether Google still has to read it.")
    submitted_at: datetime | None = Field(description="When it was last submitted.")
    downloaded_at: datetime | None = Field(description="When Google last read it.")
    warnings: int
    errors: int = Field(description="How many problems Google found in it.")
    contents: tuple[Content, ...]


class SitemapList(Output):
    """All sitemaps that were submitted."""

    sitemaps: tuple[Sitemap, ...]


class SitemapNamed(Output):
    """The sitemap that was submitted or removed."""

    sitemap_url: str

    def provider_id(self) -> str:
        """The sitemap's address, which is its name."""
        return self.sitemap_url


class _Content(Answer):
    type: api.Folded = ""
    submitted: int = 0


class _Sitemap(Answer):
    path: str
    type: api.Folded | None = None
    is_sitemaps_index: bool = False
    is_pending: bool = False
    last_submitted: datetime | None = None
    last_downloaded: datetime | None = None
    warnings: int = 0
    errors: int = 0
    contents: tuple[_Content, ...] = ()


class _Sitemaps(Answer):
    sitemap: tuple[_Sitemap, ...] = ()


def _shown(found: _Sitemap) -> Sitemap:
    return Sitemap(
        sitemap_url=found.path,
        kind=api.known(found.type, _KINDS),
        is_index=found.is_sitemaps_index,
        is_pending=found.is_pending,
        submitted_at=found.last_submitted,
        downloaded_at=found.last_downloaded,
        warnings=found.warnings,
        errors=found.errors,
        contents=tuple(
            Content(kind=api.known(one.type, _CONTENTS) or one.type, submitted=one.submitted) for one in found.contents
        ),
    )


def _path(data: SitemapRef) -> str:
    return f"sites/{segment(data.site_url)}/sitemaps/{segment(data.sitemap_url)}"


@GOOGLE_SEARCH_CONSOLE.action(
    "submitSitemap",
    SitemapRef,
    SitemapNamed,
    repeat=Resend(),
    why="It submits a sitemap by its address: a repeat only renews the time.",
    scopes=(api.WRITE,),
    pace=PACE,
    limits=("20 calls/s and 200/min per user, with all calls for sites and sitemaps",),
)
def submit_sitemap(call: Call, data: SitemapRef) -> SitemapNamed:
    """Submit a sitemap, new or changed, for Google to read."""
    api.console(call).change("PUT", "sitemaps.submit", _path(data))
    return SitemapNamed(sitemap_url=data.sitemap_url)


@GOOGLE_SEARCH_CONSOLE.action(
    "deleteSitemap",
    SitemapRef,
    SitemapNamed,
    repeat=Resend(),
    why="It removes a sitemap by its address: twice is the same as once.",
    scopes=(api.WRITE,),
    pace=PACE,
    limits=("takes it out of the report only: Google goes on reading what it knows",),
)
def delete_sitemap(call: Call, data: SitemapRef) -> SitemapNamed:
    """Take a sitemap out of the report."""
    try:
        api.console(call).change("DELETE", "sitemaps.delete", _path(data))
    except NotFound as refused:
        # An earlier attempt may have removed it.
        if call.first_sent_at is None or refused.code is None:
            raise
    return SitemapNamed(sitemap_url=data.sitemap_url)


@GOOGLE_SEARCH_CONSOLE.read("getSitemap", SitemapRef, Sitemap, scopes=(api.READ,), pace=PACE)
def get_sitemap(call: Call, data: SitemapRef) -> Sitemap:
    """Tell when a sitemap was submitted and read, and what is wrong with it."""
    return _shown(api.console(call).get(_Sitemap, "sitemaps.get", _path(data)))


@GOOGLE_SEARCH_CONSOLE.read("listSitemaps", ListSitemaps, SitemapList, scopes=(api.READ,), pace=PACE)
def list_sitemaps(call: Call, data: ListSitemaps) -> SitemapList:
    """List the sitemaps of a property."""
    path = f"sites/{segment(data.site_url)}/sitemaps"
    found = api.console(call).get(_Sitemaps, "sitemaps.list", path, sitemapIndex=data.index_url).sitemap
    return SitemapList(sitemaps=tuple(_shown(one) for one in found))
