"""Inputs of instagram that work against a fresh sandbox."""

from __future__ import annotations

from typing import Any

from tests.contract.case import Case, text
from tests.contract.conftest import Performer


def _image(performer: Performer, recipient: str) -> dict[str, Any]:
    return {"image_url": "https://cdn.example.com/spring.jpg", "caption": text()}


def _story(performer: Performer, recipient: str) -> dict[str, Any]:
    return {"video_url": "https://cdn.example.com/spring.mp4"}


def _answer(performer: Performer, recipient: str) -> dict[str, Any]:
    person = recipient.removeprefix("+")
    performer.hear("instagram", person)
    return {"to": person, "text": text()}


CASES = (
    Case("instagram.publishPost", "publishMedia", _image, once=True),
    Case("instagram.publishStory", "publishMedia", _story, once=True),
    Case("instagram.respondDM", "respondDM", _answer, once=True, told=False),
)
