"""Instagram: posts, reels, stories, answers to direct messages and insights of one professional account."""

from __future__ import annotations

from connectors.instagram import containers, direct, insights, posts, publishing
from connectors.instagram.api import InstagramSettings
from connectors.instagram.platform import INSTAGRAM

__all__ = ["INSTAGRAM", "InstagramSettings", "containers", "direct", "insights", "posts", "publishing"]
