"""Deliveries come in: proved, kept once before they are thanked for, and refused with a count if anything is wrong."""

from __future__ import annotations

import contextlib
import socket
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from sqlalchemy import Engine, text

from connectors.dialects.meta_webhooks import MetaWebhooks
from connectors.webhooks import WEBHOOKS
from neonhub_worker.vault import connections
from neonhub_worker.webhooks import serving
from tests import signing
from tests.conftest import ConnectionFactory
from tests.integration.webhooks import (
    Hooks,
    answered,
    as_json,
    outcomes,
    raw,
    refused,
    scalar,
    serving_hooks,
    wait_until_worked_off,
)

SID = "SM" + "b" * 32
KINDS = {
    "sms": signing.twilio_status(SID, "delivered"),
    "whatsapp": signing.wa_status("wamid.A", "sent"),
    "instagram": signing.meta("instagram", changes=[{"field": "comments", "value": {"id": "1"}}]),
    "facebook": signing.meta("facebook", changes=[{"field": "feed", "value": {"item": "post"}}]),
    "stripe": {"id": "evt_1", "type": "payout.paid", "data": {"object": {"id": "po_1"}}},
    "slack": {"type": "event_callback", "event_id": "Ev1", "event": {"type": "app_uninstalled"}},
    "discord": {"type": 2, "id": "1", "token": "t"},
    "shopify": {"id": 1},
}


@pytest.fixture
def hooks(connection_factory: ConnectionFactory) -> Iterator[Hooks]:
    for slug, credential in signing.SECRETS.items():
        connection_factory(slug, credential=credential, settings={})
    with serving_hooks() as found:
        yield found


@pytest.mark.parametrize("slug", KINDS)
def test_what_a_platform_signs_is_kept_and_thanked_for(hooks: Hooks, slug: str) -> None:
    answer = hooks.send(slug, KINDS[slug])
    assert answer.status_code == WEBHOOKS[slug].answer.status or as_json(answer)["type"] == 4
    assert len(outcomes()) == 1
    assert scalar("select connection_id from webhook_event") == connections.get_by_name("acme", slug).id


@pytest.mark.parametrize("slug", KINDS)
def test_a_replay_is_thanked_for_and_kept_only_once(hooks: Hooks, slug: str) -> None:
    for _ in range(3):
        assert hooks.send(slug, KINDS[slug]).ok
    assert len(outcomes()) == 1


def test_ten_deliveries_of_one_event_at_once_are_one_event(hooks: Hooks) -> None:
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: hooks.send("whatsapp", signing.wa_status("wamid.A", "sent")), range(10)))
    assert {answer.status_code for answer in answers} == {200}
    assert len(outcomes()) == 1


def test_batches_that_overlap_in_any_order_are_kept_without_a_deadlock(hooks: Hooks) -> None:
    entries = [signing.wa_status(f"wamid.{number}", "sent")["entry"][0] for number in range(20)]
    bodies = [{"object": "whatsapp_business_account", "entry": part} for part in (entries, entries[::-1])] * 8
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda body: hooks.send("whatsapp", body), bodies))
    assert {answer.status_code for answer in answers} == {200}
    assert len(outcomes()) == 20


@pytest.mark.parametrize("slug", KINDS)
def test_a_forged_delivery_is_refused_counted_and_not_kept(hooks: Hooks, slug: str) -> None:
    url = hooks.address(slug)
    body = signing.encoded(slug, KINDS[slug])
    headers = signing.headers(slug, url, body)
    changed = body.replace(b"1", b"2", 1) if b"1" in body else body + b"x"
    assert requests.post(url, data=changed, headers=headers, timeout=10).status_code == 401
    assert requests.post(url, data=body, timeout=10).status_code == 401
    assert refused(2) == {(slug, "forged"): 1, (slug, "unsigned"): 1}
    assert outcomes() == {}


@pytest.mark.parametrize("slug", ["stripe", "slack", "discord"])
def test_a_stale_delivery_is_refused_and_counted(hooks: Hooks, slug: str) -> None:
    assert hooks.send(slug, KINDS[slug], at=time.time() - 400).status_code == 401
    assert refused() == {(slug, "stale"): 1}


