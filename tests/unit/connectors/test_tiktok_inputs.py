"""Are inputs that break one of TikTok's rules refused before any call?"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.registry import action
from connectors.tiktok.campaigns import CreateCampaign

USUAL: dict[str, dict[str, Any]] = {
    "createCampaign": {"name": "Spring", "objective": "TRAFFIC"},
    "createSmartCampaign": {"name": "Spring", "objective": "WEB_CONVERSIONS"},
    "createAdGroup": {
        "name": "Spring",
        "campaign_id": "1",
        "billing_event": "CPC",
        "optimization_goal": "CLICK",
        "location_ids": ["1"],
        "start_at": "2026-12-01T00:00:00Z",
        "daily_budget_major": 20,
    },
    "createAd": {"name": "Spring", "adgroup_id": "1"},
    "createSmartAd": {"name": "Spring", "adgroup_id": "1"},
    "uploadImage": {"image_url": "https://cdn.example.com/a.jpg"},
}
VIDEO = {"video_id": "v1", "image_ids": ["i1"], "ad_text": "Spring"}


@pytest.mark.parametrize(
    ("name", "given", "rule"),
    [
        ("createCampaign", {"name": "Spring 🎉"}, "may hold no emoji"),
        ("createCampaign", {"name": "Spring ☀"}, "may hold no emoji"),
        ("createCampaign", {"name": "春" * 236}, "at most 470 characters wide; it is 472"),
        ("createCampaign", {"name": " "}, "at least 1 character"),
        ("createCampaign", {"objective": "RF_REACH"}, "objective"),
        ("createCampaign", {"daily_budget_major": 0}, "greater than 0"),
        ("createCampaign", {"daily_budget_major": "50.005"}, "2 decimal places"),
        ("createCampaign", {"daily_budget_major": 50, "total_budget_major": 50}, "not several"),
        ("createCampaign", {"budget_optimize_on": True}, "needs a budget of the campaign"),
        ("createCampaign", {"objective": "APP_PROMOTION"}, "app_promotion_type and objective APP_PROMOTION"),
        ("createCampaign", {"operation_status": "ENABLE"}, "operation_status"),
        ("createSmartCampaign", {"daily_budget_major": 50}, "average daily or a total budget"),
        ("createSmartCampaign", {"objective": "TRAFFIC"}, "objective"),
        ("createAdGroup", {"daily_budget_major": None}, "a budget is needed"),
        ("createAdGroup", {"location_ids": []}, "at least 1 item"),
        ("createAdGroup", {"start_at": "2026-12-01T00:00:00"}, "timezone"),
        ("createAdGroup", {"end_at": "2026-11-30T00:00:00Z"}, "end_at must be after start_at"),
        ("createAdGroup", {"daily_budget_major": None, "total_budget_major": 90}, "total_budget_major needs end_at"),
        ("createAdGroup", {"optimization_goal": "REACH"}, "billing_event must be CPM for REACH"),
        ("createAdGroup", {"conversion_bid_price_major": 1}, "conversion_bid_price_major is for OCPM"),
        ("createAdGroup", {"billing_event": "OCPM", "bid_price_major": 1}, "bid_price_major is for CPC, CPM and CPV"),
        ("createAdGroup", {"pixel_id": "1"}, "pixel_id and optimization_event need each other"),
        ("updateAdGroup", {"adgroup_id": "1"}, "is needed"),
        ("adjustBudget", {"budgets": []}, "at least 1 item"),
        ("adjustBudget", {"budgets": [{"adgroup_id": "1", "budget_major": 1}] * 2}, "each ad group once"),
        (
            "adjustBudget",
            {"budgets": [{"adgroup_id": str(one), "budget_major": 1} for one in range(21)]},
            "at most 20 items",
        ),
        ("createAd", {}, "one of video_id, image_ids and tiktok_item_id"),
        ("createAd", {"image_ids": ["i1"]}, "ad_text is needed"),
        ("createAd", {**VIDEO, "image_ids": []}, "the one cover of the video"),
        ("createAd", {**VIDEO, "ad_text": "x" * 101}, "at most 100 characters"),
        ("createAd", {**VIDEO, "ad_text": "Spring 🎉"}, "may hold no emoji"),
        ("createAd", {**VIDEO, "display_name": "x" * 41}, "at most 40 characters"),
        ("createAd", {**VIDEO, "tiktok_item_id": "1"}, "tiktok_item_id goes without"),
        ("createAd", {"image_ids": ["i1"] * 36, "ad_text": "x"}, "at most 35 items"),
        ("createAd", {**VIDEO, "landing_page_url": "http://example.com"}, "landing_page_url"),
        ("createSmartAd", {"creatives": []}, "at least 1 item"),
        ("createSmartAd", {"creatives": [{"video_id": "v1"}]}, "video_id and cover need each other"),
        ("createSmartAd", {"creatives": [{"tiktok_item_id": "1"}], "ad_texts": ["x"] * 6}, "at most 5 items"),
        ("turnOffAd", {"ad_ids": []}, "at least 1 item"),
        ("turnOffAd", {"ad_ids": ["1"] * 21}, "at most 20 items"),
        ("setAdStatus", {"ad_ids": ["1"], "status": "PAUSED"}, "status"),
        ("uploadImage", {"name": "../x"}, "name"),
        ("uploadImage", {"name": "x" * 51}, "name"),
        ("uploadImage", {"image_url": "file:///etc/passwd"}, "image_url"),
        ("getReport", {}, "start_date and end_date are needed, or lifetime"),
        ("getReport", {"lifetime": True, "start_date": "2026-11-01"}, "lifetime goes without"),
        ("getReport", {"start_date": "2026-11-02", "end_date": "2026-11-01"}, "end_date must not be before"),
        (
            "getReport",
            {"dimensions": ["ad_id", "stat_time_day"], "start_date": "2026-10-01", "end_date": "2026-10-31"},
            "a report by stat_time_day spans at most 30 days; this is 31",
        ),
        (
            "getReport",
            {"dimensions": ["ad_id", "stat_time_hour"], "start_date": "2026-10-01", "end_date": "2026-10-02"},
            "at most 1 days",
        ),
    ],
)
def test_a_bad_input_is_refused_with_the_field_and_the_rule(name: str, given: dict[str, Any], rule: str) -> None:
    with pytest.raises(ValidationError, match=rule):
        action(f"tiktok.{name}").input.accept({**USUAL.get(name, {}), **given}, now=datetime.now(UTC))


def test_money_is_kept_to_the_cent_when_an_input_is_stored_and_read_again() -> None:
    given = CreateCampaign.model_validate({**USUAL["createCampaign"], "daily_budget_major": 50.1})

    stored = given.model_dump(mode="json", exclude_unset=True)

    assert stored["daily_budget_major"] == "50.1"
    assert CreateCampaign.model_validate(stored) == given
    assert given.as_sent() == {"budget_mode": "BUDGET_MODE_DAY", "budget": 50.1}
