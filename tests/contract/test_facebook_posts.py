"""What does each action on a Page do at Facebook? Asked of the sandbox."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.facebook.insights import PageInsights
from connectors.facebook.kept_posts import PostList
from connectors.facebook.posts import CreatePost, Post, SchedulePost
from connectors.kit.action import Output
from connectors.kit.errors import (
    InvalidRequest,
    NotFound,
    OutcomeUnknown,
    Permission,
    PolicyRejected,
)
from connectors.registry import action
from tests.contract.conftest import Performer, Sandbox
from tests.contract.memory_ledger import MemoryLedger


def text() -> str:
    """A text that nobody else has sent."""
    return f"Spring & more {uuid.uuid4().hex}"


def soon(minutes: float) -> str:
    """Far enough ahead for a sandbox whose clock other tests have moved."""
    return (datetime.now(UTC) + timedelta(minutes=minutes)).isoformat()


def perform(performer: Performer, name: str, ledger: MemoryLedger, /, **given: Any) -> Output:
    wanted = action(f"facebook.{name}")
    return performer.perform(wanted, performer.call("facebook", ledger), wanted.input.model_validate(given))


def test_a_post_is_published_with_a_link_or_with_photos(performer: Performer, sandbox: Sandbox) -> None:
    mark, first, second = sandbox.mark(), text(), text()

    linked = performer.do("facebook.createPost", message=first, link="https://example.com/spring")
    pictured = performer.do("facebook.createPost", message=second, photo_urls=["https://cdn.example.com/a.jpg"] * 2)

    assert [(one["provider_id"], one["text"]) for one in sandbox.effects(mark)] == [
        (linked.provider_id(), first),
        (pictured.provider_id(), second),
    ]
    listed = performer.do("facebook.listPosts", limit=2)
    assert isinstance(listed, PostList)
    assert [(one.post_id, one.message) for one in listed.posts] == [
        (pictured.provider_id(), second),
        (linked.provider_id(), first),
    ]


def test_a_post_is_kept_moved_published_and_deleted(performer: Performer) -> None:
    message = text()
    post_id = performer.do("facebook.schedulePost", message=message, publish_at=soon(60 * 9)).provider_id()

    def kept() -> dict[str, int | None]:
        listed = performer.do("facebook.listScheduledPosts")
        assert isinstance(listed, PostList)
        return {one.post_id: one.publish_at for one in listed.posts}

    before = kept()[str(post_id)]
    performer.do("facebook.reschedulePost", post_id=post_id, publish_at=soon(60 * 10))
    after = kept()[str(post_id)]
    assert before is not None
    assert after is not None
    assert 3500 < after - before < 3700
    performer.do("facebook.updatePost", post_id=post_id, message=f"{message} now")
    performer.do("facebook.publishScheduledPost", post_id=post_id)
    assert str(post_id) not in kept()
    listed = performer.do("facebook.listPosts", limit=1)
    assert isinstance(listed, PostList)
    assert (listed.posts[0].post_id, listed.posts[0].message) == (post_id, f"{message} now")
    performer.do("facebook.deletePost", post_id=post_id)
    with pytest.raises(NotFound):
        performer.do("facebook.deletePost", post_id=post_id)


def test_the_same_text_twice_in_a_row_is_no_second_post(performer: Performer, sandbox: Sandbox) -> None:
    message = text()
    first = performer.do("facebook.createPost", message=message)
    mark, other = sandbox.mark(), MemoryLedger()
    other.owned_by_others = {str(first.provider_id())}

    with pytest.raises(PolicyRejected, match="the Page's last post says the same"):
        perform(performer, "createPost", other, message=message)

    assert sandbox.effects(mark) == []


def test_a_blind_repeat_that_facebook_refuses_finds_its_first_post(performer: Performer) -> None:
    ledger, message = MemoryLedger(), text()
    first = perform(performer, "createPost", ledger, message=message)
    ledger.results.clear()
    ledger.sent()

    assert perform(performer, "createPost", ledger, message=message) == first


def test_of_two_posts_alike_the_read_back_takes_the_one_that_is_no_other_runs(
    performer: Performer, sandbox: Sandbox
) -> None:
    message = text()
    others = performer.do("facebook.createPost", message=message)
    performer.do("facebook.createPost", message=text())
    ledger = MemoryLedger()
    ledger.owned_by_others = {str(others.provider_id())}
    sandbox.fault("reset_after", "facebook", "createPost")
    with pytest.raises(OutcomeUnknown):
        perform(performer, "createPost", ledger, message=message)

    wanted = action("facebook.createPost")
    found = performer.look_up(wanted, performer.call("facebook", ledger), CreatePost(message=message))

    assert isinstance(found, Post)
    assert found != others
    ledger.owned_by_others = set()
    with pytest.raises(OutcomeUnknown, match="ambiguous: 2 posts"):
        performer.look_up(wanted, performer.call("facebook", ledger), CreatePost(message=message))


def test_a_kept_post_that_was_published_meanwhile_is_found_in_the_feed(performer: Performer, sandbox: Sandbox) -> None:
    ledger, message = MemoryLedger(), text()
    publish_at = datetime.now(UTC) + timedelta(hours=9)
    made = perform(performer, "schedulePost", ledger, message=message, publish_at=publish_at.isoformat())
    performer.do("facebook.publishScheduledPost", post_id=made.provider_id())

    due = SchedulePost(message=message, publish_at=datetime.now(UTC))
    found = performer.look_up(action("facebook.schedulePost"), performer.call("facebook", ledger), due)

    assert found == made


def test_the_page_and_its_posts_are_measured(performer: Performer) -> None:
    post_id = performer.do("facebook.createPost", message=text()).provider_id()
    of_page = performer.do("facebook.getPageInsights", metrics=["page_media_view", "page_post_engagements"])
    of_post = performer.do(
        "facebook.getPageInsights", metrics=["post_reactions_by_type_total", "post_clicks"], post_id=post_id
    )

    assert isinstance(of_page, PageInsights)
    assert isinstance(of_post, PageInsights)
    assert [(one.name, one.period) for one in of_page.metrics] == [
        ("page_media_view", "day"),
        ("page_post_engagements", "day"),
    ]
    assert isinstance(of_post.metrics[0].readings[0].value, dict)
    with pytest.raises(InvalidRequest):
        performer.do("facebook.getPageInsights", metrics=["page_impressions"])


def test_a_pages_own_token_posts_and_may_not_manage_ads(performer: Performer) -> None:
    account = performer.account["facebook"]
    account["credential"]["page_access_token"] = account["page_access_token"]
    assert performer.do("facebook.createPost", message=text()).provider_id()
    account["credential"]["access_token"] = account["page_access_token"]
    with pytest.raises(Permission):
        performer.do("facebook.createCampaign", name="x", objective="OUTCOME_TRAFFIC", special_ad_categories=[])
