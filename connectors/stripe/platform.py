"""Which platform is it, and which fields do its actions share?"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, StringConstraints

from connectors.kit.action import Output
from connectors.kit.call import Call
from connectors.kit.connector import Connector
from connectors.stripe import web
from connectors.stripe.web import StripeSettings

API_VERSION = "2026-10-28.endive"
"""Sent with every request; another one may name fields differently."""

_MOST_MINOR = 99_999_999

Minor = Annotated[int, Field(strict=True, ge=1, le=_MOST_MINOR)]
"""Money in the currency's minor unit, whole: 1500 is 15.00 euros, and 1500 yen."""

Currency = Annotated[str, StringConstraints(to_lower=True, strip_whitespace=True, pattern=r"^[A-Za-z]{3}$")]
CouponId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,200}$")]
CustomerId = Annotated[str, StringConstraints(pattern=r"^cus_[A-Za-z0-9]+$")]


def _leaves_room(metadata: dict[str, str]) -> dict[str, str]:
    if web.MARK in metadata:
        raise ValueError(f"{web.MARK} is taken by the effect key")
    return metadata


Metadata = Annotated[
    dict[
        Annotated[str, StringConstraints(min_length=1, max_length=40, pattern=r"^[^\[\]]+$")],
        Annotated[str, StringConstraints(min_length=1, max_length=500)],
    ],
    Field(max_length=49),
    AfterValidator(_leaves_room),
]
METADATA: dict[str, str] = Field(default_factory=dict, description="Names and texts of your own, at most 49.")
CURRENCY = Field(default=None, description="Three letters, such as eur; needed with an amount.")
LIMIT = Field(default=100, ge=1, le=1000, description="At most so many, the newest.")

LIMITS = ("100 requests/s live, 25/s in test mode", "25 requests/s per endpoint")


class Created(Output):
    """What all objects at Stripe have.

    Attributes:
        effect_id: The effect key of the run that created it; None if none did.
    """

    id: str
    effect_id: str | None = None

    def provider_id(self) -> str:
        """Stripe's id of it."""
        return self.id


class Deleted(Output):
    """It is gone."""

    id: str
    deleted: Literal[True] = True

    def provider_id(self) -> str:
        """The id it had."""
        return self.id


def instant(seconds: int | None) -> datetime | None:
    """An instant of Stripe's: Unix seconds."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def named(one: Any) -> str | None:
    """The id of something that Stripe names, or shows as a whole."""
    return one.get("id") if isinstance(one, dict) else one


STRIPE = Connector(
    "stripe",
    "Stripe",
    hosts=(web.HOST,),
    credential=web.StripeCredential,
    settings=StripeSettings,
    api_version=API_VERSION,
    console=(
        "Open https://dashboard.stripe.com/apikeys; for test mode https://dashboard.stripe.com/test/apikeys.",
        "Create a restricted key that may write Customers, Checkout Sessions, Payment Links, Charges and Refunds.",
        "Let it write Coupons and Promotion Codes and read Events too; it is shown once.",
    ),
)


@STRIPE.check
def check_key(call: Call) -> str:
    """Ask for one customer, which shows whether the key is alive."""
    web.get(call, "customers", needs=("data",), limit=1)
    return f"Stripe account, in {call.settings_as(StripeSettings).mode} mode"
