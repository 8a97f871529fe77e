"""Properties: the sites that a user has in Search Console."""

from __future__ import annotations

from pydantic import Field

from connectors.dialects.google_api import Answer, segment
from connectors.google_search_console import api
from connectors.google_search_console.api import PACE, SITE_URL, SiteUrl
from connectors.google_search_console.platform import GOOGLE_SEARCH_CONSOLE
from connectors.kit.action import Input, Output, Resend
from connectors.kit.call import Call
from connectors.kit.errors import NotFound

_LEVELS = ("siteOwner", "siteFullUser", "siteRestrictedUser", "siteUnverifiedUser")


class Nothing(Input):
    """Nothing: the connection says all."""


class SiteRef(Input):
    """A property."""

    site_url: SiteUrl = SITE_URL


class Site(Output):
    """A property, and what the user may do with it."""

    site_url: str
    permission_level: str = Field(
        description="siteOwner, siteFullUser, siteRestrictedUser (may only read) or siteUnverifiedUser (may nothing)."
    )


class SiteList(Output):
    """All properties of the user."""

    sites: tuple[Site, ...]


class SiteNamed(Output):
    """The property that was added or removed."""

    site_url: str

    def provider_id(self) -> str:
        """The property's name."""
        return self.site_url


class _Site(Answer):
    site_url: str
    permission_level: api.Folded = "sitepermissionlevelunspecified"


class _Sites(Answer):
    site_entry: tuple[_Site, ...] = ()


def _shown(found: _Site) -> Site:
    level = api.known(found.permission_level, _LEVELS) or found.permission_level
    return Site(site_url=found.site_url, permission_level=level)


@GOOGLE_SEARCH_CONSOLE.read("listSites", Nothing, SiteList, scopes=(api.READ,), pace=PACE)
def list_sites(call: Call, data: Nothing) -> SiteList:
    """List the properties of the user; their names are what all other actions take."""
    found = api.console(call).get(_Sites, "sites.list", "sites").site_entry
    return SiteList(sites=tuple(_shown(one) for one in found))


@GOOGLE_SEARCH_CONSOLE.read("getSite", SiteRef, Site, scopes=(api.READ,), pace=PACE)
def get_site(call: Call, data: SiteRef) -> Site:
    """Tell what the user may do with a property."""
    return _shown(api.console(call).get(_Site, "sites.get", f"sites/{segment(data.site_url)}"))


@GOOGLE_SEARCH_CONSOLE.action(
    "addSite",
    SiteRef,
    SiteNamed,
    repeat=Resend(),
    why="It adds a property by its name: twice is the same as once.",
    scopes=(api.WRITE,),
    pace=PACE,
    limits=("unverified until its owner proves it at Google",),
)
def add_site(call: Call, data: SiteRef) -> SiteNamed:
    """Add a property to the user's list; Google shows nothing of it until it is verified."""
    api.console(call).change("PUT", "sites.add", f"sites/{segment(data.site_url)}")
    return SiteNamed(site_url=data.site_url)


@GOOGLE_SEARCH_CONSOLE.action(
    "deleteSite",
    SiteRef,
    SiteNamed,
    repeat=Resend(),
    why="It removes a property by its name: twice is the same as once.",
    scopes=(api.WRITE,),
    pace=PACE,
)
def delete_site(call: Call, data: SiteRef) -> SiteNamed:
    """Remove a property from the user's list; the site itself stays as it is."""
    try:
        api.console(call).change("DELETE", "sites.delete", f"sites/{segment(data.site_url)}")
    except NotFound as refused:
        # An earlier attempt may have removed it.
        if call.first_sent_at is None or refused.code is None:
            raise
    return SiteNamed(site_url=data.site_url)
