"""Who pays, and what counts conversions? Funding instruments and pixels of an ad account."""

from __future__ import annotations

from itertools import islice

from pydantic import Field

from connectors.kit.action import Limit, Output
from connectors.kit.call import Call
from connectors.reddit import ads_api, api
from connectors.reddit.platform import REDDIT, AdAccountRef, ad_account_of

_THIRTY = (Limit(30, per_s=60, of="action"),)


class FundingInstrument(Output):
    """Someone's card or credit."""

    id: str
    name: str | None
    currency: str | None
    is_servable: bool = Field(description="Whether ads paid with it are shown.")
    reasons_not_servable: tuple[str, ...]


class FundingInstruments(Output):
    """Funding instruments of one ad account."""

    instruments: tuple[FundingInstrument, ...]


@REDDIT.read("listFundingInstruments", AdAccountRef, FundingInstruments, pace=_THIRTY, scopes=ads_api.READ)
def list_funding_instruments(call: Call, data: AdAccountRef) -> FundingInstruments:
    """List who can pay for an ad account's campaigns."""
    path = f"/ad_accounts/{ad_account_of(call, data.ad_account_id)}/funding_instruments"
    found = []
    for row in islice(ads_api.listed(call, path, {"page.size": 100}), 1000):
        reasons = row.get("reasons_not_servable")
        found.append(
            FundingInstrument(
                id=row["id"],
                name=api.text(row.get("name")),
                currency=api.text(row.get("currency")),
                is_servable=row.get("is_servable") is True,
                reasons_not_servable=tuple(map(str, reasons)) if isinstance(reasons, list) else (),
            )
        )
    return FundingInstruments(instruments=tuple(found))


class Pixel(Output):
    """What counts conversions on a website."""

    id: str
    name: str | None


class Pixels(Output):
    """Pixels of one ad account."""

    pixels: tuple[Pixel, ...]


@REDDIT.read("listPixels", AdAccountRef, Pixels, pace=_THIRTY, scopes=ads_api.READ)
def list_pixels(call: Call, data: AdAccountRef) -> Pixels:
    """List the pixels of an ad account."""
    path = f"/ad_accounts/{ad_account_of(call, data.ad_account_id)}/pixels"
    rows = islice(ads_api.listed(call, path, {"page.size": 100}), 1000)
    return Pixels(pixels=tuple(Pixel(id=row["id"], name=api.text(row.get("name"))) for row in rows))
