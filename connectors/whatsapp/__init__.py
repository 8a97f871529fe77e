"""WhatsApp: templates and session messages of Meta's Cloud API, or through Twilio."""

from __future__ import annotations

from connectors.whatsapp import approvals, marketing, media, number, sessions, status, templates, via_twilio
from connectors.whatsapp.platform import WHATSAPP, WhatsAppSettings

__all__ = [
    "WHATSAPP",
    "WhatsAppSettings",
    "approvals",
    "marketing",
    "media",
    "number",
    "sessions",
    "status",
    "templates",
    "via_twilio",
]
