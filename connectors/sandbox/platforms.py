"""Which platforms are played? One line each."""

from __future__ import annotations

from connectors.sandbox.discord import Discord
from connectors.sandbox.email import Gmail
from connectors.sandbox.facebook import Facebook
from connectors.sandbox.google_ads import GoogleAds
from connectors.sandbox.google_oauth import GoogleOAuth
from connectors.sandbox.google_search_console import GoogleSearchConsole
from connectors.sandbox.instagram import Instagram
from connectors.sandbox.linkedin import LinkedIn
from connectors.sandbox.platform import Platform
from connectors.sandbox.reddit import Reddit
from connectors.sandbox.shopify import Shopify
from connectors.sandbox.slack import Slack
from connectors.sandbox.sms import Sms
from connectors.sandbox.stripe import Stripe
from connectors.sandbox.tiktok import TikTok
from connectors.sandbox.whatsapp import WhatsApp
from connectors.sandbox.x import X
from connectors.sandbox.youtube import YouTube

PLATFORMS: tuple[Platform, ...] = (
    Sms(),
    WhatsApp(),
    Gmail(),
    Slack(),
    Discord(),
    Instagram(),
    Facebook(),
    X(),
    LinkedIn(),
    Reddit(),
    YouTube(),
    TikTok(),
    GoogleAds(),
    GoogleSearchConsole(),
    Shopify(),
    Stripe(),
    GoogleOAuth(),
)
