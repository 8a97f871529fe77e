"""Every action that changes something: one file per platform, found by its name."""

from __future__ import annotations

import importlib

from connectors import registry
from tests.contract.case import Case

UNTRIED = {"slack.joinChannel", "slack.openDM", "shopify.cancelBulkOperation", "whatsapp.sendTwilioTemplate"}
"""Setting what is set already cannot be told from doing nothing; and of a template Twilio makes the text."""

CASES: tuple[Case, ...] = tuple(
    case
    for connector in registry.CONNECTORS
    for case in importlib.import_module(f"tests.contract.cases.{connector.slug}").CASES
)
