"""Which campaigns, groups and creatives are there in LinkedIn's ad account, and in what state?"""

from __future__ import annotations

import json
import re
import sqlite3
from typing import Any

from connectors.sandbox.linkedin_data import (
    AD_ACCOUNT,
    ORGANIZATION,
    created,
    list_of,
    need,
    new_number,
    number_of,
    raw_value,
    refusal,
)
from connectors.sandbox.platform import Call, Reply

_SETTABLE = frozenset(
    {"status", "name", "dailyBudget", "totalBudget", "unitCost", "runSchedule", "targetingCriteria", "costType"}
)
_STATES = frozenset({"ACTIVE", "PAUSED", "ARCHIVED", "COMPLETED", "CANCELED", "DRAFT", "PENDING_DELETION", "REMOVED"})
_SEARCH = re.compile(r"(name|status):\(values:(List\([^()]*\))\)")
_DATE = r"\(year:(\d{4}),month:(\d{1,2}),day:(\d{1,2})\)"
_DATES = re.compile(rf"\(start:{_DATE}(?:,end:{_DATE})?\)")


def create_campaign(call: Call) -> Reply:
    """POST adCampaigns; names may repeat, and nothing tells a repeat."""
    fields: dict[str, Any] = call.body
    _check_account(call, fields["account"])
    group = _find(call.db, "group", fields["campaignGroup"].rpartition(":")[2])
    if group is None:
        raise _unfit("INVALID_VALUE_FOR_FIELD", "/campaignGroup", "There is no such campaign group")
    if group["status"] == "DRAFT" and fields["status"] != "DRAFT":
        raise _unfit("INVALID_CAMPAIGN_CONFIGURATION", "/status", "A draft group holds drafts only")
    if fields["type"] == "SPONSORED_UPDATES" and fields.get("associatedEntity") != ORGANIZATION:
        raise _unfit("CONDITIONAL_FIELD_MISSING", "/associatedEntity", "Sponsored content speaks for a Page")
    key = _insert(call, "campaign", group["id"], fields["name"], fields["status"], fields)
    call.effect("createCampaign", key, key=fields["name"], text=fields["name"])
    return created(key)


def create_group(call: Call) -> Reply:
    """POST adCampaignGroups."""
    _check_account(call, call.body["account"])
    key = _insert(call, "group", AD_ACCOUNT, call.body["name"], call.body["status"], call.body)
    call.effect("createCampaignGroup", key, key=call.body["name"], text=call.body["name"])
    return created(key)


def create_creative(call: Call) -> Reply:
    """POST creatives: an ad of a campaign, of a post that is there."""
    _check_account(call)
    campaign = _find(call.db, "campaign", call.body["campaign"].rpartition(":")[2])
    if campaign is None:
        raise _unfit("INVALID_VALUE_FOR_FIELD", "/campaign", "There is no such campaign")
    reference = call.body["content"].get("reference", "")
    known = call.db.execute("SELECT 1 FROM linkedin_post WHERE urn = ? AND NOT gone", (reference,)).fetchone()
    if known is None:
        raise _unfit("INVALID_VALUE_FOR_FIELD", "/content/reference", "There is no such post")
    name = call.body.get("name", "")
    key = _insert(call, "creative", campaign["id"], name, call.body.get("intendedStatus", "DRAFT"), call.body)
    urn = f"urn:li:sponsoredCreative:{key}"
    call.effect("createCreative", urn, key=name, text=name)
    return created(urn)


def search_campaigns(call: Call) -> Reply:
    """GET adCampaigns?q=search."""
    return _search(call, "campaign")


def search_groups(call: Call) -> Reply:
    """GET adCampaignGroups?q=search."""
    return _search(call, "group")


def _search(call: Call, kind: str) -> Reply:
    _check_account(call, reads=True)
    wanted = _criteria(call)
    rows = [
        row
        for row in _visible(call, kind)
        if row["name"] in wanted.get("name", [row["name"]]) and row["status"] in wanted.get("status", [row["status"]])
    ]
    return _page(call, rows)


