"""What does each LinkedIn action do at LinkedIn? Asked of the sandbox."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.kit.action import Output
from connectors.kit.errors import (
    AuthExpired,
    ConnectorError,
    InvalidRequest,
    NotFound,
    OutcomeUnknown,
    Permission,
    Postpone,
)
from connectors.linkedin import web
from connectors.linkedin.content import PublishPost, SchedulePost
from connectors.linkedin.posts import PostList
from connectors.linkedin.publishing import Published
from connectors.linkedin.statistics import Statistics
from connectors.registry import action, connector
from tests.contract.case import text
from tests.contract.conftest import Performer, Sandbox
from tests.contract.memory_ledger import MemoryLedger

IMAGE, VIDEO = "https://media.example/photo-1200x628.jpg", "https://media.example/clip-640x360-5s-9MB.mp4"
BROCHURE = "https://media.example/brochure-2MB.pdf"
PERSON = "urn:li:person:782bbtaQ"


def publish(
    performer: Performer, sandbox: Sandbox, ledger: MemoryLedger | None = None, name: str = "publishPost", **given: Any
) -> Output:
    """Publish as a worker does, one attempt after another, while the sandbox's clock moves."""
    wanted, ledger = action(f"linkedin.{name}"), ledger or MemoryLedger()
    data = wanted.input.model_validate({"text": text(), **given})
    while True:
        try:
            return performer.perform(wanted, performer.call("linkedin", ledger), data)
        except Postpone:
            sandbox.ask("POST", "clock", json={"advance_s": 3})


CONTENTS: list[dict[str, Any]] = [
    {},
    {"article": {"source": "https://example.com/sale", "title": "Sale", "thumbnail": {"url": IMAGE}}},
    {"article": {"source": "https://example.com/sale", "title": "Sale", "description": "All jackets"}},
    {"images": [{"url": IMAGE, "alt_text": "A jacket"}]},
    {"images": [{"url": IMAGE}, {"url": "https://media.example/loop-320x200.gif"}]},
    {"document": {"url": BROCHURE, "title": "Spring"}},
    {"video": {"url": VIDEO, "title": "Spring"}},
    {"poll": {"question": "Which?", "options": ["Red", "Green"]}},
]


@pytest.mark.parametrize("given", CONTENTS, ids=lambda given: "-".join(given) or "text")
@pytest.mark.parametrize("author", [None, PERSON], ids=["page", "member"])
def test_each_kind_of_post_is_published_once(
    performer: Performer, sandbox: Sandbox, given: dict[str, Any], author: str | None
) -> None:
    mark, said = sandbox.mark(), text()

    found = publish(performer, sandbox, text=said, author=author, **given)

    (effect,) = sandbox.effects(mark)
    assert isinstance(found, Published)
    assert found.post_urn == effect["provider_id"]
    assert found.url == f"https://www.linkedin.com/feed/update/{found.post_urn}/"
    assert (effect["text"], effect["recipient"]) == (said, author or performer.account["linkedin"]["account"])


@pytest.mark.parametrize(
    "said",
    [
        "50 % (really) & more [now] {x} <b> * _under_ ~ | \\ @home",
        "#spring #sale2026 and #not_a_tag, c# and # alone",
        "Smile 🎉 (x)",
    ],
)
def test_people_see_the_text_as_it_was_written(performer: Performer, sandbox: Sandbox, said: str) -> None:
    mark = sandbox.mark()

    publish(performer, sandbox, text=f"{said} {text()}")

    (effect,) = sandbox.effects(mark)
    assert str(effect["text"]).startswith(said)


