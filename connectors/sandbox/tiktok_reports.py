"""How did ads do? The numbers follow from the ids, so they stay the same."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from connectors.sandbox.platform import Call, Reply
from connectors.sandbox.tiktok_data import check_advertiser, new_id, page_of, refusal, reply

# Seconds that a report takes, on the sandbox's clock.
_QUEUED_S, _TASK_S = 2.0, 6.0
_INVALID, _MISSING = 40002, 40007
_IDS = {"campaign_id": "campaign", "adgroup_id": "adgroup", "ad_id": "ad", "advertiser_id": "advertiser"}
_TIMES = {"stat_time_day": 30, "stat_time_hour": 1}
_TRAITS = {"gender": ("FEMALE", "MALE"), "age": ("AGE_18_24", "AGE_25_34"), "country_code": ("DE", "US")}
_METRICS = """
    spend impressions clicks ctr cpc cpm conversion cost_per_conversion reach frequency video_play_actions
    campaign_name adgroup_name ad_name
"""


def report(call: Call) -> Reply:
    """GET report/integrated/get."""
    query = call.query
    if "advertiser_ids" in query:
        check_advertiser(call, {"advertiser_id": next(iter(query["advertiser_ids"]), None)})
    else:
        check_advertiser(call, query)
    return page_of(call, _rows(call, query))


def begin(call: Call) -> Reply:
    """POST report/task/create: the same as a file."""
    check_advertiser(call, call.body)
    _rows(call, call.body)
    task_id = new_id("73")
    call.db.execute("INSERT INTO tiktok_task VALUES (?, ?)", (task_id, call.now + _TASK_S))
    return reply({"task_id": task_id})


def check(call: Call) -> Reply:
    """GET report/task/check."""
    check_advertiser(call, call.query)
    task_id = call.query["task_id"]
    row = call.db.execute("SELECT * FROM tiktok_task WHERE id = ?", (task_id,)).fetchone()
    if row is None:
        raise refusal(_MISSING, "task_id: does not exist")
    if call.now < row["ready_at"]:
        waiting = call.now < row["ready_at"] - _TASK_S + _QUEUED_S
        return reply({"task_id": task_id, "status": "QUEUING" if waiting else "PROCESSING", "message": ""})
    url = f"https://ads.tiktok.com/report/{task_id}.csv?signature=sandbox"
    return reply({"task_id": task_id, "status": "SUCCESS", "message": "", "download_url": url})


def _rows(call: Call, query: Mapping[str, Any]) -> list[dict[str, Any]]:
    dimensions, metrics = query.get("dimensions", []), query.get("metrics", ["spend", "impressions"])
    ids = [name for name in dimensions if name in _IDS]
    if len(ids) > 1 or any(name not in {*_IDS, *_TIMES, *_TRAITS} for name in dimensions) or not dimensions:
        raise refusal(_INVALID, "dimensions: one id and perhaps a time or traits")
    if any(name not in _METRICS.split() for name in metrics):
        raise refusal(_INVALID, "metrics: an unknown metric")
    days = _days(query, dimensions)
    found = []
    for object_id, name in _objects(call, ids[0] if ids else None, query.get("filtering") or []):
        for day in days:
            for traits in _combined([one for one in dimensions if one in _TRAITS]):
                shown = {**({ids[0]: object_id} if ids else {}), **day, **traits}
                found.append({"dimensions": shown, "metrics": _measured(shown, name, metrics)})
    return found


def _days(query: Mapping[str, Any], dimensions: list[str]) -> list[dict[str, str]]:
    if query.get("query_lifetime"):
        return [{}]
    try:
        first, last = date.fromisoformat(query["start_date"]), date.fromisoformat(query["end_date"])
    except (KeyError, ValueError):
        raise refusal(_INVALID, "start_date and end_date: two days are needed") from None
    length = (last - first).days + 1
    if length < 1:
        raise refusal(_INVALID, "end_date: before the start")
    for name, most in _TIMES.items():
        if name in dimensions:
            if length > most:
                raise refusal(_INVALID, f"{name}: at most {most} days")
            return [{name: f"{first + timedelta(days=number)} 00:00:00"} for number in range(length)]
    return [{}]


def _objects(call: Call, id_field: str | None, filters: list[Mapping[str, Any]]) -> list[tuple[str, str]]:
    if id_field in (None, "advertiser_id"):
        return [(call.principal["advertiser_id"], "")]
    deleted = any("STATUS_ALL" in str(one.get("filter_value")) for one in filters)
    ids = [str(one["filter_value"]) for one in filters if one["field_name"] == f"{id_field}s"]
    level = _IDS[str(id_field)]
    rows = call.db.execute("SELECT * FROM tiktok_object WHERE level = ? ORDER BY created_at, id", (level,))
    return [
        (row["id"], row["name"])
        for row in rows
        if (deleted or row["status"] != "DELETE") and all(f'"{row["id"]}"' in one for one in ids)
    ]


def _combined(traits: list[str]) -> list[dict[str, str]]:
    found: list[dict[str, str]] = [{}]
    for trait in traits:
        found = [{**one, trait: value} for one in found for value in _TRAITS[trait]]
    return found


def _measured(shown: Mapping[str, str], name: str, metrics: list[str]) -> dict[str, Any]:
    number = sum(map(ord, "".join(shown.values())))
    clicks, impressions = number % 89 + 1, number % 9973 + 100
    spend = clicks * 0.41
    known = {
        "spend": f"{spend:.2f}",
        "impressions": str(impressions),
        "clicks": str(clicks),
        "ctr": f"{100 * clicks / impressions:.2f}",
        "cpc": f"{spend / clicks:.2f}",
        "cpm": f"{1000 * spend / impressions:.2f}",
        "conversion": str(clicks // 7),
        "cost_per_conversion": "-",
        "reach": str(impressions * 3 // 4),
        "frequency": "1.33",
        "video_play_actions": str(impressions // 2),
        "campaign_name": name,
        "adgroup_name": name,
        "ad_name": name,
    }
    return {one: known[one] for one in metrics}
