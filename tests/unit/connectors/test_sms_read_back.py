"""Which of Twilio's listed messages is taken for ours? A wrong yes loses a message, a wrong no sends it twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
import responses
from responses import matchers

from connectors.kit.errors import OutcomeUnknown, RateLimited
from connectors.registry import action
from connectors.sms.sending import ScheduleSMS, SendSMS
from tests.contract.memory_ledger import MemoryLedger
from tests.unit.connectors.calls import ACCOUNT, SERVICE, call

URL = f"https://api.twilio.com/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
TO, SENT_AT = "+14155550123", datetime.now(UTC)
OURS, TEXT = "SM" + "0" * 32, "Sale 🎉: “half” price — today… "
SEND = SendSMS(to=TO, body=TEXT)
LATER = ScheduleSMS(to=TO, body=TEXT, send_at=SENT_AT + timedelta(hours=1))
MINUTE = timedelta(minutes=1)


def listed(sid: str = OURS, *, made: timedelta = timedelta(0), sent: timedelta | None = None, **more: Any) -> Any:
    """A message as Twilio lists it; ``made`` and ``sent`` count from the moment we sent ours."""
    return {
        "sid": sid,
        "status": "accepted",
        "direction": "outbound-api",
        "to": TO,
        "from": None,
        "messaging_service_sid": SERVICE,
        "body": TEXT,
        "num_media": "0",
        "date_created": format_datetime(SENT_AT + made),
        "date_sent": None if sent is None else format_datetime(SENT_AT + sent),
        **more,
    }


def found(data: SendSMS, *pages: list[Any], ledger: MemoryLedger | None = None) -> str | None:
    """The sid of what the read-back takes for ours; every page must be asked for."""
    ledger = ledger or MemoryLedger()
    ledger.sent(SENT_AT)
    name = "sms.scheduleSMS" if isinstance(data, ScheduleSMS) else "sms.sendSMS"
    repeat: Any = action(name).repeat
    with responses.RequestsMock() as mock:
        for number, page in enumerate(pages):
            asked = {"To": TO, "PageSize": "100"} | ({"Page": str(number)} if number else {})
            following = f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json?To=%2B14155550123&PageSize=100&Page={number + 1}"
            mock.get(
                URL,
                json={"messages": page, "next_page_uri": following if number + 1 < len(pages) else None},
                match=[matchers.query_param_matcher(asked, strict_match=True)],
            )
        message = repeat.find(call("sms", ledger), data)
    return None if message is None else str(message.sid)


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"made": -2 * MINUTE},
        {"made": 2 * MINUTE},
        {"made": 40 * MINUTE},
        {"date_created": None},
        {"direction": None},
        {"from": "+15005550006"},
        {"body": 'Sale 🎉: "half" price - today...'},
        {"body": TEXT.strip()},
        {"status": "delivered", "sent": MINUTE},
        # It was made, so it must not be made again; what became of it is another question.
        {"status": "failed"},
        {"status": "undelivered"},
    ],
    ids=str,
)
def test_ours_is_recognised(change: dict[str, Any]) -> None:
    assert found(SEND, [listed(**change)]) == OURS


@pytest.mark.parametrize(
    "change",
    [
        {"made": -10 * MINUTE},
        {"direction": "inbound"},
        {"direction": "outbound-reply"},
        {"direction": "outbound-call"},
        {"messaging_service_sid": "MG" + "f" * 32},
        {"messaging_service_sid": None, "from": "+15005550006"},
        {"body": "Sale 🎉: half price tomorrow"},
        {"body": "Sale 🚀: half price today"},
        {"body": ""},
        {"body": None},
        # Only what was scheduled can be either, and ours was not.
        {"status": "scheduled"},
        {"status": "canceled"},
    ],
    ids=str,
)
def test_the_message_of_another_system_is_left_alone(change: dict[str, Any]) -> None:
    assert found(SEND, [listed(**change)]) is None


@pytest.mark.parametrize(
    "change",
    [
        {"status": "scheduled"},
        {"status": "canceled"},
        # Twilio's own example answers a scheduled message so.
        {"status": "queued"},
        {"status": "accepted"},
        {"status": "delivered", "sent": 60 * MINUTE},
        {"status": "sent", "sent": 59 * MINUTE},
    ],
    ids=str,
)
def test_a_scheduled_message_is_recognised_before_and_after_its_time(change: dict[str, Any]) -> None:
    assert found(LATER, [listed(**change)]) == OURS


def test_what_was_sent_at_once_is_not_the_scheduled_message() -> None:
    assert found(LATER, [listed(status="delivered", sent=MINUTE)]) is None


def test_two_equal_texts_are_told_apart_by_who_owns_them_or_not_at_all() -> None:
    other = "SM" + "1" * 32
    ledger = MemoryLedger()
    ledger.owned_by_others = {other}

    assert found(SEND, [listed(other), listed()], ledger=ledger) == OURS
    with pytest.raises(OutcomeUnknown, match="ambiguous: 2"):
        found(SEND, [listed(other), listed()])


def old(count: int) -> list[Any]:
    return [listed(f"SM{number:032x}", made=-60 * MINUTE) for number in range(1, count + 1)]


def test_ours_is_found_behind_older_ones_and_past_the_end_of_a_page() -> None:
    assert found(SEND, [*old(99), listed()]) == OURS
    assert found(SEND, [*old(60), *[listed(f"SM{n:032x}", body="x") for n in range(200, 240)]], [listed()]) == OURS


def test_after_a_page_of_older_ones_no_further_page_is_asked_for() -> None:
    ledger = MemoryLedger()
    ledger.sent(SENT_AT)
    repeat: Any = action("sms.sendSMS").repeat
    with responses.RequestsMock() as mock:
        mock.get(URL, json={"messages": old(100), "next_page_uri": "/2010-04-01/Accounts/more"})

        assert repeat.find(call("sms", ledger), SEND) is None


def test_too_many_messages_to_one_number_are_not_guessed_about() -> None:
    pages = [[listed(f"SM{p:016x}{n:016x}", body="x") for n in range(100)] for p in range(21)]

    with pytest.raises(OutcomeUnknown, match="more than 2000"):
        found(SEND, *pages)


def test_a_question_that_came_too_fast_is_asked_again_later() -> None:
    ledger = MemoryLedger()
    ledger.sent(SENT_AT)
    repeat: Any = action("sms.sendSMS").repeat
    body = {"code": 20429, "message": "Too Many Requests", "status": 429}
    with responses.RequestsMock() as mock:
        mock.get(URL, status=429, json=body, headers={"Retry-After": "9"})
        with pytest.raises(RateLimited) as caught:
            repeat.find(call("sms", ledger), SEND)

    assert caught.value.retry_after_s == 9


def test_what_was_never_sent_is_not_looked_for() -> None:
    repeat: Any = action("sms.sendSMS").repeat

    assert repeat.find(call("sms"), SEND) is None
