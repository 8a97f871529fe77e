"""Google Ads: campaigns with their budgets, their bidding and their figures."""

from __future__ import annotations

from connectors.google_ads import campaigns, changes, metrics, search
from connectors.google_ads.api import GoogleAdsSettings
from connectors.google_ads.platform import GOOGLE_ADS

__all__ = ["GOOGLE_ADS", "GoogleAdsSettings", "campaigns", "changes", "metrics", "search"]
