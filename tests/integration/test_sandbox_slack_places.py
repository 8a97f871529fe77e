"""The sandbox's Slack has channels, threads, files and rotating tokens that behave as Slack's do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.unit.sandbox.process import Box, running


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    with running(tmp_path_factory.mktemp("sandbox")) as found:
        yield found


@pytest.fixture
def channel(box: Box) -> str:
    found: str = box.slack["channels"]["launch"]
    return found


def post(box: Box, channel: str, text: str, **fields: Any) -> str:
    answer = box.slack_post("chat.postMessage", channel=channel, text=text, **fields)
    assert answer["ok"], answer
    ts: str = answer["ts"]
    return ts


def test_channels_and_history_come_in_pages(box: Box, channel: str) -> None:
    names: list[str] = []
    cursor = ""
    while True:
        page = box.slack_get("conversations.list", limit=2, cursor=cursor, exclude_archived=True)
        names += [found["name"] for found in page["channels"]]
        cursor = page["response_metadata"]["next_cursor"]
        if not cursor:
            break
    assert sorted(names) == ["general", "launch", "lobby", "random"]
    stamps = [post(box, channel, f"part {n}") for n in range(5)]
    query = {"channel": channel, "oldest": stamps[0], "inclusive": True, "limit": 2}
    page = box.slack_get("conversations.history", **query)
    found = [message["ts"] for message in page["messages"]]
    while page["has_more"]:
        page = box.slack_get("conversations.history", **query, cursor=page["response_metadata"]["next_cursor"])
        found += [message["ts"] for message in page["messages"]]
    assert found == stamps[::-1]
    between = box.slack_get("conversations.history", channel=channel, oldest=stamps[0], latest=stamps[2])
    assert [message["ts"] for message in between["messages"]] == [stamps[1]]


def test_replies_are_read_with_their_thread_and_not_in_the_history(box: Box, channel: str) -> None:
    parent = post(box, channel, "thread")
    reply = post(box, channel, "details", thread_ts=parent)
    loud = post(box, channel, "for all", thread_ts=parent, reply_broadcast=True)
    thread = box.slack_get("conversations.replies", channel=channel, ts=parent)["messages"]
    assert [message["ts"] for message in thread] == [parent, reply, loud]
    history = box.slack_get("conversations.history", channel=channel, oldest=parent, inclusive=True)["messages"]
    assert [message["ts"] for message in history] == [loud, parent]
    nested = box.slack_post("chat.postMessage", channel=channel, text="x", thread_ts=reply)
    assert nested["error"] == "cannot_reply_to_message"


def test_a_direct_conversation_opens_once(box: Box) -> None:
    first = box.slack_post("conversations.open", users="U0ALICE0001")
    again = box.slack_post("conversations.open", users="U0ALICE0001")
    assert first["channel"]["id"] == again["channel"]["id"]
    assert again["already_open"] is True
    assert box.slack_post("chat.postMessage", channel="U0ALICE0001", text="hi")["channel"] == first["channel"]["id"]
    assert box.slack_post("conversations.open", users="U0NOBODY0001")["error"] == "user_not_found"


def test_a_public_channel_can_be_joined(box: Box) -> None:
    assert box.slack_post("conversations.join", channel="C0NOSUCH0001")["error"] == "channel_not_found"
    assert box.slack_post("conversations.join", channel="C0ATTIC00001")["error"] == "is_archived"
    assert (
        box.slack_post("conversations.join", channel="G0BOARD00001")["error"] == "method_not_supported_for_channel_type"
    )
    assert box.slack_post("conversations.join", channel="C0RANDOM0001")["warning"] == "already_in_channel"


def ticket(box: Box, data: bytes, **fields: Any) -> tuple[str, str]:
    form = {"filename": "plan.txt", "length": len(data), **fields}
    answer = box.slack_call("files.getUploadURLExternal", data=form).json()
    assert answer["ok"], answer
    assert answer["upload_url"].startswith("https://files.slack.com/upload/v1/")
    return answer["file_id"], f"{box.url}/{answer['upload_url'].removeprefix('https://')}"


def test_a_file_is_posted_by_the_completing_call_and_shown_a_moment_later(box: Box, channel: str) -> None:
    before = box.last_effect()
    data = b"our plan"
    file_id, url = ticket(box, data)
    early = box.slack_post("files.completeUploadExternal", files=[{"id": file_id}], channel_id=channel)
    assert early["error"] == "file_not_found"
    raw = {"Content-Type": "application/octet-stream"}
    assert box.http.post(url, data=data[:-1], headers=raw, timeout=10).status_code == 400
    assert box.http.post(url, data=data, headers=raw, timeout=10).text == f"OK - {len(data)}"
    assert box.http.post(url, files={"file": ("plan.txt", data)}, timeout=10).text == f"OK - {len(data)}"
    assert box.last_effect() == before
    wanted = {"files": [{"id": file_id, "title": "Plan"}], "channel_id": channel, "initial_comment": "See the plan"}
    assert box.slack_post("files.completeUploadExternal", **wanted)["files"] == [{"id": file_id, "title": "Plan"}]
    [effect] = box.effects(since_id=before)
    assert (effect["action"], effect["provider_id"], effect["recipient"]) == ("uploadFile", file_id, channel)
    assert box.slack_get("files.info", file=file_id)["file"]["shares"] == {}
    box.control("POST", "clock", {"advance_s": 1})
    shown = box.slack_get("files.info", file=file_id)["file"]
    assert shown["channels"] == [channel]
    ts = shown["shares"]["public"][channel][0]["ts"]
    message = box.slack_get("conversations.history", channel=channel, oldest=ts, inclusive=True)["messages"][0]
    assert (message["text"], message["files"][0]["id"]) == ("See the plan", file_id)


def test_completing_twice_posts_twice_and_alt_txt_posts_never(box: Box, channel: str) -> None:
    raw = {"Content-Type": "application/octet-stream"}
    before = box.last_effect()
    for fields, effects in (({}, 2), ({"alt_txt": "a plan"}, 2)):
        file_id, url = ticket(box, b"x", **fields)
        box.http.post(url, data=b"x", headers=raw, timeout=10)
        for _ in range(2):
            answer = box.slack_post("files.completeUploadExternal", files=[{"id": file_id}], channel_id=channel)
            assert answer["ok"]
        assert len(box.effects(since_id=before)) == effects


def test_a_refresh_token_is_good_for_one_rotation(tmp_path_factory: pytest.TempPathFactory) -> None:
    with running(tmp_path_factory.mktemp("rotating")) as box:
        oauth = box.slack["oauth"]
        form = {"grant_type": "refresh_token", "refresh_token": oauth["refresh_token"]}
        client = (oauth["client_id"], oauth["client_secret"])

        def refresh(client: tuple[str, str]) -> dict[str, Any]:
            found: dict[str, Any] = box.slack_call("oauth.v2.access", token=None, auth=client, data=form).json()
            return found

        assert refresh((client[0], "wrong"))["error"] == "bad_client_secret"
        pair = refresh(client)
        assert refresh(client)["error"] == "invalid_refresh_token"
        assert box.slack_call("auth.test", token=pair["access_token"]).json()["ok"]
        box.control("POST", "clock", {"advance_s": pair["expires_in"] + 1})
        assert box.slack_call("auth.test", token=pair["access_token"]).json()["error"] == "token_expired"
        form["refresh_token"] = pair["refresh_token"]
        assert refresh(client)["ok"]
