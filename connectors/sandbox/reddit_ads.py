"""Which campaigns, ad groups and ads are there in Reddit's ad account, and in what state?"""

from __future__ import annotations

import json
import sqlite3
from datetime import UTC, datetime
from typing import Any

from connectors.sandbox.platform import Call, Reply
from connectors.sandbox.reddit_data import (
    AD_ACCOUNT,
    FUNDING,
    PIXEL,
    PROFILE_ID,
    USERNAME,
    ads_refusal,
    new_id,
    new_number,
)

_PARENTS = {"ad_group": ("campaign", "campaign_id"), "ad": ("ad_group", "ad_group_id")}
_FIXED = frozenset({"special_ad_categories", "conversion_pixel_id", "goal_type", "is_campaign_budget_optimization"})
_JOB_S = 2.0
_BASE = "https://ads-api.reddit.com/api/v3"


def create_campaign(call: Call) -> Reply:
    """POST campaigns; names may repeat, and nothing tells a repeat."""
    return _create(call, "campaign", "createCampaign")


def create_ad_group(call: Call) -> Reply:
    """POST ad_groups."""
    fields = call.body["data"]
    campaign = _find(call.db, "campaign", fields["campaign_id"])
    if campaign is not None and _has_budget(campaign) and "goal_value" in fields:
        raise ads_refusal(400, "Invalid data", {"goal_value": "the campaign has the budget"})
    return _create(call, "ad_group", "createAdGroup")


def create_ad(call: Call) -> Reply:
    """POST ads: of a post that there is."""
    post_id = call.body["data"].get("post_id")
    known = call.db.execute(
        "SELECT 1 FROM reddit_post WHERE name = ? AND NOT gone UNION SELECT 1 FROM reddit_job WHERE post_id = ?",
        (post_id, post_id),
    ).fetchone()
    if known is None:
        raise ads_refusal(400, "Invalid data", {"post_id": "no such post"})
    return _create(call, "ad", "createAd")


def _create(call: Call, kind: str, action: str) -> Reply:
    _check_account(call)
    fields: dict[str, Any] = call.body["data"]
    parent = None
    if kind in _PARENTS:
        parent_kind, name = _PARENTS[kind]
        parent = fields[name]
        if _find(call.db, parent_kind, parent) is None:
            raise ads_refusal(400, "Invalid data", {name: "does not exist"})
    if fields.get("funding_instrument_id") not in (None, FUNDING):
        raise ads_refusal(400, "Invalid data", {"funding_instrument_id": "does not exist"})
    key = new_number()
    call.db.execute(
        "INSERT INTO reddit_ad VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *(kind, key, parent, fields["name"], fields.get("configured_status") or "ACTIVE", json.dumps(fields)),
            *(call.now, call.now, call.visible_at),
        ),
    )
    call.effect(action, key, key=fields["name"], text=fields["name"])
    row = _find(call.db, kind, key)
    assert row is not None
    return Reply(201, {"data": _shown(call.db, row)})


def get_campaign(call: Call) -> Reply:
    """GET a campaign."""
    return Reply(200, {"data": _shown(call.db, _one(call, "campaign", call.path["campaign_id"]))})


def get_ad_group(call: Call) -> Reply:
    """GET an ad group."""
    return Reply(200, {"data": _shown(call.db, _one(call, "ad_group", call.path["ad_group_id"]))})


def update_campaign(call: Call) -> Reply:
    """PATCH a campaign; an absolute value may be set any number of times."""
    row, fields = _one(call, "campaign", call.path["campaign_id"]), call.body["data"]
    if "goal_value" in fields and not _has_budget(row):
        raise ads_refusal(400, "Invalid data", {"goal_value": "the budgets are those of the ad groups"})
    named = {"PAUSED": "pauseCampaign", "ACTIVE": "activateCampaign", "ARCHIVED": "archiveCampaign"}
    return _update(call, row, named.get(fields.get("configured_status", ""), "adjustBudget"))


