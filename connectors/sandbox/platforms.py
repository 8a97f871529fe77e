"""Which platforms are played? One line each."""

from __future__ import annotations

from connectors.sandbox.email import Gmail
from connectors.sandbox.google_oauth import GoogleOAuth
from connectors.sandbox.google_search_console import GoogleSearchConsole
from connectors.sandbox.instagram import Instagram
from connectors.sandbox.platform import Platform
from connectors.sandbox.slack import Slack
from connectors.sandbox.sms import Sms
from connectors.sandbox.stripe import Stripe
from connectors.sandbox.whatsapp import WhatsApp
from connectors.sandbox.youtube import YouTube

PLATFORMS: tuple[Platform, ...] = (
    Slack(),
    Sms(),
    Stripe(),
    WhatsApp(),
    Instagram(),
    Gmail(),
    GoogleSearchConsole(),
    GoogleOAuth(),
    YouTube(),
)
