"""How did videos do? Made-up figures, the same for the same day, and none for days that are not counted yet."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from connectors.sandbox import google_api
from connectors.sandbox.platform import Call, Refusal, Reply

_LATE = timedelta(days=2)
_PACIFIC = ZoneInfo("America/Los_Angeles")
_DIMENSIONS = frozenset(["day", "month", "video", "country", "deviceType", "ageGroup", "gender"])
_METRICS = {
    "views": "INTEGER",
    "estimatedMinutesWatched": "INTEGER",
    "averageViewDuration": "INTEGER",
    "averageViewPercentage": "FLOAT",
    "likes": "INTEGER",
    "dislikes": "INTEGER",
    "comments": "INTEGER",
    "shares": "INTEGER",
    "subscribersGained": "INTEGER",
    "subscribersLost": "INTEGER",
    "estimatedRevenue": "FLOAT",
}
_MONETARY = "https://www.googleapis.com/auth/yt-analytics-monetary.readonly"


def report(call: Call) -> Reply:
    """One row per day or per video, or one in all."""
    query = call.query
    metrics, dimensions = query["metrics"].split(","), query.get("dimensions", "").split(",")
    dimensions = [name for name in dimensions if name]
    _check(metrics, dimensions, query)
    if "estimatedRevenue" in metrics and _MONETARY not in call.principal.scopes:
        raise google_api.refusal(403, "Insufficient permission to access this report.", reason="forbidden")
    rows: list[list[Any]] = [[*keys, *(_figure(name, keys) for name in metrics)] for keys in _keys(call, dimensions)]
    if sort := query.get("sort"):
        place = [*dimensions, *metrics].index(sort.removeprefix("-"))
        rows.sort(key=lambda row: row[place], reverse=sort.startswith("-"))
    first = query.get("startIndex", 1) - 1
    rows = rows[first : first + query.get("maxResults", len(rows) or 1)]
    headers = [{"name": name, "columnType": "DIMENSION", "dataType": "STRING"} for name in dimensions]
    headers += [{"name": name, "columnType": "METRIC", "dataType": _METRICS[name]} for name in metrics]
    body = {"kind": "youtubeAnalytics#resultTable", "columnHeaders": headers}
    return Reply(200, {**body, "rows": rows} if rows else body)


def _check(metrics: list[str], dimensions: list[str], query: dict[str, Any]) -> None:
    unknown = [name for name in metrics if name not in _METRICS]
    if unknown:
        raise _wrong(f"Unknown identifier ({unknown[0]}) given in field parameters.metrics.")
    unknown = [name for name in dimensions if name not in _DIMENSIONS]
    if unknown:
        raise _wrong(f"Unknown identifier ({unknown[0]}) given in field parameters.dimensions.")
    if query["ids"] != "channel==MINE" or _day(query["startDate"]) > _day(query["endDate"]):
        raise _wrong("The query is not supported.")
    sort = query.get("sort", "").removeprefix("-")
    if sort and sort not in (*metrics, *dimensions):
        raise _wrong(f"Unknown identifier ({sort}) given in field parameters.sort.")
    if "video" in dimensions and (not query.get("sort", "").startswith("-") or query.get("maxResults", 201) > 200):
        raise _wrong("The query is not supported.")


def _wrong(message: str) -> Refusal:
    return google_api.refusal(400, message, reason="badRequest")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise _wrong(f"Invalid date {text}.") from None


def _keys(call: Call, dimensions: list[str]) -> list[list[str]]:
    first, last = _day(call.query["startDate"]), _day(call.query["endDate"])
    counted = datetime.fromtimestamp(call.now, _PACIFIC).date() - _LATE
    days = [first + timedelta(days=n) for n in range((min(last, counted) - first).days + 1)]
    if not days:
        return []
    if dimensions == ["video"]:
        rows = call.db.execute(
            "SELECT id FROM youtube_video WHERE account = ? ORDER BY uploaded_at DESC", (call.principal.account,)
        )
        return [[row["id"]] for row in rows]
    if dimensions == ["day"]:
        return [[day.isoformat()] for day in days]
    return [["all" for _ in dimensions]]


def _figure(metric: str, keys: list[str]) -> float:
    seed = sum(f"{metric} {' '.join(keys)}".encode())
    return seed / 10 if _METRICS[metric] == "FLOAT" else seed
