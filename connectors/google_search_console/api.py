"""How is the Search Console API called? With properties named exactly as Search Console names them.

https://developers.google.com/webmaster-tools/v1/api_reference_index
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from connectors.dialects import google_oauth
from connectors.dialects.google_api import GoogleApi
from connectors.dialects.google_errors import Rules
from connectors.kit.action import Limit

if TYPE_CHECKING:
    from connectors.kit.call import Call

VERSION = "v1"
"""Google has named no day on which it ends. Properties are still found under the name and version of before."""

HOST = "searchconsole.googleapis.com"
HOSTS = (HOST, google_oauth.HOST)

_PREFIX = "https://www.googleapis.com/auth/"
WRITE, READ = f"{_PREFIX}webmasters", f"{_PREFIX}webmasters.readonly"

PACE = (Limit(20, per_s=1.0, of="action"), Limit(200, per_s=60.0, of="action"))
"""Of sites and sitemaps, per user."""

_WRONG_NAME = "the property must be named exactly as listSites does, and the user needs a role on it"
RULES = Rules.of(
    hints={
        "forbidden": _WRONG_NAME,
        "PERMISSION_DENIED": _WRONG_NAME,
        "quotaExceeded": "grouping or filtering by page and query costs most; ask for fewer days at once",
    },
    # The load quota is counted in windows of ten minutes, and of a day, which nothing tells apart.
    waits_s={"quotaExceeded": 900.0},
    limited="action",
)

_DOMAIN = re.compile(r"sc-domain:[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?")
_URL_PREFIX = re.compile(r"https?://[^\s/?#@]+/(?:[^\s?#]*/)?")


class GoogleSearchConsoleSettings(BaseModel):
    """Nothing: what may be seen depends on whose consent it is."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


def _site_url(text: str) -> str:
    if not _DOMAIN.fullmatch(text) and not _URL_PREFIX.fullmatch(text):
        raise ValueError(
            "must be a property as listSites names it: https://www.example.com/ with its slash at the end, or "
            "sc-domain:example.com"
        )
    return text


def _folded(value: Any) -> Any:
    """An enum's value without case and underscores: reference pages and answers write it in different ways."""
    return value.replace("_", "").lower() if isinstance(value, str) else value


SiteUrl = Annotated[str, StringConstraints(max_length=2048), AfterValidator(_site_url)]
"""The name of a property."""

PageUrl = Annotated[str, StringConstraints(pattern=r"^https?://[^\s/?#@]+/[^\s#]*$", max_length=2048)]
"""The address of a page or sitemap, with at least a slash after its host."""

Folded = Annotated[str, BeforeValidator(_folded)]

SITE_URL = Field(description="The property, exactly as listSites names it: https://www.example.com/ or sc-domain:...")


def console(call: Call) -> GoogleApi:
    """The part of the API that knows properties by name."""
    return GoogleApi(call, base=f"https://{HOST}/webmasters/v3", rules=RULES)


def belongs(page_url: str, site_url: str) -> bool:
    """Whether an address lies in a property."""
    if not site_url.startswith("sc-domain:"):
        return page_url.startswith(site_url)
    host, domain = urlsplit(page_url).hostname or "", site_url.removeprefix("sc-domain:")
    return host == domain or host.endswith(f".{domain}")


def known(value: str | None, names: tuple[str, ...]) -> str | None:
    """A folded value as the reference pages write it; one that they do not know stays folded."""
    return next((name for name in names if _folded(name) == value), value)
