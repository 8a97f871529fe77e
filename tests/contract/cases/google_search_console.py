"""Inputs of google_search_console that work against a fresh sandbox."""

from __future__ import annotations

import uuid
from typing import Any

from tests.contract.case import Case
from tests.contract.conftest import Performer

SITE = "https://www.acme.example/"


def _sitemap(performer: Performer, recipient: str) -> dict[str, Any]:
    return {"site_url": SITE, "sitemap_url": f"{SITE}{uuid.uuid4().hex}.xml"}


def _submitted(performer: Performer, recipient: str) -> dict[str, Any]:
    given = _sitemap(performer, recipient)
    performer.do("google_search_console.submitSitemap", **given)
    return given


def _site(performer: Performer, recipient: str) -> dict[str, Any]:
    return {"site_url": f"https://{uuid.uuid4().hex}.example/"}


def _added(performer: Performer, recipient: str) -> dict[str, Any]:
    given = _site(performer, recipient)
    performer.do("google_search_console.addSite", **given)
    return given


CASES = tuple(
    Case(f"google_search_console.{name}", name, prepare, once=False, empty_answer=True)
    for name, prepare in (
        ("addSite", _site),
        ("deleteSite", _added),
        ("submitSitemap", _sitemap),
        ("deleteSitemap", _submitted),
    )
)
