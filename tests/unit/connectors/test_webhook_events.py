"""What a platform tells becomes a few kinds of event; strange parts are passed over, and nothing crashes."""

from __future__ import annotations

import contextlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.kit.webhook import (
    EVENT,
    ConsentChange,
    Delivery,
    DeliveryRefused,
    DeliveryStatus,
    MessageReceived,
    Other,
    Reading,
    Reason,
    Stage,
)
from connectors.webhooks import WEBHOOKS
from tests import signing

KEY = "0" * 32
SID = "SM" + "b" * 32
NOW = datetime.now(UTC)


def read(slug: str, content: dict[str, Any] | bytes, *, query: str = "", **headers: str) -> Reading:
    body = content if isinstance(content, bytes) else signing.encoded(slug, content)
    made = Delivery("POST", f"https://h/webhooks/{slug}/0192{query}", headers, body, "0192")
    return WEBHOOKS[slug].read(made, now=NOW)


@pytest.mark.parametrize(
    ("said", "stage"),
    [("queued", Stage.ACCEPTED), ("sent", Stage.SENT), ("delivered", Stage.DELIVERED), ("undelivered", "undelivered")],
)
def test_twilio_tells_a_messages_way_with_our_key(said: str, stage: str) -> None:
    (event,) = read("sms", signing.twilio_status(SID, said), query=f"?effect={KEY}").events
    assert isinstance(event, DeliveryStatus)
    assert (event.stage, event.said, event.provider_id, event.effect_key) == (stage, said, SID, KEY)


def test_a_carriers_error_comes_with_its_code_and_21610_is_an_opt_out() -> None:
    (event,) = read("sms", signing.twilio_status(SID, "undelivered", ErrorCode="30003")).events
    assert isinstance(event, DeliveryStatus)
    assert event.code == "30003"
    _, change = read("sms", signing.twilio_status(SID, "failed", ErrorCode="21610")).events
    assert isinstance(change, ConsentChange)
    assert (change.channel, change.address, change.opted_out) == ("sms", "+14155550123", True)
    assert change.proof == f"twilio 21610 of message {SID}"


def test_whatsapp_tells_statuses_with_our_key_and_errors_with_their_code() -> None:
    (event,) = read("whatsapp", signing.wa_status("wamid.A", "delivered", key=KEY)).events
    assert isinstance(event, DeliveryStatus)
    assert (event.id, event.stage, event.provider_id, event.effect_key) == (
        "wamid.A:delivered",
        "delivered",
        "wamid.A",
        KEY,
    )
    event, change = read("whatsapp", signing.wa_status("wamid.A", "failed", code=131050)).events
    assert isinstance(event, DeliveryStatus)
    assert isinstance(change, ConsentChange)
    assert (event.stage, event.code, change.opted_out) == (Stage.FAILED, "131050", True)
    assert change.address == "+4915112345678"


def test_many_events_of_one_delivery_each_have_an_id_of_their_own() -> None:
    first, second = signing.wa_status("wamid.A", "sent"), signing.wa_status("wamid.A", "delivered")
    first["entry"] += second["entry"]
    assert [event.id for event in read("whatsapp", first).events] == ["wamid.A:sent", "wamid.A:delivered"]


@pytest.mark.parametrize("slug", ["instagram", "facebook"])
def test_metas_direct_messages_tell_who_wrote_and_what_is_out(slug: str) -> None:
    at = int(NOW.timestamp() * 1000)
    person, echo = {"mid": "m_1", "text": "Hi"}, {"mid": "m_2", "is_echo": True, "metadata": KEY, "text": "Ho"}
    messaging = [{"timestamp": at, "message": person}, {"timestamp": at, "message": echo}]
    messaging.append({"timestamp": at, "delivery": {"mids": ["m_2"], "watermark": at}})
    heard, sent, delivered = read(slug, signing.meta(slug, time=at, messaging=messaging)).events
    assert isinstance(heard, MessageReceived)
    assert isinstance(sent, DeliveryStatus)
    assert isinstance(delivered, DeliveryStatus)
    assert (sent.stage, sent.provider_id, sent.effect_key) == (Stage.SENT, "m_2", KEY)
    assert (delivered.stage, delivered.provider_id) == (Stage.DELIVERED, "m_2")
    assert "Hi" not in EVENT.dump_json(heard).decode()


