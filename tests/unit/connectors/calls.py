"""Calls to the real hosts' names, for answers that ``responses`` gives in their place."""

from __future__ import annotations

import base64
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
META_TOKEN, APP_SECRET = "EAA-token-of-the-tests", "app-secret-of-the-tests"
NUMBER_ID, IG_USER, PAGE = "106540352242922", "17841400000000001", "1020304050607"
OAUTH_TOKEN, CLIENT_SECRET = "access-token-of-the-tests", "client-secret-of-the-tests"
SECRETS = (TOKEN, BOT_TOKEN, META_TOKEN, APP_SECRET, SECRET_KEY, OAUTH_TOKEN, CLIENT_SECRET)

_CREDENTIALS: dict[str, dict[str, str]] = {
    "sms": {"account_sid": ACCOUNT, "auth_token": TOKEN},
    "slack": {"bot_token": BOT_TOKEN},
    "stripe": {"secret_key": SECRET_KEY},
    "whatsapp": {"access_token": META_TOKEN},
    "instagram": {"access_token": META_TOKEN, "app_secret": APP_SECRET},
    "linkedin": {"client_id": "86x", "client_secret": CLIENT_SECRET, "access_token": OAUTH_TOKEN},
    "reddit": {
        "client_id": "app-1",
        "client_secret": CLIENT_SECRET,
        "access_token": OAUTH_TOKEN,
        "username": "spring_tests",
    },
}
_SETTINGS: dict[str, dict[str, str]] = {
    "sms": {"messaging_service_sid": SERVICE},
    "slack": {},
    "stripe": {},
    "whatsapp": {"phone_number_id": NUMBER_ID},
    "instagram": {"ig_user_id": IG_USER},
    "linkedin": {"author": "urn:li:organization:5590506", "ad_account_id": "512345678"},
    "reddit": {"ad_account_id": "a2_test", "profile_id": "t2_test"},
}


def authorization(slug: str) -> str:
    """What each request of a platform must carry."""
    if slug == "sms":
        return "Basic " + base64.b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode()
    return "Bearer " + {"slack": BOT_TOKEN, "stripe": SECRET_KEY, "linkedin": OAUTH_TOKEN, "reddit": OAUTH_TOKEN}.get(
        slug, META_TOKEN
    )


def call(slug: str, ledger: MemoryLedger | None = None, **settings: str) -> Call:
    """A call on an account of the tests."""
    connector = registry.connector(slug)
    return Call(
        connector,
        ledger=ledger or MemoryLedger(),
        credential=connector.credential.model_validate(_CREDENTIALS[slug]),
        settings=connector.settings.model_validate({**_SETTINGS[slug], **settings}),
    )


def error_map(slug: str, *, where: str) -> list[dict[str, Any]]:
    """The documented errors of a platform's contract.

    Args:
        where: ``sync`` for answers to a request, ``status`` for what a message gets later.
    """
    text = importlib.resources.files("connectors.specs").joinpath(f"{slug}.json").read_text()
    return [row for row in json.loads(text)["x-error-map"] if row["where"] == where]