def creatives(call: Call) -> Reply:
    """GET creatives?q=criteria."""
    _check_account(call, reads=True)
    value = raw_value(call, "campaigns")
    campaigns = None if value is None else [one.rpartition(":")[2] for one in list_of(value)]
    return _page(call, [row for row in _visible(call, "creative") if campaigns is None or row["parent"] in campaigns])


def _criteria(call: Call) -> dict[str, list[str]]:
    text = raw_value(call, "search")
    if text is None:
        return {}
    found = _SEARCH.findall(text)
    if text != f"({','.join(f'{name}:(values:{values})' for name, values in found)})":
        raise refusal(400, "The search cannot be read", code="INVALID_VALUE_FOR_FIELD")
    return {name: list_of(values) for name, values in found}


def _visible(call: Call, kind: str) -> list[sqlite3.Row]:
    return call.db.execute(
        "SELECT * FROM linkedin_ad WHERE kind = ? AND visible_at <= ? ORDER BY created_at, id", (kind, call.now)
    ).fetchall()


def _page(call: Call, rows: list[sqlite3.Row]) -> Reply:
    token = call.query.get("pageToken", "0")
    if not token.isdigit():
        raise refusal(400, "The page token is not valid", code="INVALID_VALUE_FOR_FIELD")
    begin, size = int(token), call.query.get("pageSize", 100)
    more = {"nextPageToken": str(begin + size)} if begin + size < len(rows) else {}
    return Reply(200, {"elements": [_shown(row) for row in rows[begin : begin + size]], "metadata": more})


def _shown(row: sqlite3.Row) -> dict[str, Any]:
    stamps = {
        "created": {"time": int(row["created_at"] * 1000)},
        "lastModified": {"time": int(row["modified_at"] * 1000)},
    }
    body = {**json.loads(row["body"]), "name": row["name"], "changeAuditStamps": stamps}
    if row["kind"] == "creative":
        status = {"intendedStatus": row["status"], "isServing": False, "createdAt": int(row["created_at"] * 1000)}
        return {**body, **status, "id": f"urn:li:sponsoredCreative:{row['id']}"}
    servings = ["RUNNABLE"] if row["status"] == "ACTIVE" else ["STOPPED"]
    return {**body, "id": int(row["id"]), "status": row["status"], "servingStatuses": servings}


def get_campaign(call: Call) -> Reply:
    """GET a campaign."""
    _check_account(call, reads=True)
    return Reply(200, _shown(_campaign(call)))


def _campaign(call: Call) -> sqlite3.Row:
    row = _find(call.db, "campaign", call.path["campaign_id"])
    if row is None or row["visible_at"] > call.now:
        raise refusal(404, "Campaign is not found", code="NOT_FOUND")
    return row


def update_campaign(call: Call) -> Reply:
    """POST a patch of a campaign."""
    _check_account(call)
    row, values = _campaign(call), call.body["patch"].get("$set", {})
    unknown = [name for name in values if name not in _SETTABLE]
    if unknown or "$delete" in call.body["patch"]:
        raise _unfit("FIELD_NOT_MUTABLE", f"/patch/$set/{(unknown or [''])[0]}", "The field cannot be set")
    status = values.get("status", row["status"])
    if status not in _STATES or row["status"] in ("PENDING_DELETION", "REMOVED"):
        raise _unfit("INVALID_VALUE_FOR_FIELD", "/patch/$set/status", "The status cannot be set")
    if status == "PENDING_DELETION" and row["status"] == "DRAFT":
        raise _unfit("INVALID_VALUE_FOR_FIELD", "/patch/$set/status", "A draft is deleted with DELETE")
    body = {**json.loads(row["body"]), **values}
    call.db.execute(
        "UPDATE linkedin_ad SET status = ?, name = ?, body = ?, modified_at = ? WHERE kind = 'campaign' AND id = ?",
        (status, values.get("name", row["name"]), json.dumps(body), call.now, row["id"]),
    )
    named = {"PAUSED": "pauseCampaign", "ACTIVE": "activateCampaign", "PENDING_DELETION": "deleteCampaign"}
    call.effect(named.get(values.get("status"), "adjustBudget"), row["id"])
    return Reply(204)


