"""Calls to the real hosts' names, for answers that ``responses`` gives in their place."""

from __future__ import annotations

import importlib.resources
import json
from typing import Any

from connectors import registry
from connectors.kit.call import Call
from tests.contract.memory_ledger import MemoryLedger

ACCOUNT, TOKEN = "AC" + "a" * 32, "auth-token-of-the-tests"
SERVICE = "MG" + "c" * 32
BOT_TOKEN = "xoxb-token-of-the-tests"
SECRET_KEY = "sk_test_key_of_the_tests"

_CREDENTIALS: dict[str, dict[str, str]] = {
    "sms": {"account_sid": ACCOUNT, "auth_token": TOKEN},
    "slack": {"bot_token": BOT_TOKEN},
    "stripe": {"secret_key": SECRET_KEY},
}
_SETTINGS: dict[str, dict[str, str]] = {"sms": {"messaging_service_sid": SERVICE}, "slack": {}, "stripe": {}}


def call(slug: str, ledger: MemoryLedger | None = None) -> Call:
    """A call on an account of the tests."""
    connector = registry.connector(slug)
    return Call(
        connector,
        ledger=ledger or MemoryLedger(),
        credential=connector.credential.model_validate(_CREDENTIALS[slug]),
        settings=connector.settings.model_validate(_SETTINGS[slug]),
    )


def error_map(slug: str, *, where: str) -> list[dict[str, Any]]:
    """The documented errors of a platform's contract.

    Args:
        where: ``sync`` for answers to a request, ``status`` for what a message gets later.
    """
    text = importlib.resources.files("connectors.specs").joinpath(f"{slug}.json").read_text()
    return [row for row in json.loads(text)["x-error-map"] if row["where"] == where]
