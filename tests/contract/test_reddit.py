"""What does each action on Reddit's posts do at Reddit? Asked of the sandbox."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.kit.action import Input, Output
from connectors.kit.call import Call
from connectors.kit.connector import AnyAction
from connectors.kit.errors import (
    AuthExpired,
    ConnectorError,
    InvalidRequest,
    NotFound,
    OutcomeUnknown,
    Permission,
    PolicyRejected,
    Postpone,
)
from connectors.reddit.media_posts import MediaPost, SubmitMediaPost
from connectors.reddit.own_posts import PostList
from connectors.reddit.posts import SubmitPost, Submitted
from connectors.registry import action, connector
from tests.contract.case import text
from tests.contract.conftest import Performer, Sandbox
from tests.contract.memory_ledger import MemoryLedger

IMAGE, VIDEO = "https://media.example/photo-640x480.png", "https://media.example/clip-640x360-5s-3MB.mp4"


def title() -> str:
    return f"Spring {uuid.uuid4().hex}"


def attempt(performer: Performer, ledger: MemoryLedger, **given: Any) -> tuple[AnyAction, Call, Input]:
    """One attempt at a media post."""
    wanted = action("reddit.submitMediaPost")
    data = wanted.input.model_validate({"subreddit": "gardening", "title": title(), **given})
    return wanted, performer.call("reddit", ledger), data


def submit(performer: Performer, sandbox: Sandbox, ledger: MemoryLedger | None = None, **given: Any) -> Output:
    """Submit as a worker does, one attempt after another, while the sandbox's clock moves."""
    wanted, call, data = attempt(performer, ledger or MemoryLedger(), **given)
    while True:
        try:
            return performer.perform(wanted, call, data)
        except Postpone:
            sandbox.ask("POST", "clock", json={"advance_s": 3})


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ({"text": "Some *text* & more"}, "self"),
        ({}, "self"),
        ({"url": "https://example.com/guide?a=1&b=2", "resubmit": True}, "link"),
        ({"subreddit": "u_spring_launch", "text": "On my profile"}, "self"),
        ({"text": "Marked", "nsfw": True, "spoiler": True, "send_replies": False}, "self"),
    ],
)
def test_each_kind_of_post_is_submitted_once(
    performer: Performer, sandbox: Sandbox, given: dict[str, Any], kind: str
) -> None:
    mark, said = sandbox.mark(), title()

    made = performer.do("reddit.submitPost", **{"subreddit": "Gardening", "title": said, **given})

    (effect,) = sandbox.effects(mark)
    assert isinstance(made, Submitted)
    assert (effect["provider_id"], effect["text"]) == (made.post_id, said)
    read: Any = performer.do("reddit.getPost", post_id=made.post_id)
    assert (read.title, read.permalink) == (said, made.url)


def test_a_crosspost_names_what_it_shows(performer: Performer) -> None:
    first = performer.do("reddit.submitPost", subreddit="gardening", title=title(), text="Hi").provider_id()

    made = performer.do("reddit.submitPost", subreddit="springlaunch", title=title(), crosspost_of=first)

    assert made.provider_id() != first
    with pytest.raises(InvalidRequest, match="INVALID_OPTION for crosspost_fullname"):
        performer.do("reddit.submitPost", subreddit="springlaunch", title=title(), crosspost_of="t3_1none")


@pytest.mark.parametrize(
    ("given", "kind", "said"),
    [
        ({"subreddit": "nowhere"}, NotFound, "SUBREDDIT_NOEXIST"),
        ({"subreddit": "closed"}, Permission, "SUBREDDIT_NOTALLOWED"),
        ({"subreddit": "strict"}, PolicyRejected, "BANNED_FROM_SUBREDDIT"),
        ({"subreddit": "newslinks"}, Permission, "NO_SELFS"),
        ({"subreddit": "essays", "url": "https://example.com/"}, Permission, "NO_LINKS"),
        ({"subreddit": "newslinks", "url": "https://spam.example/"}, PolicyRejected, "DOMAIN_BANNED"),
        ({"subreddit": "flaired"}, InvalidRequest, "SUBMIT_VALIDATION_FLAIR_REQUIRED for flair"),
        ({"subreddit": "newslinks", "url": "https://a.example/", "title": "x" * 101}, InvalidRequest, "MAX_LENGTH"),
    ],
)
def test_what_a_subreddit_does_not_take_is_refused_and_nothing_is_posted(
    performer: Performer, sandbox: Sandbox, given: dict[str, Any], kind: type[ConnectorError], said: str
) -> None:
    mark = sandbox.mark()

    with pytest.raises(kind, match=said):
        performer.do("reddit.submitPost", **{"title": title(), **given})

    assert sandbox.effects(mark) == []


