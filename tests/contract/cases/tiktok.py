"""Inputs of tiktok that work against a fresh sandbox."""

from __future__ import annotations

import uuid
from typing import Any

from tests.contract.case import Case, soon
from tests.contract.conftest import Performer

VIDEO, IMAGE = "https://cdn.example.com/spring.mp4", "https://cdn.example.com/spring.jpg"


def text() -> str:
    """A name that nobody else has given; TikTok takes no emoji."""
    return f"Spring & more {uuid.uuid4().hex}"


def campaign(performer: Performer, recipient: str) -> dict[str, Any]:
    return {"name": text(), "objective": "TRAFFIC", "daily_budget_major": "60.00"}


def smart_campaign(performer: Performer, recipient: str) -> dict[str, Any]:
    return {"name": text(), "objective": "WEB_CONVERSIONS", "average_daily_budget_major": "60.50"}


def _terms(campaign_id: str | None) -> dict[str, Any]:
    return {
        "name": text(),
        "campaign_id": campaign_id,
        "optimization_goal": "CLICK",
        "billing_event": "CPC",
        "location_ids": ["2921044"],
        "start_at": soon(24),
        "daily_budget_major": "25.00",
    }


def adgroup(performer: Performer, recipient: str) -> dict[str, Any]:
    made = performer.do("tiktok.createCampaign", **campaign(performer, recipient))
    return _terms(made.provider_id())


def smart_adgroup(performer: Performer, recipient: str) -> dict[str, Any]:
    made = performer.do("tiktok.createSmartCampaign", **smart_campaign(performer, recipient))
    return {**_terms(made.provider_id()), "promotion_type": "WEBSITE"}


def uploaded_video(performer: Performer) -> str | None:
    return performer.finished("tiktok.uploadVideo", video_url=VIDEO).provider_id()


def uploaded_image(performer: Performer) -> str | None:
    return performer.do("tiktok.uploadImage", image_url=IMAGE).provider_id()


def ad(performer: Performer, recipient: str) -> dict[str, Any]:
    made = performer.do("tiktok.createAdGroup", **adgroup(performer, recipient))
    return {
        "name": text(),
        "adgroup_id": made.provider_id(),
        "video_id": uploaded_video(performer),
        "image_ids": [uploaded_image(performer)],
        "ad_text": "Spring is here",
    }


def smart_ad(performer: Performer, recipient: str) -> dict[str, Any]:
    made = performer.do("tiktok.createSmartAdGroup", **smart_adgroup(performer, recipient))
    creative = {"video_id": uploaded_video(performer), "cover": uploaded_image(performer)}
    return {"name": text(), "adgroup_id": made.provider_id(), "creatives": [creative], "ad_texts": ["Spring is here"]}


def _campaign_id(performer: Performer, recipient: str) -> str | None:
    return performer.do("tiktok.createCampaign", **campaign(performer, recipient)).provider_id()


def _adgroup_id(performer: Performer, recipient: str) -> str | None:
    return performer.do("tiktok.createAdGroup", **adgroup(performer, recipient)).provider_id()


def _ad_id(performer: Performer, recipient: str) -> str | None:
    given = {**ad(performer, recipient), "video_id": None}
    return performer.do("tiktok.createAd", **given).provider_id()


def _budget(performer: Performer, recipient: str) -> dict[str, Any]:
    return {"budgets": [{"adgroup_id": _adgroup_id(performer, recipient), "budget_major": "30"}]}


def _campaign_budget(performer: Performer, recipient: str) -> dict[str, Any]:
    return {"campaign_id": _campaign_id(performer, recipient), "budget_major": "80"}


def _new_bid(performer: Performer, recipient: str) -> dict[str, Any]:
    return {"adgroup_id": _adgroup_id(performer, recipient), "bid_price_major": "0.35"}


def _ads(performer: Performer, recipient: str) -> dict[str, Any]:
    return {"ad_ids": [_ad_id(performer, recipient)]}


def _ad_status(performer: Performer, recipient: str) -> dict[str, Any]:
    return {"ad_ids": [_ad_id(performer, recipient)], "status": "ENABLE"}


def _adgroup_status(performer: Performer, recipient: str) -> dict[str, Any]:
    return {"adgroup_ids": [_adgroup_id(performer, recipient)], "status": "ENABLE"}


def _campaign_status(performer: Performer, recipient: str) -> dict[str, Any]:
    return {"campaign_ids": [_campaign_id(performer, recipient)], "status": "ENABLE"}


def _video(performer: Performer, recipient: str) -> dict[str, Any]:
    return {"video_url": VIDEO, "name": "spring.mp4"}


def _image(performer: Performer, recipient: str) -> dict[str, Any]:
    return {"image_url": IMAGE, "name": f"spring-{uuid.uuid4().hex}.jpg"}


CASES = tuple(
    Case(f"tiktok.{name}", operation, prepare, once=once, tells_wait=False)
    for name, operation, prepare, once in (
        ("createCampaign", "createCampaign", campaign, True),
        ("createAdGroup", "createAdGroup", adgroup, True),
        ("createAd", "createAd", ad, True),
        ("createSmartCampaign", "createSmartPlusCampaign", smart_campaign, True),
        ("createSmartAdGroup", "createSmartPlusAdGroup", smart_adgroup, True),
        ("createSmartAd", "createSmartPlusAd", smart_ad, True),
        ("adjustBudget", "adjustBudget", _budget, False),
        ("adjustCampaignBudget", "updateCampaign", _campaign_budget, False),
        ("updateAdGroup", "updateAdGroup", _new_bid, False),
        ("turnOffAd", "turnOffAd", _ads, False),
        ("setAdStatus", "turnOffAd", _ad_status, False),
        ("setAdGroupStatus", "updateAdGroupStatus", _adgroup_status, False),
        ("setCampaignStatus", "updateCampaignStatus", _campaign_status, False),
        ("uploadVideo", "uploadAdVideo", _video, True),
        ("uploadImage", "uploadAdImage", _image, True),
    )
)
