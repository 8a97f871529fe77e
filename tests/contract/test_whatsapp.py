"""What does each WhatsApp action do at WhatsApp? Asked of the sandbox."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from connectors.kit.errors import (
    AuthExpired,
    ConnectorError,
    InvalidRequest,
    NotFound,
    PolicyRejected,
    RecipientOptedOut,
)
from connectors.registry import action, connector
from connectors.whatsapp.sending import Message
from connectors.whatsapp.status import MessageStatus
from connectors.whatsapp.templates import SendTemplate
from tests.contract.conftest import Performer, Sandbox
from tests.contract.memory_ledger import MemoryLedger

SHIPPED = {
    "template": "order_shipped",
    "language": "en_US",
    "body_values": ["Ana", "1042"],
    "url_endings": {"0": "1042"},
}
SALE = {
    "template": "spring_sale",
    "language": "en_US",
    "body_values": ["Ana", "20 %"],
    "header_image_url": "https://cdn.example.com/a.jpg",
}
ABROAD = "+4915112345678"


def test_a_template_carries_the_key_and_its_blanks_are_filled(
    performer: Performer, sandbox: Sandbox, recipient: str
) -> None:
    ledger, mark = MemoryLedger(), sandbox.mark()
    send = action("whatsapp.sendTemplate")

    sent = performer.perform(
        send, performer.call("whatsapp", ledger), SendTemplate.model_validate({"to": recipient, **SHIPPED})
    )

    (effect,) = sandbox.effects(mark)
    assert (effect["key"], effect["recipient"]) == (ledger.key, recipient)
    assert effect["text"] == "Hello Ana, your order 1042 is on its way."
    assert isinstance(sent, Message)
    assert (sent.status, sent.wa_id) == ("accepted", recipient.removeprefix("+"))


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"template": "welcome", "language": "en_US"}, "Welcome to our shop."),
        (
            {"template": "appointment", "language": "de", "named_values": {"name": "Ana", "day": "Montag"}},
            "Bis Montag, Ana.",
        ),
    ],
)
def test_templates_with_named_blanks_or_none_are_sent(
    performer: Performer, sandbox: Sandbox, recipient: str, given: dict[str, Any], text: str
) -> None:
    mark = sandbox.mark()

    performer.do("whatsapp.sendTemplate", to=recipient, **given)

    assert [effect["text"] for effect in sandbox.effects(mark)] == [text]


def test_templates_with_a_header_are_sent_abroad(performer: Performer, sandbox: Sandbox) -> None:
    mark = sandbox.mark()

    performer.do("whatsapp.sendTemplate", to="+4915112345699", **SALE)
    performer.do("whatsapp.sendTemplate", to="+4915112345699", template="news", language="en_US", header_text="May")

    assert [effect["text"] for effect in sandbox.effects(mark)] == [
        "Ana, spring is here: 20 % off until Sunday.",
        "Read it.",
    ]


@pytest.mark.parametrize(
    ("wrong", "kind", "code"),
    [
        ({"template": "no_such"}, NotFound, "132001"),
        ({"language": "fr"}, NotFound, "132001"),
        ({"body_values": ["Ana"]}, InvalidRequest, "132000"),
        ({"template": "winter_sale"}, PolicyRejected, "132015"),
        ({"template": "old_sale"}, PolicyRejected, "132016"),
        ({"to": "+15005550010"}, InvalidRequest, "131021"),
        ({**SALE, "url_endings": {}}, PolicyRejected, "131049"),
    ],
)
def test_whatsapps_refusals_keep_their_code(
    performer: Performer, sandbox: Sandbox, recipient: str, wrong: dict[str, Any], kind: type[ConnectorError], code: str
) -> None:
    mark = sandbox.mark()

    with pytest.raises(kind) as caught:
        performer.do("whatsapp.sendTemplate", **{"to": recipient, **SHIPPED, **wrong})

    assert caught.value.code == code
    assert sandbox.effects(mark) == []


def test_who_stopped_marketing_is_learned_of(performer: Performer, sandbox: Sandbox) -> None:
    ledger = MemoryLedger()
    sandbox.ask("POST", "opt-outs", json={"connector": "whatsapp", "address": ABROAD})
    send = action("whatsapp.sendTemplate")

    with pytest.raises(RecipientOptedOut):
        performer.perform(send, performer.call("whatsapp", ledger), SendTemplate.model_validate({"to": ABROAD, **SALE}))

    assert ledger.opt_outs["whatsapp", ABROAD].source == "whatsapp 131050"


def test_free_text_needs_a_person_who_wrote(performer: Performer, sandbox: Sandbox, recipient: str) -> None:
    with pytest.raises(PolicyRejected, match="send a template"):
        performer.do("whatsapp.sendSessionMessage", to=recipient, body="Hello")
    performer.hear("whatsapp", recipient)
    mark = sandbox.mark()

    sent = performer.do("whatsapp.sendSessionMessage", to=recipient, body="Hello", reply_to="wamid.AbC=")

    assert [effect["provider_id"] for effect in sandbox.effects(mark)] == [sent.provider_id()]


def test_the_status_tells_how_far_a_message_got(performer: Performer, sandbox: Sandbox, recipient: str) -> None:
    wamid = performer.do("whatsapp.sendTemplate", to=recipient, **SHIPPED).provider_id()

    def status() -> str:
        found = performer.do("whatsapp.getMessageStatus", wamid=wamid)
        assert isinstance(found, MessageStatus)
        assert (found.at is None) == (found.status == "accepted")
        return found.status

    assert status() == "accepted"
    sandbox.ask("POST", "clock", json={"advance_s": 1.5})
    assert status() == "sent"
    sandbox.ask("POST", "clock", json={"advance_s": 1.5})
    assert status() == "delivered"


def test_the_status_of_a_message_that_was_never_sent_is_not_found(performer: Performer) -> None:
    with pytest.raises(NotFound, match="sent no such message"):
        performer.do("whatsapp.getMessageStatus", wamid="wamid.AbC=")


def test_the_credential_check_names_the_number(performer: Performer) -> None:
    number = performer.account["whatsapp"]["settings"]["phone_number_id"]
    said = connector("whatsapp").test(performer.call("whatsapp"))

    assert said == f"WhatsApp number {number}, Sandbox, quality GREEN"


def test_a_wrong_token_is_not_in_the_error(performer: Performer) -> None:
    performer.account["whatsapp"]["credential"] = {"access_token": "EAA-wrong-token"}

    with pytest.raises(AuthExpired) as caught:
        connector("whatsapp").test(performer.call("whatsapp"))
    assert "EAA-wrong-token" not in f"{caught.value!r}"


def test_a_number_of_another_account_is_not_found(performer: Performer, recipient: str) -> None:
    performer.account["whatsapp"]["settings"] = {"phone_number_id": "42"}

    with pytest.raises(NotFound):
        performer.do("whatsapp.sendTemplate", to=recipient, **SHIPPED)


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"to": "tomorrow"}, "to"),
        ({"template": "Order Shipped"}, "template"),
        ({"language": "english"}, "language"),
        ({"body_values": [""]}, "body_values"),
        ({"named_values": {"Name": "Ana"}, "body_values": []}, "named_values"),
        ({"url_endings": {"10": "x"}}, "url_endings"),
        ({"header_image_url": "http://cdn.example.com/a.jpg"}, "header_image_url"),
        ({"components": []}, "components"),
    ],
)
def test_bad_input_names_its_field(wrong: dict[str, Any], named: str) -> None:
    with pytest.raises(ValidationError) as caught:
        SendTemplate.model_validate({"to": ABROAD, **SHIPPED, **wrong})

    assert caught.value.errors()[0]["loc"][0] == named


@pytest.mark.parametrize(
    ("wrong", "rule"),
    [
        ({"named_values": {"name": "Ana"}}, "give body_values or named_values, not both"),
        ({**SALE, "header_text": "May"}, "give header_text or header_image_url, not both"),
    ],
)
def test_what_does_not_go_together_is_said(wrong: dict[str, Any], rule: str) -> None:
    with pytest.raises(ValidationError, match=rule):
        SendTemplate.model_validate({"to": ABROAD, **SHIPPED, **wrong})