def test_a_mention_becomes_a_link(performer: Performer, sandbox: Sandbox) -> None:
    mark, unique = sandbox.mark(), text()
    names = {"Acme (EU)": "urn:li:organization:77", "Acme": "urn:li:organization:78"}

    urn = publish(performer, sandbox, text=f"With @Acme (EU) and @Acme! {unique}", mentions=names).provider_id()

    (effect,) = sandbox.effects(mark)
    assert effect["text"] == f"With @Acme (EU) and @Acme! {unique}"
    read: Any = performer.do("linkedin.getPost", post_urn=urn)
    assert "@[Acme \\(EU\\)](urn:li:organization:77) and @[Acme](urn:li:organization:78)!" in read.text


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"images": [{"url": "https://media.example/notes.txt"}]}, "images.0.url: the file is"),
        ({"images": [{"url": "https://media.example/photo-9000x9000.png"}]}, "81000000 pixels; at most 36152320"),
        ({"document": {"url": IMAGE, "title": "x"}}, "document.url: the file is image/jpeg"),
        ({"video": {"url": "https://media.example/clip-640x360-1s.mp4"}}, "video.url: duration is 1"),
        ({"images": [{"url": "https://media.example/missing/a.jpg"}]}, "images.0.url"),
    ],
)
def test_media_that_break_a_rule_are_refused_before_linkedin_is_asked(
    performer: Performer, sandbox: Sandbox, given: dict[str, Any], said: str
) -> None:
    mark = sandbox.mark()
    sandbox.fault("error_500_before", "linkedin", "initializeImageUpload")

    with pytest.raises(InvalidRequest, match=said):
        publish(performer, sandbox, **given)

    (fault,) = sandbox.ask("GET", "faults")["faults"]
    assert fault["seen"] == 0
    assert sandbox.effects(mark) == []


def test_a_repeat_uses_the_media_that_were_brought(performer: Performer, sandbox: Sandbox) -> None:
    ledger, said, mark = MemoryLedger(), text(), sandbox.mark()
    sandbox.fault("reset_after", "linkedin", "publishPost")
    with pytest.raises(OutcomeUnknown):
        publish(performer, sandbox, ledger, text=said, images=[{"url": IMAGE}])
    sandbox.fault("error_500_before", "linkedin", "initializeImageUpload")

    found = publish(performer, sandbox, ledger, text=said, images=[{"url": IMAGE}])

    (effect,) = sandbox.effects(mark)
    assert found.provider_id() == effect["provider_id"]


def test_a_video_goes_on_with_the_part_that_did_not_arrive(performer: Performer, sandbox: Sandbox) -> None:
    ledger, said = MemoryLedger(), text()
    sandbox.fault("error_503_before", "linkedin", "putUploadBytes", after=2)
    with pytest.raises(ConnectorError):
        publish(performer, sandbox, ledger, text=said, video={"url": VIDEO})
    assert {"video", "video:part:0", "video:part:1"} <= ledger.results.keys()
    for operation in ("putUploadBytes", "videoAction"):
        sandbox.fault("latency", "linkedin", operation, seconds=0, probability=0)

    found = publish(performer, sandbox, ledger, text=said, video={"url": VIDEO})

    assert isinstance(found, Published)
    assert found.post_urn.startswith("urn:li:ugcPost:")
    seen = {one["operation"]: one["seen"] for one in sandbox.ask("GET", "faults")["faults"] if one["kind"] == "latency"}
    assert seen == {"putUploadBytes": 1, "videoAction": 1}


def test_the_same_post_again_is_refused_and_names_the_one_that_is_there(performer: Performer, sandbox: Sandbox) -> None:
    said = text()
    first = publish(performer, sandbox, text=said).provider_id()
    mark = sandbox.mark()

    with pytest.raises(web.DuplicatePost, match=f"{first}; change the text"):
        publish(performer, sandbox, text=said)

    assert sandbox.effects(mark) == []


def test_another_runs_post_is_never_taken_for_ours(performer: Performer, sandbox: Sandbox) -> None:
    said, ledger = text(), MemoryLedger()
    first = publish(performer, sandbox, text=said).provider_id()
    ledger.owned_by_others = {str(first)}
    sandbox.fault("reset_after", "linkedin", "publishPost")
    with pytest.raises(OutcomeUnknown):
        publish(performer, sandbox, ledger, text=said)

    with pytest.raises(web.DuplicatePost):
        publish(performer, sandbox, ledger, text=said)


def test_a_pages_older_post_is_not_taken_for_ours(performer: Performer, sandbox: Sandbox) -> None:
    said, ledger = text(), MemoryLedger()
    publish(performer, sandbox, text=said)
    ledger.in_doubt.add("publish")
    ledger.sent(datetime.now(UTC) + timedelta(days=2))

    with pytest.raises(web.DuplicatePost):
        publish(performer, sandbox, ledger, text=said)


