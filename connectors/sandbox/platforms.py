"""Which platforms are played? One line each."""

from __future__ import annotations

from connectors.sandbox.instagram import Instagram
from connectors.sandbox.linkedin import LinkedIn
from connectors.sandbox.platform import Platform
from connectors.sandbox.reddit import Reddit
from connectors.sandbox.slack import Slack
from connectors.sandbox.sms import Sms
from connectors.sandbox.stripe import Stripe
from connectors.sandbox.whatsapp import WhatsApp

PLATFORMS: tuple[Platform, ...] = (
    Slack(),
    Sms(),
    Stripe(),
    WhatsApp(),
    Instagram(),
    LinkedIn(),
    Reddit(),
)
