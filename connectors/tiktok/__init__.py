"""TikTok API for Business: campaigns, ad groups and ads, manual and Smart+; files, budgets and reports."""

from __future__ import annotations

from connectors.tiktok import accounts, adgroups, ads, budgets, campaigns, files, reports, switches
from connectors.tiktok.platform import TIKTOK
from connectors.tiktok.web import TikTokSettings

__all__ = [
    "TIKTOK",
    "TikTokSettings",
    "accounts",
    "adgroups",
    "ads",
    "budgets",
    "campaigns",
    "files",
    "reports",
    "switches",
]