def test_a_subreddits_wishes_can_be_asked_for_first(performer: Performer) -> None:
    wishes: Any = performer.do("reddit.getPostRequirements", subreddit="newslinks")
    assert (wishes.text, wishes.title_max_length, wishes.banned_domains) == ("notAllowed", 100, ("spam.example",))
    flaired: Any = performer.do("reddit.getPostRequirements", subreddit="flaired")
    flairs: Any = performer.do("reddit.listLinkFlairs", subreddit="flaired")
    assert flaired.is_flair_required
    (flair,) = flairs.flairs
    given = {"subreddit": "flaired", "title": title(), "text": "Hi"}
    assert performer.do("reddit.submitPost", **given, flair_id=flair.flair_id, flair_text="New").provider_id()


@pytest.mark.parametrize("given", [{"image_url": IMAGE}, {"video_url": VIDEO, "poster_url": IMAGE}])
def test_a_file_is_brought_submitted_and_waited_for(
    performer: Performer, sandbox: Sandbox, given: dict[str, Any]
) -> None:
    mark, said = sandbox.mark(), title()

    made = submit(performer, sandbox, title=said, **given)

    (effect,) = sandbox.effects(mark)
    assert isinstance(made, MediaPost)
    assert (effect["action"], effect["provider_id"], effect["text"]) == ("submitMediaPost", made.post_id, said)
    assert str(made.url).startswith("https://www.reddit.com/r/gardening/comments/")


def test_a_post_that_is_not_shown_yet_holds_no_worker(performer: Performer) -> None:
    with pytest.raises(Postpone, match="waiting for shown") as caught:
        performer.do("reddit.submitMediaPost", subreddit="gardening", title=title(), image_url=IMAGE)

    assert caught.value.delay_s == 10


def test_a_file_is_brought_once_and_submitted_once_whatever_is_lost(performer: Performer, sandbox: Sandbox) -> None:
    ledger, said, mark = MemoryLedger(), title(), sandbox.mark()
    sandbox.fault("latency", "reddit", "putMediaBytes", seconds=0, probability=0)
    sandbox.fault("error_500_after", "reddit", "submitPost")
    with pytest.raises(OutcomeUnknown):
        submit(performer, sandbox, ledger, title=said, image_url=IMAGE)
    wanted = action("reddit.submitMediaPost")
    data = wanted.input.model_validate({"subreddit": "gardening", "title": said, "image_url": IMAGE})
    ledger.settle = lambda: None
    with pytest.raises(OutcomeUnknown, match="look into the subreddit"):
        performer.look_up(wanted, performer.call("reddit", ledger), data)
    sandbox.ask("POST", "clock", json={"advance_s": 3})

    found = submit(performer, sandbox, ledger, title=said, image_url=IMAGE)

    (effect,) = sandbox.effects(mark)
    assert found.provider_id() == effect["provider_id"]
    (counted,) = [one for one in sandbox.ask("GET", "faults")["faults"] if one["kind"] == "latency"]
    assert counted["seen"] == 1


def test_a_post_of_the_same_title_that_was_there_before_is_not_taken_for_ours(
    performer: Performer, sandbox: Sandbox
) -> None:
    said = title()
    first = submit(performer, sandbox, title=said, image_url=IMAGE).provider_id()

    second = submit(performer, sandbox, title=said, image_url=IMAGE).provider_id()

    assert second not in (None, first)