def test_one_address_takes_a_pages_and_an_ad_accounts_changes() -> None:
    for name in ("page", "ad_account"):
        content = signing.meta(
            "facebook", time=int(NOW.timestamp()), changes=[{"field": "feed", "value": {"item": "post"}}]
        )
        (event,) = read("facebook", {**content, "object": name}).events
        assert isinstance(event, Other)
        assert event.said == "feed"
    assert read("facebook", {**content, "object": "permissions"}).events == ()


def test_what_meta_tells_of_long_ago_is_a_replay() -> None:
    old = str(int((NOW - timedelta(days=9)).timestamp()))
    content = signing.wa_message("wamid.A", "Hi", at=float(old))
    with pytest.raises(DeliveryRefused, match="stale"):
        read("whatsapp", content)
    content["entry"] += signing.wa_message("wamid.B", "Hi")["entry"]
    assert [event.id for event in read("whatsapp", content).events] == ["wamid.B"], "the rest of it is heard"


def test_an_object_of_stripes_with_our_mark_proves_the_effect() -> None:
    marked = {"id": "cus_1", "object": "customer", "metadata": {"neonhub_effect": KEY}}
    told = {"id": "evt_1", "type": "customer.created", "created": 1795417700, "data": {"object": marked}}
    (event,) = read("stripe", told).events
    assert isinstance(event, DeliveryStatus)
    assert (event.id, event.stage, event.provider_id, event.effect_key) == ("evt_1", "accepted", "cus_1", KEY)
    for unmarked in ({**marked, "metadata": {}}, {**marked, "object": "subscription"}, None):
        assert isinstance(read("stripe", {**told, "data": {"object": unmarked}}).events[0], Other)


def test_a_session_that_a_payment_link_opened_proves_the_link_and_not_itself() -> None:
    session = {
        "id": "cs_1",
        "object": "checkout.session",
        "payment_link": "plink_1",
        "metadata": {"neonhub_effect": KEY},
    }
    (event,) = read("stripe", {"id": "evt_1", "type": "checkout.session.completed", "data": {"object": session}}).events
    assert isinstance(event, DeliveryStatus)
    assert event.provider_id == "plink_1"


@pytest.mark.parametrize(
    ("status", "stage"),
    [("pending", "accepted"), ("succeeded", "delivered"), ("failed", "failed"), ("new", "accepted")],
)
def test_a_refunds_way_is_told(status: str, stage: str) -> None:
    refund = {"id": "re_1", "object": "refund", "status": status, "metadata": {"neonhub_effect": KEY}}
    refund["failure_reason"] = "expired_or_canceled_card"
    (event,) = read("stripe", {"id": "evt_1", "type": "refund.updated", "data": {"object": refund}}).events
    assert isinstance(event, DeliveryStatus)
    assert (event.stage, event.code) == (stage, "expired_or_canceled_card")


def test_slack_asks_whose_address_it_is_and_tells_of_our_messages() -> None:
    answer = read("slack", {"type": "url_verification", "challenge": "3eZbrw1a"}).answer
    assert answer is not None
    assert json.loads(answer.body) == {"challenge": "3eZbrw1a"}
    metadata = {"event_type": "neonhub_effect", "event_payload": {"effect_id": KEY}}
    event = {
        "type": "message_metadata_posted",
        "channel_id": "C1",
        "message_ts": "1795417802.000300",
        "metadata": metadata,
    }
    told = {"type": "event_callback", "event_id": "Ev1", "event_time": 1795417802, "event": event}
    (heard,) = read("slack", told).events
    assert isinstance(heard, DeliveryStatus)
    assert (heard.id, heard.provider_id, heard.effect_key) == ("Ev1", "1795417802.000300", KEY)
    metadata["event_type"] = "of_another_app"
    assert isinstance(read("slack", told).events[0], Other)
    direct = {"type": "message", "channel_type": "im", "ts": "1.000001", "text": "Hi"}
    assert isinstance(read("slack", {**told, "event": direct}).events[0], MessageReceived)
    assert isinstance(read("slack", {**told, "event": {**direct, "bot_id": "B1"}}).events[0], Other), "our own"
    (limited,) = read("slack", {"type": "app_rate_limited", "minute_rate_limited": 1795417802}).events
    assert limited.at is not None


