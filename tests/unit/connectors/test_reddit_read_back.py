"""Which of Reddit's listed posts and ads is taken for ours? A wrong yes loses a post, a wrong no posts it twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import responses
from responses import matchers

from connectors.kit.action import Input
from connectors.kit.errors import InvalidRequest, OutcomeUnknown, RateLimited, Unavailable
from connectors.reddit.campaigns import CreateCampaign
from connectors.reddit.media_posts import SubmitMediaPost
from connectors.reddit.posts import SubmitPost, submit_post
from connectors.registry import action
from tests.contract.memory_ledger import MemoryLedger
from tests.unit.connectors.calls import call
from tests.unit.connectors.wire_reddit import ACCOUNT, DATA, USER

SENT_AT = datetime.now(UTC)
MINE, INFO, SUBMIT = f"{USER}/submitted", f"{DATA}/api/info", f"{DATA}/api/submit"
URL = "https://example.com/guide?a=1&b=2"
TEXT = SubmitPost(subreddit="Gardening", title="A  spring\tday", text="One\n\ntwo & three")
LINK = SubmitPost(subreddit="gardening", title="Guide", url=URL)


def look(data: Input, ledger: MemoryLedger, name: str = "submitPost") -> Any:
    repeat: Any = action(f"reddit.{name}").repeat
    found = repeat.find(call("reddit", ledger), data)
    return None if found is None else found.provider_id()


def in_doubt() -> MemoryLedger:
    ledger = MemoryLedger()
    ledger.sent(SENT_AT)
    return ledger


def row(name: str = "t3_1", **more: Any) -> dict[str, Any]:
    made = {
        "name": name,
        "subreddit": "gardening",
        "title": "A spring day",
        "selftext": "One\n\ntwo & three",
        "is_self": True,
        "author": "Spring_Tests",
        "created_utc": SENT_AT.timestamp() + 1,
        "permalink": "/r/gardening/comments/1/a/",
        "url": "https://www.reddit.com/r/gardening/comments/1/a/",
    }
    return {**made, **more}


def link(name: str = "t3_2", **more: Any) -> dict[str, Any]:
    return row(name, **{"title": "Guide", "selftext": "", "is_self": False, "url": URL, **more})


def listing(*rows: dict[str, Any]) -> dict[str, Any]:
    return {"kind": "Listing", "data": {"after": None, "children": [{"kind": "t3", "data": one} for one in rows]}}


def test_nothing_is_looked_for_before_anything_was_sent() -> None:
    assert look(TEXT, MemoryLedger()) is None
    assert look(CreateCampaign(name="Spring", objective="CLICKS"), MemoryLedger(), "createCampaign") is None
    media = SubmitMediaPost(subreddit="gardening", title="Hi", image_url="https://a.example/")
    assert look(media, MemoryLedger(), "submitMediaPost") is None


def test_the_newest_posts_are_asked_for_without_html_entities() -> None:
    query = {"sort": "new", "limit": "100", "raw_json": "1"}
    with responses.RequestsMock() as mock:
        match = [matchers.query_param_matcher(query, strict_match=True)]
        mock.get(MINE, json=listing(row("t3_0", title="Another"), row()), match=match)

        assert look(TEXT, in_doubt()) == "t3_1"


@pytest.mark.parametrize(
    "others",
    [
        [],
        [row(subreddit="springlaunch")],
        [row(title="A spring day!")],
        [row(selftext="Another text")],
        [row(is_self=False, selftext="")],
        [row(created_utc=(SENT_AT - timedelta(minutes=3)).timestamp())],
        [row(created_utc="soon")],
        [row(created_utc=None)],
    ],
    ids=["nothing", "subreddit", "title", "text", "link", "older", "strange time", "no time"],
)
def test_another_post_is_not_ours_and_a_text_is_never_submitted_again(others: list[dict[str, Any]]) -> None:
    with responses.RequestsMock() as mock:
        mock.get(MINE, json=listing(*others))
        with pytest.raises(OutcomeUnknown, match="look into the subreddit"):
            look(TEXT, in_doubt())


def test_two_posts_that_could_be_ours_are_left_to_a_person_unless_one_is_anothers() -> None:
    ledger = in_doubt()
    with responses.RequestsMock() as mock:
        mock.get(MINE, json=listing(row("t3_1"), row("t3_2")))
        with pytest.raises(OutcomeUnknown, match="2 posts"):
            look(TEXT, ledger)
        ledger.owned_by_others = {"t3_1"}
        assert look(TEXT, ledger) == "t3_2"


def test_a_link_is_looked_for_by_its_address_too_and_may_then_be_submitted_again() -> None:
    with responses.RequestsMock() as mock:
        mock.get(MINE, json=listing())
        asked = [matchers.query_param_matcher({"url": URL, "raw_json": "1"}, strict_match=True)]
        mock.get(INFO, json=listing(link(author="somebody"), link(subreddit="essays")), match=asked)
        assert look(LINK, in_doubt()) is None
    with responses.RequestsMock() as mock:
        mock.get(MINE, json=listing())
        mock.get(INFO, json=listing(link()))
        assert look(LINK, in_doubt()) == "t3_2"


def test_a_link_that_may_be_posted_twice_is_not_submitted_again() -> None:
    with responses.RequestsMock() as mock:
        mock.get(MINE, json=listing(link(url="https://example.com/other")))
        with pytest.raises(OutcomeUnknown, match="look into"):
            look(LINK.model_copy(update={"resubmit": True}), in_doubt())


def test_a_crosspost_is_known_by_what_it_shows() -> None:
    data = SubmitPost(subreddit="gardening", title="Guide", crosspost_of="t3_9")
    with responses.RequestsMock() as mock:
        rows = [link("t3_3", crosspost_parent="t3_8"), link("t3_4", crosspost_parent="t3_9")]
        mock.get(MINE, json=listing(*rows))
        assert look(data, in_doubt()) == "t3_4"


def again(ledger: MemoryLedger) -> Any:
    return submit_post(call("reddit", ledger), LINK).provider_id()


ALREADY = {"json": {"errors": [["ALREADY_SUB", "that link has already been submitted", "url"]]}}


def test_a_link_that_is_there_already_is_ours_if_it_was_sent_before_and_is_the_accounts() -> None:
    with responses.RequestsMock() as mock:
        mock.post(SUBMIT, json=ALREADY)
        mock.get(INFO, json=listing(link()))
        assert again(in_doubt()) == "t3_2"
        with pytest.raises(InvalidRequest):
            again(MemoryLedger())


@pytest.mark.parametrize("others", [[], [link(author="somebody")], [link("t3_2"), link("t3_3")]])
def test_a_link_of_somebody_else_settles_nothing(others: list[dict[str, Any]]) -> None:
    with responses.RequestsMock() as mock:
        mock.post(SUBMIT, json=ALREADY)
        mock.get(INFO, json=listing(*others))
        with pytest.raises(OutcomeUnknown, match="look into the subreddit"):
            again(in_doubt())


@pytest.mark.parametrize(
    ("status", "headers", "kind"),
    [
        (403, {}, OutcomeUnknown),
        (404, {}, OutcomeUnknown),
        (429, {"x-ratelimit-reset": "9"}, RateLimited),
        (503, {}, Unavailable),
    ],
)
def test_a_question_that_was_not_answered_settles_nothing(
    status: int, headers: dict[str, str], kind: type[Exception]
) -> None:
    with responses.RequestsMock() as mock:
        mock.get(MINE, status=status, headers=headers, json={})
        with pytest.raises(kind):
            look(TEXT, in_doubt())


def test_a_campaign_is_known_by_the_mark_in_its_name_on_any_page() -> None:
    ledger, data = in_doubt(), CreateCampaign(name="Spring", objective="CLICKS")
    mark = f"Spring [nh-{ledger.key}]"
    with responses.RequestsMock() as mock:
        first = [{"id": "1", "name": "Spring"}, {"id": "2", "name": f"{mark} copy"}, {"id": 3, "name": mark}]
        more = {"next_url": f"{ACCOUNT}/campaigns?page.token=2"}
        size = [matchers.query_param_matcher({"page.size": "1000"}, strict_match=True)]
        mock.get(f"{ACCOUNT}/campaigns", json={"data": first, "pagination": more}, match=size)
        token = [matchers.query_param_matcher({"page.token": "2"}, strict_match=True)]
        second = {"data": [{"id": "4", "name": mark}], "pagination": {"next_url": None}}
        mock.get(f"{ACCOUNT}/campaigns", json=second, match=token)

        assert look(data, ledger, "createCampaign") == "4"


MEDIA = SubmitMediaPost(subreddit="gardening", title="A spring day", image_url="https://a.example/a.png")


def in_doubt_about_media(*known: str) -> MemoryLedger:
    ledger = in_doubt()
    ledger.results["before"] = {"at": SENT_AT.isoformat(), "names": list(known)}
    return ledger


def test_a_media_post_is_none_that_was_there_before_or_that_is_a_text() -> None:
    rows = [row("t3_1", is_self=False), row("t3_2", is_self=False), row("t3_3")]
    with responses.RequestsMock() as mock:
        mock.get(MINE, json=listing(*rows))
        assert look(MEDIA, in_doubt_about_media("t3_1"), "submitMediaPost") == "t3_2"
        with pytest.raises(OutcomeUnknown, match="2 posts"):
            look(MEDIA, in_doubt_about_media(), "submitMediaPost")
        with pytest.raises(OutcomeUnknown, match="does not show it"):
            look(MEDIA, in_doubt_about_media("t3_1", "t3_2"), "submitMediaPost")
