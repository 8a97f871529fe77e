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
GOOGLE_TOKEN = "ya29.token-of-the-tests"
DISCORD_TOKEN, GUILD = "discord-token-of-the-tests", "1000000000000000001"
WEBHOOK_URL = "https://discord.com/api/webhooks/1200000000000000001/webhook-token-of-the-tests"
X_TOKEN, X_APP_TOKEN, X_USER = "x-token-of-the-tests", "x-app-token-of-the-tests", "1500000000000000001"
TIKTOK_TOKEN, ADVERTISER = "tiktok-token-of-the-tests", "7000000000000000001"
AD_ACCOUNT = "act_1122334455667788"
WABA = "102290129340398"
NUMBER_ID, IG_USER, PAGE = "106540352242922", "17841400000000001", "1020304050607"
SHOP, SHOP_TOKEN = "spring-shoes.myshopify.com", "shpat_token_of_the_tests"
ADS_TOKEN, ADS_ACCOUNT = "ya29-token-of-the-tests", "1234567890"
OAUTH_TOKEN, CLIENT_SECRET = "access-token-of-the-tests", "client-secret-of-the-tests"
SECRETS = (
    OAUTH_TOKEN,
    CLIENT_SECRET,
    TOKEN,
    BOT_TOKEN,
    META_TOKEN,
    APP_SECRET,
    SECRET_KEY,
    GOOGLE_TOKEN,
    DISCORD_TOKEN,
    WEBHOOK_URL,
    X_TOKEN,
    X_APP_TOKEN,
    TIKTOK_TOKEN,
    SHOP_TOKEN,
    ADS_TOKEN,
)

_GOOGLE = {"client_id": "app-of-the-tests", "client_secret": "secret-of-the-tests", "access_token": GOOGLE_TOKEN}
_CREDENTIALS: dict[str, dict[str, Any]] = {
    "sms": {"account_sid": ACCOUNT, "auth_token": TOKEN},
    "slack": {"bot_token": BOT_TOKEN},
    "stripe": {"secret_key": SECRET_KEY},
    "whatsapp": {"access_token": META_TOKEN, "twilio": {"account_sid": ACCOUNT, "auth_token": TOKEN}},
    "instagram": {"access_token": META_TOKEN, "app_secret": APP_SECRET},
    "email": _GOOGLE,
    "google_search_console": _GOOGLE,
    "youtube": _GOOGLE,
    "x": {"client_id": "app", "access_token": X_TOKEN, "app_token": X_APP_TOKEN},
    "discord": {"bot_token": DISCORD_TOKEN, "webhook_url": WEBHOOK_URL},
    "facebook": {
        "client_id": "2233445566",
        "client_secret": APP_SECRET,
        "access_token": META_TOKEN,
        "page_access_token": META_TOKEN,
    },
    "tiktok": {"client_id": "7512345", "client_secret": "tiktok-secret-of-the-tests", "access_token": TIKTOK_TOKEN},
    "google_ads": {"client_id": "app", "client_secret": APP_SECRET, "access_token": ADS_TOKEN},
    "shopify": {"shop": SHOP, "client_id": "app", "client_secret": APP_SECRET, "access_token": SHOP_TOKEN},
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
    "whatsapp": {"phone_number_id": NUMBER_ID, "waba_id": WABA, "twilio_number": "+14155550199"},
    "instagram": {"ig_user_id": IG_USER},
    "email": {"from_address": "news@acme.example", "from_name": "Acme"},
    "google_search_console": {},
    "youtube": {},
    "discord": {"guild_id": GUILD},
    "x": {"user_id": X_USER},
    "facebook": {"ad_account_id": AD_ACCOUNT, "page_id": PAGE},
    "tiktok": {"advertiser_id": ADVERTISER},
    "google_ads": {"customer_id": ADS_ACCOUNT},
    "shopify": {},
    "linkedin": {"author": "urn:li:organization:5590506", "ad_account_id": "512345678"},
    "reddit": {"ad_account_id": "a2_test", "profile_id": "t2_test"},
}


def authorization(slug: str) -> tuple[str, str]:
    """What each request of a platform must carry: a header's name and its value."""
    if slug == "sms":
        return "Authorization", "Basic " + base64.b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode()
    held = _CREDENTIALS[slug]
    token = next(held[name] for name in ("access_token", "bot_token", "secret_key") if name in held)
    own = {"tiktok": "Access-Token", "shopify": "X-Shopify-Access-Token"}
    if slug in own:
        return own[slug], token
    return "Authorization", f"{'Bot' if slug == 'discord' else 'Bearer'} {token}"


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
