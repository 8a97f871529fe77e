"""Inputs of google_ads that work against a fresh sandbox."""

from __future__ import annotations

from typing import Any

from tests.contract.case import Case
from tests.contract.conftest import Performer


def _campaign(performer: Performer, recipient: str) -> dict[str, Any]:
    return {
        "name": "Spring 2026",
        "daily_budget_micros": 50_000_000,
        "bidding": {"strategy": "MAXIMIZE_CONVERSIONS"},
        "contains_eu_political_advertising": False,
    }


def _made(performer: Performer, recipient: str) -> dict[str, Any]:
    made = performer.do("google_ads.createCampaign", **_campaign(performer, recipient))
    return {"campaign_id": made.provider_id()}


def _bidding(performer: Performer, recipient: str) -> dict[str, Any]:
    bidding = {"strategy": "MAXIMIZE_CONVERSION_VALUE", "target_roas": 3.5}
    return {**_made(performer, recipient), "bidding": bidding}


def _budget(performer: Performer, recipient: str) -> dict[str, Any]:
    return {**_made(performer, recipient), "daily_budget_micros": 60_000_000}


def _statuses(performer: Performer, recipient: str) -> dict[str, Any]:
    return {"campaigns": [{**_made(performer, recipient), "status": "ENABLED"}]}


CASES = (
    Case("google_ads.createCampaign", "createCampaign", _campaign, once=True),
    Case("google_ads.pauseCampaign", "mutateCampaigns", _made, once=False),
    Case("google_ads.enableCampaign", "mutateCampaigns", _made, once=False),
    Case("google_ads.removeCampaign", "mutateCampaigns", _made, once=False),
    Case("google_ads.updateBidStrategy", "mutateCampaigns", _bidding, once=False),
    Case("google_ads.adjustBudget", "mutateCampaignBudgets", _budget, once=False),
    Case("google_ads.setCampaignStatuses", "mutateCampaigns", _statuses, once=False),
)
