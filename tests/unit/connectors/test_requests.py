"""What does each action put on the wire? Method, address, content type and every field."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
import responses

from connectors import registry
from connectors.sandbox.bodies import MULTIPART, read_multipart
from connectors.sandbox.contract import Contract, Operation
from connectors.sandbox.platform import Platform
from connectors.sandbox.platforms import PLATFORMS
from connectors.sandbox.routing import Router
from tests.contract.memory_ledger import MemoryLedger
from tests.unit.connectors import (
    wire,
    wire_discord,
    wire_facebook,
    wire_google,
    wire_google_ads,
    wire_linkedin,
    wire_meta,
    wire_reddit,
    wire_shopify,
    wire_tiktok,
    wire_whatsapp,
    wire_x,
    wire_youtube,
)
from tests.unit.connectors.calls import SECRETS, SERVICE, X_APP_TOKEN, authorization, call
from tests.unit.connectors.stripe_wire import STRIPE_WIRE
from tests.unit.connectors.wire import AT, BYTES, CONSENTS, FORM, HERE, JSON, KEY, TO, Answer, Sent, form

WIRE = [
    *wire.WIRE,
    *STRIPE_WIRE,
    *wire_meta.WIRE,
    *wire_google.EMAIL,
    *wire_google.SEARCH_CONSOLE,
    *wire_youtube.WIRE,
    *wire_discord.WIRE,
    *wire_x.WIRE,
    *wire_facebook.WIRE,
    *wire_tiktok.WIRE,
    *wire_shopify.WIRE,
    *wire_google_ads.WIRE,
    *wire_whatsapp.WIRE,
    *wire_linkedin.WIRE,
    *wire_reddit.WIRE,
]
TICKETS = (BYTES, wire_shopify.STORAGE, wire_shopify.RESULTS)
CONSENT = {"to": TO, "opted_out": True, "source": "website", "consented_at": HERE}


def requests_of(name: str, given: dict[str, Any], wanted: list[Sent], answers: list[Any]) -> list[Any]:
    """The requests that an action makes when the platform answers so."""
    ledger = MemoryLedger()
    ledger.key = KEY
    action = registry.action(name)
    with responses.RequestsMock() as mock:
        for one, answer in zip(wanted, answers, strict=True):
            if isinstance(answer, Answer):
                body = {} if answer.json is None else {"json": answer.json}
                mock.add(one.method, one.url, status=answer.status, headers=dict(answer.headers), **body)
                continue
            twilio = "twilio" in one.url
            status = 204 if twilio and one.method == "DELETE" else 201 if twilio and one.method == "POST" else 200
            mock.add(one.method, one.url, status=status, json=answer if status != 204 else None)
        action.perform(call(action.slug, ledger), action.input.model_validate(given))
        return [made.request for made in mock.calls]


def seen(request: requests.PreparedRequest) -> Sent:
    assert request.url is not None
    parts = urlsplit(request.url)
    raw = request.body or b""
    raw = raw.encode() if isinstance(raw, str) else raw
    # Twilio's SDK names a type for a GET without a body too.
    kind = request.headers.get("Content-Type") if raw else None
    content: Any = raw
    if kind == FORM:
        content = parse_qsl(raw.decode(), strict_parsing=True)
    elif kind == JSON:
        content = json.loads(raw)
    elif kind is not None and kind.startswith(MULTIPART):
        kind, content = MULTIPART, read_multipart(raw, kind)
    return Sent(str(request.method), request.url.partition("?")[0], kind, content, parse_qsl(parts.query))


def player_of(name: str) -> str:
    """The platform that an action asks."""
    return "sms" if "Twilio" in name else name.partition(".")[0]


def operation_of(request: requests.PreparedRequest, slug: str) -> Operation:
    """The operation of the contract, once path, query, headers and body were found to fit it."""
    parts = urlsplit(str(request.url))
    matches, _ = ROUTER.find(str(parts.hostname), parts.path, str(request.method))
    # Platforms of one company share a host and its paths; the token tells them apart.
    match = next(one for one in matches if one.route.platform.slug == slug)
    operation = match.route.operation
    raw = request.body or b""
    operation.read_path(match.values)
    operation.read_query(parts.query.encode())
    operation.read_headers({name.lower(): str(value) for name, value in request.headers.items()})
    operation.read_body(raw.encode() if isinstance(raw, str) else raw, request.headers.get("Content-Type", ""))
    return operation


def _router() -> Router[Platform]:
    operations: list[tuple[Platform, Operation]] = []
    for platform in PLATFORMS:
        contract = Contract(platform.slug)
        if platform.slug == "slack":
            # Of auth.test the contract says no body; an empty JSON object is what Slack's SDKs send.
            platform.widen(contract)
        operations += [(platform, found) for found in contract.operations]
    return Router(operations)


ROUTER = _router()
each_request = pytest.mark.parametrize(("name", "given", "wanted", "answers"), WIRE, ids=[row[0] for row in WIRE])


def test_every_action_that_calls_a_platform_is_here() -> None:
    declared = {action.full_name for connector in registry.CONNECTORS for action in connector.actions.values()}

    # What brings a file reads it first: the sandbox, which has files, checks those requests.
    files = {
        "youtube.uploadVideo",
        "youtube.setThumbnail",
        "x.uploadMedia",
        "facebook.uploadImage",
        "whatsapp.uploadMedia",
        "reddit.submitMediaPost",
    }
    assert declared - {row[0] for row in WIRE} == {"sms.checkOptOut", "sms.setConsent"} | files


@each_request
def test_a_request_is_what_the_platform_documents(
    name: str, given: dict[str, Any], wanted: list[Sent], answers: list[dict[str, Any]]
) -> None:
    made = [seen(request) for request in requests_of(name, given, wanted, answers)]

    assert [one._replace(content=_sorted(one.content), query=sorted(one.query)) for one in made] == [
        one._replace(content=_sorted(one.content), query=sorted(one.query)) for one in wanted
    ]


def _sorted(content: Any) -> Any:
    # Keys may come in any order; the values of one key may not.
    return sorted(content, key=lambda pair: pair[0]) if isinstance(content, list) else content


@each_request
def test_a_request_fits_its_contract(
    name: str, given: dict[str, Any], wanted: list[Sent], answers: list[dict[str, Any]]
) -> None:
    for request in requests_of(name, given, wanted, answers):
        assert operation_of(request, player_of(name))


@each_request
def test_a_request_carries_the_credential_in_its_header_and_nowhere_else(
    name: str, given: dict[str, Any], wanted: list[Sent], answers: list[dict[str, Any]]
) -> None:
    for request in requests_of(name, given, wanted, answers):
        # An upload's and a webhook's address is its own ticket.
        ticket = str(request.url).startswith(TICKETS) or "/webhooks/" in str(request.url)
        header, credential = authorization(player_of(name))
        if name == "x.getUsage":
            credential = f"Bearer {X_APP_TOKEN}"
        assert request.headers.get(header) == (None if ticket else credential)
        assert not [secret for secret in SECRETS if secret in f"{request.url} {request.body}"]


def test_a_consent_is_a_json_text_in_a_form() -> None:
    answer = {"items": [{"correlation_id": "c" * 32, "error_code": 0, "error_messages": []}]}
    (request,) = requests_of("sms.setConsent", CONSENT, [form(CONSENTS)], [answer])

    found = seen(request)
    ((name, text),) = found.content
    item = json.loads(text)
    assert (found.method, found.url, found.kind, name) == ("POST", CONSENTS, FORM, "Items")
    assert len(item.pop("correlation_id")) == 32
    assert item == {
        "contact_id": TO,
        "sender_id": SERVICE,
        "status": "opt-out",
        "source": "website",
        "date_of_consent": AT.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    assert operation_of(request, "sms").id == "setConsent"