def test_another_connections_secret_opens_nothing(hooks: Hooks, connection_factory: ConnectionFactory) -> None:
    other = connection_factory("whatsapp", name="second", credential={"app_secret": "another"}, settings={})
    body = signing.encoded("whatsapp", KINDS["whatsapp"])
    headers = signing.headers("whatsapp", "", body)
    answer = requests.post(hooks.address("whatsapp", other), data=body, headers=headers, timeout=10)
    assert answer.status_code == 401
    assert outcomes() == {}


@pytest.mark.parametrize(
    "path", ["sms/{stripe}", "nobody/{sms}", "sms/not-an-id", f"sms/{uuid.UUID(int=7)}", "sms/{sms}%00", "sms/%ff"]
)
def test_an_unknown_address_is_not_found_and_its_text_is_not_kept(hooks: Hooks, path: str) -> None:
    ids = {slug: connections.get_by_name("acme", slug).id for slug in ("sms", "stripe")}
    answer = requests.post(f"{hooks.url}/webhooks/{path.format(**ids)}", data="x", timeout=10)
    assert answer.status_code == 404
    assert {reason for _, reason in refused()} == {"unknown_address"}
    assert {connector for connector, _ in refused()} <= {"-", "sms"}


def test_a_disabled_connection_takes_nothing_in(hooks: Hooks) -> None:
    url, body = hooks.address("slack"), signing.encoded("slack", KINDS["slack"])
    connections.set_state("acme", "slack", "disabled")
    assert requests.post(url, data=body, headers=signing.headers("slack", url, body), timeout=10).status_code == 404


def test_a_body_over_the_limit_is_refused_before_and_while_it_comes(hooks: Hooks) -> None:
    path = hooks.address("sms").removeprefix(hooks.url)
    head = f"POST {path} HTTP/1.1\r\nHost: h\r\n"
    with raw(hooks, f"{head}Content-Length: 4000000\r\n\r\n".encode()) as told:
        assert b" 413 " in answered(told).splitlines()[0]
    with raw(hooks, f"{head}Transfer-Encoding: chunked\r\n\r\n".encode()) as endless:
        chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
        # Whether its answer or its hanging up is seen first, the network decides.
        with contextlib.suppress(OSError):
            for _ in range(80):
                endless.sendall(chunk)
            assert b" 413 " in answered(endless).splitlines()[0]
    assert refused(2) == {("sms", "too_long"): 2}


