"""What is Facebook to us, and which words do its actions share?"""

from __future__ import annotations

import math
from datetime import date
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from connectors.dialects import meta_graph
from connectors.facebook import api
from connectors.facebook.api import FacebookSettings
from connectors.facebook.oauth import FACEBOOK_OAUTH
from connectors.kit.action import Limit, LookUp, Output
from connectors.kit.call import Call
from connectors.kit.connector import Connector

SETTLE_AFTER_S = 60.0
"""Lists can lag behind by some seconds; what they do not show a minute later was not created."""

FACEBOOK = Connector(
    "facebook",
    "Facebook",
    hosts=api.HOSTS,
    credential=api.FacebookCredential,
    settings=FacebookSettings,
    api_version=meta_graph.VERSION,
    # A version of the Marketing API lives about a year, half as long as the Graph API's own.
    api_sunset=date(2027, 7, 29),
    oauth=FACEBOOK_OAUTH,
    console=(
        "At https://developers.facebook.com create an app of the type Business.",
        "Its id and secret are shown under App settings > Basic.",
        "Add Facebook Login for Business, and {redirect_uri} to its Valid OAuth Redirect URIs.",
        "In Business settings give the app, or a system user of it, the ad account and the Page.",
        "For a server let the system user generate a token without an end, and give that as access_token.",
        "Ask for advanced access to ads_management and pages_manage_posts, or only your own accounts can be used.",
    ),
)

ADS_PACE = (Limit(3000, 300.0),)
"""The standard tier's 9,000 points within 300 s, at 3 points for each write."""

ADS_WRITE, ADS_READ = ("ads_management",), ("ads_read",)
ADS_LIMITS = ("9,000 points per ad account and 300 s in the standard tier: a write is 3, a read 1",)
WHY_MARKED = "Meta takes no idempotency key; the name carries the run's mark and is looked for before a repeat."
WHY_SET = "Setting a value twice is the same as once."

Minor = Annotated[int, Field(gt=0, le=10**12)]
"""Money in the minor units of the account's currency: cents, but whole yen."""

Name = Annotated[str, StringConstraints(min_length=1, max_length=300, strip_whitespace=True)]


class Made(Output):
    """Something that was created."""

    id: str
    name: str = Field(description="As it is at Meta: with the run's mark.")

    def provider_id(self) -> str:
        """Its id."""
        return self.id


class Done(Output):
    """Something that was changed."""

    id: str

    def provider_id(self) -> str:
        """Its id."""
        return self.id


def marked(edge: str) -> LookUp[Any, Made]:
    """The repeat policy of what is created with the run's mark in its name."""

    def find(call: Call, data: Any) -> Made | None:
        row = api.find_marked(call, edge)
        return None if row is None else Made(id=api.made_id(row, edge), name=str(row["name"]))

    return LookUp(find, settle_after_s=SETTLE_AFTER_S)


def create(call: Call, edge: str, name: str, fields: dict[str, Any]) -> Made:
    """Create something of the ad account, with the run's mark in its name.

    Raises:
        ConnectorError: It was not created, or perhaps.
    """
    given = {**api.named(call, name), **fields}
    made = api.graph(call).post(f"{api.account(call)}/{edge}", given, effect=True, needs=("id",))
    return Made(id=api.made_id(made, edge), name=given["name"])


def whole(value: Any) -> int | None:
    """A whole number that Meta gives as text; None if it is none."""
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        return None


def decimal(value: Any) -> float | None:
    """A number that Meta gives as text; None if it is none."""
    try:
        found = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def said(value: Any) -> str | None:
    """A text; None if it is none."""
    return value if isinstance(value, str) else None


@FACEBOOK.check
def check_token(call: Call) -> str:
    """Read what the connection names: the ad account, or else the Page."""
    settings = call.settings_as(FacebookSettings)
    if settings.ad_account_id is not None:
        api.rows(api.graph(call).get(f"{settings.ad_account_id}/campaigns", fields="id", limit=1), "campaigns")
        return f"Facebook ad account {settings.ad_account_id}"
    api.page_graph(call)
    return f"Facebook Page {settings.page_id}"