def test_a_post_that_was_deleted_meanwhile_is_left_to_a_person(performer: Performer, sandbox: Sandbox) -> None:
    said, ledger = text(), MemoryLedger()
    sandbox.fault("reset_after", "linkedin", "publishPost")
    with pytest.raises(OutcomeUnknown):
        publish(performer, sandbox, ledger, text=said)
    performer.do("linkedin.deletePost", post_urn=sandbox.effects()[-1]["provider_id"])

    with pytest.raises(OutcomeUnknown, match="look into the Page"):
        publish(performer, sandbox, ledger, text=said)


def test_a_repeat_that_is_refused_for_another_reason_says_nothing_about_the_first(
    performer: Performer, sandbox: Sandbox
) -> None:
    said, ledger = text(), MemoryLedger()
    sandbox.fault("reset_after", "linkedin", "publishPost")
    with pytest.raises(OutcomeUnknown):
        publish(performer, sandbox, ledger, text=said)
    account = performer.account["linkedin"]
    account["credential"] = account["limited_credential"]

    with pytest.raises(OutcomeUnknown, match="the repeat that would tell was refused"):
        publish(performer, sandbox, ledger, text=said)


def test_a_scheduled_post_holds_no_worker_and_is_published_at_its_time(performer: Performer, sandbox: Sandbox) -> None:
    at, mark = datetime.now(UTC) + timedelta(hours=2), sandbox.mark()
    with pytest.raises(Postpone, match="held until its media") as caught:
        performer.do("linkedin.schedulePost", text=text(), publish_at=at.isoformat())
    assert caught.value.delay_s == pytest.approx(110 * 60, abs=60)

    soon = datetime.now(UTC) + timedelta(minutes=5)
    with pytest.raises(Postpone, match="held until its time") as caught:
        performer.do("linkedin.schedulePost", text=text(), publish_at=soon.isoformat())
    assert caught.value.delay_s == pytest.approx(300, abs=60)
    assert sandbox.effects(mark) == []

    publish(performer, sandbox, name="schedulePost", publish_at=datetime.now(UTC).isoformat())
    assert len(sandbox.effects(mark)) == 1


def test_a_time_is_checked_when_a_scheduled_post_is_accepted_and_stays_readable() -> None:
    now = datetime.now(UTC)
    for at in (now - timedelta(seconds=1), now + timedelta(days=366)):
        given = {"text": "Hi", "publish_at": at.isoformat()}
        with pytest.raises(ValidationError, match="publish_at"):
            SchedulePost.accept(given, now=now)
        assert SchedulePost.model_validate(given)