def test_a_body_that_comes_too_slowly_is_given_up(
    hooks: Hooks, connection_factory: ConnectionFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    from neonhub_worker.webhooks import app

    made = app.make
    monkeypatch.setattr(app, "make", lambda **options: made(**options, body_s=0.2))
    with serving_hooks() as impatient:
        path = impatient.address("slack").removeprefix(impatient.url)
        head = f"POST {path} HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nhalf"
        with raw(impatient, head.encode()) as slow:
            assert b" 408 " in answered(slow).splitlines()[0]
    assert refused() == {("slack", "too_slow"): 1}


def test_a_connection_on_which_nobody_asks_is_closed(hooks: Hooks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "QUIET_S", 0.2)
    for begun in (b"", b"POST /webhooks/sms/1 HTTP/1.1\r\nHost:"):
        with raw(hooks, begun) as quiet:
            assert answered(quiet) == b""


@pytest.mark.parametrize("slug", ["whatsapp", "instagram", "facebook"])
def test_metas_handshake_is_answered_to_who_knows_the_connections_token(hooks: Hooks, slug: str) -> None:
    webhooks = WEBHOOKS[slug]
    assert isinstance(webhooks, MetaWebhooks)
    token = webhooks.verify_token(signing.SECRETS[slug], str(connections.get_by_name("acme", slug).id))
    query = {"hub.mode": "subscribe", "hub.challenge": "1158201444", "hub.verify_token": token}
    answer = requests.get(hooks.address(slug), params=query, timeout=10)
    assert (answer.status_code, answer.text) == (200, "1158201444")
    answer = requests.get(hooks.address(slug), params={**query, "hub.verify_token": "guess"}, timeout=10)
    assert (answer.status_code, answer.text) == (401, "")
    assert refused() == {(slug, "forged"): 1}


def test_slack_and_discord_are_told_that_the_address_is_ours(hooks: Hooks) -> None:
    assert as_json(hooks.send("slack", {"type": "url_verification", "challenge": "abc"})) == {"challenge": "abc"}
    assert as_json(hooks.send("discord", {"type": 1})) == {"type": 1}
    wrong = hooks.send("slack", {"type": "url_verification", "challenge": "abc"}, signing_secret="guess")
    assert (wrong.status_code, wrong.content) == (401, b"")
    assert outcomes() == {}


@pytest.mark.parametrize("host", ["evil.example.com", "h:99999", "[", "h:port", "\u00e9", "a b", ""])
def test_a_forged_delivery_is_refused_whatever_host_it_names(hooks: Hooks, host: str) -> None:
    body = signing.encoded("sms", KINDS["sms"])
    forged = signing.headers("sms", hooks.address("sms"), body, secrets={"auth_token": "guess"})
    headers = {**forged, "Host": host.encode().decode("latin-1")}
    answer = requests.post(hooks.address("sms"), data=body, headers=headers, timeout=10)
    assert answer.status_code in (400, 401)
    assert outcomes() == {}


def test_other_methods_are_no_deliveries(hooks: Hooks) -> None:
    assert requests.put(hooks.address("sms"), data="x", timeout=10).status_code == 405
    assert requests.get(hooks.address("sms"), timeout=10).status_code == 401
    assert refused() == {("sms", "unexpected"): 1}


def test_twilios_signature_covers_the_public_address_behind_a_proxy(hooks: Hooks) -> None:
    with serving_hooks(public_url="https://hooks.example.com/neonhub/") as behind:
        path = behind.address("sms").removeprefix(behind.url) + "?effect=ab%20c"
        body = signing.encoded("sms", KINDS["sms"])
        for public, status in (("https://hooks.example.com/neonhub", 200), (behind.url, 401)):
            headers = signing.headers("sms", public + path, body)
            assert requests.post(behind.url + path, data=body, headers=headers, timeout=10).status_code == status


def test_while_the_database_is_away_nothing_is_thanked_for(hooks: Hooks, engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("alter table webhook_event rename to webhook_event_away"))
    try:
        assert hooks.send("slack", KINDS["slack"]).status_code == 503
    finally:
        with engine.begin() as connection:
            connection.execute(text("alter table webhook_event_away rename to webhook_event"))
    assert hooks.send("slack", KINDS["slack"]).ok
    assert len(outcomes()) == 1


def test_no_message_no_name_and_no_number_stays(hooks: Hooks, engine: Engine) -> None:
    hooks.tell("sms", signing.twilio_message(SID, "Meet me at the harbour"))
    hooks.tell("sms", signing.twilio_message(SID[:-1] + "c", "STOP"))
    hooks.tell("whatsapp", signing.wa_message("wamid.A", "Meet me at the harbour"))
    wait_until_worked_off()
    with engine.connect() as connection:
        kept = str(connection.execute(text("select * from webhook_event")).all())
    assert "harbour" not in kept
    assert "4155550123" not in kept
    assert "4915112345678" not in kept
    assert scalar("select count(*) from webhook_event where payload is not null") == 0
    assert scalar("select count(*) from opt_out where address = '+14155550123'") == 1


def test_the_app_says_that_it_is_well(hooks: Hooks) -> None:
    assert requests.get(f"{hooks.url}/health", timeout=10).json() == {"status": "ok"}


def test_a_port_that_is_taken_is_one_clear_line() -> None:
    from neonhub_worker.errors import SettingsError

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SettingsError, match=f"cannot listen on 127.0.0.1:{port}"):
            serving.serve(host="127.0.0.1", port=port, public_url=None)