def update_ad_group(call: Call) -> Reply:
    """PATCH an ad group."""
    row, fields = _one(call, "ad_group", call.path["ad_group_id"]), call.body["data"]
    return _update(call, row, "setAdGroupStatus" if "configured_status" in fields else "adjustBudget")


def update_ad(call: Call) -> Reply:
    """PATCH an ad."""
    return _update(call, _one(call, "ad", call.path["ad_id"]), "setAdStatus")


def _update(call: Call, row: sqlite3.Row, action: str) -> Reply:
    fields: dict[str, Any] = call.body["data"]
    fixed = sorted(_FIXED & fields.keys())
    if fixed:
        raise ads_refusal(400, "Invalid data", {fixed[0]: "cannot be changed"})
    body = {**json.loads(row["body"]), **fields}
    call.db.execute(
        "UPDATE reddit_ad SET name = ?, status = ?, body = ?, modified_at = ? WHERE kind = ? AND id = ?",
        (
            *(fields.get("name", row["name"]), fields.get("configured_status", row["status"])),
            *(json.dumps(body), call.now, row["kind"], row["id"]),
        ),
    )
    call.effect(action, row["id"])
    return Reply(200, {"data": _shown(call.db, _one(call, row["kind"], row["id"]))})


def list_campaigns(call: Call) -> Reply:
    """GET campaigns."""
    return _list(call, "campaign")


def list_ad_groups(call: Call) -> Reply:
    """GET ad_groups, of one campaign or all."""
    wanted = call.query.get("campaign_id")
    return _list(call, "ad_group", lambda row: wanted in (None, row["parent"]))


def list_ads(call: Call) -> Reply:
    """GET ads, of some ad groups, campaigns or all."""
    groups, campaigns = call.query.get("ad_group_id"), call.query.get("campaign_id")

    def fits(row: sqlite3.Row) -> bool:
        group = _find(call.db, "ad_group", row["parent"])
        in_campaign = campaigns is None or (group is not None and group["parent"] in campaigns)
        return in_campaign and (groups is None or row["parent"] in groups)

    return _list(call, "ad", fits)


def _list(call: Call, kind: str, fits: Any = lambda row: True) -> Reply:
    _check_account(call)
    wanted = call.query.get("id")
    rows = call.db.execute(
        "SELECT * FROM reddit_ad WHERE kind = ? AND visible_at <= ? ORDER BY created_at DESC, id", (kind, call.now)
    ).fetchall()
    found = [row for row in rows if fits(row) and (wanted is None or row["id"] in wanted)]
    return _page(call, [_shown(call.db, row) for row in found])


def _page(call: Call, rows: list[dict[str, Any]]) -> Reply:
    """One page; the next one's address holds everything that was asked for."""
    token = call.query.get("page.token", "0")
    if not token.isdigit():
        raise ads_refusal(400, "Invalid page token")
    begin, size = int(token), call.query.get("page.size", 50)
    end = begin + size
    return Reply(200, {"data": rows[begin:end], "pagination": {"next_url": _next(call, end, size, len(rows))}})


def _next(call: Call, end: int, size: int, total: int) -> str | None:
    if end >= total:
        return None
    others = [part for part in call.raw_query.decode("latin-1").split("&") if part and not part.startswith("page.")]
    path = call.raw_path.removeprefix("/api/v3")
    return f"{_BASE}{path}?{'&'.join([*others, f'page.token={end}', f'page.size={size}'])}"


def report(call: Call) -> Reply:
    """POST reports: a row for each campaign that has run, in numbers that stay the same; the body on every page."""
    _check_account(call)
    wanted: dict[str, Any] = call.body["data"]
    most = 4 if {"COUNTRY", "REGION"} <= set(wanted.get("breakdowns", ())) else 3
    if len(wanted.get("breakdowns", ())) > most:
        raise ads_refusal(400, "Invalid data", {"breakdowns": f"at most {most}"})
    rows = call.db.execute("SELECT * FROM reddit_ad WHERE kind = 'campaign' ORDER BY id").fetchall()
    metrics = [{"campaign_id": row["id"], **_numbers(row["id"], wanted["fields"])} for row in rows]
    token, size = int(call.query.get("page.token", "0")), call.query.get("page.size", 50)
    pagination = {"next_url": _next(call, token + size, size, len(metrics)), "total_count": len(metrics)}
    data = {"metrics": metrics[token : token + size], "metrics_updated_at": _time(call.now)}
    return Reply(200, {"data": data, "pagination": pagination})


