"""STOP and START reach us in many words, and from several sides."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.kit.webhook import ConsentChange, Delivery
from connectors.webhooks import WEBHOOKS
from tests import signing

SID = "SM" + "b" * 32
NOW = datetime.now(UTC)
TWILIOS_WORDS = "STOP UNSUBSCRIBE END QUIT STOPALL REVOKE OPTOUT CANCEL"
WITH_SIGNS = (
    "STOP.",
    " stop! ",
    "STOP!!!",
    "\u00abStop\u00bb",
    "S.T.O.P",
    "stop\n",
    "\uff33\uff34\uff2f\uff30",
    "opt-out",
)
IN_WORDS = ("Stop please", "Please stop texting me!", "OPT OUT", "stop all", "Unsubscribe me", "I want to opt out")
YES = ("START", "UNSTOP", "YES", "start", "Start.", "yes!")
NEITHER = (
    "HELP",
    "INFO",
    "",
    "Don't stop",
    "Stop by the store",
    "Cancel my order",
    "start stop",
    "The end of it",
    "stop " * 99,
)


def consents(slug: str, content: dict[str, Any]) -> list[ConsentChange]:
    made = Delivery("POST", f"https://h/webhooks/{slug}/0192", {}, signing.encoded(slug, content), "0192")
    return [event for event in WEBHOOKS[slug].read(made, now=NOW).events if isinstance(event, ConsentChange)]


@pytest.mark.parametrize(
    ("text", "out"),
    [
        *((text, True) for text in TWILIOS_WORDS.split()),
        *((text, True) for text in TWILIOS_WORDS.lower().split()),
        *((text, True) for text in TWILIOS_WORDS.title().split()),
        *((text, True) for text in (*WITH_SIGNS, *IN_WORDS)),
        *((text, False) for text in YES),
        *((text, None) for text in NEITHER),
    ],
)
def test_people_say_stop_and_start_in_every_case_and_with_punctuation(text: str, out: bool | None) -> None:
    wanted = [] if out is None else [out]
    assert [one.opted_out for one in consents("sms", signing.twilio_message(SID, text))] == wanted
    if "yes" not in text.lower():  # on WhatsApp that is an answer like any other
        assert [one.opted_out for one in consents("whatsapp", signing.wa_message("wamid.A", text))] == wanted


def test_yes_to_a_toll_free_number_is_no_opt_in() -> None:
    assert consents("sms", signing.twilio_message(SID, "YES", To="+18885550100")) == []
    assert consents("sms", signing.twilio_message(SID, "START", To="+18885550100"))[0].opted_out is False


@pytest.mark.parametrize(("how", "out"), [("STOP", [True]), ("START", [False]), ("HELP", [])])
def test_advanced_opt_out_knows_better_than_the_text(how: str, out: list[bool]) -> None:
    found = consents("sms", signing.twilio_message(SID, "ARRET", OptOutType=how))
    assert [one.opted_out for one in found] == out


@pytest.mark.parametrize(("value", "out"), [("stop", True), ("resume", False)])
def test_whatsapps_preferences_are_consent(value: str, out: bool) -> None:
    told = {
        "wa_id": "4915112345678",
        "category": "marketing_messages",
        "value": value,
        "timestamp": str(int(NOW.timestamp())),
    }
    (change,) = consents("whatsapp", signing.whatsapp("user_preferences", user_preferences=[told]))
    assert (change.address, change.opted_out, change.at) == ("+4915112345678", out, NOW.replace(microsecond=0))
    assert "4915112345678" not in f"{change!r}{change.id}{change.proof}"


def test_a_person_without_a_number_is_passed_over() -> None:
    told = {"user_id": "US.1", "category": "marketing_messages", "value": "stop", "timestamp": "1795417700"}
    assert consents("whatsapp", signing.whatsapp("user_preferences", user_preferences=[told])) == []
