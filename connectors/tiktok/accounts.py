"""Accounts: what the connection's advertiser is, and which ones the token may act for."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from connectors.kit.action import Input, Output
from connectors.kit.call import Call
from connectors.kit.errors import InvalidRequest
from connectors.tiktok import web
from connectors.tiktok.platform import ACCOUNTS, LIMITS, PACE, TIKTOK, advertiser_row, number, said


class GetAdvertiser(Input):
    """The connection's advertiser."""


class ListAdvertisers(Input):
    """Every advertiser that the token may act for."""


class Advertiser(Output):
    """An ad account."""

    advertiser_id: str
    name: str | None
    currency: str | None = Field(default=None, description="Of all its budgets and spend.")
    timezone: str | None = Field(default=None, description="Of its reports' days.")
    status: str | None = None
    country: str | None = None
    balance_major: float | None = Field(default=None, description="What is left to spend, in whole units.")


class AdvertiserList(Output):
    """Ad accounts."""

    advertisers: tuple[Advertiser, ...]


@TIKTOK.read("getAdvertiser", GetAdvertiser, Advertiser, pace=PACE, scopes=ACCOUNTS, limits=LIMITS)
def get_advertiser(call: Call, data: GetAdvertiser) -> Advertiser:
    """Fetch the advertiser: its currency, its time zone and what is left to spend."""
    return _advertiser(advertiser_row(call))


@TIKTOK.read("listAdvertisers", ListAdvertisers, AdvertiserList, pace=PACE, scopes=ACCOUNTS, limits=LIMITS)
def list_advertisers(call: Call, data: ListAdvertisers) -> AdvertiserList:
    """List the advertisers that the token may act for."""
    credential = call.credential_as(web.TikTokCredential)
    if credential.client_secret is None:
        raise InvalidRequest("client_secret: TikTok lists advertisers only for an app that shows its secret")
    secret = credential.client_secret.get_secret_value()
    found = web.get(call, "oauth2/advertiser/get", app_id=credential.client_id, secret=secret)
    return AdvertiserList(advertisers=tuple(map(_advertiser, web.rows(found, "oauth2/advertiser/get"))))


def _advertiser(row: dict[str, Any]) -> Advertiser:
    return Advertiser(
        advertiser_id=str(row.get("advertiser_id")),
        name=said(row.get("name") or row.get("advertiser_name")),
        currency=said(row.get("currency")),
        timezone=said(row.get("display_timezone") or row.get("timezone")),
        status=said(row.get("status")),
        country=said(row.get("country")),
        balance_major=number(row.get("balance")),
    )
