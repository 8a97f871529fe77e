"""Which figures does the sandbox's Search Console give? The same ones whenever it is asked, made from the date."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from connectors.sandbox import google_api
from connectors.sandbox.platform import Call, Reply
from connectors.sandbox.search_console_sites import lies_in, moment, readable

_QUERIES = ("spring sale", "acme box", "gift box", "acme", "flowers delivered", "sale")
_PAGES = ("", "sale", "boxes", "about")
_COUNTRIES = ("deu", "fra", "esp", "usa")
_DEVICES = ("MOBILE", "DESKTOP", "TABLET")
_LONGEST = timedelta(days=486)
_FINAL_AFTER = timedelta(days=2)
_DAY_S = 86_400.0

Fact = dict[str, Any]


def query(call: Call) -> Reply:
    """searchanalytics.query: no ``rows`` where there are no data."""
    site, body = readable(call, call.path["siteUrl"]), _folded(call.body)
    first, last = _day(body["startDate"]), _day(body["endDate"])
    _check(body, first, last)
    today = datetime.fromtimestamp(call.now, UTC).date()
    fresh = body.get("dataState", "final") != "final"
    last = min(last, today if fresh else today - _FINAL_AFTER)
    rows = _grouped(_facts(site, max(first, today - _LONGEST), last, hourly="hour" in body["dimensions"]), body)
    start = body.get("startRow", 0)
    page = rows[start : start + body.get("rowLimit", 1000)]
    by_page = "page" in body["dimensions"] or any(one["dimension"] == "page" for one in body["filters"])
    found: dict[str, Any] = {"rows": page} if page else {}
    found["responseAggregationType"] = "byPage" if by_page else "byProperty"
    if fresh:
        found["metadata"] = {"firstIncompleteDate": (today - _FINAL_AFTER + timedelta(days=1)).isoformat()}
    return Reply(200, found)


def _grouped(facts: Iterator[Fact], body: Fact) -> list[dict[str, Any]]:
    dimensions: list[str] = body["dimensions"]
    groups: dict[tuple[str, ...], Fact] = {}
    for fact in facts:
        if all(_fits(fact, one) for one in body["filters"]):
            _add(groups, tuple(fact[name] for name in dimensions), fact)
    rows = [_row(keys, sums) for keys, sums in groups.items()]
    by_date = dimensions[:1] in (["date"], ["hour"])
    rows.sort(key=lambda row: (row["keys"][:1] if by_date else [], -row["clicks"]))
    # Without dimensions the one row has no keys.
    return rows if dimensions else [{name: row[name] for name in row if name != "keys"} for row in rows]


def inspect(call: Call) -> Reply:
    """urlInspection.index.inspect: pages of the seeded site are indexed, others are not known."""
    site, url = readable(call, call.body["siteUrl"]), call.body["inspectionUrl"]
    if not lies_in(url, site):
        raise google_api.refusal(400, "The inspected URL is not part of the property.", reason="invalidArgument")
    link = "https://search.google.com/search-console/inspect?resource_id=sandbox"
    known = url.rstrip("/").rpartition("/")[2] in _PAGES or url.count("/") == 3
    index = {
        "verdict": "PASS" if known else "NEUTRAL",
        "coverageState": "Submitted and indexed" if known else "URL is unknown to Google",
        "robotsTxtState": "ALLOWED" if known else "ROBOTS_TXT_STATE_UNSPECIFIED",
        "indexingState": "INDEXING_ALLOWED" if known else "INDEXING_STATE_UNSPECIFIED",
        "pageFetchState": "SUCCESSFUL" if known else "PAGE_FETCH_STATE_UNSPECIFIED",
    }
    if known:
        index |= {
            "lastCrawlTime": moment(call.now - _DAY_S),
            "googleCanonical": url,
            "userCanonical": url,
            "crawledAs": "MOBILE",
        }
    issue = {"issueMessage": "Missing field 'image'", "severity": "WARNING"}
    items = [{"richResultType": "Products", "items": [{"name": "Spring box", "issues": [issue]}]}]
    rich = {"richResultsResult": {"verdict": "PASS", "detectedItems": items}} if known else {}
    return Reply(200, {"inspectionResult": {"inspectionResultLink": link, "indexStatusResult": index, **rich}})


def _folded(body: Mapping[str, Any]) -> Fact:
    """The request with every enum in camelCase, as the API takes UPPER_CASE too, and its filters in one list."""
    given = dict(body)
    for name in ("type", "searchType", "aggregationType", "dataState"):
        if name in given:
            given[name] = _camel(given[name])
    given["dimensions"] = [_camel(one) for one in given.get("dimensions", [])]
    given["filters"] = [
        {**one, "dimension": _camel(one["dimension"]), "operator": _camel(one.get("operator", "equals"))}
        for group in given.get("dimensionFilterGroups", [])
        for one in group.get("filters", [])
    ]
    return given


def _camel(text: str) -> str:
    if not text.isupper() and "_" not in text:
        return text
    first, *rest = text.lower().split("_")
    return first + "".join(part.capitalize() for part in rest)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise google_api.refusal(400, f"'{text}' is no date.", reason="invalidParameter") from None


def _check(body: Fact, first: date, last: date) -> None:
    dimensions = body["dimensions"]
    wrong = None
    if last < first:
        wrong = "startDate must not be after endDate."
    elif "searchAppearance" in dimensions and len(dimensions) > 1:
        wrong = "searchAppearance cannot be combined with other dimensions."
    elif ("hour" in dimensions) != (body.get("dataState") == "hourlyAll"):
        wrong = "Dimension hour requires dataState hourly_all."
    elif body.get("aggregationType") == "byProperty" and "page" in dimensions:
        wrong = "Aggregation by property cannot be combined with dimension page."
    if wrong is not None:
        raise google_api.refusal(400, wrong, reason="invalidParameter")


def _facts(site: str, first: date, last: date, *, hourly: bool) -> Iterator[Fact]:
    base = site if not site.startswith("sc-domain:") else f"https://{site.removeprefix('sc-domain:')}/"
    for number in range((last - first).days + 1):
        day = (first + timedelta(days=number)).isoformat()
        for hour in range(0, 24, 6) if hourly else (None,):
            yield from _facts_of(base, day, hour)


def _facts_of(base: str, day: str, hour: int | None) -> Iterator[Fact]:
    for place, text in enumerate(_QUERIES):
        seed = zlib.crc32(f"{base}{day}{hour}{text}".encode())
        impressions = 10 + seed % 190
        yield {
            "date": day,
            "hour": f"{day}T{hour or 0:02}:00:00-08:00",
            "query": text,
            "page": base + _PAGES[place % len(_PAGES)],
            "country": _COUNTRIES[seed // 7 % len(_COUNTRIES)],
            "device": _DEVICES[seed // 11 % len(_DEVICES)],
            "searchAppearance": "WEBLITE",
            "clicks": impressions * (seed % 40) // 100,
            "impressions": impressions,
            "position": 1 + seed % 200 / 10,
        }


def _fits(fact: Fact, wanted: Mapping[str, str]) -> bool:
    value, sought = str(fact[wanted["dimension"]]).lower(), wanted["expression"].lower()
    match wanted["operator"]:
        case "equals":
            return value == sought
        case "notEquals":
            return value != sought
        case "contains":
            return sought in value
        case "notContains":
            return sought not in value
        case operator:
            return (_search(sought, value) is not None) == (operator == "includingRegex")


def _search(pattern: str, value: str) -> re.Match[str] | None:
    try:
        return re.search(pattern, value)
    except re.error:
        raise google_api.refusal(400, "Invalid regular expression.", reason="invalidParameter") from None


def _add(groups: dict[tuple[str, ...], Fact], keys: tuple[str, ...], fact: Fact) -> None:
    sums = groups.setdefault(keys, {"clicks": 0, "impressions": 0, "places": 0.0})
    sums["clicks"] += fact["clicks"]
    sums["impressions"] += fact["impressions"]
    sums["places"] += fact["position"] * fact["impressions"]


def _row(keys: tuple[str, ...], sums: Fact) -> dict[str, Any]:
    return {
        "keys": [*keys],
        "clicks": sums["clicks"],
        "impressions": sums["impressions"],
        "ctr": sums["clicks"] / sums["impressions"],
        "position": sums["places"] / sums["impressions"],
    }