@pytest.mark.parametrize(
    ("content", "status", "answer"),
    [
        ({"type": 1, "id": "1", "token": "t"}, 200, {"type": 1}),
        ({"type": 2, "id": "2", "token": "t"}, 200, {"type": 4, "data": {"content": "Received.", "flags": 64}}),
        ({"type": 4, "id": "3", "token": "t"}, 200, {"type": 8, "data": {"choices": []}}),
        ({"type": 0, "version": 1, "application_id": "1"}, 204, None),
        (
            {"type": 1, "version": 1, "event": {"type": "APPLICATION_AUTHORIZED", "timestamp": "2026-11-25T18:00:00"}},
            204,
            None,
        ),
    ],
)
def test_discord_hears_what_it_waits_for(content: dict[str, Any], status: int, answer: Any) -> None:
    reading = read("discord", content)
    heard = reading.answer or WEBHOOKS["discord"].answer
    assert heard.status == status
    assert heard.body == b"" if answer is None else json.loads(heard.body) == answer


def test_shopifys_events_go_by_topic_and_bytes_for_no_header_is_signed() -> None:
    body = {"id": 1, "email": "ana@example.com"}
    (event,) = read("shopify", body, **{"x-shopify-topic": "orders/create", "x-shopify-event-id": "1"}).events
    (again,) = read("shopify", body, **{"x-shopify-topic": "orders/create", "x-shopify-event-id": "2"}).events
    (other,) = read("shopify", body, **{"x-shopify-topic": "orders/updated"}).events
    assert event == again
    assert event.id != other.id
    assert "ana@example.com" not in EVENT.dump_json(event).decode()


@pytest.mark.parametrize("slug", [slug for slug in WEBHOOKS if slug != "sms"])
@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"{", b"\xff", b"[" * 100_000, b'"x"', b"NaN"])
def test_what_cannot_be_read_is_refused(slug: str, body: bytes) -> None:
    with pytest.raises(DeliveryRefused) as refused:
        read(slug, body)
    assert refused.value.reason is Reason.UNREADABLE


@pytest.mark.parametrize("body", [b"", b"\xff", b"a=1&" * 300, b"Body=STOP"])
def test_a_form_that_cannot_be_read_is_refused(body: bytes) -> None:
    with pytest.raises(DeliveryRefused, match="unreadable"):
        read("sms", body)


def test_a_strange_id_is_kept_as_its_digest() -> None:
    for strange in ("x" * 300, "wamid.\x00", "wamid.\n"):
        content = {"id": strange, "type": "x", "data": {}}
        try:
            (event,) = read("stripe", content).events
        except DeliveryRefused:
            continue
        assert len(event.id) == 64
    assert MessageReceived(id="x" * 300).id == MessageReceived(id="x" * 300).id


_NAMES = """object entry changes field value statuses messages id status timestamp errors code from text body type event
event_id event_type metadata event_payload effect_id message_ts data created messaging message mid is_echo delivery mids
user_preferences wa_id category recipient_id biz_opaque_callback_data"""
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["page", "messages", "STOP"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_NAMES.split()), inner, max_size=5),
    max_leaves=15,
)


@given(st.sampled_from([slug for slug in WEBHOOKS if slug != "sms"]), st.dictionaries(st.text(max_size=8), JSON))
def test_no_signed_body_of_whatever_shape_is_a_crash(slug: str, content: dict[str, Any]) -> None:
    name = {"whatsapp": "whatsapp_business_account", "facebook": "page"}.get(slug, slug)
    try:
        reading = read(slug, json.dumps({"object": name, "type": "event_callback", **content}).encode())
    except DeliveryRefused:
        return
    for event in reading.events:
        assert EVENT.validate_json(EVENT.dump_json(event)) == event


@given(JSON)
def test_no_entry_of_metas_of_whatever_shape_is_a_crash(entry: Any) -> None:
    for slug, name in (("whatsapp", "whatsapp_business_account"), ("instagram", "instagram")):
        with contextlib.suppress(DeliveryRefused):
            read(slug, json.dumps({"object": name, "entry": [entry]}).encode())
