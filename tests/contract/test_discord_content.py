"""What can a message on Discord hold? Asked of the sandbox."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from connectors.discord.history import MessageList
from connectors.discord.messages import SendMessage
from connectors.kit.errors import (
    InvalidRequest,
)
from connectors.registry import action
from tests.contract.case import text
from tests.contract.cases.discord import LAUNCH
from tests.contract.conftest import Performer, Sandbox
from tests.contract.memory_ledger import in_doubt

SEND = action("discord.sendMessage")


def test_everything_that_a_message_can_hold_arrives(performer: Performer) -> None:
    parent = performer.do("discord.sendMessage", channel=LAUNCH, content=text()).provider_id()
    embed = {
        "title": "Spring sale",
        "description": "20% off",
        "url": "https://shop.example.com",
        "color": 0x00FF88,
        "timestamp": "2026-12-01T18:00:00+01:00",
        "author": {"text": "Neon", "url": "https://example.com"},
        "footer": {"text": "While stocks last"},
        "image_url": "https://cdn.example.com/a.png",
        "thumbnail_url": "https://cdn.example.com/b.png",
        "fields": [{"name": "Code", "value": "NEON20", "inline": True}],
    }
    poll = {"question": "Which colour?", "answers": ["Red", "Blue"], "several": True}
    button = {"type": 1, "components": [{"type": 2, "style": 5, "label": "Shop", "url": "https://example.com"}]}

    posted = performer.do(
        "discord.sendMessage",
        channel=LAUNCH,
        content="Hi",
        embeds=[embed],
        poll=poll,
        components=[button],
        reply_to=parent,
        sticker_ids=["749054660769218631"],
        mention=["users"],
        mention_roles=["1300000000000000001"],
        silent=True,
        suppress_embeds=True,
    )
    layout = performer.do("discord.sendMessage", channel=LAUNCH, layout=True, components=[{"type": 10, "content": "x"}])

    found = performer.do("discord.listMessages", channel=LAUNCH, limit=2)
    assert isinstance(found, MessageList)
    assert [one.id for one in found.messages] == [layout.provider_id(), posted.provider_id()]
    assert found.messages[1].embeds == 1


def test_files_go_with_a_message_and_tell_it_from_one_without(performer: Performer) -> None:
    words = text()
    files = [
        {"url": "https://media.example/chart-40x30.png", "name": "Über uns.png", "description": "Sales"},
        {"url": "https://media.example/prices-2MB.pdf"},
    ]
    call = performer.call("discord")
    data = SendMessage.model_validate({"channel": LAUNCH, "content": words, "files": files})
    posted = performer.perform(SEND, call, data)

    shown = performer.do("discord.getMessage", channel=LAUNCH, message=posted.provider_id()).model_dump()
    assert (shown["content"], shown["attachments"]) == (words, 2)
    found = performer.look_up(SEND, call, data)
    assert found is not None
    assert found.provider_id() == posted.provider_id()
    bare = SendMessage(channel=LAUNCH, content=words)
    assert performer.look_up(SEND, performer.call("discord", in_doubt()), bare) is None


@pytest.mark.parametrize(
    ("paths", "named"),
    [
        (["clip-11MB.mp4"], r"^files\.0\.url: size is"),
        (["clip-9MB.mp4"] * 3, "^files: have"),
        (["missing/a.png"], "404"),
    ],
)
def test_files_that_discord_would_refuse_are_refused_before_any_call(
    performer: Performer, sandbox: Sandbox, paths: list[str], named: str
) -> None:
    mark_ = sandbox.mark()
    files = [{"url": f"https://media.example/{path}"} for path in paths]

    with pytest.raises(InvalidRequest, match=named):
        performer.do("discord.sendMessage", channel=LAUNCH, files=files)
    assert sandbox.effects(mark_) == []


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"channel": "#launch"}, "channel"),
        ({"channel": 1100000000000000001}, "channel"),
        ({"content": ""}, "content"),
        ({"content": "x" * 2001}, "content"),
        ({"content": None}, "content, embeds, components, poll, files, sticker_ids"),
        ({"embeds": [{"title": "x"}] * 11}, "embeds"),
        ({"embeds": [{"description": "x" * 4096}] * 2}, "6000"),
        ({"embeds": [{"footer": {"text": "x", "url": "https://example.com"}}]}, "footer.url"),
        ({"embeds": [{"author": {"text": "x" * 257}}]}, "author.text"),
        ({"layout": True}, "layout"),
        ({"mention": ["users"], "mention_users": ["81"]}, "mention"),
        ({"poll": {"question": "?", "answers": []}}, "answers"),
        ({"nonce": "1"}, "nonce"),
    ],
)
def test_bad_input_names_its_field(wrong: dict[str, object], named: str) -> None:
    with pytest.raises(ValidationError, match=named):
        SendMessage.model_validate({"channel": LAUNCH, "content": "Hi", **wrong})
