"""Inputs of facebook that work against a fresh sandbox."""

from __future__ import annotations

import uuid
from typing import Any

from connectors.facebook.ads import AdMade
from tests.contract.case import Case, soon, text
from tests.contract.conftest import Performer

LINK = "https://example.com/spring"


def campaign(performer: Performer, recipient: str) -> dict[str, Any]:
    return {"name": text(), "objective": "OUTCOME_TRAFFIC", "special_ad_categories": []}


def _campaign_with_budget(performer: Performer, recipient: str) -> dict[str, Any]:
    return {**campaign(performer, recipient), "daily_budget_minor": 2000}


def adset(performer: Performer, recipient: str) -> dict[str, Any]:
    made = performer.do("facebook.createCampaign", **campaign(performer, recipient))
    return {
        "name": text(),
        "campaign_id": made.provider_id(),
        "billing_event": "IMPRESSIONS",
        "optimization_goal": "LINK_CLICKS",
        "targeting": {"countries": ["US"], "age_min": 18},
        "daily_budget_minor": 2000,
    }


def ad(performer: Performer, recipient: str) -> dict[str, Any]:
    made = performer.do("facebook.createAdSet", **adset(performer, recipient))
    return {"name": text(), "adset_id": made.provider_id(), "creative": {"link": LINK, "message": text()}}


def _campaign_id(performer: Performer, recipient: str) -> str | None:
    made = performer.do("facebook.createCampaign", **_campaign_with_budget(performer, recipient))
    return made.provider_id()


def _adset_id(performer: Performer, recipient: str) -> str | None:
    return performer.do("facebook.createAdSet", **adset(performer, recipient)).provider_id()


def _ad(performer: Performer, recipient: str) -> AdMade:
    made = performer.do("facebook.createAd", **ad(performer, recipient))
    assert isinstance(made, AdMade)
    return made


def _pause_adset(performer: Performer, recipient: str) -> dict[str, Any]:
    return {"adset_id": _adset_id(performer, recipient)}


def _campaign_status(performer: Performer, recipient: str) -> dict[str, Any]:
    return {"campaign_id": _campaign_id(performer, recipient), "status": "ACTIVE"}


def _adset_status(performer: Performer, recipient: str) -> dict[str, Any]:
    return {"adset_id": _adset_id(performer, recipient), "status": "ACTIVE"}


def _ad_status(performer: Performer, recipient: str) -> dict[str, Any]:
    return {"ad_id": _ad(performer, recipient).ad_id, "status": "ACTIVE"}


def _campaign_budget(performer: Performer, recipient: str) -> dict[str, Any]:
    return {"campaign_id": _campaign_id(performer, recipient), "daily_budget_minor": 3000}


def _adset_budget(performer: Performer, recipient: str) -> dict[str, Any]:
    return {"adset_id": _adset_id(performer, recipient), "daily_budget_minor": 3000}


def _creative(performer: Performer, recipient: str) -> dict[str, Any]:
    return {"ad_id": _ad(performer, recipient).ad_id, "creative": {"link": LINK, "message": text()}}


def _post(performer: Performer, recipient: str) -> dict[str, Any]:
    return {"message": text(), "photo_urls": ["https://cdn.example.com/a.jpg"]}


def _scheduled(performer: Performer, recipient: str) -> dict[str, Any]:
    return {"message": text(), "publish_at": soon(24)}


def _kept(performer: Performer, recipient: str) -> dict[str, Any]:
    made = performer.do("facebook.schedulePost", **_scheduled(performer, recipient))
    return {"post_id": made.provider_id()}


def _new_text(performer: Performer, recipient: str) -> dict[str, Any]:
    return {**_kept(performer, recipient), "message": text()}


def _new_time(performer: Performer, recipient: str) -> dict[str, Any]:
    return {**_kept(performer, recipient), "publish_at": soon(48)}


def _image(performer: Performer, recipient: str) -> dict[str, Any]:
    return {"image_url": f"https://media.example/{uuid.uuid4().hex}-64x48.png"}


CASES = (
    Case("facebook.uploadImage", "uploadAdImage", _image, once=False),
    Case("facebook.createCampaign", "createCampaign", campaign, once=True),
    Case("facebook.createAdSet", "createAdSet", adset, once=True),
    Case("facebook.createAd", "createAd", ad, once=True),
    Case("facebook.updateCreative", "updateNode", _creative, once=True),
    Case("facebook.pauseAdSet", "updateNode", _pause_adset, once=False),
    Case("facebook.setCampaignStatus", "updateNode", _campaign_status, once=False),
    Case("facebook.setAdSetStatus", "updateNode", _adset_status, once=False),
    Case("facebook.setAdStatus", "updateNode", _ad_status, once=False),
    Case("facebook.setCampaignBudget", "updateNode", _campaign_budget, once=False),
    Case("facebook.setAdSetBudget", "updateNode", _adset_budget, once=False),
    Case("facebook.createPost", "createPost", _post, once=True),
    Case("facebook.schedulePost", "createPost", _scheduled, once=True),
    Case("facebook.updatePost", "updateNode", _new_text, once=False),
    Case("facebook.reschedulePost", "updateNode", _new_time, once=False),
    Case("facebook.publishScheduledPost", "updateNode", _kept, once=True),
    Case("facebook.deletePost", "deleteNode", _kept, once=False),
)
