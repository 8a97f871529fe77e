"""Discord: messages, webhooks and scheduled events of a server, with a bot's token."""

from __future__ import annotations

from connectors.discord import direct, editing, event_changes, events, guild, history, messages, webhook_messages
from connectors.discord.platform import DISCORD, DiscordSettings

__all__ = [
    "DISCORD",
    "DiscordSettings",
    "direct",
    "editing",
    "event_changes",
    "events",
    "guild",
    "history",
    "messages",
    "webhook_messages",
]
