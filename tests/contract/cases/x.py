"""Inputs of x that work against a fresh sandbox."""

from __future__ import annotations

from typing import Any

from tests.contract.case import Case, text
from tests.contract.conftest import Performer

CLIP = "https://media.example/clip-640x360-5s-5MB.mp4"


def _post(performer: Performer, recipient: str) -> dict[str, Any]:
    return {"text": text()}


def _posted(performer: Performer, recipient: str) -> dict[str, Any]:
    return {"tweet_id": performer.do("x.postTweet", text=text()).provider_id()}


def _clip(performer: Performer, recipient: str) -> dict[str, Any]:
    return {"url": CLIP, "kind": "video"}


def _described(performer: Performer, recipient: str) -> dict[str, Any]:
    made = performer.do("x.uploadMedia", url="https://media.example/photo.jpg")
    return {"media_id": made.provider_id(), "alt_text": "A shop window"}


def _direct(performer: Performer, recipient: str) -> dict[str, Any]:
    return {"user_id": recipient.removeprefix("+"), "text": text()}


CASES = (
    Case("x.postTweet", "postTweet", _post, once=True, wait_within_s=1),
    Case("x.deleteTweet", "deleteTweet", _posted, once=False, wait_within_s=1),
    Case("x.uploadMedia", "finalizeMediaUpload", _clip, once=True, wait_within_s=1),
    Case("x.setMediaMetadata", "setMediaMetadata", _described, once=False, wait_within_s=1),
    Case("x.sendDirectMessage", "sendDirectMessage", _direct, once=True, told=False, wait_within_s=1),
)
