"""Only what a platform has signed lately is believed; one bit elsewhere, and it is refused."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest

from connectors.kit.webhook import Delivery, DeliveryRefused, Reason
from connectors.webhooks import WEBHOOKS
from tests import signing

NOW = datetime(2026, 11, 25, 18, 0, tzinfo=UTC)
URL = "https://hooks.example.com/webhooks/x/0192?effect=ab12"
BODIES: dict[str, dict[str, Any]] = {
    "sms": signing.twilio_status("SM" + "b" * 32, "delivered"),
    "whatsapp": signing.wa_status("wamid.A", "sent"),
    "instagram": signing.meta("instagram", time=1, messaging=[]),
    "facebook": signing.meta("facebook", time=1, changes=[]),
    "stripe": {"id": "evt_1", "type": "customer.created", "data": {"object": {"id": "cus_1"}}},
    "slack": {"type": "event_callback", "event_id": "Ev1", "event": {"type": "app_uninstalled"}},
    "discord": {"type": 1},
    "shopify": {"id": 1},
}
TIMED = ("stripe", "slack", "discord")
PROOF = {"sms": "x-twilio-signature", "stripe": "stripe-signature", "slack": "x-slack-signature"}
PROOF |= {"discord": "x-signature-ed25519", "shopify": "x-shopify-hmac-sha256"}


def delivery(
    slug: str,
    *,
    body: bytes | None = None,
    at: datetime = NOW,
    url: str = URL,
    headers: Mapping[str, str] | None = None,
) -> Delivery:
    """What the platform sends; ``body`` and ``headers`` replace what was signed."""
    signed = signing.encoded(slug, BODIES[slug])
    made = signing.headers(slug, URL, signed, at=at.timestamp())
    return Delivery("POST", url, made if headers is None else headers, signed if body is None else body, "0192")


def verify(slug: str, given: Delivery, **secrets: Any) -> None:
    WEBHOOKS[slug].verify(given, {**signing.SECRETS[slug], **secrets}, now=NOW)


def reason(slug: str, given: Delivery, **secrets: Any) -> Reason:
    with pytest.raises(DeliveryRefused) as refused:
        verify(slug, given, **secrets)
    return refused.value.reason


def flipped(text: str, place: int) -> str:
    return text[:place] + chr(ord(text[place]) ^ 1) + text[place + 1 :]


def test_every_platform_has_a_body_here() -> None:
    assert BODIES.keys() == WEBHOOKS.keys() == signing.SECRETS.keys()


@pytest.mark.parametrize("slug", BODIES)
def test_what_the_platform_signed_is_believed(slug: str) -> None:
    verify(slug, delivery(slug))


@pytest.mark.parametrize("slug", BODIES)
def test_one_flipped_bit_anywhere_in_the_body_is_refused(slug: str) -> None:
    signed = signing.encoded(slug, BODIES[slug])
    for place in range(len(signed)):
        changed = signed[:place] + bytes([signed[place] ^ 1]) + signed[place + 1 :]
        with pytest.raises(DeliveryRefused):
            verify(slug, delivery(slug, body=changed))


@pytest.mark.parametrize("slug", BODIES)
def test_one_flipped_bit_in_the_proof_is_refused(slug: str) -> None:
    made = signing.headers(slug, URL, signing.encoded(slug, BODIES[slug]), at=NOW.timestamp())
    name = PROOF.get(slug, "x-hub-signature-256")
    for place in range(len(made[name])):
        with pytest.raises(DeliveryRefused):
            verify(slug, delivery(slug, headers={**made, name: flipped(made[name], place)}))


@pytest.mark.parametrize("slug", BODIES)
def test_another_secret_is_refused(slug: str) -> None:
    field = WEBHOOKS[slug].secret
    other = "ab" * 32 if slug == "discord" else flipped(signing.SECRETS[slug][field], 3)
    assert reason(slug, delivery(slug), **{field: other}) in (Reason.FORGED, Reason.NO_SECRET)


@pytest.mark.parametrize("slug", BODIES)
@pytest.mark.parametrize("missing", [None, "", "   "])
def test_without_a_secret_nothing_is_believed(slug: str, missing: str | None) -> None:
    assert reason(slug, delivery(slug), **{WEBHOOKS[slug].secret: missing}) is Reason.NO_SECRET


@pytest.mark.parametrize("slug", BODIES)
def test_an_unsigned_delivery_is_refused(slug: str) -> None:
    assert reason(slug, delivery(slug, headers={"content-type": "application/json"})) is Reason.UNSIGNED


@pytest.mark.parametrize("slug", BODIES)
@pytest.mark.parametrize("proof", ["é", "sha256=", "t=1", "t=,v1=", "v0=", "\udcff", "=" * 10_000])
def test_a_proof_that_is_nonsense_is_refused_without_a_crash(slug: str, proof: str) -> None:
    made = signing.headers(slug, URL, b"", at=NOW.timestamp())
    nonsense = dict.fromkeys(made, proof)
    with pytest.raises(DeliveryRefused):
        verify(slug, delivery(slug, headers=nonsense))


@pytest.mark.parametrize("slug", TIMED)
@pytest.mark.parametrize(("seconds", "taken"), [(-301, False), (-299, True), (299, True), (301, False)])
def test_what_was_signed_too_long_ago_or_ahead_is_stale(slug: str, seconds: int, taken: bool) -> None:
    given = delivery(slug, at=NOW + timedelta(seconds=seconds))
    if taken:
        verify(slug, given)
    else:
        assert reason(slug, given) is Reason.STALE


@pytest.mark.parametrize(
    ("slug", "name"), [("slack", "x-slack-request-timestamp"), ("discord", "x-signature-timestamp")]
)
def test_the_signed_time_cannot_be_moved(slug: str, name: str) -> None:
    made = signing.headers(slug, URL, signing.encoded(slug, BODIES[slug]), at=NOW.timestamp() - 900)
    assert reason(slug, delivery(slug, headers={**made, name: str(int(NOW.timestamp()))})) is Reason.FORGED


def test_stripes_signed_time_cannot_be_moved() -> None:
    made = signing.headers("stripe", URL, signing.encoded("stripe", BODIES["stripe"]), at=NOW.timestamp() - 900)
    v1 = made["stripe-signature"].partition(",")[2]
    moved = {"stripe-signature": f"t={int(NOW.timestamp())},{v1}"}
    assert reason("stripe", delivery("stripe", headers=moved)) is Reason.FORGED


def test_while_stripes_secret_is_rolled_either_signature_counts() -> None:
    made = signing.headers("stripe", URL, signing.encoded("stripe", BODIES["stripe"]), at=NOW.timestamp())
    at, v1 = made["stripe-signature"].split(",")
    verify("stripe", delivery("stripe", headers={"stripe-signature": f"{at},v1={'0' * 64},{v1},v0=1"}))


@pytest.mark.parametrize(
    "url",
    [
        URL.replace("example.com", "example.com:443"),
        URL.replace("https:", "http:"),
        URL + "&more=1",
        URL.partition("?")[0],
        URL.replace("ab12", "ab13"),
    ],
)
def test_twilio_signs_the_address_and_its_query_but_not_always_its_port(url: str) -> None:
    given = delivery("sms", url=url)
    if ":443" in url:
        verify("sms", given)
    else:
        assert reason("sms", given) is Reason.FORGED


def test_twilios_and_slacks_own_examples_are_believed() -> None:
    form = {"CallSid": "CA1234567890ABCDE", "Caller": "+14158675309", "Digits": "1234", "From": "+14158675309"}
    body = urlencode({**form, "To": "+18005551212"}).encode()
    headers = {"x-twilio-signature": "RSOYDt4T1cUTdK1PDd93/VVr8B8="}
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    verify("sms", Delivery("POST", url, headers, body, "0192"), auth_token="12345")
    body = (
        b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&"
        b"channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&"
        b"response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&"
        b"trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
    )
    signature = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
    headers = {"x-slack-request-timestamp": "1531420618", "x-slack-signature": signature}
    secrets = {"signing_secret": "8f742231b10e8888abcd99yyyzzz85a5"}
    then = datetime.fromtimestamp(1531420618, UTC)
    WEBHOOKS["slack"].verify(Delivery("POST", URL, headers, body, "0192"), secrets, now=then)


@pytest.mark.parametrize("url", ["https://h:99999/x", "https://[/x", "https://h:port/x"])
def test_an_address_that_is_none_is_refused_without_a_crash(url: str) -> None:
    assert reason("sms", delivery("sms", url=url)) is Reason.UNREADABLE


def test_a_body_that_is_no_form_is_signed_by_its_digest() -> None:
    body = b'{"MessageSid": "SM1"}'
    url = f"https://hooks.example.com/x?bodySHA256={hashlib.sha256(body).hexdigest()}"
    headers = signing.headers("sms", url, b"")
    verify("sms", Delivery("POST", url, headers, body, "0192"))
    assert reason("sms", Delivery("POST", url, headers, body + b" ", "0192")) is Reason.FORGED


@pytest.mark.parametrize("slug", ["whatsapp", "instagram", "facebook"])
def test_metas_handshake_echoes_its_challenge_to_who_knows_the_token(slug: str) -> None:
    from connectors.dialects.meta_webhooks import MetaWebhooks

    webhooks = WEBHOOKS[slug]
    assert isinstance(webhooks, MetaWebhooks)
    token = webhooks.verify_token(signing.SECRETS[slug], "0192")
    query = {"hub.mode": "subscribe", "hub.challenge": "1158201444", "hub.verify_token": token}

    def asked(connection_id: str = "0192", **changes: str) -> Delivery:
        return Delivery("GET", f"https://h/x?{urlencode({**query, **changes})}", {}, b"", connection_id)

    assert webhooks.handshake(asked(), signing.SECRETS[slug]).body == b"1158201444"
    for wrong, why in (
        (asked(**{"hub.verify_token": flipped(token, 5)}), Reason.FORGED),
        (asked(**{"hub.verify_token": ""}), Reason.FORGED),
        (asked("0193"), Reason.FORGED),
        (asked(**{"hub.mode": "unsubscribe"}), Reason.UNEXPECTED),
        (asked(**{"hub.challenge": "<script>"}), Reason.UNREADABLE),
    ):
        with pytest.raises(DeliveryRefused) as refused:
            webhooks.handshake(wrong, signing.SECRETS[slug])
        assert refused.value.reason is why


@pytest.mark.parametrize("slug", ["sms", "stripe", "slack", "discord", "shopify"])
def test_who_has_no_handshake_answers_no_get(slug: str) -> None:
    with pytest.raises(DeliveryRefused, match="unexpected"):
        WEBHOOKS[slug].handshake(Delivery("GET", URL, {}, b"", "0192"), signing.SECRETS[slug])


@pytest.mark.parametrize("slug", BODIES)
def test_nothing_secret_or_personal_is_in_a_deliverys_repr(slug: str) -> None:
    given = delivery(slug)
    assert "4155550123" not in repr(given)
    assert not any(value in repr(given) for value in given.headers.values())