@pytest.mark.parametrize(
    ("given", "rule"),
    [
        ({"text": ""}, "text"),
        ({"text": "x" * 3001}, "text"),
        ({"text": "(" * 1501}, "3002 characters long with its escapes"),
        ({"text": "🎉" * 1501}, "3002 characters long"),
        ({"mentions": {"Acme": "urn:li:organization:1"}}, "must occur in the text"),
        ({"images": [{"url": IMAGE}], "video": {"url": VIDEO}}, "one kind of content, not images and video"),
        ({"images": [{"url": IMAGE}] * 21}, "images"),
        ({"images": [{"url": "http://media.example/a.jpg"}]}, "url"),
        ({"poll": {"question": "x" * 141, "options": ["a", "b"]}}, "question"),
        ({"poll": {"question": "x", "options": ["a"]}}, "options"),
        ({"poll": {"question": "x", "options": ["a", "b" * 31]}}, "options"),
        ({"author": "urn:li:organization:1", "visibility": "CONNECTIONS"}, "a Page has no connections"),
        ({"author": "me"}, "author"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_post_that_cannot_be_is_refused_before_it_is_accepted(given: dict[str, Any], rule: str) -> None:
    with pytest.raises(ValidationError, match=rule):
        PublishPost.model_validate({"text": "Hi", **given})


def test_posts_are_listed_read_changed_and_deleted(performer: Performer, sandbox: Sandbox) -> None:
    urns = [publish(performer, sandbox).provider_id() for _ in range(3)]
    listed = performer.do("linkedin.listPosts", limit=3)
    assert isinstance(listed, PostList)
    assert {one.post_urn for one in listed.posts} == set(urns)

    performer.do("linkedin.updatePost", post_urn=urns[0], text="New (text)")
    read: Any = performer.do("linkedin.getPost", post_urn=urns[0])
    assert (read.text, read.state, read.visibility) == ("New \\(text\\)", "PUBLISHED", "PUBLIC")

    for _ in range(2):
        performer.do("linkedin.deletePost", post_urn=urns[0])
    with pytest.raises(NotFound):
        performer.do("linkedin.getPost", post_urn=urns[0])


def test_a_members_posts_cannot_be_read(performer: Performer, sandbox: Sandbox) -> None:
    urn = publish(performer, sandbox, author=PERSON).provider_id()

    with pytest.raises(Permission):
        performer.do("linkedin.getPost", post_urn=urn)
    with pytest.raises(Permission):
        performer.do("linkedin.listPosts", author=PERSON)


def test_posts_of_pages_and_members_are_measured(performer: Performer, sandbox: Sandbox) -> None:
    share = publish(performer, sandbox).provider_id()
    video = publish(performer, sandbox, video={"url": VIDEO}).provider_id()
    unknown = "urn:li:share:7000000000000000001"

    of_page = performer.do("linkedin.getPostStatistics", post_urns=[video, unknown, share])

    assert isinstance(of_page, Statistics)
    assert [one.post_urn for one in of_page.posts] == [video, unknown, share]
    assert of_page.posts[1].impressions is None
    assert of_page.posts[2].impressions is not None
    assert of_page.posts[2].engagement == 0.0625
    mine = publish(performer, sandbox, author=PERSON).provider_id()
    of_member = performer.do("linkedin.getPostStatistics", author=PERSON, post_urns=[mine])
    assert isinstance(of_member, Statistics)
    (row,) = of_member.posts
    assert None not in (row.impressions, row.unique_impressions, row.likes, row.comments, row.shares)
    assert (row.clicks, row.engagement) == (None, None)


def test_too_many_posts_of_a_member_are_refused_with_no_call(performer: Performer, sandbox: Sandbox) -> None:
    sandbox.fault("latency", "linkedin", "getMemberPostStatistics", seconds=0)

    with pytest.raises(InvalidRequest, match="at most 4 posts of a member, not 5"):
        performer.do("linkedin.getPostStatistics", author=PERSON, post_urns=[f"urn:li:share:{n}" for n in range(1, 6)])

    (fault,) = sandbox.ask("GET", "faults")["faults"]
    assert fault["seen"] == 0


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("publishPost", {"text": "Hi"}),
        ("listPosts", {}),
        ("searchCampaigns", {}),
        ("createCampaignGroup", {"name": "Q4"}),
    ],
)
def test_without_an_author_or_ad_account_nothing_is_asked(
    performer: Performer, name: str, given: dict[str, Any]
) -> None:
    performer.account["linkedin"]["settings"] = {}

    with pytest.raises(InvalidRequest, match="Give"):
        performer.do(f"linkedin.{name}", **given)


def test_the_credential_check_names_the_member(performer: Performer) -> None:
    assert connector("linkedin").test(performer.call("linkedin")) == "LinkedIn member Ana Poe"


def test_a_wrong_token_is_not_in_the_error(performer: Performer) -> None:
    performer.account["linkedin"]["credential"]["access_token"] = "AQV-wrong"

    with pytest.raises(AuthExpired) as caught:
        connector("linkedin").test(performer.call("linkedin"))
    assert "AQV-wrong" not in f"{caught.value!r}"


def test_a_missing_scope_is_a_matter_of_permission(performer: Performer) -> None:
    account = performer.account["linkedin"]
    account["credential"] = account["limited_credential"]

    with pytest.raises(Permission, match="scope"):
        performer.do("linkedin.searchCampaigns")


def test_a_token_is_renewed_and_the_new_one_works(performer: Performer) -> None:
    call = performer.call("linkedin")
    linkedin = connector("linkedin")
    assert linkedin.oauth is not None
    held: Any = call.credential

    fresh = linkedin.oauth.refresh(call.http, held)

    assert fresh.access_token != held.access_token
    assert fresh.expires_at is not None
    assert timedelta(days=59) < fresh.expires_at - datetime.now(UTC) <= timedelta(days=60)
    call.credential = fresh
    assert linkedin.test(call) == "LinkedIn member Ana Poe"
