"""Requests of the actions on X's API, as it documents them, and an answer to each."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tests.unit.connectors.calls import X_USER
from tests.unit.connectors.wire import AT, HERE, JSON, Sent, asked

API = "https://api.x.com/2"
TWEET, OTHER, MEDIA, PERSON = "1990000000000000001", "1980000000000000001", "1880028106020515840", "1600000000000000001"
POSTED = {"data": {"id": TWEET, "text": "Hi", "edit_history_tweet_ids": [TWEET]}}
NONE: dict[str, Any] = {"meta": {"result_count": 0}}
FIELDS = ("tweet.fields", "created_at,entities,attachments,author_id,referenced_tweets,public_metrics,note_tweet")
COUNTS = (
    "id,timestamp,timestamped_metrics,impressions,engagements,likes,replies,retweets,quote_tweets,bookmarks,"
    "url_clicks,user_profile_clicks,follows"
)
ZULU = AT.strftime("%Y-%m-%dT%H:%M:%SZ")
LATER = AT + timedelta(days=1)


def sent(url: str, **fields: Any) -> Sent:
    return Sent("POST", f"{API}{url}", JSON, fields, [])


WIRE: list[tuple[str, dict[str, Any], list[Sent], list[Any]]] = [
    (
        "x.postTweet",
        {
            "text": "Autumn sale 🎉 https://shop.example.com/a",
            "media_ids": [MEDIA],
            "tagged_user_ids": [PERSON],
            "in_reply_to_tweet_id": OTHER,
            "exclude_reply_user_ids": [PERSON],
            "reply_settings": "mentionedUsers",
            "community_id": "5",
            "share_with_followers": True,
            "made_with_ai": True,
            "paid_partnership": False,
            "edits": OTHER,
            "place_id": "df51dec6f4ee2b2c",
            "nullcast": True,
        },
        [
            sent(
                "/tweets",
                text="Autumn sale 🎉 https://shop.example.com/a",
                media={"media_ids": [MEDIA], "tagged_user_ids": [PERSON]},
                reply={"in_reply_to_tweet_id": OTHER, "exclude_reply_user_ids": [PERSON]},
                reply_settings="mentionedUsers",
                community_id="5",
                share_with_followers=True,
                made_with_ai=True,
                paid_partnership=False,
                edit_options={"previous_post_id": OTHER},
                geo={"place_id": "df51dec6f4ee2b2c"},
                nullcast=True,
            )
        ],
        [POSTED],
    ),
    (
        "x.postTweet",
        {"text": "Which?", "poll": {"options": ["Red", "Blue"], "duration_minutes": 60}},
        [sent("/tweets", text="Which?", poll={"options": ["Red", "Blue"], "duration_minutes": 60})],
        [POSTED],
    ),
    ("x.postTweet", {"quote_tweet_id": OTHER}, [sent("/tweets", quote_tweet_id=OTHER)], [POSTED]),
    (
        "x.deleteTweet",
        {"tweet_id": TWEET},
        [Sent("DELETE", f"{API}/tweets/{TWEET}", None, b"", [])],
        [{"data": {"deleted": True}}],
    ),
    (
        "x.searchTweets",
        {"query": "from:neon -is:reply", "since": HERE, "limit": 3},
        [
            asked(
                f"{API}/tweets/search/recent",
                ("query", "from:neon -is:reply"),
                ("sort_order", "recency"),
                ("start_time", ZULU),
                ("max_results", "10"),
                FIELDS,
            )
        ],
        [NONE],
    ),
    (
        "x.listUserTweets",
        {"user_id": PERSON, "exclude": ["replies", "retweets"], "until": HERE, "limit": 3},
        [
            asked(
                f"{API}/users/{PERSON}/tweets",
                ("exclude", "replies,retweets"),
                ("end_time", ZULU),
                ("max_results", "5"),
                FIELDS,
            )
        ],
        [NONE],
    ),
    (
        "x.listMentions",
        {"since_id": OTHER},
        [asked(f"{API}/users/{X_USER}/mentions", ("since_id", OTHER), ("max_results", "100"), FIELDS)],
        [NONE],
    ),
    ("x.getTweets", {"tweet_ids": [TWEET, OTHER]}, [asked(f"{API}/tweets", ("ids", f"{TWEET},{OTHER}"), FIELDS)], [{}]),
    (
        "x.getTweetMetrics",
        {"tweet_id": TWEET, "private": True},
        [asked(f"{API}/tweets/{TWEET}", ("tweet.fields", "public_metrics,created_at,non_public_metrics"))],
        [POSTED],
    ),
    (
        "x.getTweetAnalytics",
        {"tweet_ids": [TWEET], "since": HERE, "until": LATER.isoformat(), "granularity": "daily"},
        [
            asked(
                f"{API}/tweets/analytics",
                ("ids", TWEET),
                ("start_time", ZULU),
                ("end_time", LATER.strftime("%Y-%m-%dT%H:%M:%SZ")),
                ("granularity", "daily"),
                ("analytics.fields", COUNTS),
            )
        ],
        [{"data": []}],
    ),
    (
        "x.setMediaMetadata",
        {"media_id": MEDIA, "alt_text": "A shop"},
        [sent("/media/metadata", id=MEDIA, metadata={"alt_text": {"text": "A shop"}})],
        [{"data": {"id": MEDIA}}],
    ),
    (
        "x.sendDirectMessage",
        {"user_id": PERSON, "text": "Hi", "media_id": MEDIA},
        [sent(f"/dm_conversations/with/{PERSON}/messages", text="Hi", attachments=[{"media_id": MEDIA}])],
        [{"data": {"dm_event_id": "7", "dm_conversation_id": "8"}}],
    ),
    (
        "x.getMe",
        {},
        [asked(f"{API}/users/me", ("user.fields", "id,name,username,public_metrics,verified_type"))],
        [{"data": {"id": X_USER, "username": "neonhub"}}],
    ),
    (
        "x.getUsage",
        {},
        [asked(f"{API}/usage/tweets", ("usage.fields", "cap_reset_day,project_cap,project_usage"))],
        [{"data": {"project_cap": "3000000", "project_usage": "5"}}],
    ),
]
