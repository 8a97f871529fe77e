"""Reddit: posts to subreddits and profiles, campaigns with their ad groups and ads, and reports."""

from __future__ import annotations

from connectors.reddit import (
    accounts,
    ad_groups,
    ads,
    campaigns,
    media_posts,
    own_posts,
    posts,
    reports,
    subreddits,
)
from connectors.reddit.platform import REDDIT, RedditSettings

__all__ = [
    "REDDIT",
    "RedditSettings",
    "accounts",
    "ad_groups",
    "ads",
    "campaigns",
    "media_posts",
    "own_posts",
    "posts",
    "reports",
    "subreddits",
]
