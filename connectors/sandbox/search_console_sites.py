"""Which properties and sitemaps does the sandbox's Search Console hold, and who may do what with them?"""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from connectors.sandbox import google_api
from connectors.sandbox.platform import Call, Reply

TABLES = """
CREATE TABLE IF NOT EXISTS console_site (url TEXT PRIMARY KEY, level TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS console_sitemap (
    site TEXT NOT NULL,
    path TEXT NOT NULL,
    submitted_at REAL NOT NULL,
    visible_at REAL NOT NULL,
    PRIMARY KEY (site, path)
) WITHOUT ROWID;
"""

SEEDED = {
    "https://www.acme.example/": "siteOwner",
    "sc-domain:acme.example": "siteFullUser",
    "https://partner.example/": "siteRestrictedUser",
    "https://unproven.example/": "siteUnverifiedUser",
}
_READERS = ("siteOwner", "siteFullUser", "siteRestrictedUser")
_WRITERS = ("siteOwner", "siteFullUser")
_READ_AFTER_S = 5.0
"""So long Google takes to read a sitemap that was submitted."""


def seed(db: sqlite3.Connection) -> None:
    """The seeded properties."""
    db.executemany("INSERT INTO console_site VALUES (?, ?)", SEEDED.items())


def list_sites(call: Call) -> Reply:
    """sites.list: no ``siteEntry`` when there are none."""
    rows = call.db.execute("SELECT * FROM console_site ORDER BY url").fetchall()
    return Reply(200, {"siteEntry": [_shown(row) for row in rows]} if rows else {})


def get_site(call: Call) -> Reply:
    """sites.get."""
    return Reply(200, _shown(_site(call, call.path["siteUrl"])))


def add_site(call: Call) -> Reply:
    """sites.add: unverified; what is there already stays as it is."""
    url = _named(call.path["siteUrl"])
    call.db.execute("INSERT OR IGNORE INTO console_site VALUES (?, 'siteUnverifiedUser')", (url,))
    call.effect("addSite", url)
    return Reply(204)


def delete_site(call: Call) -> Reply:
    """sites.delete: from the user's list."""
    url = _named(call.path["siteUrl"])
    if not call.db.execute("DELETE FROM console_site WHERE url = ?", (url,)).rowcount:
        raise google_api.not_found(f"'{url}' is not a property of the user.")
    call.effect("deleteSite", url)
    return Reply(204)


def list_sitemaps(call: Call) -> Reply:
    """sitemaps.list."""
    site = readable(call, call.path["siteUrl"])
    rows = call.db.execute(
        "SELECT * FROM console_sitemap WHERE site = ? AND visible_at <= ? ORDER BY path", (site, call.now)
    ).fetchall()
    if "sitemapIndex" in call.query:
        # None of the sitemaps here is listed by another.
        rows = []
    return Reply(200, {"sitemap": [_described(call, row) for row in rows]} if rows else {})


def get_sitemap(call: Call) -> Reply:
    """sitemaps.get."""
    site = readable(call, call.path["siteUrl"])
    row = call.db.execute(
        "SELECT * FROM console_sitemap WHERE site = ? AND path = ?", (site, call.path["feedpath"])
    ).fetchone()
    if row is None:
        raise google_api.not_found(f"'{call.path['feedpath']}' is not a submitted sitemap.")
    return Reply(200, _described(call, row))


def submit_sitemap(call: Call) -> Reply:
    """sitemaps.submit: once more renews the time."""
    site, path = _writable(call, call.path["siteUrl"]), call.path["feedpath"]
    if not lies_in(path, site):
        raise google_api.refusal(400, f"'{path}' does not lie in the property.", reason="invalidParameter")
    call.db.execute(
        "INSERT INTO console_sitemap VALUES (?, ?, ?, ?)"
        " ON CONFLICT DO UPDATE SET submitted_at = excluded.submitted_at",
        (site, path, call.now, call.visible_at),
    )
    call.effect("submitSitemap", path, recipient=site)
    return Reply(204)


def delete_sitemap(call: Call) -> Reply:
    """sitemaps.delete."""
    site, path = _writable(call, call.path["siteUrl"]), call.path["feedpath"]
    done = call.db.execute("DELETE FROM console_sitemap WHERE site = ? AND path = ?", (site, path))
    if not done.rowcount:
        raise google_api.not_found(f"'{path}' is not a submitted sitemap.")
    call.effect("deleteSitemap", path, recipient=site)
    return Reply(204)


def readable(call: Call, url: str) -> str:
    """A property whose data the user may see.

    Raises:
        Refusal: 403, as for every property that is not the user's.
    """
    row = _site(call, url)
    if row["level"] not in _READERS:
        raise _forbidden(url)
    return url


def lies_in(address: str, site: str) -> bool:
    """Whether an address lies in a property."""
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return False
    domain = site.removeprefix("sc-domain:")
    if domain == site:
        return address.startswith(site)
    return parts.hostname == domain or parts.hostname.endswith("." + domain)


def moment(at: float) -> str:
    """An instant as Google writes it."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _writable(call: Call, url: str) -> str:
    if _site(call, url)["level"] not in _WRITERS:
        raise _forbidden(url)
    return url


def _site(call: Call, url: str) -> sqlite3.Row:
    _named(url)
    row: sqlite3.Row | None = call.db.execute("SELECT * FROM console_site WHERE url = ?", (url,)).fetchone()
    if row is None:
        raise _forbidden(url)
    return row


def _named(url: str) -> str:
    is_domain = url.startswith("sc-domain:") and len(url) > len("sc-domain:") and "/" not in url
    parts = urlsplit(url)
    if not is_domain and not (parts.scheme in ("http", "https") and parts.hostname and url.endswith("/")):
        raise google_api.refusal(400, f"'{url}' is not a valid Search Console site URL.", reason="invalidParameter")
    return url


def _forbidden(url: str) -> Exception:
    message = f"User does not have sufficient permission for site '{url}'."
    return google_api.refusal(403, message, reason="forbidden")


def _shown(row: sqlite3.Row) -> dict[str, Any]:
    return {"siteUrl": row["url"], "permissionLevel": row["level"]}


def _described(call: Call, row: sqlite3.Row) -> dict[str, Any]:
    pending = call.now < row["submitted_at"] + _READ_AFTER_S
    found = {
        "path": row["path"],
        "lastSubmitted": moment(row["submitted_at"]),
        "isPending": pending,
        "isSitemapsIndex": False,
        "type": "sitemap",
        "warnings": "0",
        "errors": "0",
        "contents": [{"type": "web", "submitted": "120", "indexed": "0"}],
    }
    return found if pending else {**found, "lastDownloaded": moment(row["submitted_at"] + _READ_AFTER_S)}
