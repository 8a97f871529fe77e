"""Google Search Console: how sites do in Google's search, their sitemaps, and what its index holds of a page."""

from __future__ import annotations

from connectors.google_search_console import analytics, inspection, sitemaps, sites
from connectors.google_search_console.api import GoogleSearchConsoleSettings
from connectors.google_search_console.platform import GOOGLE_SEARCH_CONSOLE

__all__ = ["GOOGLE_SEARCH_CONSOLE", "GoogleSearchConsoleSettings", "analytics", "inspection", "sitemaps", "sites"]
