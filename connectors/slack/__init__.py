"""Slack: messages, scheduled messages and files in channels, with a bot's token."""

from __future__ import annotations

from connectors.slack import channels, files, history, messages, scheduled
from connectors.slack.platform import SLACK, SlackSettings

__all__ = ["SLACK", "SlackSettings", "channels", "files", "history", "messages", "scheduled"]
