"""What does each Instagram action do at Instagram? Asked of the sandbox."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from connectors.instagram.direct import RespondDM
from connectors.instagram.insights import GetInsights, Insights
from connectors.instagram.posts import PublishPost, PublishStory
from connectors.instagram.publishing import Published
from connectors.kit.action import Output
from connectors.kit.errors import (
    AuthExpired,
    ConnectorError,
    InvalidRequest,
    NotFound,
    Postpone,
    RecipientOptedOut,
    Unavailable,
)
from connectors.registry import action, connector
from tests.contract.conftest import Performer, Sandbox
from tests.contract.memory_ledger import MemoryLedger

IMAGE, VIDEO = "https://cdn.example.com/a.jpg", "https://cdn.example.com/b.mp4"


def publish(performer: Performer, sandbox: Sandbox, name: str = "publishPost", **given: Any) -> Output:
    """Publish as a worker does, one attempt after another, while the sandbox's clock moves."""
    wanted, ledger = action(f"instagram.{name}"), MemoryLedger()
    data = wanted.input.model_validate(given)
    while True:
        try:
            return performer.perform(wanted, performer.call("instagram", ledger), data)
        except Postpone:
            sandbox.ask("POST", "clock", json={"advance_s": 3})


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("publishPost", {"image_url": IMAGE, "caption": "Spring", "alt_text": "A flower"}),
        ("publishPost", {"video_url": VIDEO, "cover_url": IMAGE, "share_to_feed": True}),
        ("publishPost", {"carousel": [{"image_url": IMAGE, "alt_text": "A flower"}, {"video_url": VIDEO}]}),
        ("publishStory", {"image_url": IMAGE}),
        ("publishStory", {"video_url": VIDEO}),
    ],
)
def test_each_kind_of_post_is_published_once_through_its_container(
    performer: Performer, sandbox: Sandbox, name: str, given: dict[str, Any]
) -> None:
    mark = sandbox.mark()

    found = publish(performer, sandbox, name, **given)

    (effect,) = sandbox.effects(mark)
    assert isinstance(found, Published)
    assert (found.media_id, found.container_id) == (effect["provider_id"], effect["key"])
    assert (effect["action"], effect["text"]) == (name, given.get("caption"))


def test_a_container_is_asked_about_every_half_minute(performer: Performer, sandbox: Sandbox) -> None:
    mark = sandbox.mark()

    with pytest.raises(Postpone) as caught:
        performer.do("instagram.publishPost", image_url=IMAGE)

    assert (caught.value.delay_s, caught.value.reason) == (30, "waiting for ready:1")
    assert sandbox.effects(mark) == []


@pytest.mark.parametrize("login", ["instagram", "facebook"])
def test_either_login_publishes_and_answers(performer: Performer, sandbox: Sandbox, login: str) -> None:
    performer.account["instagram"]["settings"]["login"] = login
    performer.hear("instagram", "5550900")
    mark = sandbox.mark()

    publish(performer, sandbox, image_url=IMAGE)
    performer.do("instagram.respondDM", to="5550900", text="At nine.")

    assert [effect["action"] for effect in sandbox.effects(mark)] == ["publishPost", "respondDM"]


@pytest.mark.parametrize(
    ("given", "kind", "said"),
    [
        ({"image_url": "https://cdn.example.com/a.png"}, InvalidRequest, "no JPEG"),
        ({"image_url": "https://cdn.invalid/a.jpg"}, Unavailable, "could not be fetched"),
        ({"video_url": "https://cdn.invalid/b.mp4"}, InvalidRequest, "3 containers came to nothing"),
        ({"video_url": "https://cdn.example.com/b.avi"}, InvalidRequest, "format is not supported"),
        ({"image_url": IMAGE, "caption": "#a" * 31}, InvalidRequest, "code 110/2207010"),
    ],
)
def test_media_that_instagram_does_not_take_are_refused_and_nothing_is_published(
    performer: Performer, sandbox: Sandbox, given: dict[str, Any], kind: type[ConnectorError], said: str
) -> None:
    mark = sandbox.mark()

    with pytest.raises(kind, match=said):
        publish(performer, sandbox, **given)

    assert sandbox.effects(mark) == []


def test_only_who_wrote_is_answered(performer: Performer, sandbox: Sandbox) -> None:
    with pytest.raises(RecipientOptedOut):
        performer.do("instagram.respondDM", to="5550901", text="At nine.")
    performer.hear("instagram", "5550901")
    mark = sandbox.mark()

    sent = performer.do("instagram.respondDM", to="5550901", text="At nine.")

    (effect,) = sandbox.effects(mark)
    assert (effect["provider_id"], effect["text"]) == (sent.provider_id(), "At nine.")


