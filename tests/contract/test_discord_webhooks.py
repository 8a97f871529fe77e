"""What does a webhook do at Discord? Asked of the sandbox."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from connectors.discord.webhook_messages import SendWebhookMessage
from connectors.kit.errors import (
    NotFound,
    OutcomeUnknown,
    Permission,
)
from connectors.registry import action
from tests.contract.case import text
from tests.contract.cases.discord import LAUNCH
from tests.contract.conftest import Performer, Sandbox
from tests.contract.memory_ledger import in_doubt

HOOK = action("discord.sendWebhookMessage")


def test_a_webhook_posts_under_any_name_edits_and_deletes(performer: Performer) -> None:
    posted = performer.do("discord.sendWebhookMessage", content=text(), username="Neon promo").provider_id()

    performer.do("discord.editWebhookMessage", message=posted, content="Sale extended")

    shown = performer.do("discord.getWebhookMessage", message=posted).model_dump()
    assert (shown["content"], shown["webhook"]) == ("Sale extended", shown["author"])
    with pytest.raises(Permission):
        performer.do("discord.editMessage", channel=LAUNCH, message=posted, content="No")
    performer.do("discord.deleteWebhookMessage", message=posted)
    with pytest.raises(NotFound):
        performer.do("discord.getWebhookMessage", message=posted)


def test_a_webhook_alone_works_but_cannot_look(performer: Performer, sandbox: Sandbox) -> None:
    account = performer.account["discord"]
    account["credential"] = {"webhook_url": account["credential"]["webhook_url"]}
    data, mark_ = SendWebhookMessage(content=text()), sandbox.mark()
    performer.perform(HOOK, performer.call("discord"), data)

    with pytest.raises(OutcomeUnknown, match="Look into the channel"):
        performer.look_up(HOOK, performer.call("discord", in_doubt()), data)
    with pytest.raises(Permission, match="no bot_token"):
        performer.do("discord.sendMessage", channel=LAUNCH, content="Hi")
    assert len(sandbox.effects(mark_)) == 1


def test_a_bot_alone_has_no_webhook(performer: Performer) -> None:
    performer.account["discord"]["credential"].pop("webhook_url")

    with pytest.raises(Permission, match="no webhook_url"):
        performer.do("discord.sendWebhookMessage", content="Hi")


def test_an_empty_channel_that_the_bot_may_read_proves_that_nothing_was_posted(performer: Performer) -> None:
    data = SendWebhookMessage(content=text(), thread_id="1100000000000000007")
    assert performer.look_up(HOOK, performer.call("discord", in_doubt()), data) is None

    unread = SendWebhookMessage(content=text(), thread_id="1100000000000000006")
    performer.perform(HOOK, performer.call("discord"), unread)
    with pytest.raises(OutcomeUnknown, match="READ_MESSAGE_HISTORY"):
        performer.look_up(HOOK, performer.call("discord", in_doubt()), unread)


def test_the_bots_own_words_are_not_taken_for_the_webhooks(performer: Performer) -> None:
    words = text()
    performer.do("discord.sendMessage", channel=LAUNCH, content=words)

    assert performer.look_up(HOOK, performer.call("discord", in_doubt()), SendWebhookMessage(content=words)) is None


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"username": "Clyde"}, "clyde"),
        ({"username": "my discord bot"}, "discord"),
        ({"thread_id": "1", "thread_name": "x"}, "thread_id or thread_name"),
    ],
)
def test_a_webhook_may_not_pose_as_discord(wrong: dict[str, object], named: str) -> None:
    with pytest.raises(ValidationError, match=named):
        SendWebhookMessage.model_validate({"content": "Hi", **wrong})
