"""How did ads, the Page and its posts do? The numbers follow from the ids, so they stay the same."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from connectors.sandbox import facebook_rules as rules
from connectors.sandbox import meta_graph
from connectors.sandbox.facebook_data import loaded, page_of
from connectors.sandbox.platform import Call, Reply

# Seconds that a report takes, on the sandbox's clock.
_REPORT_S = 10.0
_NUMBERS = "impressions reach clicks spend ctr cpc cpm frequency inline_link_clicks unique_clicks actions"
_NAMES = "account_id campaign_id campaign_name adset_id adset_name ad_id ad_name date_start date_stop"
_KNOWN = frozenset(f"{_NUMBERS} {_NAMES}".split())
_BREAKDOWNS = {"age": ("18-24", "25-34"), "gender": ("female", "male"), "country": ("DE", "US")}
_PRESETS = {"last_3d": 3, "last_7d": 7, "last_14d": 14, "last_28d": 28, "last_30d": 30, "last_90d": 90, "maximum": 365}
_KINDS = {"campaign": "campaign", "adset": "adset", "ad": "ad"}
_OF_PAGE = "page_media_view page_total_media_view_unique page_post_engagements page_daily_follows page_views_total"
_OF_POST = "post_media_view post_total_media_view_unique post_reactions_by_type_total post_clicks"


def insights(call: Call) -> Reply:
    """GET insights of ads, of a finished report, of the Page or of a post."""
    node_id = call.path["node_id"]
    if node_id == call.principal["page_id"]:
        return _measured(call, node_id, _OF_PAGE, "day")
    if call.db.execute("SELECT 1 FROM facebook_post WHERE id = ?", (node_id,)).fetchone():
        return _measured(call, node_id, _OF_POST, "lifetime")
    report = call.db.execute("SELECT * FROM facebook_report WHERE id = ?", (node_id,)).fetchone()
    if report is not None:
        if call.now < report["ready_at"]:
            raise meta_graph.refusal(100, "The report is not ready yet")
        return page_of(call, _rows(call, report["node"], json.loads(report["query"])))
    return page_of(call, _rows(call, node_id, call.query))


def begin_report(call: Call) -> Reply:
    """POST insights: the same in the background."""
    node_id, query = call.path["node_id"], call.body or {}
    _rows(call, node_id, query)
    report_id = meta_graph.new_id("602")
    row = (report_id, node_id, json.dumps(query), call.now + _REPORT_S)
    call.db.execute("INSERT INTO facebook_report VALUES (?, ?, ?, ?)", row)
    return Reply(200, {"report_run_id": report_id})


def report(call: Call, report_id: str) -> Reply | None:
    """GET a report's state; None if there is none of this id."""
    row = call.db.execute("SELECT * FROM facebook_report WHERE id = ?", (report_id,)).fetchone()
    if row is None:
        return None
    done = call.now >= row["ready_at"]
    state = "Job Completed" if done else "Job Running"
    return Reply(200, {"id": report_id, "async_status": state, "async_percent_completion": 100 if done else 40})


def _rows(call: Call, node_id: str, query: Mapping[str, Any]) -> list[dict[str, Any]]:
    names = _names(query.get("fields", "impressions,spend"))
    unknown = [name for name in names if name not in _KNOWN]
    if unknown:
        raise rules.invalid(f"{unknown[0]} is no field of insights", field="fields")
    splits = _names(query.get("breakdowns", ""))
    if any(split not in _BREAKDOWNS for split in splits):
        raise rules.invalid("No such breakdown", field="breakdowns")
    first, last = _span(call, query)
    step = _step(query.get("time_increment"), (last - first).days + 1)
    found = []
    for kind, object_id, fields in _measured_objects(call, node_id, query.get("level")):
        day = first
        while day <= last:
            until = min(last, day + timedelta(days=step - 1))
            row = {"date_start": str(day), "date_stop": str(until), **_identity(kind, object_id, fields, names)}
            found += [{**row, **_numbers(object_id, str(day), split, names), **split} for split in _parts(splits)]
            day = until + timedelta(days=1)
    return found