def test_posts_and_the_account_are_measured(performer: Performer, sandbox: Sandbox) -> None:
    media_id = publish(performer, sandbox, image_url=IMAGE).provider_id()

    of_post = performer.do("instagram.getInsights", media_id=media_id, metrics=["reach", "views"])
    of_account = performer.do(
        "instagram.getInsights", metrics=["reach"], since="2026-11-01T00:00:00Z", until="2026-11-08T00:00:00Z"
    )

    assert isinstance(of_post, Insights)
    assert isinstance(of_account, Insights)
    assert [(one.name, one.period, len(one.readings)) for one in of_post.metrics] == [
        ("reach", "lifetime", 1),
        ("views", "lifetime", 1),
    ]
    assert [(one.name, one.period) for one in of_account.metrics] == [("reach", "day")]


def test_what_cannot_be_measured_is_said(performer: Performer) -> None:
    with pytest.raises(InvalidRequest):
        performer.do("instagram.getInsights", metrics=["impressions"])
    with pytest.raises(NotFound):
        performer.do("instagram.getInsights", media_id="42")


def test_the_credential_check_tells_how_much_was_published(performer: Performer) -> None:
    said = connector("instagram").test(performer.call("instagram"))

    assert said.startswith(f"Instagram account {performer.account['instagram']['account']}, ")
    assert said.endswith(" of 100 posts in 24 h")


@pytest.mark.parametrize(
    ("wrong", "kind"), [({"access_token": "IG-wrong"}, AuthExpired), ({"app_secret": "IG-wrong"}, InvalidRequest)]
)
def test_a_wrong_credential_is_not_in_the_error(
    performer: Performer, wrong: dict[str, str], kind: type[ConnectorError]
) -> None:
    performer.account["instagram"]["credential"].update(wrong)

    with pytest.raises(kind) as caught:
        connector("instagram").test(performer.call("instagram"))
    assert "IG-wrong" not in f"{caught.value!r}"


ONE_IMAGE: dict[str, Any] = {"image_url": IMAGE}


@pytest.mark.parametrize(
    ("given", "rule"),
    [
        ({}, "one of image_url, video_url and carousel is needed"),
        ({**ONE_IMAGE, "video_url": VIDEO}, "one of image_url, video_url and carousel is needed"),
        ({"carousel": [ONE_IMAGE]}, "carousel holds 2 to 10 items"),
        ({"carousel": [ONE_IMAGE] * 11}, "at most 10 items"),
        ({"carousel": [ONE_IMAGE, {}]}, "one of image_url and video_url is needed, not both"),
        ({"video_url": VIDEO, "alt_text": "A flower"}, "alt_text belongs to an image"),
        ({**ONE_IMAGE, "cover_url": IMAGE}, "belong to a video"),
        ({**ONE_IMAGE, "share_to_feed": True}, "belong to a video"),
        ({"image_url": "http://cdn.example.com/a.jpg"}, "image_url"),
        ({**ONE_IMAGE, "caption": "x" * 2201}, "caption"),
        ({**ONE_IMAGE, "colour": "red"}, "colour"),
    ],
)
def test_a_post_that_cannot_be_is_refused_before_it_is_accepted(given: dict[str, Any], rule: str) -> None:
    with pytest.raises(ValidationError, match=rule):
        PublishPost.model_validate(given)


@pytest.mark.parametrize("given", [{}, {"image_url": IMAGE, "video_url": VIDEO}])
def test_a_story_is_one_image_or_one_video(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="one of image_url and video_url is needed, not both"):
        PublishStory.model_validate(given)


def test_an_answer_is_measured_in_bytes() -> None:
    assert RespondDM(to="5550901", text="ä" * 500).text
    with pytest.raises(ValidationError, match="1000 bytes"):
        RespondDM(to="5550901", text="ä" * 501)


@pytest.mark.parametrize(
    ("given", "rule"),
    [
        ({"since": "2026-11-01T00:00:00Z"}, "belong together"),
        ({"since": "2026-11-01T00:00:00Z", "until": "2026-12-02T00:00:00Z"}, "at most 30 days"),
        ({"since": "2026-11-02T00:00:00Z", "until": "2026-11-01T00:00:00Z"}, "at most 30 days"),
        ({"media_id": "1", "since": "2026-11-01T00:00:00Z", "until": "2026-11-02T00:00:00Z"}, "for the account"),
        ({"metrics": []}, "metrics"),
        ({"metrics": ["reach,views"]}, "metrics"),
    ],
)
def test_a_question_that_cannot_be_answered_is_refused(given: dict[str, Any], rule: str) -> None:
    with pytest.raises(ValidationError, match=rule):
        GetInsights.model_validate(given)
