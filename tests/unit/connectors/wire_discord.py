"""Requests of the actions on Discord's HTTP API, as it documents them, and an answer to each."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

from connectors.discord.messages import nonce
from tests.unit.connectors.calls import GUILD, WEBHOOK_URL
from tests.unit.connectors.wire import AT, HERE, JSON, KEY, Sent, asked

API = "https://discord.com/api/v10"
CHANNEL, MESSAGE, EVENT, PERSON, ROLE = "1101", "1302", "1403", "81001", "1504"
POSTS, EVENTS = f"{API}/channels/{CHANNEL}/messages", f"{API}/guilds/{GUILD}/scheduled-events"
HOOK = WEBHOOK_URL.replace("/api/", "/api/v10/")
POSTED = {"id": MESSAGE, "channel_id": CHANNEL}
SHOWN = {**POSTED, "content": "Hi", "author": {"id": "9"}, "timestamp": "2026-11-22T07:10:02.123000+00:00"}
ONCE = {"nonce": nonce(KEY), "enforce_nonce": True}
NOBODY: dict[str, Any] = {"parse": []}
MARK = f"ref {hashlib.sha256(KEY.encode()).hexdigest()[:12]}"
ENDS = (AT + timedelta(hours=2)).isoformat()
MADE = {
    "id": EVENT,
    "guild_id": GUILD,
    "name": "Launch",
    "status": 1,
    "scheduled_start_time": AT.isoformat(),
}


def sent(method: str, url: str, *query: tuple[str, str], **fields: Any) -> Sent:
    return Sent(method, url, JSON if fields else None, fields or b"", [*query])


def flake(moment: float) -> str:
    return str(int(moment * 1000 - 1_420_070_400_000) << 22)


WIRE: list[tuple[str, dict[str, Any], list[Sent], list[Any]]] = [
    (
        "discord.sendMessage",
        {
            "channel": CHANNEL,
            "content": "50 % & more 🎉",
            "embeds": [
                {"title": "Sale", "image_url": "https://a.example/1.png", "fields": [{"name": "a", "value": "b"}]}
            ],
            "reply_to": "7",
            "mention": ["users"],
            "mention_roles": [ROLE],
            "silent": True,
            "suppress_embeds": True,
        },
        [
            sent(
                "POST",
                POSTS,
                content="50 % & more 🎉",
                embeds=[
                    {
                        "title": "Sale",
                        "image": {"url": "https://a.example/1.png"},
                        "fields": [{"name": "a", "value": "b", "inline": False}],
                    }
                ],
                allowed_mentions={"parse": ["users"], "roles": [ROLE]},
                flags=4 + 4096,
                message_reference={"message_id": "7", "fail_if_not_exists": True},
                **ONCE,
            )
        ],
        [POSTED],
    ),
    (
        "discord.sendDirectMessage",
        {"user": PERSON, "poll": {"question": "Which?", "answers": ["Red", "Blue"], "duration_hours": 48}},
        [
            sent("POST", f"{API}/users/@me/channels", recipient_id=PERSON),
            sent(
                "POST",
                POSTS,
                allowed_mentions=NOBODY,
                poll={
                    "question": {"text": "Which?"},
                    "answers": [{"poll_media": {"text": "Red"}}, {"poll_media": {"text": "Blue"}}],
                    "duration": 48,
                    "allow_multiselect": False,
                },
                **ONCE,
            ),
        ],
        [{"id": CHANNEL}, POSTED],
    ),
    (
        "discord.openDM",
        {"user": PERSON},
        [sent("POST", f"{API}/users/@me/channels", recipient_id=PERSON)],
        [{"id": CHANNEL}],
    ),
    (
        "discord.editMessage",
        {"channel": CHANNEL, "message": MESSAGE, "content": "New"},
        [
            sent(
                "PATCH",
                f"{POSTS}/{MESSAGE}",
                content="New",
                embeds=[],
                components=[],
                allowed_mentions=NOBODY,
                flags=0,
            )
        ],
        [POSTED],
    ),
    ("discord.deleteMessage", {"channel": CHANNEL, "message": MESSAGE}, [sent("DELETE", f"{POSTS}/{MESSAGE}")], [{}]),
    (
        "discord.crosspostMessage",
        {"channel": CHANNEL, "message": MESSAGE},
        [sent("POST", f"{POSTS}/{MESSAGE}/crosspost")],
        [POSTED],
    ),
    ("discord.getMessage", {"channel": CHANNEL, "message": MESSAGE}, [asked(f"{POSTS}/{MESSAGE}")], [SHOWN]),
    (
        "discord.listMessages",
        {"channel": CHANNEL, "until": HERE, "limit": 5},
        [asked(POSTS, ("before", flake(AT.timestamp())), ("limit", "5"))],
        [[SHOWN]],
    ),
    (
        "discord.searchMessages",
        {"text": "50 %", "channels": ["1", "2"], "authors": ["3"], "since": HERE, "limit": 5},
        [
            asked(
                f"{API}/guilds/{GUILD}/messages/search",
                ("content", "50 %"),
                ("channel_id", "1"),
                ("channel_id", "2"),
                ("author_id", "3"),
                ("min_id", flake(AT.timestamp())),
                ("limit", "5"),
                ("offset", "0"),
            )
        ],
        [{"messages": [[{**SHOWN, "hit": True}]], "total_results": 1}],
    ),
    ("discord.getChannels", {"guild": "5"}, [asked(f"{API}/guilds/5/channels")], [[]]),
    (
        "discord.sendWebhookMessage",
        {
            "username": "Neon",
            "avatar_url": "https://a.example/1.png",
            "thread_name": "News",
            "applied_tags": ["6"],
            "layout": True,
            "components": [{"type": 10, "content": "Hi"}],
        },
        [
            sent(
                "POST",
                HOOK,
                ("wait", "true"),
                ("with_components", "true"),
                username="Neon",
                avatar_url="https://a.example/1.png",
                thread_name="News",
                applied_tags=["6"],
                components=[{"type": 10, "content": "Hi"}],
                allowed_mentions=NOBODY,
                flags=32768,
            )
        ],
        [POSTED],
    ),
    ("discord.getWebhookMessage", {"message": MESSAGE}, [asked(f"{HOOK}/messages/{MESSAGE}")], [SHOWN]),
    (
        "discord.editWebhookMessage",
        {"message": MESSAGE, "thread_id": "7", "embeds": [{"description": "New"}]},
        [
            sent(
                "PATCH",
                f"{HOOK}/messages/{MESSAGE}",
                ("thread_id", "7"),
                content="",
                embeds=[{"description": "New"}],
                components=[],
                allowed_mentions=NOBODY,
                flags=0,
            )
        ],
        [POSTED],
    ),
    ("discord.deleteWebhookMessage", {"message": MESSAGE}, [sent("DELETE", f"{HOOK}/messages/{MESSAGE}")], [{}]),
    (
        "discord.createScheduledEvent",
        {"name": "Launch", "description": "Come by.", "starts_at": HERE, "ends_at": ENDS, "location": "12 Main St"},
        [
            sent(
                "POST",
                EVENTS,
                name="Launch",
                description=f"Come by.\n\n{MARK}",
                privacy_level=2,
                entity_type=3,
                entity_metadata={"location": "12 Main St"},
                scheduled_start_time=AT.isoformat(),
                scheduled_end_time=ENDS,
            )
        ],
        [MADE],
    ),
    (
        "discord.createScheduledEvent",
        {"name": "AMA", "starts_at": HERE, "channel": CHANNEL, "stage": True, "repeats": "every_second_week"},
        [
            sent(
                "POST",
                EVENTS,
                name="AMA",
                description=MARK,
                privacy_level=2,
                entity_type=1,
                channel_id=CHANNEL,
                scheduled_start_time=AT.isoformat(),
                recurrence_rule={
                    "start": AT.isoformat(),
                    "frequency": 2,
                    "interval": 2,
                    "by_weekday": [AT.weekday()],
                },
            )
        ],
        [MADE],
    ),
    ("discord.listScheduledEvents", {}, [asked(EVENTS, ("with_user_count", "true"))], [[MADE]]),
    (
        "discord.getScheduledEvent",
        {"event": EVENT},
        [asked(f"{EVENTS}/{EVENT}", ("with_user_count", "true"))],
        [MADE],
    ),
    (
        "discord.updateScheduledEvent",
        {"event": EVENT, "ends_at": HERE, "location": "13 Main St"},
        [
            sent(
                "PATCH",
                f"{EVENTS}/{EVENT}",
                scheduled_end_time=AT.isoformat(),
                entity_metadata={"location": "13 Main St"},
            )
        ],
        [MADE],
    ),
    ("discord.startScheduledEvent", {"event": EVENT}, [sent("PATCH", f"{EVENTS}/{EVENT}", status=2)], [MADE]),
    ("discord.endScheduledEvent", {"event": EVENT}, [sent("PATCH", f"{EVENTS}/{EVENT}", status=3)], [MADE]),
    ("discord.cancelScheduledEvent", {"event": EVENT}, [sent("PATCH", f"{EVENTS}/{EVENT}", status=4)], [MADE]),
    ("discord.deleteScheduledEvent", {"event": EVENT}, [sent("DELETE", f"{EVENTS}/{EVENT}")], [{}]),
    ("discord.checkCredentials", {}, [asked(f"{API}/users/@me")], [{"id": "9", "username": "neonhub"}]),
]
