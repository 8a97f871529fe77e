"""What does each action do at X? Asked of the sandbox."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.kit.errors import (
    AlreadyDone,
    AuthExpired,
    InvalidRequest,
    NotFound,
    OutcomeUnknown,
    Permission,
    PolicyRejected,
    RecipientOptedOut,
)
from connectors.registry import action, connector
from connectors.x.direct import SendDirectMessage
from connectors.x.metrics import Analytics
from connectors.x.posts import PostTweet
from connectors.x.reading import FoundTweets, TweetList
from tests.contract.case import text
from tests.contract.conftest import Performer, Sandbox
from tests.contract.memory_ledger import MemoryLedger, in_doubt

POST, DIRECT = action("x.postTweet"), action("x.sendDirectMessage")


def post(performer: Performer, **given: Any) -> str:
    return str(performer.do("x.postTweet", **{"text": text(), **given}).provider_id())


def test_a_post_is_counted_read_and_listed_as_it_was_written(performer: Performer, sandbox: Sandbox) -> None:
    words, mark = f"{text()} https://shop.example.com/?utm_content=1", sandbox.mark()

    tweet_id = post(performer, text=words)

    (effect,) = sandbox.effects(mark)
    assert (effect["action"], effect["provider_id"], effect["text"]) == ("postTweet", tweet_id, words)
    listed = performer.do("x.listUserTweets", limit=1)
    assert isinstance(listed, TweetList)
    (shown,) = listed.tweets
    assert shown.id == tweet_id
    assert "https://shop.example.com/?utm_content=1" in shown.text
    assert (shown.replies_to, shown.quotes, shown.media) == (None, None, 0)


def test_an_answer_a_quote_and_a_poll_are_found_where_they_belong(performer: Performer) -> None:
    first = post(performer)
    for given in (
        {"text": text(), "in_reply_to_tweet_id": first},
        {"text": text(), "quote_tweet_id": first},
        {"text": text(), "poll": {"options": ["Red", "Blue"], "duration_minutes": 60}},
        {"text": text(), "edits": first},
    ):
        call, data = performer.call("x"), PostTweet.model_validate(given)
        made = performer.perform(POST, call, data)

        found = performer.look_up(POST, call, data)
        assert found is not None
        assert found.provider_id() == made.provider_id()


def test_the_same_words_in_another_conversation_are_another_post(performer: Performer) -> None:
    words, first = text(), post(performer)
    post(performer, text=words, in_reply_to_tweet_id=first)

    assert performer.look_up(POST, performer.call("x", in_doubt()), PostTweet(text=words)) is None


def test_the_same_words_of_another_run_are_not_taken_for_ours(performer: Performer) -> None:
    words, ledger = text(), in_doubt()
    ledger.owned_by_others = {post(performer, text=words)}

    assert performer.look_up(POST, performer.call("x", ledger), PostTweet(text=words)) is None


def test_two_posts_that_could_be_it_are_not_guessed_about(performer: Performer) -> None:
    first, second = text(), text()
    # X refuses equal words, but takes words that differ in signs alone.
    post(performer, text=f"{first}, {second}")
    post(performer, text=f"{first}; {second}")

    with pytest.raises(OutcomeUnknown, match="ambiguous: 2"):
        performer.look_up(POST, performer.call("x", in_doubt()), PostTweet(text=f"{first}. {second}"))


def test_a_refusal_of_the_same_text_is_a_refusal_the_first_time(performer: Performer) -> None:
    words = text()
    post(performer, text=words)

    with pytest.raises(PolicyRejected, match="has posted this text already") as caught:
        post(performer, text=words)
    assert caught.value.code == "duplicate"


def test_a_refusal_of_the_same_text_answers_what_became_of_an_earlier_attempt(performer: Performer) -> None:
    call, data = performer.call("x"), PostTweet(text=text())
    made = performer.perform(POST, call, data)

    with pytest.raises(AlreadyDone) as caught:
        performer.perform(POST, call, data)
    assert caught.value.provider_id == made.provider_id()


def test_a_refusal_of_what_the_timeline_does_not_show_leaves_it_open(performer: Performer) -> None:
    words, ledger = text(), in_doubt()
    ledger.owned_by_others = {post(performer, text=words)}

    with pytest.raises(OutcomeUnknown, match="does not show it"):
        performer.perform(POST, performer.call("x", ledger), PostTweet(text=words))


def test_read_back_reads_on_past_one_page(performer: Performer) -> None:
    call, data = performer.call("x"), PostTweet(text=text())
    first = performer.perform(POST, call, data)
    for _ in range(102):
        post(performer)

    found = performer.look_up(POST, call, data)

    assert found is not None
    assert found.provider_id() == first.provider_id()


def test_a_post_for_promoting_only_cannot_be_looked_up(performer: Performer) -> None:
    with pytest.raises(OutcomeUnknown, match="look into X Ads"):
        performer.look_up(POST, performer.call("x", in_doubt()), PostTweet(text="Hi", nullcast=True))


@pytest.mark.parametrize("words", ["a" * 281, "日" * 141, f"{'a' * 257} https://a.example"])
def test_a_text_that_is_too_long_is_refused_before_any_call(performer: Performer, sandbox: Sandbox, words: str) -> None:
    mark = sandbox.mark()

    with pytest.raises(InvalidRequest, match=r"^text: is 28\d long as X counts"):
        post(performer, text=words)
    assert sandbox.effects(mark) == []


@pytest.mark.parametrize("words", [f"https://a.example/{'a' * 300}", "日" * 130, "👨‍👩‍👧‍👦" * 130])
def test_a_text_that_is_as_long_as_x_allows_is_posted(performer: Performer, words: str) -> None:
    assert post(performer, text=f"{words} {text()[-9:]}")


def test_premium_lifts_the_limit_here_and_x_has_the_last_word(performer: Performer) -> None:
    performer.account["x"]["settings"]["premium"] = True

    with pytest.raises(InvalidRequest) as caught:
        post(performer, text="a" * 281)
    assert caught.value.code == "invalid-request"


def test_a_stranger_may_be_answered_only_after_mentioning_the_account(performer: Performer) -> None:
    name = f"eva{text()[-8:]}"
    performer.hear("x", name)
    listed = performer.do("x.listMentions")
    assert isinstance(listed, TweetList)
    mention = listed.tweets[0]

    assert post(performer, in_reply_to_tweet_id=mention.id)
    with pytest.raises(PolicyRejected):
        post(performer, in_reply_to_tweet_id="1999999999999999999")


def test_a_post_is_deleted_once(performer: Performer) -> None:
    tweet_id = post(performer)
    performer.do("x.deleteTweet", tweet_id=tweet_id)

    with pytest.raises(NotFound):
        performer.do("x.deleteTweet", tweet_id=tweet_id)
    found = performer.do("x.getTweets", tweet_ids=[tweet_id])
    assert isinstance(found, FoundTweets)
    assert (found.tweets, found.missing) == ((), (tweet_id,))
    with pytest.raises(NotFound, match="resource-not-found"):
        performer.do("x.getTweetMetrics", tweet_id=tweet_id)


def test_posts_are_found_by_their_words_in_pages(performer: Performer) -> None:
    word = f"w{text()[-12:]}"
    ids = [post(performer, text=f"{word} {n}") for n in range(12)]

    found = performer.do("x.searchTweets", query=f"from:neonhub {word}", limit=11)

    assert isinstance(found, TweetList)
    assert [one.id for one in found.tweets] == ids[:0:-1]
    since = datetime.now(UTC) - timedelta(days=8)
    with pytest.raises(InvalidRequest):
        performer.do("x.searchTweets", query=word, since=since.isoformat())


def test_a_post_is_counted_now_and_over_time(performer: Performer) -> None:
    tweet_id, now = post(performer), datetime.now(UTC)

    counted = performer.do("x.getTweetMetrics", tweet_id=tweet_id, private=True).model_dump()
    assert (counted["impressions"], counted["reposts"], counted["url_clicks"]) == (7, 0, 3)
    span = {"since": (now - timedelta(days=1)).isoformat(), "until": now.isoformat()}
    total = performer.do("x.getTweetAnalytics", tweet_ids=[tweet_id], **span)
    daily = performer.do("x.getTweetAnalytics", tweet_ids=[tweet_id], **span, granularity="daily")
    assert isinstance(total, Analytics)
    assert isinstance(daily, Analytics)
    assert (total.rows[0].at, total.rows[0].counts["likes"]) == (None, 5)
    assert daily.rows[0].at is not None
    assert daily.rows[0].counts == total.rows[0].counts


def test_a_person_who_takes_no_messages_is_remembered(performer: Performer, sandbox: Sandbox, recipient: str) -> None:
    person, ledger = recipient.removeprefix("+"), MemoryLedger()
    sandbox.ask("POST", "opt-outs", json={"connector": "x", "address": person})

    with pytest.raises(RecipientOptedOut):
        performer.perform(DIRECT, performer.call("x", ledger), SendDirectMessage(user_id=person, text="Hi"))

    assert ledger.opt_outs["x", person].source == "x 349"


def test_a_missing_scope_and_a_missing_app_token_are_told(performer: Performer, sandbox: Sandbox) -> None:
    account, mark = performer.account["x"], sandbox.mark()
    assert performer.do("x.getUsage").model_dump() == {"used": 1234, "cap": 3_000_000, "resets_on_day": 7}
    account["credential"] |= {"access_token": account["limited_access_token"], "app_token": None}

    with pytest.raises(Permission, match="consent lacks a scope"):
        post(performer)
    with pytest.raises(Permission, match="no app_token"):
        performer.do("x.getUsage")
    assert sandbox.effects(mark) == []


def test_a_wrong_token_is_not_in_the_error(performer: Performer) -> None:
    performer.account["x"]["credential"]["access_token"] = "wrong-token"

    with pytest.raises(AuthExpired) as caught:
        post(performer)
    assert "wrong-token" not in f"{caught.value!r}"


def test_without_the_accounts_id_it_is_asked_for(performer: Performer) -> None:
    performer.account["x"]["settings"] = {}
    words = text()
    made = post(performer, text=words)

    found = performer.look_up(POST, performer.call("x", in_doubt()), PostTweet(text=words))

    assert found is not None
    assert found.provider_id() == made


def test_the_credential_check_names_the_account(performer: Performer) -> None:
    assert connector("x").test(performer.call("x")) == "X account @neonhub (1500000000000000001)"
    assert performer.do("x.getMe").model_dump()["followers"] == 12