def delete_campaign(call: Call) -> Reply:
    """DELETE a campaign that is a draft."""
    _check_account(call)
    row = _campaign(call)
    if row["status"] != "DRAFT":
        raise _unfit("INVALID_CAMPAIGN_CONFIGURATION", "/status", "Only a draft can be deleted")
    call.db.execute("DELETE FROM linkedin_ad WHERE kind = 'campaign' AND id = ?", (row["id"],))
    call.effect("deleteCampaign", row["id"])
    return Reply(204)


def analytics(call: Call) -> Reply:
    """GET adAnalytics: a row for each campaign that ran, in numbers that stay the same."""
    need(call, "r_ads_reporting")
    dates = _DATES.fullmatch(raw_value(call, "dateRange") or "")
    if dates is None:
        raise refusal(400, "The date range cannot be read", code="INVALID_VALUE_FOR_FIELD")
    start = dict(zip(("year", "month", "day"), map(int, dates.group(1, 2, 3)), strict=True))
    end = dict(zip(("year", "month", "day"), map(int, dates.group(4, 5, 6)), strict=True)) if dates[4] else start
    value = raw_value(call, "campaigns")
    wanted = None if value is None else {one.rpartition(":")[2] for one in list_of(value)}
    fields = call.query.get("fields", "impressions,clicks").split(",")
    rows = [
        _measured(row["id"], fields, {"start": start, "end": end})
        for row in _visible(call, "campaign")
        if (wanted is None or row["id"] in wanted) and row["status"] != "DRAFT"
    ]
    return Reply(200, {"elements": rows, "paging": {"start": 0, "count": 10, "links": []}})


def _measured(campaign_id: str, fields: list[str], dates: dict[str, Any]) -> dict[str, Any]:
    known: dict[str, Any] = {"dateRange": dates, "pivotValues": [f"urn:li:sponsoredCampaign:{campaign_id}"]}
    numbers = {name: number_of(name + campaign_id) for name in fields}
    costs = {name: f"{value / 100:.2f}" for name, value in numbers.items() if name.startswith("cost")}
    return {**numbers, **costs, **{name: known[name] for name in fields if name in known}}


def _check_account(call: Call, account: str | None = None, *, reads: bool = False) -> None:
    """The ad account must be the token's own."""
    need(call, "rw_ads", *(("r_ads",) if reads else ()))
    if call.path["ad_account_id"] != AD_ACCOUNT:
        raise refusal(403, "Not enough permissions to access the ad account", code="NO_PERMISSION_FOR_ACCOUNT")
    if account is not None and account != f"urn:li:sponsoredAccount:{AD_ACCOUNT}":
        raise _unfit("INVALID_VALUE_FOR_FIELD", "/account", "The account is not the one in the path")


def _find(db: sqlite3.Connection, kind: str, key: str) -> sqlite3.Row | None:
    row: sqlite3.Row | None = db.execute("SELECT * FROM linkedin_ad WHERE kind = ? AND id = ?", (kind, key)).fetchone()
    return row


def _insert(call: Call, kind: str, parent: str, name: str, status: str, body: dict[str, Any]) -> str:
    key = new_number(9)
    call.db.execute(
        "INSERT INTO linkedin_ad VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (kind, key, parent, name, status, json.dumps(body), call.now, call.now, call.visible_at),
    )
    return key


def _unfit(code: str, field: str, message: str) -> Exception:
    return refusal(400, message, inputs=((code, field),))
