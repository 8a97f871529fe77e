"""LinkedIn: posts of Pages and members, their statistics, and campaigns."""

from __future__ import annotations

from connectors.linkedin import analytics, campaigns, creatives, groups, posts, publishing, statistics
from connectors.linkedin.platform import LINKEDIN, LinkedInSettings

__all__ = [
    "LINKEDIN",
    "LinkedInSettings",
    "analytics",
    "campaigns",
    "creatives",
    "groups",
    "posts",
    "publishing",
    "statistics",
]
