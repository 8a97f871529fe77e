"""SMS and MMS through Twilio Programmable Messaging."""

from __future__ import annotations

from connectors.sms import consent, messages, sending
from connectors.sms.platform import SMS, SmsSettings

__all__ = ["SMS", "SmsSettings", "consent", "messages", "sending"]
