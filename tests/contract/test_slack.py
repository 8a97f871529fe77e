"""What does each Slack action do at Slack? Asked of the sandbox."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from connectors.kit.errors import (
    AuthExpired,
    InvalidRequest,
    NotFound,
    OutcomeUnknown,
    Permission,
)
from connectors.registry import action, connector
from connectors.slack.channels import ChannelList
from connectors.slack.history import MessageList
from connectors.slack.messages import SendMessage
from connectors.slack.scheduled import ScheduledList, ScheduleMessage
from tests.contract.conftest import Performer, Sandbox
from tests.contract.memory_ledger import MemoryLedger

CHANNEL, ARCHIVED, NOT_JOINED = "C0SPRINGLNCH", "C0ATTIC00001", "C0LOBBY00001"
SEND, SCHEDULE = action("slack.sendMessage"), action("slack.scheduleMessage")


@pytest.fixture
def post_at() -> datetime:
    """A second that no other test schedules for."""
    spread = timedelta(days=30, seconds=uuid.uuid4().int % 5_000_000)
    return (datetime.now(UTC) + spread).replace(microsecond=0)


def test_a_message_carries_the_key_and_is_listed_with_it(performer: Performer, sandbox: Sandbox) -> None:
    ledger, mark = MemoryLedger(), sandbox.mark()
    data = SendMessage(channel=CHANNEL, text="Sale is live", blocks=({"type": "divider"},))

    posted = performer.perform(SEND, performer.call("slack", ledger), data)

    (effect,) = sandbox.effects(mark)
    assert (effect["key"], effect["recipient"], effect["text"]) == (ledger.key, CHANNEL, "Sale is live")
    listed = performer.do("slack.listMessages", channel=CHANNEL, limit=5)
    assert isinstance(listed, MessageList)
    assert (listed.messages[0].ts, listed.messages[0].effect_id) == (posted.provider_id(), ledger.key)


def test_a_reply_in_a_thread_is_found_there(performer: Performer) -> None:
    parent = performer.do("slack.sendMessage", channel=CHANNEL, text="Parent").provider_id()
    call = performer.call("slack")
    data = SendMessage(channel=CHANNEL, text="Reply", thread_ts=parent)
    reply = performer.perform(SEND, call, data)

    found = performer.look_up(SEND, call, data)

    assert found is not None
    assert found.provider_id() == reply.provider_id()
    thread = performer.do("slack.listReplies", channel=CHANNEL, ts=parent)
    assert isinstance(thread, MessageList)
    assert [one.text for one in thread.messages] == ["Parent", "Reply"]


def test_the_same_words_of_another_run_are_not_taken_for_ours(performer: Performer) -> None:
    data = SendMessage(channel=CHANNEL, text="Same words")
    performer.perform(SEND, performer.call("slack"), data)
    ledger = MemoryLedger()
    ledger.sent()

    assert performer.look_up(SEND, performer.call("slack", ledger), data) is None


def test_read_back_reads_on_past_one_page(performer: Performer) -> None:
    call, data = performer.call("slack"), SendMessage(channel=CHANNEL, text="The first of many")
    first = performer.perform(SEND, call, data)
    for number in range(105):
        performer.do("slack.sendMessage", channel=CHANNEL, text=f"Number {number}")

    found = performer.look_up(SEND, call, data)

    assert found is not None
    assert found.provider_id() == first.provider_id()


def test_without_the_right_to_read_nothing_is_concluded(performer: Performer) -> None:
    ledger, data = MemoryLedger(), SendMessage(channel=CHANNEL, text="Hi")
    performer.perform(SEND, performer.call("slack", ledger), data)
    performer.account["slack"]["credential"] = performer.account["slack"]["limited_credential"]

    with pytest.raises(OutcomeUnknown, match="needs scope"):
        performer.look_up(SEND, performer.call("slack", ledger), data)


@pytest.mark.parametrize(
    ("channel", "kind", "code"),
    [
        ("C0NOSUCH0001", NotFound, "channel_not_found"),
        (ARCHIVED, NotFound, "is_archived"),
        ("G0NOTOURS001", NotFound, "channel_not_found"),
    ],
)
def test_slacks_refusals_keep_their_name(performer: Performer, channel: str, kind: type[NotFound], code: str) -> None:
    with pytest.raises(kind) as caught:
        performer.do("slack.sendMessage", channel=channel, text="Hi")

    assert (caught.value.code, caught.value.http_status) == (code, 200)


def test_a_missing_scope_is_named(performer: Performer) -> None:
    performer.account["slack"]["credential"] = performer.account["slack"]["limited_credential"]

    with pytest.raises(Permission, match="chat:write"):
        performer.do("slack.sendMessage", channel=CHANNEL, text="Hi")


def test_a_wrong_token_is_not_in_the_error(performer: Performer) -> None:
    performer.account["slack"]["credential"] = {"bot_token": "xoxb-wrong-token"}

    with pytest.raises(AuthExpired) as caught:
        performer.do("slack.sendMessage", channel=CHANNEL, text="Hi")
    assert "xoxb-wrong-token" not in f"{caught.value!r}"


def test_a_scheduled_message_is_listed_and_cancelled(performer: Performer, post_at: datetime) -> None:
    kept = performer.do("slack.scheduleMessage", channel=CHANNEL, text="A & B", post_at=post_at.isoformat())

    def ids() -> list[str]:
        listed = performer.do("slack.listScheduled", channel=CHANNEL)
        assert isinstance(listed, ScheduledList)
        return [one.scheduled_message_id for one in listed.messages if one.post_at == post_at]

    assert ids() == [kept.provider_id()]
    performer.do("slack.cancelScheduled", channel=CHANNEL, scheduled_message_id=kept.provider_id())
    assert ids() == []


def test_a_scheduled_message_of_another_run_is_left_out(performer: Performer, post_at: datetime) -> None:
    data = ScheduleMessage(channel=CHANNEL, text="Same words", post_at=post_at)
    other = performer.perform(SCHEDULE, performer.call("slack"), data).provider_id()
    ledger = MemoryLedger()
    ledger.sent()
    ledger.owned_by_others = {str(other)}

    assert performer.look_up(SCHEDULE, performer.call("slack", ledger), data) is None


def test_other_words_at_the_same_second_are_not_guessed_about(performer: Performer, post_at: datetime) -> None:
    data = ScheduleMessage(channel=CHANNEL, text="Party", post_at=post_at)
    performer.perform(SCHEDULE, performer.call("slack"), data.model_copy(update={"text": "Fest"}))
    ledger = MemoryLedger()
    ledger.sent()

    with pytest.raises(OutcomeUnknown, match="ambiguous: 1"):
        performer.look_up(SCHEDULE, performer.call("slack", ledger), data)


@pytest.mark.parametrize(
    "text",
    [
        "A & B < C > D",
        "A &amp; B",
        "https://example.com/?a=1&b=2",
        "<https://example.com|today>",
        "Party 🎉",
        "Two  \n\n ",
    ],
)
def test_a_scheduled_message_is_found_however_slack_shows_its_text(
    performer: Performer, post_at: datetime, text: str
) -> None:
    call, data = performer.call("slack"), ScheduleMessage(channel=CHANNEL, text=text, post_at=post_at)
    kept = performer.perform(SCHEDULE, call, data)

    found = performer.look_up(SCHEDULE, call, data)

    assert found is not None
    assert found.provider_id() == kept.provider_id()


def test_after_its_time_nothing_is_concluded_from_the_list(performer: Performer) -> None:
    ledger = MemoryLedger()
    ledger.sent()
    data = ScheduleMessage(channel=CHANNEL, text="Gone?", post_at=datetime.now(UTC) - timedelta(minutes=5))

    with pytest.raises(OutcomeUnknown, match="its time has come"):
        performer.look_up(SCHEDULE, performer.call("slack", ledger), data)


@pytest.mark.parametrize("ahead", [timedelta(seconds=30), timedelta(days=121), timedelta(days=-1)])
def test_a_time_too_near_or_far_is_refused_before_any_call(
    performer: Performer, sandbox: Sandbox, ahead: timedelta
) -> None:
    mark = sandbox.mark()

    with pytest.raises(InvalidRequest, match=r"^post_at: must be over 60 s"):
        performer.do(
            "slack.scheduleMessage", channel=CHANNEL, text="Hi", post_at=(datetime.now(UTC) + ahead).isoformat()
        )

    assert sandbox.effects(mark) == []


def test_what_was_never_scheduled_cannot_be_cancelled(performer: Performer) -> None:
    cancel = action("slack.cancelScheduled")
    data = cancel.input.model_validate({"channel": CHANNEL, "scheduled_message_id": "Q0000000000"})

    with pytest.raises(NotFound):
        performer.perform(cancel, performer.call("slack"), data)


def test_channels_are_listed_by_kind(performer: Performer) -> None:
    listed = performer.do("slack.getChannels", types=["public_channel", "private_channel"], exclude_archived=False)

    assert isinstance(listed, ChannelList)
    by_id = {one.id: one for one in listed.channels}
    assert by_id[ARCHIVED].is_archived
    assert by_id["G0BOARD00001"].is_private
    fewer = performer.do("slack.getChannels", limit=1)
    assert isinstance(fewer, ChannelList)
    assert len(fewer.channels) == 1


def test_a_bot_joins_a_channel_and_may_do_so_twice(performer: Performer) -> None:
    for _ in range(2):
        assert performer.do("slack.joinChannel", channel=NOT_JOINED).model_dump() == {"channel": NOT_JOINED}


def test_a_direct_conversation_is_opened_once_and_can_be_posted_to(performer: Performer, sandbox: Sandbox) -> None:
    users = performer.account["slack"]["users"][:2]
    mark = sandbox.mark()

    opened = [performer.do("slack.openDM", users=users).model_dump()["channel"] for _ in range(2)]

    (effect,) = sandbox.effects(mark)
    assert opened == [effect["provider_id"]] * 2
    assert performer.do("slack.sendMessage", channel=opened[0], text="Hi, both of you").provider_id()


def test_an_unknown_person_cannot_be_talked_to(performer: Performer) -> None:
    with pytest.raises(NotFound) as caught:
        performer.do("slack.openDM", users=["U0NOBODY0001"])

    assert caught.value.code == "user_not_found"


def test_the_credential_check_names_the_workspace(performer: Performer) -> None:
    assert connector("slack").test(performer.call("slack")) == "Slack workspace Sandbox, as neonhub"
    found = performer.do("slack.checkCredentials").model_dump()
    assert (found["team_id"], found["team"]) == (performer.account["slack"]["account"], "Sandbox")


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"channel": "#launch"}, "channel"),
        ({"text": ""}, "text"),
        ({"text": "x" * 40_001}, "text"),
        ({"blocks": [{"type": "divider"}] * 51}, "blocks"),
        ({"thread_ts": 1795417802.000247}, "thread_ts"),
        ({"metadata": {}}, "metadata"),
    ],
)
def test_bad_input_names_its_field(wrong: dict[str, object], named: str) -> None:
    with pytest.raises(ValidationError) as caught:
        SendMessage.model_validate({"channel": CHANNEL, "text": "Hi", **wrong})

    assert caught.value.errors()[0]["loc"][0] == named
