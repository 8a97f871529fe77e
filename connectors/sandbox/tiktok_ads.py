"""Campaigns, ad groups and ads, manual and Smart+: created, changed, switched, listed."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from typing import Any

from connectors.sandbox import tiktok_rules as rules
from connectors.sandbox.platform import Call, Refusal, Reply
from connectors.sandbox.tiktok_data import check_advertiser, loaded, moment, new_id, page_of, refusal, reply, shown_time

_PARTLY = 20001
_ONE_WRITE_S = 5.0
_TITLES = {"campaign": "Campaign", "adgroup": "AdGroup", "ad": "Ad"}


def create_campaign(call: Call, *, smart: bool) -> Reply:
    """POST campaign/create."""
    fields: dict[str, Any] = call.body
    check_advertiser(call, fields)
    rules.check_request_id(call, fields)
    rules.check_name(call, "campaign", fields["campaign_name"], within=None, fields=fields)
    needed = not smart and fields["objective_type"] != "RF_REACH"
    rules.check_budget("campaign", fields, needed=needed)
    if fields["objective_type"] == "APP_PROMOTION" and "app_promotion_type" not in fields:
        raise refusal(rules.INVALID, "app_promotion_type: Missing data for required field")
    row = _create(call, "campaign", fields["campaign_name"], fields, smart=smart)
    return reply(_shown(row, call.now))


def create_adgroup(call: Call, *, smart: bool) -> Reply:
    """POST adgroup/create."""
    fields: dict[str, Any] = call.body
    check_advertiser(call, fields)
    rules.check_request_id(call, fields)
    campaign = rules.find(call.db, "campaign", fields["campaign_id"], smart=smart, field="campaign_id")
    rules.check_name(call, "adgroup", fields["adgroup_name"], within=campaign["id"], fields=fields)
    rules.check_budget("adgroup", fields, needed=not smart)
    rules.check_group(fields, fields["targeting_spec"] if smart else fields)
    if not smart and fields.get("placement_type", "PLACEMENT_TYPE_NORMAL") == "PLACEMENT_TYPE_NORMAL":
        _check_placements(fields)
    row = _create(call, "adgroup", fields["adgroup_name"], fields, smart=smart, campaign=campaign["id"])
    return reply(_shown(row, call.now))


def create_ads(call: Call) -> Reply:
    """POST ad/create: up to twenty, of which some may be taken and others refused."""
    fields: dict[str, Any] = call.body
    check_advertiser(call, fields)
    adgroup = rules.find(call.db, "adgroup", fields["adgroup_id"], smart=False, field="adgroup_id")
    made, refused = [], []
    for creative in fields["creatives"]:
        try:
            _check_creative(call, creative)
        except Refusal as error:
            refused.append(error)
            continue
        name = creative.get("ad_name") or f"ad_{new_id()}"
        made.append(_create(call, "ad", name, creative, smart=False, adgroup=adgroup))
    if not made:
        raise refused[0]
    data = {"ad_ids": [row["id"] for row in made], "creatives": [_shown(row, call.now) for row in made]}
    return reply(data, code=_PARTLY, message="Partial success") if refused else reply({**data, "need_audit": True})


def create_smart_ad(call: Call) -> Reply:
    """POST smart_plus/ad/create."""
    fields: dict[str, Any] = call.body
    check_advertiser(call, fields)
    adgroup = rules.find(call.db, "adgroup", fields["adgroup_id"], smart=True, field="adgroup_id")
    rules.check_plain(fields["ad_name"], "ad_name")
    if not fields.get("creative_list"):
        raise refusal(rules.INVALID, "creative_list: Missing data for required field")
    for one in fields["creative_list"]:
        info = one["creative_info"]
        _check_files(call, info.get("video_info", {}).get("video_id"), [])
    row = _create(call, "ad", fields["ad_name"], fields, smart=True, adgroup=adgroup)
    return reply({"smart_plus_ad_id": row["id"]})


def update_campaign(call: Call, *, smart: bool) -> Reply:
    """POST campaign/update: another name or budget."""
    fields: dict[str, Any] = call.body
    check_advertiser(call, fields)
    row = rules.find(call.db, "campaign", fields["campaign_id"], smart=smart, field="campaign_id")
    kept = loaded(row)
    if "budget" in fields:
        if kept.get("budget_mode") in (None, "BUDGET_MODE_INFINITE"):
            raise refusal(rules.INVALID, "budget: the campaign has none")
        rules.check_amount("campaign", fields["budget"])
    _keep(call, row, {**kept, **fields})
    call.effect("adjustCampaignBudget", row["id"], text=fields.get("campaign_name"))
    return reply(_shown(_row(call.db, row["id"]), call.now))


def update_adgroup(call: Call) -> Reply:
    """POST adgroup/update."""
    fields: dict[str, Any] = call.body
    check_advertiser(call, fields)
    row = rules.find(call.db, "adgroup", fields["adgroup_id"], smart=False, field="adgroup_id")
    if "budget" in fields:
        rules.check_amount("adgroup", fields["budget"])
    _keep(call, row, {**loaded(row), **fields})
    call.effect("updateAdGroup", row["id"], text=fields.get("adgroup_name"))
    return reply(_shown(_row(call.db, row["id"]), call.now))


def adjust_budgets(call: Call) -> Reply:
    """POST adgroup/budget/update: at once, or from midnight on."""
    fields: dict[str, Any] = call.body
    check_advertiser(call, fields)
    now = [(one["adgroup_id"], one["budget"]) for one in fields.get("budget", ())]
    later = [(one["adgroup_id"], one["scheduled_budget"]) for one in fields.get("scheduled_budget", ())]
    for adgroup_id, amount in now + later:
        rules.find(call.db, "adgroup", adgroup_id, smart=False, field="adgroup_id")
        rules.check_amount("adgroup", amount)
    for adgroup_id, amount in now:
        row = _row(call.db, adgroup_id)
        _keep(call, row, {**loaded(row), "budget": amount})
    for adgroup_id, amount in later:
        row = _row(call.db, adgroup_id)
        _keep(call, row, {**loaded(row), "scheduled_budget": amount})
    for adgroup_id, _ in now + later:
        call.effect("adjustBudget", adgroup_id)
    return reply()


def switch(call: Call, level: str, *, smart: bool) -> Reply:
    """POST .../status/update: all of them, or none if one does not exist."""
    fields: dict[str, Any] = call.body
    check_advertiser(call, fields)
    field = "smart_plus_ad_ids" if smart and level == "ad" else f"{level}_ids"
    ids, status = fields.get(field, []), fields["operation_status"]
    found = [rules.find(call.db, level, one, smart=smart, field=field) for one in ids]
    for row in found:
        if smart and level == "ad" and call.now < row["written_at"] + _ONE_WRITE_S:
            raise refusal(rules.CONFLICT, "Another change of this ad is being worked on")
    action = "turnOffAd" if (level, status) == ("ad", "DISABLE") else f"set{_TITLES[level]}Status"
    for row in found:
        query = "UPDATE tiktok_object SET status = ?, written_at = ? WHERE id = ?"
        call.db.execute(query, (status, call.now, row["id"]))
        call.effect(action, row["id"])
    return reply({field: ids, "status": status})


def listing(call: Call, level: str, *, smart: bool) -> Reply:
    """GET .../get: newest first, without deleted ones unless they are asked for."""
    check_advertiser(call, call.query)
    filters: dict[str, Any] = call.query.get("filtering", {})
    query = "SELECT * FROM tiktok_object WHERE level = ? AND smart = ? AND visible_at <= ?"
    known = call.db.execute(f"{query} ORDER BY created_at DESC, id DESC", (level, smart, call.now))
    rows = [row for row in known if _fits(row, level, filters)]
    return page_of(call, [_shown(row, call.now) for row in rows])


def _fits(row: sqlite3.Row, level: str, filters: Mapping[str, Any]) -> bool:
    status = filters.get("primary_status", "STATUS_NOT_DELETE")
    if status != "STATUS_ALL" and (row["status"] == "DELETE") != (status == "STATUS_DELETE"):
        return False
    since, until = filters.get("creation_filter_start_time"), filters.get("creation_filter_end_time")
    # TikTok keeps whole seconds.
    if since is not None and int(row["created_at"]) < moment(since, "creation_filter_start_time"):
        return False
    if until is not None and int(row["created_at"]) > moment(until, "creation_filter_end_time"):
        return False
    own = filters.get("smart_plus_ad_ids" if row["smart"] and level == "ad" else f"{level}_ids")
    named = {"campaign_ids": row["campaign"], "adgroup_ids": row["adgroup"]}
    above = all(named[name] in filters[name] for name in named if name in filters and name != f"{level}_ids")
    return above and (own is None or row["id"] in own) and filters.get(f"{level}_name", "") in row["name"]


def _create(
    call: Call,
    level: str,
    name: str,
    fields: Mapping[str, Any],
    *,
    smart: bool,
    campaign: str | None = None,
    adgroup: sqlite3.Row | None = None,
) -> sqlite3.Row:
    object_id, status = new_id(), fields.get("operation_status", "ENABLE")
    above = (campaign, None) if adgroup is None else (adgroup["campaign"], adgroup["id"])
    kept = json.dumps(dict(fields))
    call.db.execute(
        "INSERT INTO tiktok_object VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)",
        (object_id, level, smart, name, *above, kept, status, call.now, call.visible_at),
    )
    action = f"createSmart{_TITLES[level]}" if smart else f"create{_TITLES[level]}"
    mark = name.rpartition(" ")[2]
    call.effect(action, object_id, key=mark.removeprefix("nh-") if mark.startswith("nh-") else None, text=name)
    return _row(call.db, object_id)


def _row(db: sqlite3.Connection, object_id: str) -> sqlite3.Row:
    row: sqlite3.Row = db.execute("SELECT * FROM tiktok_object WHERE id = ?", (object_id,)).fetchone()
    return row


def _keep(call: Call, row: sqlite3.Row, fields: Mapping[str, Any]) -> None:
    call.db.execute("UPDATE tiktok_object SET fields = ? WHERE id = ?", (json.dumps(dict(fields)), row["id"]))


def _shown(row: sqlite3.Row, now: float) -> dict[str, Any]:
    level, fields = row["level"], loaded(row)
    id_field = "smart_plus_ad_id" if row["smart"] and level == "ad" else f"{level}_id"
    states = {"DELETE": "DELETE", "DISABLE": "DISABLE", "ENABLE": "DELIVERY_OK"}
    hidden = {"request_id", "advertiser_id", "operation_status"}
    return {
        **{name: value for name, value in fields.items() if name not in hidden},
        id_field: row["id"],
        f"{level}_name": row["name"],
        **({"campaign_id": row["campaign"]} if row["campaign"] else {}),
        **({"adgroup_id": row["adgroup"]} if row["adgroup"] else {}),
        "operation_status": "ENABLE" if row["status"] == "ENABLE" else "DISABLE",
        "secondary_status": f"{level.upper()}_STATUS_{states[row['status']]}",
        "create_time": shown_time(row["created_at"]),
        "modify_time": shown_time(now),
    }


def _check_placements(fields: Mapping[str, Any]) -> None:
    if not fields.get("placements"):
        raise refusal(rules.INVALID, "placements: Missing data for required field")


def _check_creative(call: Call, creative: Mapping[str, Any]) -> None:
    rules.check_plain(creative.get("ad_name", ""), "ad_name")
    rules.check_plain(creative.get("ad_text", ""), "ad_text")
    if "ad_format" not in creative:
        raise refusal(rules.INVALID, "ad_format: Missing data for required field")
    if "tiktok_item_id" in creative:
        return
    needed = "video_id" if creative["ad_format"] == "SINGLE_VIDEO" else "image_ids"
    for field in (needed, "ad_text"):
        if not creative.get(field):
            raise refusal(rules.INVALID, f"{field}: Missing data for required field")
    _check_files(call, creative.get("video_id"), creative.get("image_ids", []))


def _check_files(call: Call, video_id: str | None, image_ids: list[str]) -> None:
    wanted: Iterator[tuple[str, str]] = ((one, "image") for one in image_ids)
    for file_id, kind in [*wanted, *([(video_id, "video")] if video_id else [])]:
        row = call.db.execute("SELECT * FROM tiktok_file WHERE id = ? AND kind = ?", (file_id, kind)).fetchone()
        if row is None:
            raise refusal(rules.INVALID, f"{kind}_id: does not exist")
        if call.now < row["ready_at"]:
            raise refusal(rules.NOT_READY, "The video is being transcoded")
