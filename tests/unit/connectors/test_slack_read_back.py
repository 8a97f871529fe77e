"""Which of Slack's listed messages is taken for ours? A wrong yes loses a message, a wrong no posts it twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import responses
from responses import matchers

from connectors.kit.action import Input
from connectors.kit.errors import OutcomeUnknown, RateLimited
from connectors.registry import action
from connectors.slack.files import UploadFile
from connectors.slack.messages import SendMessage
from connectors.slack.scheduled import ScheduleMessage
from tests.contract.memory_ledger import MemoryLedger
from tests.unit.connectors.calls import call

API, CHANNEL, PARENT = "https://slack.com/api/", "C0123ABCD", "1795417802.000247"
SENT_AT = datetime.now(UTC)
MINUTE = timedelta(minutes=1)
POST_AT = (SENT_AT + timedelta(days=2)).replace(microsecond=0)
POST = SendMessage(channel=CHANNEL, text="Hi")


def look(name: str, data: Input, ledger: MemoryLedger) -> Any:
    repeat: Any = action(name).repeat
    found = repeat.find(call("slack", ledger), data)
    return None if found is None else found.provider_id()


def in_doubt() -> MemoryLedger:
    ledger = MemoryLedger()
    ledger.sent(SENT_AT)
    return ledger


def message(key: str, ts: str = "1795417802.000300", **metadata: Any) -> dict[str, Any]:
    marked = {"event_type": "neonhub_effect", "event_payload": {"effect_id": key}, **metadata}
    return {"type": "message", "ts": ts, "text": "Hi", "metadata": marked}


@pytest.mark.parametrize(
    ("thread_ts", "method", "more"),
    [(None, "conversations.history", {}), (PARENT, "conversations.replies", {"ts": PARENT})],
    ids=["channel", "thread"],
)
def test_a_message_is_looked_for_from_two_minutes_before_its_sending(
    thread_ts: str | None, method: str, more: dict[str, str]
) -> None:
    ledger = in_doubt()
    with responses.RequestsMock() as mock:
        # Once the page is full of others: what follows is on the next one, which may be short.
        others = [message("other", ts=f"1795417900.{n:06d}") for n in range(100)]
        mock.get(API + method, json={"ok": True, "messages": others, "response_metadata": {"next_cursor": "n"}})
        second = {"ok": True, "messages": [message(ledger.key)], "response_metadata": {"next_cursor": ""}}
        mock.get(API + method, json=second, match=[matchers.query_param_matcher({"cursor": "n"}, strict_match=False)])

        data = SendMessage(channel=CHANNEL, text="Hi", thread_ts=thread_ts)
        assert look("slack.sendMessage", data, ledger) == "1795417802.000300"
        asked = [dict(parse_qsl(urlsplit(str(made.request.url)).query)) for made in mock.calls]

    for query in asked:
        oldest = datetime.fromtimestamp(float(query.pop("oldest")), UTC)
        assert 2 * MINUTE < SENT_AT - oldest <= 3 * MINUTE
        query.pop("cursor", None)
        assert query == {"channel": CHANNEL, "include_all_metadata": "true", "limit": "100", **more}


@pytest.mark.parametrize(
    "others",
    [
        [],
        [{"type": "message", "ts": PARENT, "text": "Hi"}],
        [message("another-key")],
        [{**message("k"), "metadata": None}],
        [{**message("k"), "metadata": {"event_type": "neonhub_effect"}}],
    ],
    ids=["nothing", "same text", "another key", "no mark", "empty mark"],
)
def test_a_message_without_our_key_is_not_ours(others: list[dict[str, Any]]) -> None:
    with responses.RequestsMock() as mock:
        mock.get(API + "conversations.history", json={"ok": True, "messages": others})

        assert look("slack.sendMessage", POST, in_doubt()) is None


def test_our_key_under_another_systems_mark_is_not_ours() -> None:
    ledger = in_doubt()
    with responses.RequestsMock() as mock:
        mock.get(API + "conversations.history", json={"ok": True, "messages": [message(ledger.key, event_type="x")]})

        assert look("slack.sendMessage", POST, ledger) is None


@pytest.mark.parametrize("error", ["missing_scope", "not_in_channel", "channel_not_found", "thread_not_found"])
def test_where_history_may_not_be_read_nothing_is_concluded(error: str) -> None:
    with responses.RequestsMock() as mock:
        mock.get(API + "conversations.history", json={"ok": False, "error": error})

        with pytest.raises(OutcomeUnknown, match="refused to say") as caught:
            look("slack.sendMessage", POST, in_doubt())

    assert caught.value.code == error


def test_a_question_that_came_too_fast_is_asked_again_later() -> None:
    with responses.RequestsMock() as mock:
        answer = {"ok": False, "error": "ratelimited"}
        mock.get(API + "conversations.history", status=429, json=answer, headers={"Retry-After": "60"})
        with pytest.raises(RateLimited) as caught:
            look("slack.sendMessage", POST, in_doubt())

    assert caught.value.retry_after_s == 60


def row(text: str = "Hi", scheduled_id: str = "Q0000000001", **more: Any) -> dict[str, Any]:
    return {
        "id": scheduled_id,
        "channel_id": CHANNEL,
        "post_at": int(POST_AT.timestamp()),
        "date_created": int(SENT_AT.timestamp()),
        "text": text,
        **more,
    }


def scheduled(text: str, *rows: dict[str, Any], ledger: MemoryLedger | None = None) -> Any:
    data = ScheduleMessage(channel=CHANNEL, text=text, post_at=POST_AT)
    pages = [list(rows[start : start + 100]) for start in range(0, len(rows), 100)] or [[]]
    with responses.RequestsMock() as mock:
        for number, page in enumerate(pages):
            more = {"next_cursor": str(number + 1) if number + 1 < len(pages) else ""}
            asked = {"channel": CHANNEL, "limit": "100"} | ({"cursor": str(number)} if number else {})
            mock.get(
                API + "chat.scheduledMessages.list",
                json={"ok": True, "scheduled_messages": page, "response_metadata": more},
                match=[matchers.query_param_matcher(asked, strict_match=True)],
            )
        return look("slack.scheduleMessage", data, ledger or in_doubt())


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("Hi", "Hi"),
        ("A & B <3 C > D", "A &amp; B &lt;3 C &gt; D"),
        ("A &amp; B", "A &amp; B"),
        ("See https://example.com/?a=1&b=2 now", "See <https://example.com/?a=1&amp;b=2> now"),
        ("See example.com", "See <http://example.com|example.com>"),
        ("<https://example.com|today>", "<https://example.com|today>"),
        ("ana@example.com", "<mailto:ana@example.com|ana@example.com>"),
        ("Hi <#C0123ABCD>", "Hi <#C0123ABCD|launch>"),
        ("Party 🎉👍🏽", "Party :tada::+1::skin-tone-4:"),
        ("❤️ Hi", ":heart: Hi"),
        ("Two  \n\n lines  ", "Two\n\nlines"),
        ("“Curly” – quotes…", "“Curly” – quotes…"),  # noqa: RUF001
    ],
)
def test_a_scheduled_message_is_recognised_however_slack_shows_its_text(sent: str, shown: str) -> None:
    assert scheduled(sent, row(shown)) == "Q0000000001"


@pytest.mark.parametrize(
    "more",
    [
        {"post_at": str(int(POST_AT.timestamp()))},
        {"date_created": int((SENT_AT - 2 * MINUTE).timestamp())},
        {"date_created": int((SENT_AT + 2 * MINUTE).timestamp())},
    ],
    ids=["text for a time", "Slack's clock is behind", "Slack's clock is ahead"],
)
def test_clocks_and_types_do_not_hide_a_scheduled_message(more: dict[str, Any]) -> None:
    assert scheduled("Hi", row(**more)) == "Q0000000001"


@pytest.mark.parametrize(
    "more",
    [
        {"post_at": int(POST_AT.timestamp()) + 1},
        {"date_created": int((SENT_AT - 10 * MINUTE).timestamp())},
        {"channel_id": "C0OTHER0001"},
    ],
    ids=["another second", "made before", "another channel"],
)
def test_another_scheduled_message_is_left_alone(more: dict[str, Any]) -> None:
    assert scheduled("Hi", row(**more)) is None


def test_a_scheduled_message_is_found_on_a_later_page() -> None:
    others = [row("x", f"Q1{n:09d}", post_at=int(POST_AT.timestamp()) + 60) for n in range(120)]

    assert scheduled("Hi", *others, row()) == "Q0000000001"


def test_of_two_equal_ones_only_what_another_run_owns_can_be_excluded() -> None:
    ledger = in_doubt()
    ledger.owned_by_others = {"Q0000000002"}

    assert scheduled("Hi", row(), row(scheduled_id="Q0000000002"), ledger=ledger) == "Q0000000001"
    with pytest.raises(OutcomeUnknown, match="ambiguous: 2"):
        scheduled("Hi", row(), row(scheduled_id="Q0000000002"))


@pytest.mark.parametrize("ahead", [timedelta(0), MINUTE, 3 * MINUTE])
def test_near_its_time_absence_proves_nothing(ahead: timedelta) -> None:
    # Slack's clock may be two minutes ahead of ours: then it is posted already.
    data = ScheduleMessage(channel=CHANNEL, text="Hi", post_at=datetime.now(UTC) + ahead)
    with responses.RequestsMock() as mock:
        mock.get(API + "chat.scheduledMessages.list", json={"ok": True, "scheduled_messages": []})
        with pytest.raises(OutcomeUnknown, match="its time has come"):
            look("slack.scheduleMessage", data, in_doubt())


@pytest.mark.parametrize(
    ("file", "shared"),
    [
        ({}, None),
        ({"shares": {}}, None),
        ({"shares": {"public": {"C0OTHER0001": [{"ts": PARENT}]}}}, None),
        ({"shares": {"public": {CHANNEL: [{"ts": PARENT}]}}}, PARENT),
        ({"shares": {"private": {CHANNEL: [{"ts": PARENT}]}}}, PARENT),
        ({"shares": {"public": {CHANNEL: []}}}, "somewhere"),
        ({"channels": [CHANNEL]}, "somewhere"),
        ({"groups": [CHANNEL]}, "somewhere"),
        ({"ims": [CHANNEL]}, "somewhere"),
    ],
)
def test_a_file_tells_where_it_is_shared(file: dict[str, Any], shared: str | None) -> None:
    ledger, repeat = in_doubt(), action("slack.uploadFile").repeat
    ledger.results["upload"] = {"file_id": "F123ABC456"}
    find: Any = repeat
    with responses.RequestsMock() as mock:
        mock.get(API + "files.info", json={"ok": True, "file": {"id": "F123ABC456", **file}})
        found = find.find(call("slack", ledger), UploadFile(channel=CHANNEL, filename="a.txt", text="A"))

    assert (None if found is None else found.ts or "somewhere") == shared
