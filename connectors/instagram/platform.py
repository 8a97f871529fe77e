"""Which platform is it, and what does a connection to it hold?"""

from __future__ import annotations

from connectors.dialects import meta_graph
from connectors.instagram import api
from connectors.instagram.api import InstagramSettings
from connectors.kit.call import Call
from connectors.kit.connector import Connector

INSTAGRAM = Connector(
    "instagram",
    "Instagram",
    hosts=api.HOSTS,
    credential=api.InstagramCredential,
    settings=InstagramSettings,
    api_version=meta_graph.VERSION,
    api_sunset=meta_graph.SUNSET,
    oauth=api.InstagramTokens(),
    console=(
        "Open https://developers.facebook.com/apps and create an app of type Business, or open yours.",
        "Add the product Instagram and choose 'API setup with Instagram login'.",
        "Add the permissions instagram_business_basic and instagram_business_content_publish.",
        "For messages and insights add instagram_business_manage_messages and instagram_business_manage_insights.",
        "Under 'Generate access tokens' add the account and generate its token: from then on it is renewed by itself.",
        "The account's id stands beside the token; the app's secret stands under App settings > Basic.",
    ),
)


@INSTAGRAM.check
def check_account(call: Call) -> str:
    """Read how much the account has published within 24 hours."""
    ig_user_id = api.account(call).ig_user_id
    found = api.graph(call).get(f"{ig_user_id}/content_publishing_limit", needs=("data",), fields="quota_usage,config")
    used, total = _quota(found)
    return f"Instagram account {ig_user_id}" + ("" if used is None else f", {used} of {total or '?'} posts in 24 h")


def _quota(found: dict[str, object]) -> tuple[object, object]:
    rows = found["data"]
    first = rows[0] if isinstance(rows, list) and rows and isinstance(rows[0], dict) else {}
    config = first.get("config")
    return first.get("quota_usage"), config.get("quota_total") if isinstance(config, dict) else None
