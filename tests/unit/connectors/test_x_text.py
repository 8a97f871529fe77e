"""Is a post as long as X says, and are two posts the same when X has rewritten one?"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from connectors.x.posts import PostTweet
from connectors.x.read_back import Looks, readable
from connectors.x.text import cashtags, folded, weighted_length


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("", 0),
        ("a" * 280, 280),
        ("Grüße, Ωmega, привет, مرحبا", 27),
        ("“Sale” – now…", 14),  # noqa: RUF001
        ("日本語", 6),
        ("한국어", 6),
        ("Cafe\u0301", 4),
        ("🎉", 2),
        ("👨‍👩‍👧‍👦", 2),
        ("👍🏽", 2),
        ("❤️", 2),
        ("🇩🇪", 2),
        ("1️⃣", 2),
        ("🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", 2),
        ("https://example.com", 23),
        ("https://example.com/" + "a" * 200, 23),
        ("See https://example.com/a?b=c&d=e#f.", 28),
        ("(https://example.com/a)", 25),
        ("https://a.example and https://b.example", 51),
        ("shop.example.com/" + "a" * 100, 23),
        ("e.g. this", 9),
        ("a@example.com", 13),
        ("https://example.com/日本", 27),
    ],
)
def test_a_post_is_as_long_as_x_counts(text: str, length: int) -> None:
    assert weighted_length(text) == length


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=100))
def test_no_character_counts_more_than_two(text: str) -> None:
    assert 0 <= weighted_length(text) <= 2 * len(text) + 23


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("A & B < C > D", "A &amp; B &lt; C &gt; D"),
        ("Cafe\u0301 now", "Café now"),
        ("See example.com/a", "See http://example.com/a"),
        ("https://example.com", "https://example.com/"),
        ("https://Example.com/%C3%BC", "https://example.com/ü"),
        ("Two  lines\n\n", "Two lines"),
        ("Look", "Look https://x.com/neonhub/status/1990000000000000001/photo/1"),
        ("Look", "Look https://twitter.com/i/status/1990000000000000001"),
    ],
)
def test_what_x_rewrites_is_the_same(written: str, shown: str) -> None:
    assert folded(written) == folded(shown)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Sale", "Sales"),
        ("10% off", "20% off"),
        ("🎉", "🚀"),
        ("https://a.example/?utm_content=1", "https://a.example/?utm_content=2"),
        ("5 €", "5 $"),
    ],
)
def test_what_says_something_else_is_not(one: str, other: str) -> None:
    assert folded(one) != folded(other)


def test_a_post_is_read_with_its_addresses_as_they_were_written() -> None:
    post = {
        "text": "Sale &amp; more https://t.co/a https://t.co/b",
        "entities": {
            "urls": [
                {"url": "https://t.co/a", "expanded_url": "https://shop.example.com/?a=1"},
                {"url": "https://t.co/b", "expanded_url": "https://x.com/n/status/1/photo/1", "media_key": "3_1"},
            ]
        },
        "attachments": {"media_keys": ["3_1"]},
    }
    looks = Looks(text="Sale & more https://shop.example.com/?a=1", media=1, polls=0, replies_to=None, quotes=None)

    assert readable(post) == "Sale &amp; more https://shop.example.com/?a=1 "
    assert looks.is_of(post)
    assert not looks.may_be_of(post)


@pytest.mark.parametrize("name", ["note_tweet", "note_post"])
def test_a_long_post_is_compared_whole(name: str) -> None:
    whole = "word " * 100 + "end"
    post = {"text": whole[:270] + "… https://t.co/x", name: {"text": whole}}

    assert Looks(text=whole, media=0, polls=0, replies_to=None, quotes=None).is_of(post)


@pytest.mark.parametrize(
    ("changed", "same"),
    [
        ({}, True),
        ({"attachments": {"media_keys": ["3_1"]}}, False),
        ({"attachments": {"poll_ids": ["1"]}}, False),
        ({"referenced_tweets": [{"type": "replied_to", "id": "7"}]}, False),
        ({"referenced_posts": [{"type": "quoted", "id": "7"}]}, False),
        ({"attachments": {"media_keys": None}}, True),
    ],
)
def test_the_same_words_elsewhere_are_another_post(changed: dict[str, object], same: bool) -> None:
    looks = Looks(text="Sale", media=0, polls=0, replies_to=None, quotes=None)

    assert looks.is_of({"text": "Sale", **changed}) is same


def test_an_address_that_x_does_not_show_leaves_it_open() -> None:
    looks = Looks(text="Sale https://shop.example.com", media=0, polls=0, replies_to=None, quotes=None)

    assert not looks.is_of({"text": "Sale https://t.co/a"})
    assert looks.may_be_of({"text": "Sale https://t.co/a"})
    assert not looks.may_be_of({"text": "Other https://t.co/a"})


def test_stock_symbols_are_seen() -> None:
    assert cashtags("$TWTR and $AAPL cost $5 and US$TWTR") == 2


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"text": None}, "one of text, media_ids, poll, quote_tweet_id, card_uri"),
        ({"text": ""}, "text"),
        ({"text": "x" * 25_001}, "text"),
        ({"text": "$TWTR $AAPL"}, "stock symbol"),
        ({"media_ids": ["1"] * 5}, "media_ids"),
        ({"media_ids": [1880028106020515840]}, "media_ids"),
        ({"media_ids": ["1"], "quote_tweet_id": "2"}, "media_ids and quote_tweet_id exclude"),
        ({"poll": {"options": ["a"], "duration_minutes": 60}}, "options"),
        ({"poll": {"options": ["a", "b" * 26], "duration_minutes": 60}}, "options"),
        ({"poll": {"options": ["a", "b"], "duration_minutes": 4}}, "duration_minutes"),
        ({"tagged_user_ids": ["1"]}, "tagged_user_ids"),
        ({"exclude_reply_user_ids": ["1"]}, "exclude_reply_user_ids"),
        ({"share_with_followers": True}, "share_with_followers"),
        ({"reply_settings": "everyone"}, "reply_settings"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_bad_input_names_its_field(wrong: dict[str, object], named: str) -> None:
    with pytest.raises(ValidationError, match=named):
        PostTweet.model_validate({"text": "Hi", **wrong})
