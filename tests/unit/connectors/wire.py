"""One request of every action as its platform documents it, and an answer to it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, NamedTuple

from tests.unit.connectors.calls import ACCOUNT, SERVICE

TWILIO, SLACK = f"https://api.twilio.com/2010-04-01/Accounts/{ACCOUNT}", "https://slack.com/api/"
CONSENTS, BYTES = "https://accounts.twilio.com/v1/Consents/Bulk", "https://files.slack.com/upload/v1/T1"
FORM, JSON, RAW = "application/x-www-form-urlencoded", "application/json; charset=utf-8", "application/octet-stream"
SID, TS, QID, FID = "SM" + "b" * 32, "1795417802.000247", "Q1298393284", "F123ABC456"
TO, CHANNEL, OK = "+14155550123", "C0123ABCD", {"ok": True}
AT = (datetime.now(UTC) + timedelta(days=20)).replace(microsecond=0)
HERE = AT.astimezone(datetime.strptime("-0730", "%z").tzinfo).isoformat()
MESSAGE = {"sid": SID, "status": "queued", "direction": "outbound-api", "messaging_service_sid": SERVICE}
KEY = "9a1c"
MARK = {"event_type": "neonhub_effect", "event_payload": {"effect_id": KEY}}


class Sent(NamedTuple):
    """One request: ``content`` is a list of pairs for a form, an object for JSON, else bytes."""

    method: str
    url: str
    kind: str | None
    content: Any
    query: list[tuple[str, str]]


class Answer(NamedTuple):
    """An answer that is not 200 with JSON."""

    status: int
    json: Any = None
    headers: Mapping[str, str] = MappingProxyType({})


def form(url: str, *pairs: tuple[str, str]) -> Sent:
    return Sent("POST", url, FORM, [*pairs], [])


def asked(url: str, *pairs: tuple[str, str]) -> Sent:
    return Sent("GET", url, None, b"", [*pairs])


def told(method: str, **fields: Any) -> Sent:
    return Sent("POST", SLACK + method, JSON, fields, [])


WIRE: list[tuple[str, dict[str, Any], list[Sent], list[dict[str, Any]]]] = [
    (
        "sms.sendSMS",
        {
            "to": TO,
            "body": "50 % & more\n€ 🎉",
            "media_urls": ["https://a.example/1.png", "https://a.example/2.png"],
            "validity_period": 3600,
        },
        [
            form(
                f"{TWILIO}/Messages.json",
                ("To", TO),
                ("ValidityPeriod", "3600"),
                ("MessagingServiceSid", SERVICE),
                ("Body", "50 % & more\n€ 🎉"),
                ("MediaUrl", "https://a.example/1.png"),
                ("MediaUrl", "https://a.example/2.png"),
            )
        ],
        [MESSAGE],
    ),
    (
        "sms.sendSMS",
        {"to": TO, "content_sid": "HX" + "d" * 32, "content_variables": {"1": "Ana"}, "from_": "NEONHUB"},
        [
            form(
                f"{TWILIO}/Messages.json",
                ("To", TO),
                ("From", "NEONHUB"),
                ("ContentSid", "HX" + "d" * 32),
                ("ContentVariables", '{"1": "Ana"}'),
            )
        ],
        [MESSAGE],
    ),
    (
        "sms.scheduleSMS",
        {"to": TO, "body": "Later", "send_at": HERE},
        [
            form(
                f"{TWILIO}/Messages.json",
                ("To", TO),
                ("ScheduleType", "fixed"),
                ("SendAt", AT.strftime("%Y-%m-%dT%H:%M:%SZ")),
                ("MessagingServiceSid", SERVICE),
                ("Body", "Later"),
            )
        ],
        [MESSAGE],
    ),
    ("sms.getMessageStatus", {"sid": SID}, [asked(f"{TWILIO}/Messages/{SID}.json")], [MESSAGE]),
    (
        "sms.cancelScheduled",
        {"sid": SID},
        [form(f"{TWILIO}/Messages/{SID}.json", ("Status", "canceled"))],
        [{**MESSAGE, "status": "canceled"}],
    ),
    (
        "sms.listMessages",
        {"to": TO, "from_": "+15005550006", "sent_after": HERE, "sent_before": HERE, "limit": 7},
        [
            asked(
                f"{TWILIO}/Messages.json",
                ("To", TO),
                ("From", "+15005550006"),
                ("DateSent<", AT.strftime("%Y-%m-%dT%H:%M:%SZ")),
                ("DateSent>", AT.strftime("%Y-%m-%dT%H:%M:%SZ")),
                ("PageSize", "7"),
            )
        ],
        [{"messages": [], "next_page_uri": None}],
    ),
    ("sms.deleteMessage", {"sid": SID}, [Sent("DELETE", f"{TWILIO}/Messages/{SID}.json", None, b"", [])], [{}]),
    (
        "sms.checkSender",
        {},
        [asked(f"https://messaging.twilio.com/v1/Services/{SERVICE}")],
        [{"sid": SERVICE, "friendly_name": "Promos", "usecase": "marketing"}],
    ),
    ("sms.checkCredentials", {}, [asked(f"{TWILIO}.json")], [{"sid": ACCOUNT, "status": "active"}]),
    (
        "slack.sendMessage",
        {
            "channel": CHANNEL,
            "text": "A &amp; B 🎉",
            "thread_ts": TS,
            "reply_broadcast": True,
            "blocks": [{"type": "x"}],
        },
        [
            told(
                "chat.postMessage",
                channel=CHANNEL,
                text="A &amp; B 🎉",
                thread_ts=TS,
                reply_broadcast=True,
                unfurl_links=False,
                unfurl_media=False,
                metadata=MARK,
                blocks=[{"type": "x"}],
            )
        ],
        [{**OK, "channel": CHANNEL, "ts": TS}],
    ),
    (
        "slack.scheduleMessage",
        {"channel": CHANNEL, "text": "Hi", "post_at": HERE},
        [
            told(
                "chat.scheduleMessage",
                channel=CHANNEL,
                text="Hi",
                post_at=int(AT.timestamp()),
                unfurl_links=False,
                unfurl_media=False,
            )
        ],
        [{**OK, "channel": CHANNEL, "scheduled_message_id": QID, "post_at": str(int(AT.timestamp()))}],
    ),
    (
        "slack.cancelScheduled",
        {"channel": CHANNEL, "scheduled_message_id": QID},
        [told("chat.deleteScheduledMessage", channel=CHANNEL, scheduled_message_id=QID)],
        [OK],
    ),
    (
        "slack.listScheduled",
        {"channel": CHANNEL},
        [asked(f"{SLACK}chat.scheduledMessages.list", ("channel", CHANNEL), ("limit", "100"))],
        [{**OK, "scheduled_messages": []}],
    ),
    (
        "slack.updateMessage",
        {"channel": CHANNEL, "ts": TS, "text": "New"},
        [told("chat.update", channel=CHANNEL, ts=TS, text="New", blocks=[])],
        [{**OK, "channel": CHANNEL, "ts": TS}],
    ),
    ("slack.deleteMessage", {"channel": CHANNEL, "ts": TS}, [told("chat.delete", channel=CHANNEL, ts=TS)], [OK]),
    (
        "slack.getChannels",
        {"types": ["public_channel", "im"]},
        [
            asked(
                f"{SLACK}conversations.list",
                ("types", "public_channel,im"),
                ("exclude_archived", "true"),
                ("limit", "200"),
            )
        ],
        [{**OK, "channels": []}],
    ),
    (
        "slack.listMessages",
        {"channel": CHANNEL, "since": HERE, "limit": 5},
        [
            asked(
                f"{SLACK}conversations.history",
                ("channel", CHANNEL),
                ("oldest", f"{AT.timestamp():.6f}"),
                ("inclusive", "true"),
                ("include_all_metadata", "true"),
                ("limit", "5"),
            )
        ],
        [{**OK, "messages": []}],
    ),
    (
        "slack.listReplies",
        {"channel": CHANNEL, "ts": TS, "until": HERE},
        [
            asked(
                f"{SLACK}conversations.replies",
                ("channel", CHANNEL),
                ("ts", TS),
                ("latest", f"{AT.timestamp():.6f}"),
                ("inclusive", "true"),
                ("include_all_metadata", "true"),
                ("limit", "100"),
            )
        ],
        [{**OK, "messages": []}],
    ),
    (
        "slack.openDM",
        {"users": ["U0ALICE0001", "U0BRUNO0001"]},
        [told("conversations.open", users="U0ALICE0001,U0BRUNO0001")],
        [{**OK, "channel": {"id": "G01"}}],
    ),
    (
        "slack.joinChannel",
        {"channel": CHANNEL},
        [told("conversations.join", channel=CHANNEL)],
        [{**OK, "channel": {"id": CHANNEL}}],
    ),
    ("slack.checkCredentials", {}, [told("auth.test")], [{**OK, "team_id": "T1", "user_id": "U1"}]),
    (
        "slack.uploadFile",
        {"channel": CHANNEL, "filename": "ä.txt", "text": "ä", "initial_comment": "Here", "thread_ts": TS},
        [
            form(f"{SLACK}files.getUploadURLExternal", ("filename", "ä.txt"), ("length", "2")),
            Sent("POST", BYTES, RAW, "ä".encode(), []),
            told(
                "files.completeUploadExternal",
                files=[{"id": FID, "title": "ä.txt"}],
                channel_id=CHANNEL,
                thread_ts=TS,
                initial_comment="Here",
            ),
            asked(f"{SLACK}files.info", ("file", FID)),
        ],
        [
            {**OK, "upload_url": BYTES, "file_id": FID},
            {},
            {**OK, "files": []},
            {**OK, "file": {"id": FID, "shares": {"public": {CHANNEL: [{"ts": TS}]}}}},
        ],
    ),
]