def _names(given: Any) -> list[str]:
    return list(given) if isinstance(given, list) else [name for name in str(given).split(",") if name]


def _span(call: Call, query: Mapping[str, Any]) -> tuple[date, date]:
    today = datetime.fromtimestamp(call.now, UTC).date()
    given = query.get("time_range")
    if given is None:
        days = _PRESETS.get(query.get("date_preset", "last_30d"), 30)
        return today - timedelta(days=days), today - timedelta(days=1)
    try:
        found = json.loads(given) if isinstance(given, str) else given
        first, last = date.fromisoformat(found["since"]), date.fromisoformat(found["until"])
    except (ValueError, KeyError, TypeError):
        raise rules.invalid("time_range has since and until", field="time_range") from None
    if last < first or (last - first).days > 37 * 31:
        raise rules.invalid("time_range ends before it begins, or is over 37 months", field="time_range")
    return first, last


def _step(given: Any, days: int) -> int:
    if given in (None, "all_days"):
        return days
    if str(given).isdecimal() and 1 <= int(given) <= 90:
        return int(given)
    raise rules.invalid("time_increment is 1 to 90 days", field="time_increment")


def _measured_objects(call: Call, node_id: str, level: Any) -> list[tuple[str, str, dict[str, Any]]]:
    if node_id == call.principal["ad_account_id"]:
        if level in (None, "account"):
            return [("account", node_id, {})]
        rows = call.db.execute("SELECT * FROM facebook_object WHERE kind = ? ORDER BY created_at, id", (level,))
        return [(row["kind"], row["id"], loaded(row)) for row in rows]
    row = call.db.execute("SELECT * FROM facebook_object WHERE id = ?", (node_id,)).fetchone()
    if row is None or row["kind"] not in _KINDS:
        raise meta_graph.no_such_node()
    return [(row["kind"], row["id"], loaded(row))]


def _identity(kind: str, object_id: str, fields: dict[str, Any], names: list[str]) -> dict[str, Any]:
    known = {f"{kind}_id": object_id.removeprefix("act_"), f"{kind}_name": fields.get("name")}
    known |= {name: fields[name] for name in ("campaign_id", "adset_id") if name in fields}
    return {name: value for name, value in known.items() if name in names and value is not None}


def _parts(splits: list[str]) -> list[dict[str, str]]:
    found: list[dict[str, str]] = [{}]
    for split in splits:
        found = [{**one, split: value} for one in found for value in _BREAKDOWNS[split]]
    return found


def _numbers(object_id: str, day: str, split: Mapping[str, str], names: list[str]) -> dict[str, Any]:
    seed = sum(map(ord, object_id + day + "".join(split.values())))
    clicks, impressions = seed % 97 + 1, seed % 9973 + 100
    spend = clicks * 0.37
    known = {
        "impressions": str(impressions),
        "reach": str(impressions * 3 // 4),
        "clicks": str(clicks),
        "inline_link_clicks": str(clicks),
        "unique_clicks": str(clicks),
        "spend": f"{spend:.2f}",
        "ctr": f"{100 * clicks / impressions:.6f}",
        "cpc": f"{spend / clicks:.6f}",
        "cpm": f"{1000 * spend / impressions:.6f}",
        "frequency": "1.333333",
        "actions": [{"action_type": "link_click", "value": str(clicks)}],
    }
    return {name: known[name] for name in names if name in known}


def _measured(call: Call, node_id: str, known: str, usual: str) -> Reply:
    metrics = [name for name in call.query.get("metric", "").split(",") if name]
    if not metrics or any(name not in known.split() for name in metrics):
        raise rules.invalid("The value must be a valid insights metric", field="metric")
    period = call.query.get("period", usual)
    rows = []
    for name in metrics:
        value = sum(map(ord, name + node_id)) % 1000
        shown: Any = {"like": value, "love": value // 7} if name.endswith("by_type_total") else value
        rows.append({"id": f"{node_id}/insights/{name}/{period}", "name": name, "period": period, "title": name})
        rows[-1]["values"] = [{"value": shown}]
    return Reply(200, {"data": rows, "paging": {}})
