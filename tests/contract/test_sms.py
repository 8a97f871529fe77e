"""What does each SMS action do at Twilio? Asked of the sandbox."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from connectors.kit.errors import (
    AuthExpired,
    ConnectorError,
    InvalidRequest,
    NotFound,
    OutcomeUnknown,
    Permission,
    RecipientOptedOut,
)
from connectors.registry import action, connector
from connectors.sms.consent import ConsentSet, OptOutStatus
from connectors.sms.messages import MessagePage
from connectors.sms.platform import SMS
from connectors.sms.sending import Message, ScheduleSMS, SendSMS
from tests.contract.conftest import Performer, Sandbox
from tests.contract.memory_ledger import MemoryLedger

SEND = action("sms.sendSMS")
UNKNOWN_SID = "SM" + "0" * 32


def in_hours(hours: float) -> datetime:
    return datetime.now(UTC) + timedelta(hours=hours)


def test_what_is_sent_is_what_was_asked(performer: Performer, sandbox: Sandbox, recipient: str) -> None:
    mark = sandbox.mark()

    sent = performer.do(
        "sms.sendSMS", to=f"{recipient[:2]} ({recipient[2:5]}) {recipient[5:8]}-{recipient[8:]}", body="Hi €"
    )

    (effect,) = sandbox.effects(mark)
    assert (effect["recipient"], effect["text"], effect["provider_id"]) == (recipient, "Hi €", sent.provider_id())
    assert isinstance(sent, Message)
    assert (sent.segments, sent.encoding, sent.status) == (1, "GSM-7", "accepted")


def test_media_and_a_named_sender_are_sent(performer: Performer, recipient: str) -> None:
    number = performer.account["sms"]["settings"]["from_number"]

    sent = performer.do("sms.sendSMS", to=recipient, media_urls=["https://cdn.example.com/a.jpg"], from_=number)

    assert isinstance(sent, Message)
    assert sent.sid.startswith("MM")
    assert sent.from_ == number


def test_the_callback_carries_the_effect_key(performer: Performer, sandbox: Sandbox, recipient: str) -> None:
    performer.account["sms"]["settings"]["status_callback_url"] = "https://hooks.example.com/status?team=a%26b"
    ledger, mark = MemoryLedger(), sandbox.mark()

    performer.perform(SEND, performer.call("sms", ledger), SendSMS(to=recipient, body="Hi"))

    (effect,) = sandbox.effects(mark)
    assert effect["key"] == ledger.key
    (told,) = [c for c in sandbox.ask("GET", "callbacks")["callbacks"] if c["provider_id"] == effect["provider_id"]]
    assert told["url"] == f"https://hooks.example.com/status?team=a%26b&effect={ledger.key}"


def test_a_time_with_an_offset_is_scheduled_at_that_instant(
    performer: Performer, sandbox: Sandbox, recipient: str
) -> None:
    # Other tests have moved the platform's clock ahead.
    ahead_s = sandbox.ask("GET", "health")["now"] - datetime.now(UTC).timestamp()
    at = (in_hours(0.2) + timedelta(seconds=ahead_s)).astimezone(tz=datetime.strptime("+0200", "%z").tzinfo)

    kept = performer.do("sms.scheduleSMS", to=recipient, body="Later", send_at=at.isoformat())

    status = performer.do("sms.getMessageStatus", sid=kept.provider_id())
    assert status.model_dump()["status"] == "scheduled"
    sandbox.ask("POST", "clock", json={"advance_s": 0.2 * 3600 + 10})
    status = performer.do("sms.getMessageStatus", sid=kept.provider_id())
    assert (status.model_dump()["status"], status.model_dump()["final"]) == ("delivered", True)


@pytest.mark.parametrize("ahead", [timedelta(seconds=330), timedelta(days=35, minutes=1), -timedelta(hours=1)])
def test_a_time_too_near_or_far_is_refused_before_any_call(
    performer: Performer, sandbox: Sandbox, recipient: str, ahead: timedelta
) -> None:
    mark = sandbox.mark()

    with pytest.raises(InvalidRequest, match=r"^send_at: must be over 360 s"):
        performer.do("sms.scheduleSMS", to=recipient, body="Later", send_at=(datetime.now(UTC) + ahead).isoformat())

    assert sandbox.effects(mark) == []


def test_scheduling_without_a_service_is_refused_before_any_call(
    performer: Performer, sandbox: Sandbox, recipient: str
) -> None:
    del performer.account["sms"]["settings"]["messaging_service_sid"]
    mark = sandbox.mark()

    with pytest.raises(InvalidRequest, match=r"^messaging_service_sid: "):
        performer.do("sms.scheduleSMS", to=recipient, body="Later", send_at=in_hours(1).isoformat())

    assert sandbox.effects(mark) == []


def test_sending_without_any_sender_is_refused_before_any_call(performer: Performer, recipient: str) -> None:
    performer.account["sms"]["settings"].clear()

    with pytest.raises(InvalidRequest, match=r"^from_: no sender"):
        performer.do("sms.sendSMS", to=recipient, body="Hi")


@pytest.mark.parametrize(
    ("to", "kind", "code"),
    [
        ("+15005550001", InvalidRequest, "21211"),
        ("+15005550002", InvalidRequest, "21612"),
        ("+15005550003", Permission, "21408"),
        ("+15005550004", RecipientOptedOut, "21610"),
        ("+15005550009", InvalidRequest, "21614"),
    ],
)
def test_twilios_refusals_keep_their_code(performer: Performer, to: str, kind: type[ConnectorError], code: str) -> None:
    with pytest.raises(kind) as caught:
        performer.do("sms.sendSMS", to=to, body="Hi")

    assert (caught.value.code, caught.value.http_status) == (code, 400)
    assert to not in str(caught.value)


def test_a_stop_that_only_twilio_knows_is_learned(performer: Performer, sandbox: Sandbox, recipient: str) -> None:
    sandbox.ask("POST", "opt-outs", json={"connector": "sms", "address": recipient})
    ledger = MemoryLedger()

    with pytest.raises(RecipientOptedOut):
        performer.perform(SEND, performer.call("sms", ledger), SendSMS(to=recipient, body="Hi"))

    assert ledger.opt_outs["sms", recipient].source == "twilio 21610"


def test_a_cancelled_message_says_so_and_a_sent_one_tells_the_truth(performer: Performer, recipient: str) -> None:
    kept = performer.do("sms.scheduleSMS", to=recipient, body="Later", send_at=in_hours(1).isoformat())
    sent = performer.do("sms.sendSMS", to=recipient, body="Now")

    cancelled = performer.do("sms.cancelScheduled", sid=kept.provider_id()).model_dump()
    too_late = performer.do("sms.cancelScheduled", sid=sent.provider_id()).model_dump()

    assert (cancelled["status"], cancelled["final"]) == ("canceled", True)
    assert too_late["status"] in ("accepted", "queued", "sending", "sent")


def test_deleting_what_was_never_there_is_an_error_the_first_time(performer: Performer) -> None:
    delete, call = action("sms.deleteMessage"), performer.call("sms")
    data = delete.input.model_validate({"sid": UNKNOWN_SID})

    with pytest.raises(NotFound):
        performer.perform(delete, call, data)

    assert performer.perform(delete, call, data).model_dump() == {"sid": UNKNOWN_SID}


def test_lists_are_filtered_and_limited(performer: Performer, recipient: str) -> None:
    for number in range(3):
        performer.do("sms.sendSMS", to=recipient, body=f"Number {number}")

    page = performer.do("sms.listMessages", to=recipient, limit=2)

    assert isinstance(page, MessagePage)
    assert [one.body for one in page.messages] == ["Number 2", "Number 1"]


def test_a_filter_by_time_keeps_its_offset(performer: Performer, sandbox: Sandbox, recipient: str) -> None:
    performer.do("sms.sendSMS", to=recipient, body="Sent")
    sandbox.ask("POST", "clock", json={"advance_s": 5})
    # As a wall-clock time without its offset this would be hours in the future.
    before = (datetime.now(UTC) - timedelta(hours=1)).astimezone(datetime.strptime("+0900", "%z").tzinfo)

    page = performer.do("sms.listMessages", to=recipient, sent_after=before.isoformat())

    assert isinstance(page, MessagePage)
    assert len(page.messages) == 1


def test_consent_is_kept_at_twilio_and_here(performer: Performer, recipient: str) -> None:
    ledger = MemoryLedger()
    set_consent, check = action("sms.setConsent"), action("sms.checkOptOut")
    call = performer.call("sms", ledger)
    data = set_consent.input.model_validate({"to": recipient, "opted_out": True, "source": "website"})

    assert performer.perform(set_consent, call, data) == ConsentSet(opted_out=True)
    with pytest.raises(RecipientOptedOut):
        performer.do("sms.sendSMS", to=recipient, body="Hi")
    known = check.perform(call, check.input.model_validate({"to": recipient}))
    assert isinstance(known, OptOutStatus)
    assert (known.opted_out, known.source) == (True, "setConsent: website")

    performer.perform(set_consent, call, data.model_copy(update={"opted_out": False}))
    assert check.perform(call, check.input.model_validate({"to": recipient})) == OptOutStatus(opted_out=False)
    assert performer.do("sms.sendSMS", to=recipient, body="Hi again").provider_id()


def test_an_opt_out_counts_here_even_if_twilio_is_away(performer: Performer, sandbox: Sandbox, recipient: str) -> None:
    sandbox.fault("error_500_before", "sms", "setConsent")
    ledger, set_consent = MemoryLedger(), action("sms.setConsent")
    data = set_consent.input.model_validate({"to": recipient, "opted_out": True, "source": "offline"})

    with pytest.raises(OutcomeUnknown):
        performer.perform(set_consent, performer.call("sms", ledger), data)

    assert ("sms", recipient) in ledger.opt_outs


def test_the_credential_check_reads_the_account(performer: Performer) -> None:
    sid = performer.account["sms"]["account"]

    assert connector("sms").test(performer.call("sms")) == f"Twilio account {sid}, active"
    found = performer.do("sms.checkCredentials").model_dump()
    assert (found["account_sid"], found["status"]) == (sid, "active")


def test_an_api_key_works_too_and_a_wrong_one_does_not(performer: Performer, recipient: str) -> None:
    account = performer.account["sms"]
    key = account["api_key"]
    sid = account["credential"]["account_sid"]
    account["credential"] = {"account_sid": sid, "api_key_sid": key["sid"], "api_key_secret": key["secret"]}
    assert performer.do("sms.sendSMS", to=recipient, body="Hi").provider_id()

    account["credential"]["api_key_secret"] = "wrong-secret"
    with pytest.raises(AuthExpired) as caught:
        SMS.test(performer.call("sms"))
    assert "wrong-secret" not in f"{caught.value!r}"


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"to": "0415 555 0123"}, "to"),
        ({"to": "+1415"}, "to"),
        ({"body": "x" * 1601}, "body"),
        ({"body": ""}, "body"),
        ({"body": None}, "body"),
        ({"media_urls": ["http://cdn.example.com/a.jpg"]}, "media_urls"),
        ({"media_urls": ["https://cdn.example.com/a.jpg"] * 11}, "media_urls"),
        ({"content_sid": "HX1"}, "content_sid"),
        ({"content_sid": "HX" + "d" * 32}, "content_sid"),
        ({"content_variables": {"1": "Ana"}}, "content_variables"),
        ({"messaging_service_sid": "AC" + "1" * 32}, "messaging_service_sid"),
        ({"from_": "no-such-sender!"}, "from_"),
        ({"validity_period": 0}, "validity_period"),
        ({"validity_period": 36_001}, "validity_period"),
        ({"shorten_urls": True}, "shorten_urls"),
    ],
)
def test_bad_input_names_its_field(wrong: dict[str, object], named: str) -> None:
    with pytest.raises(ValidationError) as caught:
        SendSMS.model_validate({"to": "+14155550123", "body": "Hi", **wrong})

    (error,) = caught.value.errors(include_url=False)
    assert named in ".".join(str(part) for part in error["loc"]) or named in error["msg"]


def test_a_time_without_offset_is_refused() -> None:
    with pytest.raises(ValidationError, match="send_at"):
        ScheduleSMS.model_validate({"to": "+14155550123", "body": "Hi", "send_at": "2026-12-24T18:00:00"})


def test_a_messaging_service_tells_how_it_sends(performer: Performer) -> None:
    account = performer.account["sms"]
    found = performer.do("sms.checkSender").model_dump()
    assert (found["usecase"], found["us_registered"], found["validity_period"]) == ("marketing", True, 36_000)
    with pytest.raises(NotFound):
        performer.do("sms.checkSender", messaging_service_sid=f"MG{'0' * 32}")
    account["settings"].pop("messaging_service_sid")
    with pytest.raises(InvalidRequest, match=r"^messaging_service_sid: none given"):
        performer.do("sms.checkSender")
