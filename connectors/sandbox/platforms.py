"""Which platforms are played? One line each."""

from __future__ import annotations

from connectors.sandbox.google_ads import GoogleAds
from connectors.sandbox.google_oauth import GoogleOAuth
from connectors.sandbox.instagram import Instagram
from connectors.sandbox.platform import Platform
from connectors.sandbox.shopify import Shopify
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
    Shopify(),
    GoogleOAuth(),
    GoogleAds(),
)
