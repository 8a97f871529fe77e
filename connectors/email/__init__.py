"""E-mail through Gmail: mails that are sent once, drafts, reading, labels and bounces of one mailbox."""

from __future__ import annotations

from connectors.email import bounces, drafts, labels, mailbox, reading, sending
from connectors.email.api import EmailSettings
from connectors.email.platform import EMAIL

__all__ = ["EMAIL", "EmailSettings", "bounces", "drafts", "labels", "mailbox", "reading", "sending"]
