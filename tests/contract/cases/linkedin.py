"""Inputs of linkedin that work against a fresh sandbox."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

from tests.contract.case import Case, text
from tests.contract.conftest import Performer

MONEY = {"amount": "50", "currency": "USD"}


def _post(performer: Performer, recipient: str) -> dict[str, Any]:
    return {"text": text()}


def _picture(performer: Performer, recipient: str) -> dict[str, Any]:
    return {"text": text(), "images": [{"url": "https://media.example/photo-1200x628.jpg", "alt_text": "A jacket"}]}


def _due_post(performer: Performer, recipient: str) -> dict[str, Any]:
    return {"text": text(), "publish_at": datetime.now(UTC).isoformat()}


def _posted(performer: Performer, recipient: str) -> dict[str, Any]:
    return {"post_urn": performer.do("linkedin.publishPost", **_post(performer, recipient)).provider_id()}


def _update(performer: Performer, recipient: str) -> dict[str, Any]:
    return {**_posted(performer, recipient), "text": text()}


def _name() -> str:
    return f"Spring {uuid.uuid4().hex}"


def _campaign(performer: Performer, recipient: str) -> dict[str, Any]:
    return {
        "campaign_group_id": performer.account["linkedin"]["campaign_group"],
        "name": _name(),
        "type": "TEXT_AD",
        "objective": "WEBSITE_VISITS",
        "cost_type": "CPM",
        "unit_cost": {"amount": "12.50", "currency": "USD"},
        "daily_budget": MONEY,
        "country": "US",
        "language": "en",
        "include": [{"urn:li:adTargetingFacet:locations": ["urn:li:geo:103644278"]}],
        "off_site": False,
        "political": "NOT_POLITICAL",
    }


def _made(performer: Performer, recipient: str) -> dict[str, Any]:
    return {"campaign_id": performer.do("linkedin.createCampaign", **_campaign(performer, recipient)).provider_id()}


def _draft(performer: Performer, recipient: str) -> dict[str, Any]:
    made = performer.do("linkedin.createCampaign", **_campaign(performer, recipient), status="DRAFT")
    return {"campaign_id": made.provider_id()}


def _budget(performer: Performer, recipient: str) -> dict[str, Any]:
    return {**_made(performer, recipient), "daily_budget": MONEY}


def _group(performer: Performer, recipient: str) -> dict[str, Any]:
    return {"name": _name()}


def _creative(performer: Performer, recipient: str) -> dict[str, Any]:
    return {**_made(performer, recipient), **_posted(performer, recipient), "name": _name()}


CASES = (
    # 201 and 204 come without a body; what was created is named in a header.
    Case("linkedin.publishPost", "publishPost", _post, once=True, empty_answer=True),
    Case("linkedin.publishPost", "publishPost", _picture, once=True, empty_answer=True),
    Case("linkedin.schedulePost", "publishPost", _due_post, once=True, empty_answer=True, counted="publishPost"),
    Case("linkedin.updatePost", "updatePost", _update, once=False, empty_answer=True),
    Case("linkedin.deletePost", "deletePost", _posted, once=False, empty_answer=True),
    Case("linkedin.createCampaign", "createCampaign", _campaign, once=True, empty_answer=True),
    Case("linkedin.pauseCampaign", "updateCampaign", _made, once=False, empty_answer=True),
    Case("linkedin.activateCampaign", "updateCampaign", _made, once=False, empty_answer=True),
    Case("linkedin.adjustBudget", "updateCampaign", _budget, once=False, empty_answer=True),
    Case("linkedin.deleteCampaign", "deleteDraftCampaign", _draft, once=False, empty_answer=True),
    Case("linkedin.deleteCampaign", "updateCampaign", _made, once=False, empty_answer=True),
    Case("linkedin.createCampaignGroup", "createCampaignGroup", _group, once=True, empty_answer=True),
    Case("linkedin.createCreative", "createCreative", _creative, once=True, empty_answer=True),
)
