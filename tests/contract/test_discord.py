"""What does each Discord action do at Discord? Asked of the sandbox."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.discord.direct import SendDirectMessage
from connectors.discord.guild import ChannelList
from connectors.discord.history import Found, MessageList
from connectors.discord.messages import SendMessage, nonce
from connectors.kit.errors import (
    AuthExpired,
    InvalidRequest,
    NotFound,
    OutcomeUnknown,
    Permission,
    RecipientOptedOut,
)
from connectors.registry import action, connector
from tests.contract.case import text
from tests.contract.cases.discord import LAUNCH, NEWS, VOICE, member
from tests.contract.conftest import Performer, Sandbox
from tests.contract.memory_ledger import MemoryLedger, in_doubt

QUIET, SECRET, BLIND, FORUM = (f"110000000000000000{n}" for n in (4, 5, 6, 9))
SEND, DIRECT = action("discord.sendMessage"), action("discord.sendDirectMessage")


def test_a_message_carries_the_key_as_its_nonce_and_notifies_nobody(performer: Performer, sandbox: Sandbox) -> None:
    ledger, mark_ = MemoryLedger(), sandbox.mark()
    data = SendMessage(channel=LAUNCH, content="Sale is live @everyone")

    posted = performer.perform(SEND, performer.call("discord", ledger), data)

    (effect,) = sandbox.effects(mark_)
    assert (effect["key"], effect["recipient"]) == (nonce(ledger.key), LAUNCH)
    assert len(nonce(ledger.key)) == 25
    assert data.body()["allowed_mentions"] == {"parse": []}
    shown = performer.do("discord.getMessage", channel=LAUNCH, message=posted.provider_id()).model_dump()
    assert (shown["content"], shown["edited_at"]) == ("Sale is live @everyone", None)


def test_a_repeat_under_the_same_key_is_the_same_message(performer: Performer, sandbox: Sandbox) -> None:
    call, data, mark_ = performer.call("discord"), SendMessage(channel=LAUNCH, content=text()), sandbox.mark()

    ids = {performer.perform(SEND, call, data).provider_id() for _ in range(2)}

    assert [effect["provider_id"] for effect in sandbox.effects(mark_)] == [*ids]


def test_a_message_that_was_deleted_meanwhile_is_not_sent_again(performer: Performer, sandbox: Sandbox) -> None:
    call, data = performer.call("discord"), SendMessage(channel=LAUNCH, content=text())
    posted = performer.perform(SEND, call, data)
    performer.do("discord.deleteMessage", channel=LAUNCH, message=posted.provider_id())
    mark_ = sandbox.mark()

    with pytest.raises(OutcomeUnknown, match="deleted since"):
        performer.perform(SEND, call, data)
    assert sandbox.effects(mark_) == []


def test_the_same_words_of_another_run_are_not_taken_for_ours(performer: Performer) -> None:
    data = SendMessage(channel=LAUNCH, content=text())
    other = performer.perform(SEND, performer.call("discord"), data).provider_id()
    ledger = in_doubt()
    ledger.owned_by_others = {str(other)}

    assert performer.look_up(SEND, performer.call("discord", ledger), data) is None


@pytest.mark.parametrize(
    "other",
    [{"content": "Other words"}, {"embeds": [{"title": "Other card"}]}, {"poll": {"question": "?", "answers": ["a"]}}],
)
def test_read_back_tells_messages_apart(performer: Performer, other: dict[str, Any]) -> None:
    words = text()
    performer.do("discord.sendMessage", channel=LAUNCH, **{"content": words, "embeds": [{"title": "Card"}], **other})
    wanted = SendMessage.model_validate({"channel": LAUNCH, "content": words, "embeds": [{"title": "Card"}]})
    if "poll" in other:
        # The words are the same; only the question is not.
        wanted = wanted.model_copy(update={"poll": None})

    assert performer.look_up(SEND, performer.call("discord", in_doubt()), wanted) is None


def test_two_messages_of_the_same_words_are_not_guessed_about(performer: Performer) -> None:
    data = SendMessage(channel=LAUNCH, content=text())
    for _ in range(2):
        performer.perform(SEND, performer.call("discord"), data)

    with pytest.raises(OutcomeUnknown, match="ambiguous: 2"):
        performer.look_up(SEND, performer.call("discord", in_doubt()), data)


def test_read_back_finds_a_message_whose_white_space_discord_cut_off_and_reads_past_one_page(
    performer: Performer,
) -> None:
    call, data = performer.call("discord"), SendMessage(channel=LAUNCH, content=f"  {text()}\n")
    first = performer.perform(SEND, call, data)
    for _ in range(105):
        performer.do("discord.sendMessage", channel=LAUNCH, content=text())

    found = performer.look_up(SEND, call, data)

    assert found is not None
    assert found.provider_id() == first.provider_id()


def test_an_empty_list_proves_nothing_once_the_nonce_may_be_forgotten(performer: Performer) -> None:
    data = SendMessage(channel=BLIND, content=text())
    performer.perform(SEND, performer.call("discord"), data)

    assert performer.look_up(SEND, performer.call("discord", in_doubt()), data) is None
    with pytest.raises(OutcomeUnknown, match="READ_MESSAGE_HISTORY"):
        performer.look_up(SEND, performer.call("discord", in_doubt(minutes_ago=5)), data)


@pytest.mark.parametrize(
    ("channel", "kind", "code"),
    [
        (SECRET, Permission, "50001"),
        (QUIET, Permission, "50013"),
        (FORUM, InvalidRequest, "40058"),
        ("1100000000000009999", NotFound, "10003"),
    ],
)
def test_discords_refusals_keep_their_code(
    performer: Performer, channel: str, kind: type[Exception], code: str
) -> None:
    with pytest.raises(kind) as caught:
        performer.do("discord.sendMessage", channel=channel, content="Hi")

    assert getattr(caught.value, "code", None) == code
    assert channel not in str(caught.value)


def test_an_answer_to_what_is_not_there_names_the_field(performer: Performer) -> None:
    with pytest.raises(InvalidRequest, match="at message_reference"):
        performer.do("discord.sendMessage", channel=LAUNCH, content="Hi", reply_to="1")


def test_a_wrong_token_is_not_in_the_error(performer: Performer) -> None:
    performer.account["discord"]["credential"] = {"bot_token": "wrong-token"}

    with pytest.raises(AuthExpired) as caught:
        performer.do("discord.sendMessage", channel=LAUNCH, content="Hi")
    assert "wrong-token" not in f"{caught.value!r}"


def test_a_message_is_edited_published_once_and_deleted(performer: Performer) -> None:
    posted = performer.do("discord.sendMessage", channel=NEWS, content=text(), embeds=[{"title": "x"}]).provider_id()

    performer.do("discord.editMessage", channel=NEWS, message=posted, content="Sale extended")
    published = [performer.do("discord.crosspostMessage", channel=NEWS, message=posted) for _ in range(2)]

    shown = performer.do("discord.getMessage", channel=NEWS, message=posted).model_dump()
    assert (shown["content"], shown["embeds"]) == ("Sale extended", 0)
    assert shown["edited_at"] is not None
    assert {one.provider_id() for one in published} == {posted}
    performer.do("discord.deleteMessage", channel=NEWS, message=posted)
    with pytest.raises(NotFound) as caught:
        performer.do("discord.deleteMessage", channel=NEWS, message=posted)
    assert caught.value.code == "10008"


def test_messages_are_listed_by_time_and_found_by_words(performer: Performer) -> None:
    word, before = text(), datetime.now(UTC) - timedelta(seconds=1)
    ids = [performer.do("discord.sendMessage", channel=LAUNCH, content=f"{word} {n}").provider_id() for n in range(3)]

    listed = performer.do("discord.listMessages", channel=LAUNCH, since=before.isoformat())
    assert isinstance(listed, MessageList)
    assert [one.id for one in listed.messages if one.content.startswith(word)] == ids[::-1]
    earlier = performer.do("discord.listMessages", channel=LAUNCH, until=before.isoformat(), limit=1000)
    assert isinstance(earlier, MessageList)
    assert not {one.id for one in earlier.messages} & set(ids)
    found = performer.do("discord.searchMessages", text=word, channels=[LAUNCH], limit=2, offset=1)
    assert isinstance(found, Found)
    assert (found.total, [one.id for one in found.messages]) == (3, ids[1::-1])


def test_a_person_is_written_to_in_one_conversation(performer: Performer, sandbox: Sandbox) -> None:
    person, mark_ = member(), sandbox.mark()

    for _ in range(2):
        performer.do("discord.sendDirectMessage", user=person, content=text())

    opened, *posted = sandbox.effects(mark_)
    assert opened["action"] == "openDM"
    assert [(one["action"], one["recipient"]) for one in posted] == [("sendDirectMessage", person)] * 2
    assert performer.do("discord.openDM", user=person).model_dump() == {"channel": opened["provider_id"]}


def test_a_person_who_takes_no_messages_is_remembered(performer: Performer, sandbox: Sandbox) -> None:
    person, ledger = member(), MemoryLedger()
    sandbox.ask("POST", "opt-outs", json={"connector": "discord", "address": person})

    with pytest.raises(RecipientOptedOut):
        performer.perform(DIRECT, performer.call("discord", ledger), SendDirectMessage(user=person, content="Hi"))

    assert ledger.opt_outs["discord", person].source == "discord 50007"


def test_a_stranger_cannot_be_written_to(performer: Performer) -> None:
    with pytest.raises(Permission) as caught:
        performer.do("discord.sendDirectMessage", user="990000000000000001", content="Hi")
    assert caught.value.code == "50278"


def test_channels_are_listed_by_kind(performer: Performer) -> None:
    listed = performer.do("discord.getChannels")

    assert isinstance(listed, ChannelList)
    kinds = {one.id: one.kind for one in listed.channels}
    assert (kinds[LAUNCH], kinds[NEWS], kinds[VOICE], kinds[FORUM]) == ("text", "announcement", "voice", "forum")
    assert SECRET not in kinds


def test_without_a_server_named_nothing_is_asked(performer: Performer) -> None:
    performer.account["discord"]["settings"] = {}

    with pytest.raises(InvalidRequest, match=r"^guild: none given"):
        performer.do("discord.getChannels")


def test_the_credential_check_names_the_bot_or_the_webhook(performer: Performer) -> None:
    assert connector("discord").test(performer.call("discord")) == "Discord bot neonhub (900000000000000001)"
    assert performer.do("discord.checkCredentials").model_dump()["username"] == "neonhub"
    account = performer.account["discord"]
    account["credential"] = {"webhook_url": account["credential"]["webhook_url"]}
    assert connector("discord").test(performer.call("discord")).startswith("Discord webhook 12")
    account["credential"] = {"webhook_url": "https://discord.com/api/webhooks/1/gone"}
    with pytest.raises(AuthExpired):
        connector("discord").test(performer.call("discord"))
