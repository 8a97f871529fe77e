"""The sandbox's Google Ads reads queries as the real one: its language, its rows, its figures."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.unit.sandbox.process import Box, running

SEARCH = "customers/{customer}/googleAds:search"
STREAM = "customers/{customer}/googleAds:searchStream"


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    with running(tmp_path_factory.mktemp("sandbox")) as found:
        yield found


def search(box: Box, query: str) -> list[dict[str, Any]]:
    answer = box.ads(SEARCH, {"query": query})
    assert answer.status_code == 200, answer.text
    rows: list[dict[str, Any]] = answer.json().get("results", [])
    return rows


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("campaigns", "EXPECTED_SELECT"),
        ("SELECT campaign.id", "EXPECTED_FROM"),
        ("SELECT campaign.id FROM nothing", "BAD_RESOURCE_TYPE_IN_FROM_CLAUSE"),
        ("SELECT campaign.titel FROM campaign", "UNRECOGNIZED_FIELD"),
        ("SELECT campaign.startDateTime FROM campaign", "UNRECOGNIZED_FIELD"),
        ("SELECT campaign.id FROM customer", "PROHIBITED_RESOURCE_TYPE_IN_SELECT_CLAUSE"),
        ("SELECT campaign.id FROM campaign WHERE campaign.id ~ 1", "BAD_OPERATOR"),
        ("SELECT campaign.id FROM campaign WHERE campaign.id IN ()", "PROHIBITED_EMPTY_LIST_IN_CONDITION"),
        ("SELECT campaign.id FROM campaign WHERE campaign.id IN 1", "EXPECTED_LIST"),
        ("SELECT campaign.id FROM campaign WHERE campaign.name = 'x", "STRING_NOT_TERMINATED"),
        ("SELECT campaign.id FROM campaign WHERE campaign.id = 1 OR campaign.id = 2", "EXPECTED_AND"),
        ("SELECT campaign.id FROM campaign WHERE campaign.id =", "UNEXPECTED_END_OF_QUERY"),
        ("SELECT campaign.id FROM campaign WHERE campaign.id BETWEEN 1", "EXPECTED_VALUE_WITH_BETWEEN_OPERATOR"),
        ("SELECT campaign.id FROM campaign ORDER BY campaign.name", "EXPECTED_REFERENCED_FIELD_IN_SELECT_CLAUSE"),
        ("SELECT campaign.id FROM campaign LIMIT 0", "LIMIT_VALUE_TOO_LOW"),
    ],
)
def test_a_query_that_is_none_is_refused_with_its_code(box: Box, query: str, expected: str) -> None:
    answer = box.ads(SEARCH, {"query": query})
    (error,) = answer.json()["error"]["details"][0]["errors"]
    assert (answer.status_code, error["errorCode"]) == (400, {"queryError": expected})


@pytest.mark.parametrize(
    ("condition", "count"),
    [
        ("campaign.name LIKE 'Shared _'", 2),
        ("campaign.name LIKE 'Shared%' AND campaign.name NOT LIKE '%B'", 1),
        ("campaign.name LIKE 'Shared[_]'", 0),
        ("campaign.name IN ('Evergreen', \"Shared A\")", 2),
        ("campaign.name NOT IN ('Evergreen') AND campaign.name LIKE 'Shared%'", 2),
        ("campaign.name = 'Ever\\'green'", 0),
        ("campaign.id > 21000000002 AND campaign.id <= 21000000005", 2),
        ("campaign_budget.amount_micros >= 50000000 AND campaign.name = 'Evergreen'", 1),
        ("campaign_budget.explicitly_shared = TRUE", 0),
        ("campaign_budget.explicitly_shared = true", 2),
    ],
)
def test_conditions_choose_rows(box: Box, condition: str, count: int) -> None:
    assert len(search(box, f"SELECT campaign.id FROM campaign WHERE {condition}")) == count


def test_figures_are_streamed_in_batches_and_leave_out_what_is_zero(box: Box) -> None:
    days = "segments.date BETWEEN '2000-01-01' AND '2099-12-31'"
    by_day = (
        f"SELECT campaign.name, segments.date, metrics.clicks FROM campaign WHERE {days} ORDER BY segments.date DESC"
    )
    (batch,) = box.ads(STREAM, {"query": by_day}).json()
    assert batch["fieldMask"] == "campaign.name,segments.date,metrics.clicks"
    dates = [row["segments"]["date"] for row in batch["results"]]
    assert dates == sorted(dates, reverse=True)
    assert len(dates) == 14
    total = "SELECT campaign.name, metrics.clicks FROM campaign WHERE campaign.name = 'Shared A'"
    (batch,) = box.ads(STREAM, {"query": total}).json()
    assert batch["results"][0]["metrics"] == {}
    assert box.ads(STREAM, {"query": f"{total} AND campaign.id = 1"}).json() == []
