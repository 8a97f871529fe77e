"""Are numbers, senders and texts read the way the network counts them?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter, ValidationError

from connectors.dialects.gsm7 import Segments, segments
from connectors.dialects.phone import PhoneNumber
from connectors.dialects.twilio import TwilioCredential
from connectors.dialects.twilio_messages import Sender, folded, with_effect
from connectors.kit.action import Input
from connectors.kit.fields import HttpsUrl
from connectors.slack.scheduled import ScheduleMessage
from connectors.slack.web import SlackCredential
from connectors.sms import SmsSettings
from connectors.sms.consent import OptOutStatus
from connectors.sms.sending import ScheduleSMS, SendSMS, alike

PHONE, SENDER, URL = TypeAdapter(PhoneNumber), TypeAdapter(Sender), TypeAdapter(HttpsUrl)
GSM, UCS = "GSM-7", "UCS-2"


@pytest.mark.parametrize(
    ("text", "encoding", "count"),
    [
        ("", GSM, 0),
        ("a" * 160, GSM, 1),
        ("a" * 161, GSM, 2),
        ("a" * 306, GSM, 2),
        ("a" * 307, GSM, 3),
        ("€" * 80, GSM, 1),
        ("€" * 81, GSM, 2),
        # 153 units hold 76 characters of two units each; the last unit stays empty.
        ("€" * 152, GSM, 2),
        ("€" * 153, GSM, 3),
        ("я" * 70, UCS, 1),
        ("я" * 71, UCS, 2),
        ("я" * 134, UCS, 2),
        ("я" * 135, UCS, 3),
        ("😀" * 35, UCS, 1),
        ("😀" * 36, UCS, 2),
        ("😀" * 66, UCS, 2),
        ("😀" * 67, UCS, 3),
        ("ç", UCS, 1),
        ("Ç", GSM, 1),
    ],
)
def test_segments(text: str, encoding: str, count: int) -> None:
    assert segments(text) == Segments(encoding, count)  # type: ignore[arg-type]


@given(st.text(min_size=1), st.text(min_size=1))
def test_more_text_never_takes_fewer_segments(first: str, more: str) -> None:
    assert segments(first + more).count >= segments(first).count


@pytest.mark.parametrize("text", ["+14155550123", "+1 (415) 555-0123", "+1.415.555.0123", "tel:+1-415-555-0123"])
def test_a_number_is_read_in_any_notation(text: str) -> None:
    assert PHONE.validate_python(text) == "+14155550123"


@pytest.mark.parametrize(
    "text", ["", "2125550123", "0415 555 0123", "+1415", "+999123456789", "whatsapp:+1415", "hello"]
)
def test_what_is_no_number_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(ValidationError) as caught:
        PHONE.validate_python(text)

    (error,) = caught.value.errors()
    assert "phone number" in error["msg"]
    assert len(text) < 4 or text not in error["msg"]


@pytest.mark.parametrize("text", ["+15005550006", "12345", "NEONHUB", "Neon Hub 2"])
def test_senders(text: str) -> None:
    assert SENDER.validate_python(text) == text


@pytest.mark.parametrize("text", ["12", "123456789", "TwelveLetters", "Ünïcode", "a_b", "   "])
def test_what_is_no_sender_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        SENDER.validate_python(text)


@pytest.mark.parametrize(
    "text",
    ["http://a.example/x", "https://", "https:///x", "https://user@a.example/x", "https://a.example/x y", "ftp://a"],
)
def test_only_https_addresses_are_media(text: str) -> None:
    with pytest.raises(ValidationError):
        URL.validate_python(text)


@pytest.mark.parametrize("url", ["http://hooks.example.com", "https://my_hooks.example.com", "hooks.example.com"])
def test_a_callback_that_twilio_would_refuse_is_refused_when_the_connection_is_made(url: str) -> None:
    with pytest.raises(ValidationError, match="status_callback_url"):
        SmsSettings(status_callback_url=url)


def test_the_effect_key_joins_what_the_callback_has() -> None:
    assert with_effect("https://h.example/s", "k1") == "https://h.example/s?effect=k1"
    assert with_effect("https://h.example/s?a=1&b=#top", "k 1") == "https://h.example/s?a=1&b=&effect=k+1#top"


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("“Sale” – now…\u00a0", '"Sale" - now...'),  # noqa: RUF001
        ("„Sale“ ‚now‘ «today»", '"Sale" \'now\' "today"'),  # noqa: RUF001
        ("½ price", "1/2 price"),
        ("it´s Ana`s", "it's Ana's"),  # noqa: RUF001
        ("Now‼ ３０ off", "Now!! 30 off"),  # noqa: RUF001
        ("zero\u200bwidth\u2060 \u2009thin", "zerowidth thin"),
        ("10÷2", "10/2"),
        ("Cafe\u0301", "Café"),
        (" trailing  \r\n ", "trailing"),
        ("a\u2011b", "a-b"),
    ],
)
def test_texts_that_a_service_may_swap_are_one(written: str, sent: str) -> None:
    assert folded(written) == folded(sent)


@pytest.mark.parametrize(
    ("one", "other"),
    [("Sale", "Sales"), ("10 off", "20 off"), ("🎉", "🚀"), ("5 €", "5 $"), ("!", "?"), ("हिन्दी", "हन्द"), ("a", "")],
)
def test_texts_that_say_something_else_are_not(one: str, other: str) -> None:
    assert folded(one) != folded(other)


def test_no_text_is_an_empty_one() -> None:
    assert folded(None) == folded("")


def test_what_read_back_cannot_tell_apart_is_alike() -> None:
    one = SendSMS(to="+14155550123", body="Hi", media_urls=("https://a.example/1",))
    other_media = SendSMS(to="+1 415 555 0123", body=" Hi ", from_="NEONHUB")
    later = ScheduleSMS.model_validate({"to": "+14155550123", "body": "Hi", "send_at": "2026-12-24T18:00:00+01:00"})
    other_words = SendSMS(to="+14155550123", body="Hi again")

    assert alike(one) == alike(other_media) == alike(later)
    assert alike(one) != alike(other_words)


def test_an_accepted_input_is_read_back_as_it_was() -> None:
    given = {"to": "+1 415 555 0123", "body": "Hi", "send_at": "2020-12-24T18:00:00+01:00"}
    first = ScheduleSMS.model_validate(given)
    stored = first.model_dump(mode="json", exclude_unset=True)

    # A run may be taken up again long after its time: what was accepted once must stay readable.
    assert ScheduleSMS.model_validate(stored) == first
    assert stored["send_at"] == "2020-12-24T17:00:00Z"


NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("model", "field", "ahead", "good"),
    [
        (ScheduleSMS, "send_at", timedelta(seconds=360), False),
        (ScheduleSMS, "send_at", timedelta(seconds=361), True),
        (ScheduleSMS, "send_at", timedelta(days=35), True),
        (ScheduleSMS, "send_at", timedelta(days=35, seconds=1), False),
        (ScheduleMessage, "post_at", timedelta(seconds=60), False),
        (ScheduleMessage, "post_at", timedelta(days=120), True),
        (ScheduleMessage, "post_at", timedelta(days=120, seconds=1), False),
    ],
)
def test_a_time_is_checked_when_it_is_accepted(model: type[Input], field: str, ahead: timedelta, good: bool) -> None:
    given = {"send_at": {"to": "+14155550123", "body": "Hi"}, "post_at": {"channel": "C0123ABCD", "text": "Hi"}}[field]
    given[field] = (NOW + ahead).isoformat()

    if good:
        assert model.accept(given, now=NOW)
    else:
        with pytest.raises(ValidationError, match="must be over") as caught:
            model.accept(given, now=NOW)
        assert caught.value.errors()[0]["loc"] == (field,)
    assert model.model_validate(given)


@pytest.mark.parametrize(
    "given",
    [
        {"account_sid": "AC" + "a" * 32},
        {"account_sid": "AC1", "auth_token": "t"},
        {"account_sid": "AC" + "a" * 32, "api_key_sid": "SK" + "b" * 32},
    ],
)
def test_a_credential_that_cannot_sign_in_is_refused(given: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        TwilioCredential.model_validate(given)


def test_an_input_and_an_output_do_not_show_what_they_hold() -> None:
    sms = SendSMS(to="+14155550123", body="Dear Ana", from_="NEONHUB")
    post = ScheduleMessage(channel="C0123ABCD", text="Dear Ana", post_at=datetime(2026, 12, 24, tzinfo=UTC))
    output = OptOutStatus(opted_out=True, source="Ana said so")

    shown = f"{sms!r} {sms} {post!r} {output!r} {[sms]}"
    assert not [private for private in ("4155550123", "Ana", "NEONHUB", "C0123ABCD") if private in shown]
    assert "SendSMS('body', 'from_', 'to')" in shown


@pytest.mark.parametrize(
    ("model", "given"),
    [
        (SendSMS, {"to": "+14155550123", "body": ["secret-text"]}),
        (SendSMS, {"to": "secret-number", "body": "Hi"}),
        (SmsSettings, {"from_number": "secret-sender!"}),
        (TwilioCredential, {"account_sid": "AC" + "a" * 32, "authtoken": "secret-token"}),
        (TwilioCredential, {"account_sid": "AC" + "a" * 32, "api_key_secret": "secret-token"}),
        (SlackCredential, {"bot_token": ["secret-token"]}),
        (SlackCredential, {"bot_token": "secret token"}),
        (SlackCredential, {"bot_token": "secret-token\n\n."}),
    ],
)
def test_a_refusal_does_not_repeat_what_it_refuses(model: type[BaseModel], given: dict[str, object]) -> None:
    with pytest.raises(ValidationError) as caught:
        model.model_validate(given)

    assert "secret-" not in f"{caught.value} {caught.value!r}"


def test_the_line_end_of_a_pasted_secret_is_no_part_of_it() -> None:
    pasted = SlackCredential.model_validate({"bot_token": " xoxb-1\n"})

    assert pasted.bearer() == {"Authorization": "Bearer xoxb-1"}


def test_secrets_do_not_show() -> None:
    credential = TwilioCredential.model_validate({"account_sid": "AC" + "a" * 32, "auth_token": "top-secret"})

    assert "top-secret" not in f"{credential!r} {credential} {credential.model_dump_json()}"
