"""Inputs of reddit that work against a fresh sandbox."""

from __future__ import annotations

import uuid
from typing import Any

from tests.contract.case import Case, text
from tests.contract.conftest import Performer


def _text_post(performer: Performer, recipient: str) -> dict[str, Any]:
    return {"subreddit": "gardening", "title": f"Spring {uuid.uuid4().hex}", "text": text()}


def _link(performer: Performer, recipient: str) -> dict[str, Any]:
    key = uuid.uuid4().hex
    return {"subreddit": "gardening", "title": f"Guide {key}", "url": f"https://example.com/{key}?a=1&b=2"}


def _picture(performer: Performer, recipient: str) -> dict[str, Any]:
    title = f"Jacket {uuid.uuid4().hex}"
    return {"subreddit": "gardening", "title": title, "image_url": "https://media.example/photo-640x480.png"}


def _posted(performer: Performer, recipient: str) -> dict[str, Any]:
    return {"post_id": performer.do("reddit.submitPost", **_text_post(performer, recipient)).provider_id()}


def _edit(performer: Performer, recipient: str) -> dict[str, Any]:
    return {**_posted(performer, recipient), "text": text()}


def _name() -> str:
    return f"Spring {uuid.uuid4().hex}"


def _campaign(performer: Performer, recipient: str) -> dict[str, Any]:
    return {"name": _name(), "objective": "CLICKS"}


def _made(performer: Performer, recipient: str) -> dict[str, Any]:
    return {"campaign_id": performer.do("reddit.createCampaign", **_campaign(performer, recipient)).provider_id()}


def _ad_group(performer: Performer, recipient: str) -> dict[str, Any]:
    spending = {"goal_type": "DAILY_SPEND", "goal_micros": 20_000_000}
    return {
        **_made(performer, recipient),
        "name": _name(),
        "bid_strategy": "MAXIMIZE_VOLUME",
        "bid_type": "CPC",
        **spending,
    }


def _group(performer: Performer, recipient: str) -> dict[str, Any]:
    return {"ad_group_id": performer.do("reddit.createAdGroup", **_ad_group(performer, recipient)).provider_id()}


def _budget(performer: Performer, recipient: str) -> dict[str, Any]:
    return {**_group(performer, recipient), "goal_micros": 25_000_000}


def _ad(performer: Performer, recipient: str) -> dict[str, Any]:
    shown = _posted(performer, recipient)
    return {**_group(performer, recipient), **shown, "name": _name(), "click_url": "https://example.com/sale"}


def _group_off(performer: Performer, recipient: str) -> dict[str, Any]:
    return {**_group(performer, recipient), "status": "PAUSED"}


def _ad_on(performer: Performer, recipient: str) -> dict[str, Any]:
    return {"ad_id": performer.do("reddit.createAd", **_ad(performer, recipient)).provider_id(), "status": "ACTIVE"}


def _ad_post(performer: Performer, recipient: str) -> dict[str, Any]:
    return {"headline": _name(), "body": text()}


CASES = (
    # What an account's list does not show may be there all the same; of links Reddit refuses a second one.
    Case("reddit.submitPost", "submitPost", _text_post, once=True, told=False),
    Case("reddit.submitPost", "submitPost", _link, once=True),
    Case("reddit.submitMediaPost", "submitPost", _picture, once=True, told=False),
    Case("reddit.editPost", "editPost", _edit, once=False),
    Case("reddit.deletePost", "deletePost", _posted, once=False),
    Case("reddit.createCampaign", "createCampaign", _campaign, once=True),
    Case("reddit.pauseCampaign", "updateCampaign", _made, once=False),
    Case("reddit.activateCampaign", "updateCampaign", _made, once=False),
    Case("reddit.archiveCampaign", "updateCampaign", _made, once=False),
    Case("reddit.adjustBudget", "updateAdGroup", _budget, once=False),
    Case("reddit.createAdGroup", "createAdGroup", _ad_group, once=True),
    Case("reddit.setAdGroupStatus", "updateAdGroup", _group_off, once=False),
    Case("reddit.createAd", "createAd", _ad, once=True),
    Case("reddit.setAdStatus", "updateAd", _ad_on, once=False),
    Case("reddit.createAdPost", "createAdPostJob", _ad_post, once=True, told=False),
)
