"""What does a Google Ads action take? Money in micros that cannot be whole units, and one way to bid."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from connectors import registry
from connectors.google_ads.api import GoogleAdsSettings
from tests.unit.connectors.wire_google_ads import NEW


def bid(**given: Any) -> dict[str, Any]:
    return {**NEW, "bidding": given}


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("createCampaign", {**NEW, "name": "x" * 201}),
        ("createCampaign", {**NEW, "name": "ü" * 101}),
        ("createCampaign", {**NEW, "name": "two\nlines"}),
        # 50 euros in whole units, by mistake.
        ("createCampaign", {**NEW, "daily_budget_micros": 50}),
        ("createCampaign", {**NEW, "daily_budget_micros": 50_000_000.0}),
        ("createCampaign", {**NEW, "daily_budget_micros": "50000000"}),
        ("createCampaign", {**NEW, "daily_budget_micros": None}),
        ("createCampaign", {**NEW, "total_budget_micros": 90_000_000}),
        ("createCampaign", {**NEW, "daily_budget_micros": None, "total_budget_micros": 90_000_000, "end_date": None}),
        ("createCampaign", {**NEW, "end_date": "2026-11-30"}),
        ("createCampaign", {**NEW, "contains_eu_political_advertising": None}),
        ("createCampaign", {**NEW, "contains_eu_political_advertising": "no"}),
        ("createCampaign", {key: value for key, value in NEW.items() if key != "contains_eu_political_advertising"}),
        ("createCampaign", {**NEW, "channel": "VIDEO"}),
        ("createCampaign", {**bid(strategy="MANUAL_CPC"), "channel": "PERFORMANCE_MAX"}),
        ("createCampaign", bid(strategy="TARGET_CPA")),
        ("createCampaign", bid(strategy="MANUAL_CPC", target_roas=3.5)),
        ("createCampaign", bid(strategy="MAXIMIZE_CONVERSIONS", target_roas=3.5)),
        ("createCampaign", bid(strategy="MAXIMIZE_CONVERSIONS", target_cpa_micros=8)),
        ("createCampaign", bid(strategy="MAXIMIZE_CONVERSION_VALUE", target_roas=0)),
        ("createCampaign", bid(strategy="TARGET_IMPRESSION_SHARE", location="TOP_OF_PAGE")),
        ("createCampaign", bid(strategy="PORTFOLIO")),
        ("createCampaign", bid(strategy="PORTFOLIO", bidding_strategy_id="7/../8")),
        ("createCampaign", {**NEW, "final_url_suffix": "a b"}),
        ("pauseCampaign", {"campaign_id": "21/../22"}),
        ("pauseCampaign", {"campaign_id": "Spring"}),
        ("adjustBudget", {"campaign_id": "21", "daily_budget_micros": 60}),
        ("setCampaignStatuses", {"campaigns": []}),
        ("setCampaignStatuses", {"campaigns": [{"campaign_id": "21", "status": "REMOVED"}]}),
        ("setCampaignStatuses", {"campaigns": [{"campaign_id": "21", "status": "PAUSED"}] * 2}),
        ("searchCampaigns", {"statuses": []}),
        ("searchCampaigns", {"campaign_ids": ["21) OR (1"]}),
        ("getCampaignMetrics", {"since": "2026-11-02", "until": "2026-11-01"}),
        ("getCampaignMetrics", {"since": "2026-11-02"}),
    ],
)
def test_what_google_would_refuse_is_not_accepted(name: str, given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        registry.action(f"google_ads.{name}").input.model_validate(given)


def test_an_account_s_number_is_taken_as_people_write_it() -> None:
    settings = GoogleAdsSettings(customer_id=" 123-456-7890 ", login_customer_id="5550001111")
    assert (settings.customer_id, settings.login_customer_id) == ("1234567890", "5550001111")
    for wrong in ("123456789", "12-3456-7890", "abc-def-ghij"):
        with pytest.raises(ValidationError):
            GoogleAdsSettings(customer_id=wrong)


@pytest.mark.parametrize("name", ["createCampaign", "enableCampaign", "adjustBudget", "setCampaignStatuses"])
def test_what_an_action_may_cost_is_said(name: str) -> None:
    assert registry.action(f"google_ads.{name}").cost
