"""What do the actions on WhatsApp's account, files and conversations do? Asked of the sandbox."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.kit.errors import (
    InvalidRequest,
    NotFound,
    OutcomeUnknown,
    Permission,
    PolicyRejected,
    RecipientOptedOut,
)
from connectors.registry import action, connector
from connectors.whatsapp.approvals import CreateTemplate, TemplateList, UrlButton
from connectors.whatsapp.marketing import SendMarketingTemplate
from connectors.whatsapp.sessions import SendButtons, SendMedia
from tests.contract.conftest import Performer, Sandbox
from tests.contract.memory_ledger import MemoryLedger, in_doubt

CREATE = action("whatsapp.createTemplate")
SALE: dict[str, Any] = {
    "template": "spring_sale",
    "language": "en_US",
    "body_values": ["Ana", "20 %"],
    "header_image_url": "https://cdn.example.com/a.jpg",
}
ABROAD, PHOTO = "+4915198765432", "https://media.example/photo.jpg"


def new(**changed: Any) -> dict[str, Any]:
    name = f"sale_{uuid.uuid4().hex}"
    return {"name": name, "language": "en_US", "category": "UTILITY", "body": "Hello all.", **changed}


def test_a_file_is_brought_once_and_sent_with_its_caption(
    performer: Performer, sandbox: Sandbox, recipient: str
) -> None:
    performer.hear("whatsapp", recipient)
    media_id = performer.do("whatsapp.uploadMedia", url=PHOTO).provider_id()
    mark = sandbox.mark()

    for _ in range(2):
        performer.do("whatsapp.sendMedia", to=recipient, kind="image", media_id=media_id, caption="Our window")

    assert [one["text"] for one in sandbox.effects(mark)] == ["Our window"] * 2
    found = performer.do("whatsapp.getMedia", media_id=media_id).model_dump()
    assert (found["media_type"], found["size"]) == ("image/jpeg", 100 * 2**10)
    performer.do("whatsapp.deleteMedia", media_id=media_id)
    with pytest.raises(InvalidRequest) as caught:
        performer.do("whatsapp.sendMedia", to=recipient, kind="image", media_id=media_id)
    assert caught.value.code == "131053"
    with pytest.raises(NotFound):
        performer.do("whatsapp.deleteMedia", media_id=media_id)


@pytest.mark.parametrize(
    "given",
    [
        {"kind": "video", "link": "https://cdn.example.com/a.mp4", "caption": "Look"},
        {"kind": "audio", "link": "https://cdn.example.com/a.ogg", "voice": True},
        {"kind": "document", "link": "https://cdn.example.com/a.pdf", "filename": "prices.pdf"},
    ],
)
def test_files_of_every_kind_go_by_link(performer: Performer, recipient: str, given: dict[str, Any]) -> None:
    with pytest.raises(PolicyRejected, match="24 h"):
        performer.do("whatsapp.sendMedia", to=recipient, **given)
    performer.hear("whatsapp", recipient)

    assert performer.do("whatsapp.sendMedia", to=recipient, **given).provider_id()


@pytest.mark.parametrize(
    ("path", "named"),
    [
        ("photo-6MB.jpg", "size is"),
        ("photo-600KB.webp", "size is"),
        ("clip-17MB.mp4", "size is"),
        ("notes.txt", "kind"),
    ],
)
def test_a_file_that_whatsapp_would_refuse_is_refused_before_any_call(
    performer: Performer, sandbox: Sandbox, path: str, named: str
) -> None:
    mark = sandbox.mark()
    with pytest.raises(InvalidRequest, match=rf"^url: .*{named}"):
        performer.do("whatsapp.uploadMedia", url=f"https://media.example/{path}")
    assert sandbox.effects(mark) == []


@pytest.mark.parametrize(
    "given",
    [
        {"buttons": [{"id": "yes", "title": "Yes"}], "footer": "Until Sunday"},
        {"url": "https://shop.example.com", "url_title": "Shop"},
    ],
)
def test_a_text_may_have_buttons(performer: Performer, sandbox: Sandbox, recipient: str, given: dict[str, Any]) -> None:
    performer.hear("whatsapp", recipient)
    mark = sandbox.mark()

    performer.do("whatsapp.sendButtons", to=recipient, body="Shall we?", **given)

    (effect,) = sandbox.effects(mark)
    assert effect["text"] == "Shall we?"


def test_a_marketing_template_takes_its_own_way(performer: Performer, sandbox: Sandbox) -> None:
    ledger, mark = MemoryLedger(), sandbox.mark()
    send = action("whatsapp.sendMarketingTemplate")
    data = send.input.model_validate({"to": ABROAD, **SALE, "message_activity_sharing": False})

    performer.perform(send, performer.call("whatsapp", ledger), data)

    (effect,) = sandbox.effects(mark)
    assert (effect["key"], effect["recipient"]) == (ledger.key, ABROAD)
    with pytest.raises(InvalidRequest) as caught:
        performer.do("whatsapp.sendMarketingTemplate", to=ABROAD, template="welcome", language="en_US")
    assert caught.value.code == "131009"


def test_marketing_to_the_united_states_is_refused_before_any_call() -> None:
    with pytest.raises(ValidationError, match="delivers no marketing there; send an SMS"):
        SendMarketingTemplate.model_validate({"to": "+14155550123", **SALE})
    assert SendMarketingTemplate.model_validate({"to": "+16135550123", **SALE}).to == "+16135550123"


def test_a_template_is_made_listed_and_deleted(performer: Performer) -> None:
    given = new(
        body="Hello {{name}}, {{share}} off.",
        examples=["Ana", "20%"],
        header="Sale",
        footer="Until Sunday",
        url_buttons=[{"text": "Shop", "url": "https://a.example/{{1}}", "example": "https://a.example/1"}],
        quick_replies=["Stop"],
    )
    made = performer.do("whatsapp.createTemplate", **given).model_dump()
    assert (made["status"], made["category"]) == ("PENDING", "UTILITY")

    listed = performer.do("whatsapp.listTemplates", name=given["name"])
    assert isinstance(listed, TemplateList)
    assert [(one.template_id, one.body) for one in listed.templates] == [(made["template_id"], given["body"])]
    with pytest.raises(InvalidRequest) as taken:
        performer.do("whatsapp.createTemplate", **given)
    assert taken.value.code == "100/2388024"
    performer.do("whatsapp.deleteTemplate", name=given["name"], template_id=made["template_id"])
    with pytest.raises(NotFound):
        performer.do("whatsapp.deleteTemplate", name=given["name"])


def test_somebody_elses_template_of_that_name_is_not_taken_for_ours(performer: Performer) -> None:
    given = new()
    performer.do("whatsapp.createTemplate", **given)
    data = CreateTemplate.model_validate({**given, "body": "Other words."})

    with pytest.raises(OutcomeUnknown, match="another text"):
        performer.look_up(CREATE, performer.call("whatsapp", in_doubt()), data)


def test_templates_are_listed_by_state_and_past_one_page(performer: Performer) -> None:
    for _ in range(101):
        performer.do("whatsapp.createTemplate", **new())

    pending = performer.do("whatsapp.listTemplates", status="PENDING")
    paused = performer.do("whatsapp.listTemplates", status="PAUSED", category="MARKETING")

    assert isinstance(pending, TemplateList)
    assert isinstance(paused, TemplateList)
    assert len(pending.templates) > 100
    assert [one.name for one in paused.templates] == ["winter_sale"]


def test_the_number_tells_how_it_stands(performer: Performer) -> None:
    found = performer.do("whatsapp.getPhoneNumber").model_dump()

    assert (found["quality"], found["status"], found["throughput"]) == ("GREEN", "CONNECTED", "STANDARD")
    assert found["people_per_day"] == "TIER_2K"


def test_without_an_account_or_a_token_nothing_is_asked(performer: Performer, sandbox: Sandbox) -> None:
    account, mark = performer.account["whatsapp"], sandbox.mark()
    account["settings"] = {}
    for name, given, named in (
        ("listTemplates", {}, "waba_id"),
        ("subscribeWebhooks", {}, "waba_id"),
        ("getPhoneNumber", {}, "phone_number_id"),
        ("sendTwilioMessage", {"to": "+14155550123", "body": "Hi"}, "twilio_number"),
    ):
        with pytest.raises(InvalidRequest, match=named):
            performer.do(f"whatsapp.{name}", **given)
    account["credential"].pop("access_token")
    with pytest.raises(Permission, match="no access_token"):
        performer.do("whatsapp.getMedia", media_id="1")
    assert sandbox.effects(mark) == []


def test_through_twilio_a_message_is_found_again_and_its_status_told(
    performer: Performer, sandbox: Sandbox, recipient: str
) -> None:
    send, mark = action("whatsapp.sendTwilioMessage"), sandbox.mark()
    data = send.input.model_validate({"to": recipient, "body": "Spring is here"})
    call = performer.call("whatsapp")

    made = performer.perform(send, call, data)

    (effect,) = sandbox.effects(mark)
    assert (effect["recipient"], effect["text"]) == (f"whatsapp:{recipient}", "Spring is here")
    found = performer.look_up(send, call, data)
    assert found is not None
    assert found.provider_id() == made.provider_id()
    status = performer.do("whatsapp.getTwilioStatus", sid=made.provider_id()).model_dump()
    assert status["status"] in ("queued", "sending", "sent")


def test_an_sms_of_the_same_words_is_not_taken_for_a_whatsapp_message(performer: Performer, recipient: str) -> None:
    send = action("whatsapp.sendTwilioMessage")
    performer.do("sms.sendSMS", to=recipient, body="Same words")

    data = send.input.model_validate({"to": recipient, "body": "Same words"})
    assert performer.look_up(send, performer.call("whatsapp", in_doubt()), data) is None


def test_a_template_that_twilio_fills_is_left_to_a_person_once_any_message_could_be_it(
    performer: Performer, recipient: str
) -> None:
    send = action("whatsapp.sendTwilioTemplate")
    given = {"to": recipient, "content_sid": f"HX{'a' * 32}", "content_variables": {"1": "Ana"}}
    data = send.input.model_validate(given)
    assert performer.look_up(send, performer.call("whatsapp", in_doubt()), data) is None

    call = performer.call("whatsapp")
    performer.perform(send, call, data)

    with pytest.raises(OutcomeUnknown, match="ambiguous: 1"):
        performer.look_up(send, call, data)


def test_who_said_stop_to_twilio_is_remembered(performer: Performer, sandbox: Sandbox, recipient: str) -> None:
    sandbox.ask("POST", "opt-outs", json={"connector": "sms", "address": recipient})
    send, ledger = action("whatsapp.sendTwilioMessage"), MemoryLedger()
    data = send.input.model_validate({"to": recipient, "body": "Hi"})

    with pytest.raises(RecipientOptedOut, match="21610"):
        performer.perform(send, performer.call("whatsapp", ledger), data)
    assert ledger.opt_outs["whatsapp", recipient].source == "twilio 21610"


def test_the_credential_check_asks_whoever_lets_us_in(performer: Performer) -> None:
    credential = performer.account["whatsapp"]["credential"]
    assert connector("whatsapp").test(performer.call("whatsapp")).startswith("WhatsApp number ")
    credential.pop("access_token")
    found = connector("whatsapp").test(performer.call("whatsapp"))
    assert found == f"WhatsApp through Twilio account {credential['twilio']['account_sid']}, active"


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"link": None}, "media_id and link"),
        ({"media_id": "1"}, "media_id and link"),
        ({"kind": "audio"}, "caption: audio"),
        ({"filename": "a.pdf"}, "filename belongs"),
        ({"caption": None, "voice": True}, "voice belongs"),
        ({"caption": "x" * 1025}, "caption"),
    ],
)
def test_a_bad_file_message_names_its_field(wrong: dict[str, Any], named: str) -> None:
    good = {"to": ABROAD, "kind": "image", "link": "https://cdn.example.com/a.jpg", "caption": "Hi"}
    with pytest.raises(ValidationError, match=named):
        SendMedia.model_validate({**good, **wrong})


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"buttons": []}, "buttons and url"),
        ({"url": "https://a.example"}, "buttons and url"),
        ({"url_title": "Shop"}, "url and url_title"),
        ({"buttons": [{"id": str(n), "title": "x"} for n in range(4)]}, "buttons"),
        ({"buttons": [{"id": "1", "title": "x" * 21}]}, "title"),
    ],
)
def test_bad_buttons_name_their_field(wrong: dict[str, Any], named: str) -> None:
    good = {"to": ABROAD, "body": "Hi", "buttons": [{"id": "1", "title": "Yes"}]}
    with pytest.raises(ValidationError, match=named):
        SendButtons.model_validate({**good, **wrong})


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"body": "Hello {{1}}"}, "examples: the body has 1 blanks"),
        ({"body": "{{1}} {{name}}", "examples": ["a", "b"]}, "numbered or named"),
        ({"header": "{{1}}"}, "header"),
        ({"name": "Sale"}, "name"),
        ({"language": "english"}, "language"),
    ],
)
def test_a_bad_template_names_its_field(wrong: dict[str, Any], named: str) -> None:
    with pytest.raises(ValidationError, match=named):
        CreateTemplate.model_validate(new(**wrong))


def test_an_address_with_a_blank_needs_an_example() -> None:
    with pytest.raises(ValidationError, match="example is needed"):
        UrlButton(text="Shop", url="https://a.example/{{1}}")
