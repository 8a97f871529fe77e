"""Google's Search Console API, as the connector ``google_search_console`` meets it."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any, ClassVar

from connectors.sandbox import google_api, google_tokens, search_console_figures, search_console_sites
from connectors.sandbox.contract import Problem
from connectors.sandbox.google_tokens import Bearer
from connectors.sandbox.platform import Call, Handler, Platform, Reply

_PREFIX = "https://www.googleapis.com/auth/"
_OWNER, _READER = "search@acme.example", "reader@acme.example"


class GoogleSearchConsole(Platform):
    """Search Console: properties, sitemaps, search analytics and the inspection of pages."""

    slug: ClassVar[str] = "google_search_console"
    tables: ClassVar[str] = search_console_sites.TABLES + google_tokens.TABLES
    operations: ClassVar[Mapping[str, Handler]] = {
        "listSites": search_console_sites.list_sites,
        "getSite": search_console_sites.get_site,
        "addSite": search_console_sites.add_site,
        "deleteSite": search_console_sites.delete_site,
        "querySearchAnalytics": search_console_figures.query,
        "listSitemaps": search_console_sites.list_sitemaps,
        "getSitemap": search_console_sites.get_sitemap,
        "submitSitemap": search_console_sites.submit_sitemap,
        "deleteSitemap": search_console_sites.delete_sitemap,
        "inspectUrl": search_console_figures.inspect,
    }

    def seed(self, db: sqlite3.Connection, *, now: float) -> None:
        """An owner with properties of every level, and a user whose token may only read."""
        google_tokens.grant(db, _READER, [f"{_PREFIX}webmasters.readonly"], now=now)
        google_tokens.grant(db, _OWNER, [f"{_PREFIX}webmasters"], now=now)
        search_console_sites.seed(db)

    def describe(self, db: sqlite3.Connection) -> dict[str, Any]:
        """The owner in the shape a connection wants, and the seeded properties with their levels."""
        return {
            "account": _OWNER,
            "credential": google_tokens.credential(db, _OWNER),
            "settings": {},
            "limited_credential": google_tokens.credential(db, _READER),
            "sites": dict(search_console_sites.SEEDED),
        }

    def authenticate(self, call: Call) -> Bearer:
        """A token that holds one of the scopes that the method takes."""
        return google_tokens.bearer(call, *(call.operation.security or {}).get("googleOAuth2", []))

    def refuse(self, problem: Problem) -> Reply:
        """Google's 400, or its front end's 404."""
        return google_api.unfit(problem)

    def rate_limited(self, *, retry_after_s: int | None) -> Reply:
        """429 of the calls per minute."""
        return google_api.limited(retry_after_s)

    def server_error(self, status: int) -> Reply:
        """Google's 500 or 503."""
        return google_api.failure(status)

    def auth_expired(self) -> Reply:
        """401 ``ACCESS_TOKEN_EXPIRED``."""
        return google_tokens.unauthenticated()