def test_two_posts_of_one_title_at_once_are_left_to_people_until_one_is_known(
    performer: Performer, sandbox: Sandbox
) -> None:
    said, ledgers, mark = title(), (MemoryLedger(), MemoryLedger()), sandbox.mark()
    for ledger in ledgers:
        with pytest.raises(Postpone):
            performer.perform(*attempt(performer, ledger, title=said, image_url=IMAGE))
    first, second = (effect["provider_id"] for effect in sandbox.effects(mark))
    sandbox.ask("POST", "clock", json={"advance_s": 3})
    with pytest.raises(OutcomeUnknown, match="2 posts of the account could be this one"):
        submit(performer, sandbox, ledgers[0], title=said, image_url=IMAGE)
    ledgers[0].owned_by_others = {second}

    assert submit(performer, sandbox, ledgers[0], title=said, image_url=IMAGE).provider_id() == first


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"image_url": "https://media.example/brochure.pdf"}, "image_url: the file is application/pdf"),
        ({"image_url": "https://media.example/photo-640x480-21MB.png"}, "image_url: size is"),
        ({"video_url": IMAGE, "poster_url": IMAGE}, "video_url: the file is image/png"),
        ({"video_url": VIDEO, "poster_url": "https://media.example/missing/a.jpg"}, "poster_url"),
    ],
)
def test_files_that_break_a_rule_are_refused_and_nothing_is_posted(
    performer: Performer, sandbox: Sandbox, given: dict[str, Any], said: str
) -> None:
    mark = sandbox.mark()

    with pytest.raises(InvalidRequest, match=said):
        submit(performer, sandbox, **given)

    assert sandbox.effects(mark) == []


def test_a_link_that_is_there_already_is_refused_unless_asked_for(performer: Performer, sandbox: Sandbox) -> None:
    given = {"subreddit": "gardening", "url": f"https://example.com/{uuid.uuid4().hex}"}
    performer.do("reddit.submitPost", title=title(), **given)
    mark = sandbox.mark()

    with pytest.raises(InvalidRequest, match=r"ALREADY_SUB .*resubmit posts it again"):
        performer.do("reddit.submitPost", title=title(), **given)

    assert sandbox.effects(mark) == []
    assert performer.do("reddit.submitPost", title=title(), **given, resubmit=True).provider_id()


def test_a_repeated_link_is_found_by_its_address_while_the_list_is_late(performer: Performer, sandbox: Sandbox) -> None:
    wanted, ledger = action("reddit.submitPost"), MemoryLedger()
    given = {"subreddit": "gardening", "title": title(), "url": f"https://example.com/{uuid.uuid4().hex}"}
    data = wanted.input.model_validate(given)
    call = performer.call("reddit", ledger)
    sandbox.fault("reset_after", "reddit", "submitPost")
    sandbox.fault("delayed_visibility", "reddit", "submitPost", seconds=30)
    with pytest.raises(OutcomeUnknown):
        performer.perform(wanted, call, data)
    made = sandbox.effects()[-1]["provider_id"]
    assert performer.look_up(wanted, call, data) is None
    with pytest.raises(OutcomeUnknown, match="ALREADY_SUB"):
        performer.perform(wanted, call, data)
    sandbox.ask("POST", "clock", json={"advance_s": 31})

    again = performer.perform(wanted, call, data)

    assert again.provider_id() == made


def test_alike_texts_are_told_apart(performer: Performer, sandbox: Sandbox) -> None:
    said, ledgers = title(), [MemoryLedger(), MemoryLedger()]
    wanted = action("reddit.submitPost")
    both = [
        wanted.input.model_validate({"subreddit": "gardening", "title": said, "text": one})
        for one in ("First, *bold*", "Second\n\nwith lines")
    ]
    made = [
        performer.perform(wanted, performer.call("reddit", ledger), data).provider_id()
        for ledger, data in zip(ledgers, both, strict=True)
    ]

    found = [
        performer.look_up(wanted, performer.call("reddit", ledger), data)
        for ledger, data in zip(ledgers, both, strict=True)
    ]

    assert [one.provider_id() for one in found if one is not None] == made


