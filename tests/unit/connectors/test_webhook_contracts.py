"""The deliveries that the platforms' contracts show are read as what they are."""

from __future__ import annotations

import importlib.resources
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from connectors import registry
from connectors.kit.webhook import ConsentChange, Delivery, DeliveryStatus, Stage
from connectors.webhooks import WEBHOOKS
from tests import signing

THEN = datetime(2026, 11, 23, tzinfo=UTC)


def examples(slug: str) -> dict[str, dict[str, Any]]:
    contract = json.loads(importlib.resources.files("connectors.specs").joinpath(f"{slug}.json").read_text())
    found: dict[str, dict[str, Any]] = {}
    for one in contract["webhooks"].values():
        for content in one["post"]["requestBody"]["content"].values():
            found |= {name: example["value"] for name, example in content["examples"].items()}
    return found


def events(slug: str, content: dict[str, Any]) -> list[Any]:
    delivery = Delivery("POST", f"https://h/{slug}", {}, signing.encoded(slug, content), "0192")
    return list(WEBHOOKS[slug].read(delivery, now=THEN).events)


@pytest.mark.parametrize(
    ("slug", "name", "stage", "code"),
    [
        ("sms", "delivered", Stage.DELIVERED, None),
        ("whatsapp", "delivered", Stage.DELIVERED, None),
        ("whatsapp", "failed", Stage.FAILED, "131047"),
    ],
)
def test_a_status_is_read_with_its_stage_and_code(slug: str, name: str, stage: Stage, code: str | None) -> None:
    (event,) = events(slug, examples(slug)[name])
    assert isinstance(event, DeliveryStatus)
    assert (event.stage, event.code) == (stage, code)


@pytest.mark.parametrize(("slug", "name"), [("sms", "stop"), ("whatsapp", "inbound")])
def test_a_stop_is_read_as_an_opt_out(slug: str, name: str) -> None:
    received, change = events(slug, examples(slug)[name])
    assert received.kind == "message_received"
    assert isinstance(change, ConsentChange)
    assert (change.channel, change.address, change.opted_out) == (slug, "+14155550123", True)


@pytest.mark.parametrize("slug", WEBHOOKS)
def test_a_connection_can_keep_what_proves_its_platform(slug: str) -> None:
    assert WEBHOOKS[slug].secret in registry.connector(slug).credential.model_fields