def _numbers(key: str, fields: list[str]) -> dict[str, int]:
    return {name.lower(): sum(map(ord, name + key)) * 37 % 10_000 for name in fields}


def funding(call: Call) -> Reply:
    """GET funding_instruments."""
    _check_account(call)
    card = {"id": FUNDING, "name": "Card", "currency": "USD", "is_servable": True, "reasons_not_servable": []}
    return _page(call, [card])


def pixels(call: Call) -> Reply:
    """GET pixels."""
    _check_account(call)
    return _page(call, [{"id": PIXEL, "name": "Website"}])


def me(call: Call) -> Reply:
    """GET me."""
    return Reply(200, {"data": {"id": PROFILE_ID, "username": USERNAME}})


def begin_job(call: Call) -> Reply:
    """POST structured_posts/jobs: a post for ads, made a moment later."""
    if call.path["profile_id"] != PROFILE_ID:
        raise ads_refusal(404, "Not found")
    text = json.dumps(call.body)
    status = "CLIENT_ERROR" if ".invalid/" in text else "SUCCESS"
    job_id, post_id = new_number(), f"t3_{new_id()}"
    call.db.execute(
        "INSERT INTO reddit_job VALUES (?, ?, ?, ?, ?)", (job_id, status, post_id, call.now, call.now + _JOB_S)
    )
    call.effect("createAdPost", post_id, key=job_id, text=call.body["data"]["creative"]["headline"])
    return Reply(201, {"data": _job(call, job_id)})


def get_job(call: Call) -> Reply:
    """GET a job."""
    return Reply(200, {"data": _job(call, call.path["post_creation_job_id"])})


def _job(call: Call, job_id: str) -> dict[str, Any]:
    row = call.db.execute("SELECT * FROM reddit_job WHERE id = ?", (job_id,)).fetchone()
    if row is None:
        raise ads_refusal(404, "Not found")
    status = row["status"] if call.now >= row["ready_at"] else "PROCESSING"
    return {
        "id": row["id"],
        "status": status,
        "created_at": _time(row["created_at"]),
        "modified_at": _time(call.now),
        "post_id": row["post_id"] if status == "SUCCESS" else None,
        "error_message": "the media could not be loaded" if status == "CLIENT_ERROR" else None,
    }


def _check_account(call: Call) -> None:
    if call.path["ad_account_id"] != AD_ACCOUNT:
        raise ads_refusal(403, "You do not have access to this ad account")


def _find(db: sqlite3.Connection, kind: str, key: str) -> sqlite3.Row | None:
    row: sqlite3.Row | None = db.execute("SELECT * FROM reddit_ad WHERE kind = ? AND id = ?", (kind, key)).fetchone()
    return row


def _one(call: Call, kind: str, key: str) -> sqlite3.Row:
    row = _find(call.db, kind, key)
    if row is None or row["visible_at"] > call.now:
        raise ads_refusal(404, "Not found")
    return row


def _has_budget(row: sqlite3.Row) -> bool:
    body = json.loads(row["body"])
    return bool(body.get("is_campaign_budget_optimization")) or body.get("type") == "AUTOMATED"


def _shown(db: sqlite3.Connection, row: sqlite3.Row) -> dict[str, Any]:
    body = json.loads(row["body"])
    return {
        **body,
        "id": row["id"],
        "ad_account_id": AD_ACCOUNT,
        "name": row["name"],
        "configured_status": row["status"],
        "effective_status": "PENDING_APPROVAL" if row["status"] == "ACTIVE" else row["status"],
        "created_at": _time(row["created_at"]),
        "modified_at": _time(row["modified_at"]),
    }


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
