"""WhatsApp: templates and session messages of Meta's Cloud API, with a system user's token."""

from __future__ import annotations

from connectors.whatsapp import sessions, status, templates
from connectors.whatsapp.platform import WHATSAPP, WhatsAppSettings

__all__ = ["WHATSAPP", "WhatsAppSettings", "sessions", "status", "templates"]