@pytest.mark.parametrize(
    ("given", "rule"),
    [
        ({"title": ""}, "title"),
        ({"title": "   "}, "title"),
        ({"title": "x" * 301}, "title"),
        ({"subreddit": "r/gardening"}, "subreddit"),
        ({"text": "x" * 40_001}, "text"),
        ({"text": "x", "url": "https://example.com/"}, "one of text, link and crosspost, not text and url"),
        ({"url": "http://example.com/"}, "url"),
        ({"resubmit": True}, "resubmit belongs to a url"),
        ({"crosspost_of": "1abcde"}, "crosspost_of"),
        ({"flair_text": "x" * 65}, "flair_text"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_post_that_cannot_be_is_refused_before_it_is_accepted(given: dict[str, Any], rule: str) -> None:
    with pytest.raises(ValidationError, match=rule):
        SubmitPost.model_validate({"subreddit": "gardening", "title": "Hi", **given})


@pytest.mark.parametrize(
    ("given", "rule"),
    [
        ({}, "one of image_url and video_url is needed"),
        ({"image_url": IMAGE, "video_url": VIDEO}, "one of image_url and video_url is needed"),
        ({"video_url": VIDEO}, "poster_url belongs to a video_url"),
        ({"image_url": IMAGE, "poster_url": IMAGE}, "poster_url belongs to a video_url"),
        ({"image_url": IMAGE, "silent": True}, "silent belongs to a video_url"),
    ],
)
def test_a_media_post_that_cannot_be_is_refused_before_it_is_accepted(given: dict[str, Any], rule: str) -> None:
    with pytest.raises(ValidationError, match=rule):
        SubmitMediaPost.model_validate({"subreddit": "gardening", "title": "Hi", **given})


def test_posts_are_read_listed_changed_and_deleted(performer: Performer) -> None:
    urls = [f"https://example.com/{uuid.uuid4().hex}?a=1&b=2" for _ in range(2)]
    links = [
        performer.do("reddit.submitPost", subreddit="gardening", title="A & B", url=one).provider_id() for one in urls
    ]
    made = performer.do("reddit.submitPost", subreddit="gardening", title="A  & B", text="Old").provider_id()

    listed = performer.do("reddit.listMyPosts", limit=3)
    assert isinstance(listed, PostList)
    assert [(one.post_id, one.title) for one in listed.posts] == [(one, "A & B") for one in (made, *reversed(links))]
    assert listed.posts[1].url == urls[1]
    read: Any = performer.do("reddit.getPost", post_id=made)
    assert (read.subreddit, read.score, read.removed_by) == ("gardening", 1, None)
    assert datetime.now(UTC) - read.created_at < timedelta(days=365)

    performer.do("reddit.editPost", post_id=made, text="New")
    with pytest.raises(Permission):
        performer.do("reddit.editPost", post_id=links[0], text="New")
    for _ in range(2):
        performer.do("reddit.deletePost", post_id=made)
    with pytest.raises(NotFound):
        performer.do("reddit.getPost", post_id=made)


def test_more_posts_than_a_page_holds_are_listed(performer: Performer) -> None:
    for _ in range(101):
        performer.do("reddit.submitPost", subreddit="gardening", title=title(), text="Hi")

    listed: Any = performer.do("reddit.listMyPosts", limit=101)

    assert len({one.post_id for one in listed.posts}) == 101


def test_the_credential_check_names_the_account_and_works_for_ads_alone(performer: Performer) -> None:
    assert connector("reddit").test(performer.call("reddit")) == "Reddit account spring_launch"
    account = performer.account["reddit"]
    account["credential"] = account["ads_only_credential"]
    assert connector("reddit").test(performer.call("reddit")) == "Reddit account t2_5pr1ng"
    with pytest.raises(Permission, match="the token lacks the action's scope"):
        performer.do("reddit.submitPost", subreddit="gardening", title="Hi", text=text())
    with pytest.raises(Permission):
        performer.do("reddit.createCampaign", name="Spring", objective="CLICKS")


def test_a_wrong_token_is_not_in_the_error(performer: Performer) -> None:
    performer.account["reddit"]["credential"]["access_token"] = "wrong-token"

    with pytest.raises(AuthExpired) as caught:
        connector("reddit").test(performer.call("reddit"))
    assert "wrong-token" not in f"{caught.value!r}"


def test_a_token_is_renewed_and_the_new_one_works(performer: Performer) -> None:
    call, reddit = performer.call("reddit"), connector("reddit")
    assert reddit.oauth is not None
    held: Any = call.credential

    fresh = reddit.oauth.refresh(call.http, held)

    assert fresh.access_token != held.access_token
    assert fresh.refresh_token == held.refresh_token
    assert fresh.expires_at is not None
    assert timedelta(hours=23) < fresh.expires_at - datetime.now(UTC) <= timedelta(hours=24)
    call.credential = fresh
    assert reddit.test(call) == "Reddit account spring_launch"


def test_reddit_asks_people_for_a_permanent_consent() -> None:
    oauth = connector("reddit").oauth
    assert oauth is not None
    url = oauth.authorize("app", redirect_uri="https://a.example/back", state="s", verifier="v")
    assert url.startswith("https://www.reddit.com/api/v1/authorize?client_id=app&")
    assert "duration=permanent" in url
    assert "scope=identity+submit+read" in url
    assert "code_challenge" not in url
