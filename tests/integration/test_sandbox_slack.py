"""The sandbox's Slack is as strict as Slack, and counts what it is asked to do, every time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.unit.sandbox.process import Box, running

FAR = 4_000_000_000


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    with running(tmp_path_factory.mktemp("sandbox")) as found:
        yield found


@pytest.fixture
def channel(box: Box) -> str:
    found: str = box.slack["channels"]["launch"]
    return found


def post(box: Box, channel: str, text: str = "Sale is live", **fields: Any) -> str:
    answer = box.slack_post("chat.postMessage", channel=channel, text=text, **fields)
    assert answer["ok"], answer
    ts: str = answer["ts"]
    return ts


def tagged(key: str) -> dict[str, Any]:
    return {"event_type": "neonhub_effect", "event_payload": {"effect_id": key}}


def test_a_posted_message_carries_its_key_into_the_history_and_the_effects(box: Box, channel: str) -> None:
    before = box.last_effect()
    ts = post(box, channel, metadata=tagged("k1"))
    [effect] = box.effects("slack", since_id=before)
    assert (effect["action"], effect["provider_id"], effect["key"]) == ("sendMessage", ts, "k1")
    assert (effect["recipient"], effect["text"]) == (channel, "Sale is live")
    plain = box.slack_get("conversations.history", channel=channel, oldest=ts, inclusive=True)
    assert "metadata" not in plain["messages"][0]
    full = box.slack_get("conversations.history", channel=channel, oldest=ts, inclusive=True, include_all_metadata=True)
    assert full["messages"][0]["metadata"] == tagged("k1")


def test_the_same_message_twice_is_two_messages_and_two_effects(box: Box, channel: str) -> None:
    before = box.last_effect()
    stamps = {post(box, channel, metadata=tagged("twice")) for _ in range(2)}
    assert len(stamps) == 2
    assert [effect["key"] for effect in box.effects("slack", since_id=before)] == ["twice", "twice"]


def test_forms_are_taken_as_json_is(box: Box, channel: str) -> None:
    before = box.last_effect()
    form = {"channel": channel, "text": "form", "metadata": json.dumps(tagged("form")), "unfurl_links": "false"}
    assert box.slack_call("chat.postMessage", data=form).json()["ok"]
    assert box.effects("slack", since_id=before)[0]["key"] == "form"
    assert box.slack_call("conversations.history", data={"channel": channel, "limit": "1"}).json()["ok"]
    form["metadata"] = "not json"
    assert box.slack_call("chat.postMessage", data=form).json()["error"] == "invalid_metadata_format"


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"channel": "C0NOSUCH0001"}, "channel_not_found"),
        ({"channel": "#launch"}, "channel_not_found"),
        ({"channel": "C0LOBBY00001"}, "not_in_channel"),
        ({"channel": "C0ATTIC00001"}, "is_archived"),
        ({"channel": "U0NOBODY0001"}, "user_not_found"),
        ({"channel": None}, "invalid_arguments"),
        ({"text": None}, "no_text"),
        ({"text": ""}, "no_text"),
        ({"text": 5}, "invalid_arguments"),
        ({"text": "x" * 40_001}, "msg_too_long"),
        ({"markdown_text": "**x**"}, "markdown_text_conflict"),
        ({"blocks": [{"type": "divider"}] * 51}, "invalid_blocks"),
        ({"blocks": "no"}, "invalid_blocks_format"),
        ({"blocks": [{"text": "no type"}]}, "invalid_blocks"),
        ({"blocks": [{"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}]}, "invalid_blocks"),
        ({"blocks": [{"type": "rich_text", "text": "x" * 13_200}]}, "msg_blocks_too_long"),
        ({"attachments": [{}] * 101}, "too_many_attachments"),
        ({"metadata": {"event_type": "x"}}, "invalid_metadata_schema"),
        ({"metadata": []}, "invalid_metadata_format"),
        ({"metadata": {"event_type": "x", "event_payload": {"x": "y" * 9000}}}, "metadata_too_large"),
        ({"thread_ts": "1000000000.000001"}, "thread_not_found"),
        ({"thread_ts": "yesterday"}, "invalid_arguments"),
        ({"colour": "red"}, "invalid_arg_name"),
    ],
)
def test_a_message_that_slack_refuses_is_refused_in_its_words(
    box: Box, channel: str, fields: dict[str, Any], error: str
) -> None:
    before = box.last_effect()
    wanted = {"channel": channel, "text": "hi", **fields}
    answer = box.slack_call("chat.postMessage", json={name: part for name, part in wanted.items() if part is not None})
    assert answer.status_code == 200
    assert answer.json()["ok"] is False
    assert answer.json()["error"] == error
    assert box.last_effect() == before


def error_of(answer: requests.Response) -> str:
    assert answer.status_code == 200
    found: str = answer.json()["error"]
    return found


def test_bad_requests_are_refused_in_slacks_words(box: Box, channel: str) -> None:
    assert error_of(box.slack_call("chat.postmessage", json={})) == "unknown_method"
    assert error_of(box.slack_call("auth.test", token=None)) == "not_authed"
    assert error_of(box.slack_call("auth.test", token="xoxb-wrong")) == "invalid_auth"
    plain = {"Content-Type": "text/plain"}
    assert error_of(box.slack_call("chat.postMessage", data="x", headers=plain)) == "invalid_post_type"
    assert error_of(box.slack_call("chat.postMessage", data=b"x")) == "missing_post_type"
    as_json = {"Content-Type": "application/json"}
    assert error_of(box.slack_call("chat.postMessage", data="{", headers=as_json)) == "invalid_json"
    assert error_of(box.slack_call("conversations.history", json={"channel": channel})) == "invalid_post_type"
    for query, error in (
        ({"limit": 1001}, "invalid_limit"),
        ({"types": "x"}, "invalid_types"),
        ({"cursor": "x"}, "invalid_cursor"),
    ):
        assert box.slack_get("conversations.list", **query)["error"] == error


def test_a_cursor_is_good_for_its_own_list_only(box: Box, channel: str) -> None:
    page = box.slack_get("conversations.list", limit=1)
    cursor = page["response_metadata"]["next_cursor"]
    assert box.slack_get("conversations.list", limit=1, cursor=cursor)["channels"] != page["channels"]
    assert box.slack_get("conversations.history", channel=channel, cursor=cursor)["error"] == "invalid_cursor"


def test_texts_come_back_as_slack_shows_them_and_count_as_they_were_sent(box: Box, channel: str) -> None:
    before, text = box.last_effect(), "A & B at https://example.com 🎉"
    shown = "A &amp; B at <https://example.com> :tada:"
    ts = box.slack_post("chat.postMessage", channel=channel, text=text)["ts"]
    post_at = int(box.now()) + 3600
    box.slack_post("chat.scheduleMessage", channel=channel, text=text, post_at=post_at)
    assert box.slack_get("conversations.history", channel=channel)["messages"][0]["text"] == shown
    kept = box.slack_get("chat.scheduledMessages.list", channel=channel)["scheduled_messages"]
    assert [one["text"] for one in kept if one["post_at"] == post_at] == [shown]
    assert box.slack_post("chat.update", channel=channel, ts=ts, text=f"{text}!")["text"] == f"{shown}!"
    assert [effect["text"] for effect in box.effects("slack", since_id=before)] == [text, text, f"{text}!"]


def test_a_scope_that_the_token_lacks_is_named(box: Box, channel: str) -> None:
    token = box.slack["limited_credential"]["bot_token"]
    assert box.slack_call("conversations.list", http_method="GET", token=token).json()["ok"]
    private = {"types": "public_channel,private_channel"}
    refused = box.slack_call("conversations.list", http_method="GET", token=token, params=private).json()
    assert (refused["error"], refused["needed"]) == ("missing_scope", "groups:read")
    answer = box.slack_call("chat.postMessage", token=token, json={"channel": channel, "text": "x"}).json()
    assert (answer["error"], answer["needed"], answer["provided"]) == ("missing_scope", "chat:write", "channels:read")


def test_an_update_changes_the_message_and_counts_as_an_effect(box: Box, channel: str) -> None:
    ts = post(box, channel, metadata=tagged("first"), blocks=[{"type": "divider"}])
    before = box.last_effect()
    for _ in range(2):
        assert box.slack_post("chat.update", channel=channel, ts=ts, text="Sale extended")["text"] == "Sale extended"
    found = box.slack_get(
        "conversations.history", channel=channel, oldest=ts, inclusive=True, include_all_metadata=True
    )
    message = found["messages"][-1]
    assert (message["text"], message["metadata"]) == ("Sale extended", tagged("first"))
    assert "blocks" not in message
    assert [(e["action"], e["provider_id"]) for e in box.effects(since_id=before)] == [("updateMessage", ts)] * 2
    missing = box.slack_post("chat.update", channel=channel, ts="1000000000.000001", text="x")
    assert missing["error"] == "message_not_found"


def test_a_deleted_message_is_gone_and_its_effect_stays(box: Box, channel: str) -> None:
    before = box.last_effect()
    ts = post(box, channel)
    assert box.slack_post("chat.delete", channel=channel, ts=ts)["ok"]
    assert box.slack_post("chat.delete", channel=channel, ts=ts)["error"] == "message_not_found"
    assert [effect["action"] for effect in box.effects(since_id=before)] == ["sendMessage", "deleteMessage"]


def test_a_scheduled_message_is_an_effect_at_once_and_is_posted_when_due(box: Box, channel: str) -> None:
    before = box.last_effect()
    post_at = int(box.now()) + 600
    answer = box.slack_post("chat.scheduleMessage", channel=channel, text="Sale starts", post_at=post_at)
    scheduled_id = answer["scheduled_message_id"]
    assert [effect["action"] for effect in box.effects(since_id=before)] == ["scheduleMessage"]
    listed = box.slack_get("chat.scheduledMessages.list", channel=channel, oldest=str(FAR))["scheduled_messages"]
    assert (scheduled_id, post_at, "Sale starts") in [(item["id"], item["post_at"], item["text"]) for item in listed]
    box.control("POST", "clock", {"advance_s": 601})
    left = box.slack_get("chat.scheduledMessages.list", channel=channel)["scheduled_messages"]
    assert scheduled_id not in [item["id"] for item in left]
    newest = box.slack_get("conversations.history", channel=channel, oldest=str(post_at), inclusive=True)["messages"]
    assert ("Sale starts", f"{post_at}.000000") in [(message["text"], message["ts"]) for message in newest]
    gone = box.slack_post("chat.deleteScheduledMessage", channel=channel, scheduled_message_id=scheduled_id)
    assert gone["error"] == "invalid_scheduled_message_id"


def test_a_scheduled_message_can_be_cancelled_until_its_last_minute(box: Box, channel: str) -> None:
    def schedule(ahead_s: int) -> str:
        post_at = int(box.now()) + ahead_s
        answer = box.slack_post("chat.scheduleMessage", channel=channel, text="x", post_at=post_at)
        found: str = answer["scheduled_message_id"]
        return found

    def cancel(scheduled_id: str) -> dict[str, Any]:
        return box.slack_post("chat.deleteScheduledMessage", channel=channel, scheduled_message_id=scheduled_id)

    early, late = schedule(7200), schedule(30)
    assert cancel(early) == {"ok": True}
    for scheduled_id in (early, late, "Q00000000"):
        assert cancel(scheduled_id)["error"] == "invalid_scheduled_message_id"


def test_schedules_that_slack_refuses(box: Box, channel: str) -> None:
    now = int(box.now())

    def error(**fields: Any) -> str:
        wanted = {"channel": channel, "text": "x", "post_at": now + 5000, **fields}
        found: str = box.slack_post("chat.scheduleMessage", **wanted)["error"]
        return found

    assert error(post_at=now - 1) == "time_in_past"
    assert error(post_at=now + 121 * 86400) == "time_too_far"
    assert error(post_at="soon") == "invalid_time"
    assert error(metadata=tagged("never posted")) == "invalid_arg_name"
    window = (now // 300 + 100) * 300
    for second in range(30):
        assert box.slack_post("chat.scheduleMessage", channel=channel, text="x", post_at=window + second)["ok"]
    assert error(post_at=window + 299) == "restricted_too_many"
