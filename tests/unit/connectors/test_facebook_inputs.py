"""Are inputs that break one of Facebook's rules refused before any call?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.registry import action

TRAFFIC: dict[str, Any] = {"objective": "OUTCOME_TRAFFIC", "special_ad_categories": []}


def soon(minutes: float) -> str:
    return (datetime.now(UTC) + timedelta(minutes=minutes)).isoformat()


@pytest.mark.parametrize(
    ("name", "given", "rule"),
    [
        ("createCampaign", {"daily_budget_minor": 1, "lifetime_budget_minor": 1}, "not both"),
        ("createCampaign", {"daily_budget_minor": 0}, "daily_budget_minor"),
        ("createCampaign", {"daily_budget_minor": 10.5}, "daily_budget_minor"),
        ("createCampaign", {"bid_strategy": "COST_CAP"}, "bid_strategy belongs to the ad sets"),
        ("createCampaign", {"special_ad_categories": ["NONE", "HOUSING"]}, "NONE stands alone"),
        ("createCampaign", {"objective": "CONVERSIONS"}, "objective"),
        ("createCampaign", {"name": " "}, "name"),
        ("createCampaign", {"status": "ACTIVE"}, "status"),
        ("createAdSet", {"targeting": {}}, "one of countries, regions and cities"),
        ("createAdSet", {"targeting": {"countries": ["FR"]}}, "needed to reach people in the EU"),
        ("createAdSet", {"targeting": {"countries": ["US"], "age_min": 30, "age_max": 20}}, "age_min must not be over"),
        ("createAdSet", {"lifetime_budget_minor": 5}, "lifetime_budget_minor needs end_at"),
        ("createAdSet", {"bid_strategy": "COST_CAP"}, "bid_amount_minor and bid_strategy"),
        ("createAdSet", {"min_roas": 1.5}, "min_roas and bid_strategy"),
        ("createAdSet", {"promoted_object": {"pixel_id": "1"}}, "pixel_id and custom_event_type need each other"),
        ("createAd", {"creative_id": "1", "creative": {"link": "https://a.example"}}, "not both"),
        ("createAd", {}, "one of creative and creative_id"),
        ("createAd", {"creative": {}}, "one of link, video_id and post_id"),
        ("createAd", {"creative": {"video_id": "1"}}, "needs image_hash or image_url"),
        ("createAd", {"creative": {"post_id": "1_2", "message": "x"}}, "post_id stands alone"),
        ("setAdSetBudget", {"adset_id": "1"}, "is needed, not both"),
        ("createPost", {"link": "https://a.example"}, "message"),
        ("createPost", {"message": "x" * 63_207}, "at most 63206 characters"),
        (
            "createPost",
            {"message": "x", "link": "https://a.example", "photo_urls": ["https://a.example/b"]},
            "not both",
        ),
        ("schedulePost", {"message": "x", "publish_at": soon(5)}, "over 660 s and at most 30 days ahead"),
        ("reschedulePost", {"post_id": "1_2", "publish_at": soon(60 * 24 * 31)}, "at most 30 days ahead"),
        ("getInsights", {"since": "2026-11-01"}, "since and until belong together"),
        ("getInsights", {"since": "2026-11-02", "until": "2026-11-01"}, "until must not be before since"),
    ],
)
def test_a_bad_input_is_refused_with_the_field_and_the_rule(name: str, given: dict[str, Any], rule: str) -> None:
    usual: dict[str, dict[str, Any]] = {
        "createCampaign": {"name": "x", **TRAFFIC},
        "createAdSet": {
            "name": "x",
            "campaign_id": "1",
            "billing_event": "IMPRESSIONS",
            "optimization_goal": "REACH",
            "targeting": {"countries": ["US"]},
        },
        "createAd": {"name": "x", "adset_id": "1"},
    }

    with pytest.raises(ValidationError, match=rule):
        action(f"facebook.{name}").input.accept({**usual.get(name, {}), **given}, now=datetime.now(UTC))
