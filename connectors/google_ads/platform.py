"""Which platform is it, and which fields do its actions share?"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from connectors.google_ads import api
from connectors.google_ads.api import GoogleAdsCredential, GoogleAdsSettings
from connectors.kit.action import Input, Output
from connectors.kit.call import Call
from connectors.kit.connector import Connector
from connectors.kit.errors import NotFound

_API_SUNSET = date(2027, 11, 1)

_LEAST_MICROS = 100_000
_MOST_MICROS = 10**14

CampaignId = Annotated[str, StringConstraints(pattern=r"^\d{1,19}$")]

Micros = Annotated[int, Field(strict=True, ge=_LEAST_MICROS, le=_MOST_MICROS)]
"""Money in millionths of the account's currency: 50000000 is 50 euros. Whole units given by mistake are far below the
least that is taken, a tenth of a unit."""

BidMicros = Annotated[int, Field(strict=True, ge=1_000, le=_MOST_MICROS)]
"""A bid, in millionths of the account's currency: 1500000 is 1.50 euros."""

GOOGLE_ADS = Connector(
    "google_ads",
    "Google Ads",
    hosts=api.HOSTS,
    credential=GoogleAdsCredential,
    settings=GoogleAdsSettings,
    api_version=api.VERSION,
    api_sunset=_API_SUNSET,
    oauth=api.OAUTH,
    console=(
        "Open https://console.cloud.google.com and choose or create a project.",
        "Under APIs & Services, enable the Google Ads API.",
        "Apply for an access level for the project: without one it reaches test accounts only.",
        "On the OAuth consent screen, add the scope adwords.",
        "Publish the app: the refresh tokens of an app in testing end after 7 days.",
        "Under Credentials, create an OAuth client of type Web application with the redirect URI {redirect_uri}.",
        "Or make a service account, and add its address as a user of the Google Ads account.",
    ),
)


class Nothing(Input):
    """Nothing to choose."""


class Customers(Output):
    """Accounts that can be used without naming a manager."""

    customer_ids: tuple[str, ...]


class Account(Output):
    """The connection's account."""

    id: str
    name: str | None
    currency: str | None
    time_zone: str | None
    manager: bool = Field(description="A manager account holds accounts, no campaigns.")
    test: bool = Field(description="A test account never serves.")


def part(row: dict[str, Any], name: str) -> dict[str, Any]:
    """One resource of a row; empty where the row does not hold it."""
    found = row.get(name)
    return found if isinstance(found, dict) else {}


def whole(value: Any) -> int:
    """A whole number, which Google writes as text and leaves out where it is zero."""
    digits = str(value).removeprefix("-")
    return int(str(value)) if digits.isascii() and digits.isdecimal() else 0


def number(value: Any) -> float:
    """A number, which Google leaves out where it is zero."""
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else 0.0


@GOOGLE_ADS.read("listAccessibleCustomers", Nothing, Customers, scopes=api.SCOPES, limits=api.LIMITS)
def list_accessible_customers(call: Call, data: Nothing) -> Customers:
    """List the accounts that whoever agreed may use by themselves."""
    found = api.api(call).get(api.Customers, "customers:listAccessibleCustomers", "customers:listAccessibleCustomers")
    return Customers(customer_ids=tuple(one.removeprefix("customers/") for one in found.resource_names))


@GOOGLE_ADS.read("getAccount", Nothing, Account, scopes=api.SCOPES, limits=api.LIMITS)
def get_account(call: Call, data: Nothing) -> Account:
    """Fetch the account: its name, its currency, its time zone."""
    query = (
        "SELECT customer.id, customer.descriptive_name, customer.currency_code, customer.time_zone, customer.manager,"
        " customer.test_account FROM customer"
    )
    row = next(api.rows(call, query), None)
    if row is None:
        raise NotFound("Google does not show the account")
    found = part(row, "customer")
    return Account(
        id=str(found.get("id") or api.account(call).customer_id),
        name=found.get("descriptiveName"),
        currency=found.get("currencyCode"),
        time_zone=found.get("timeZone"),
        manager=found.get("manager") is True,
        test=found.get("testAccount") is True,
    )


@GOOGLE_ADS.check
def check_account(call: Call) -> str:
    """Fetch the account."""
    found = get_account(call, Nothing())
    kind = "manager account" if found.manager else "test account" if found.test else "account"
    return f"Google Ads {kind} {found.name or found.id}, in {found.currency or '?'}, {found.time_zone or '?'}"
