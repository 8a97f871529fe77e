"""Is an SMS found again by what Twilio shows of it, and never mistaken? Asked of the sandbox."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from connectors.kit.errors import OutcomeUnknown
from connectors.registry import action
from connectors.sms.sending import ScheduleSMS, SendSMS
from tests.contract.conftest import Performer, Sandbox
from tests.contract.memory_ledger import MemoryLedger

SEND, SCHEDULE = action("sms.sendSMS"), action("sms.scheduleSMS")


def test_two_messages_that_could_be_ours_are_not_guessed_about(performer: Performer, recipient: str) -> None:
    call, data = performer.call("sms"), SendSMS(to=recipient, body="Twice")
    performer.perform(SEND, call, data)
    performer.perform(SEND, call, data)

    with pytest.raises(OutcomeUnknown, match="ambiguous: 2"):
        performer.look_up(SEND, call, data)


def test_a_message_of_another_run_is_not_taken_for_ours(performer: Performer, recipient: str) -> None:
    ledger, data = MemoryLedger(), SendSMS(to=recipient, body="Same words")
    call = performer.call("sms", ledger)
    other = performer.perform(SEND, performer.call("sms"), data).provider_id()
    ledger.sent()
    ledger.owned_by_others = {str(other)}

    assert performer.look_up(SEND, call, data) is None
    ours = performer.perform(SEND, call, data).provider_id()
    found = performer.look_up(SEND, call, data)
    assert found is not None
    assert found.provider_id() == ours


@pytest.mark.parametrize(
    "difference",
    [{"body": "Other words"}, {"from_": "+15005550006", "messaging_service_sid": None}],
    ids=["text", "sender"],
)
def test_a_message_unlike_ours_is_no_proof(
    performer: Performer, recipient: str, difference: dict[str, str | None]
) -> None:
    sent = SendSMS(to=recipient, body="These words")
    asked = SendSMS.model_validate({**sent.model_dump(), **difference})
    performer.do("sms.sendSMS", **sent.model_dump())
    ledger = MemoryLedger()
    ledger.sent()

    assert performer.look_up(SEND, performer.call("sms", ledger), asked) is None


def test_read_back_reads_on_past_one_page(performer: Performer, recipient: str) -> None:
    ledger, data = MemoryLedger(), SendSMS(to=recipient, body="The first of many")
    call = performer.call("sms", ledger)
    first = performer.perform(SEND, call, data)
    for number in range(120):
        performer.do("sms.sendSMS", to=recipient, body=f"Number {number}")

    found = performer.look_up(SEND, call, data)

    assert found is not None
    assert found.provider_id() == first.provider_id()


@pytest.mark.parametrize("body", ["“Sale” – now…", "„½ price“\u00a0‚today‘ ", "  Hi 🎉  &lt;3 ", "it´s ‼\r\n"])  # noqa: RUF001
def test_signs_that_a_service_swaps_do_not_hide_a_message(performer: Performer, recipient: str, body: str) -> None:
    call, data = performer.call("sms"), SendSMS(to=recipient, body=body)
    sent = performer.perform(SEND, call, data)

    found = performer.look_up(SEND, call, data)

    assert found is not None
    assert found.provider_id() == sent.provider_id()


def test_what_is_scheduled_is_found_though_it_was_not_sent(performer: Performer, recipient: str) -> None:
    call = performer.call("sms")
    data = ScheduleSMS(to=recipient, body="Later", send_at=datetime.now(UTC) + timedelta(hours=1))
    kept = performer.perform(SCHEDULE, call, data)

    found = performer.look_up(SCHEDULE, call, data)

    assert found is not None
    assert found.provider_id() == kept.provider_id()
    assert performer.look_up(SEND, call, SendSMS(to=recipient, body="Later")) is None


def test_what_a_list_does_not_show_yet_is_found_later(performer: Performer, sandbox: Sandbox, recipient: str) -> None:
    sandbox.fault("delayed_visibility", "sms", "sendSMS", seconds=20)
    call, data = performer.call("sms"), SendSMS(to=recipient, body="Hidden at first")
    performer.perform(SEND, call, data)

    assert performer.look_up(SEND, call, data) is None
    # Earlier than None counts: settle_after_s is longer than the delay.
    sandbox.ask("POST", "clock", json={"advance_s": 25})
    assert performer.look_up(SEND, call, data) is not None


def test_a_template_is_never_guessed_about(performer: Performer, recipient: str) -> None:
    call = performer.call("sms")
    data = SendSMS(to=recipient, content_sid="HX" + "d" * 32, content_variables={"1": "Ana"})
    ledger = call.ledger
    assert isinstance(ledger, MemoryLedger)
    ledger.sent()

    assert performer.look_up(SEND, call, data) is None
    performer.do("sms.sendSMS", to=recipient, body="What the template says?")
    with pytest.raises(OutcomeUnknown, match="ambiguous"):
        performer.look_up(SEND, call, data)
