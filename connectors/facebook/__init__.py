"""Facebook: campaigns, ad sets, ads and their insights; posts of a Page."""

from __future__ import annotations

from connectors.facebook import ads, adsets, campaigns, changes, images, insights, kept_posts, posts
from connectors.facebook.api import FacebookSettings
from connectors.facebook.platform import FACEBOOK

__all__ = [
    "FACEBOOK",
    "FacebookSettings",
    "ads",
    "adsets",
    "campaigns",
    "changes",
    "images",
    "insights",
    "kept_posts",
    "posts",
]
