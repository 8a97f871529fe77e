"""What does the sandbox know of WhatsApp? Its tables, what it starts with, and its words for no."""

from __future__ import annotations

import json
import secrets
import sqlite3
from typing import Any

from connectors.sandbox import meta_graph
from connectors.sandbox.platform import Refusal

TABLES = """
CREATE TABLE IF NOT EXISTS whatsapp_account (
    phone_number_id TEXT PRIMARY KEY,
    waba_id TEXT NOT NULL,
    number TEXT NOT NULL,
    token TEXT NOT NULL,
    subscribed INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS whatsapp_template (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    language TEXT NOT NULL,
    category TEXT NOT NULL,
    status TEXT NOT NULL,
    named INTEGER NOT NULL,
    components TEXT NOT NULL,
    UNIQUE (name, language)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS whatsapp_message (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    wamid TEXT NOT NULL UNIQUE,
    recipient TEXT NOT NULL,
    created_at REAL NOT NULL,
    visible_at REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS whatsapp_message_pair ON whatsapp_message (recipient, created_at);
CREATE TABLE IF NOT EXISTS whatsapp_window (address TEXT PRIMARY KEY, until_at REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS whatsapp_stop (address TEXT PRIMARY KEY, at REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS whatsapp_media (id TEXT PRIMARY KEY, mime_type TEXT NOT NULL, size INTEGER NOT NULL)
WITHOUT ROWID;
"""

NUMBER = "15005550010"

_BUTTON = {"type": "URL", "text": "Track", "url": "https://example.com/track/{{1}}"}
_SEEDED: tuple[tuple[str, str, str, str, bool, list[dict[str, Any]]], ...] = (
    (
        *("order_shipped", "en_US", "UTILITY", "APPROVED", False),
        [
            {"type": "BODY", "text": "Hello {{1}}, your order {{2}} is on its way."},
            {"type": "BUTTONS", "buttons": [_BUTTON]},
        ],
    ),
    ("appointment", "en_US", "UTILITY", "APPROVED", True, [{"type": "BODY", "text": "See you on {{day}}, {{name}}."}]),
    ("appointment", "de", "UTILITY", "APPROVED", True, [{"type": "BODY", "text": "Bis {{day}}, {{name}}."}]),
    ("welcome", "en_US", "UTILITY", "APPROVED", False, [{"type": "BODY", "text": "Welcome to our shop."}]),
    (
        *("spring_sale", "en_US", "MARKETING", "APPROVED", False),
        [
            {"type": "HEADER", "format": "IMAGE"},
            {"type": "BODY", "text": "{{1}}, spring is here: {{2}} off until Sunday."},
        ],
    ),
    (
        *("news", "en_US", "MARKETING", "APPROVED", False),
        [{"type": "HEADER", "format": "TEXT", "text": "News of {{1}}"}, {"type": "BODY", "text": "Read it."}],
    ),
    ("winter_sale", "en_US", "MARKETING", "PAUSED", False, [{"type": "BODY", "text": "Winter is here."}]),
    ("old_sale", "en_US", "MARKETING", "DISABLED", False, [{"type": "BODY", "text": "It was here."}]),
)

# code: (HTTP status, message)
_CODES: dict[int, tuple[int, str]] = {
    131008: (400, "Required parameter is missing"),
    131009: (400, "Parameter value is not valid"),
    131021: (400, "Recipient cannot be sender"),
    131047: (400, "Re-engagement message"),
    131049: (400, "This message was not delivered to maintain healthy ecosystem engagement"),
    131050: (400, "User has stopped marketing messages"),
    131056: (429, "(Business Account, Consumer Account) pair rate limit hit"),
    131053: (400, "Media upload error"),
    132000: (400, "Number of parameters does not match the expected number of params"),
    132001: (404, "Template name does not exist in the translation"),
    132005: (400, "Translated text too long"),
    132012: (400, "Parameter format does not match format in the created template"),
    132015: (400, "Template is paused"),
    132016: (400, "Template is disabled"),
}


def refusal(code: int, details: str) -> Refusal:
    """One of WhatsApp's own errors, to be raised."""
    status, message = _CODES[code]
    return meta_graph.refusal(code, message, status=status, details=details)


def seed(db: sqlite3.Connection) -> None:
    """One business number, and templates in every state."""
    db.execute(
        "INSERT INTO whatsapp_account (phone_number_id, waba_id, number, token) VALUES (?, ?, ?, ?)",
        (meta_graph.new_id(), meta_graph.new_id(), NUMBER, f"EAA{secrets.token_urlsafe(48)}"),
    )
    for name, language, category, status, named, components in _SEEDED:
        add_template(
            db, name=name, language=language, category=category, status=status, named=named, components=components
        )


def add_template(
    db: sqlite3.Connection,
    *,
    name: str,
    language: str,
    category: str,
    status: str,
    named: bool,
    components: list[dict[str, Any]],
) -> str:
    """Add a template; name and language together are unique. Returns its id."""
    template_id = meta_graph.new_id()
    row = (template_id, name, language, category, status, named, json.dumps(components))
    db.execute("INSERT INTO whatsapp_template VALUES (?, ?, ?, ?, ?, ?, ?)", row)
    return template_id
