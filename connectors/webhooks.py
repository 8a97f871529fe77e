"""Which platforms tell something unasked? One explicit list, by slug."""

from __future__ import annotations

from types import MappingProxyType

from connectors.discord.webhooks import DiscordWebhooks
from connectors.facebook.webhooks import FacebookWebhooks
from connectors.instagram.webhooks import InstagramWebhooks
from connectors.kit.webhook import Webhooks
from connectors.shopify.webhooks import ShopifyWebhooks
from connectors.slack.webhooks import SlackWebhooks
from connectors.sms.webhooks import SmsWebhooks
from connectors.stripe.webhooks import StripeWebhooks
from connectors.whatsapp.webhooks import WhatsAppWebhooks

WEBHOOKS: MappingProxyType[str, Webhooks] = MappingProxyType(
    {
        "sms": SmsWebhooks(),
        "whatsapp": WhatsAppWebhooks(),
        "instagram": InstagramWebhooks(),
        "facebook": FacebookWebhooks(),
        "stripe": StripeWebhooks(),
        "slack": SlackWebhooks(),
        "discord": DiscordWebhooks(),
        "shopify": ShopifyWebhooks(),
    }
)
"""How each of them proves and words its deliveries."""
