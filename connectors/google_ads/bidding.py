"""How does a campaign bid? One strategy with its settings, set when it is made and changed later."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from connectors.google_ads.platform import BidMicros, Micros
from connectors.kit.action import Input

Strategy = Literal[
    "MAXIMIZE_CONVERSIONS",
    "MAXIMIZE_CONVERSION_VALUE",
    "TARGET_SPEND",
    "TARGET_IMPRESSION_SHARE",
    "MANUAL_CPC",
    "PORTFOLIO",
]

# Which settings go with a strategy, and their names at Google.
_SETTINGS: dict[str, dict[str, str]] = {
    "MAXIMIZE_CONVERSIONS": {"target_cpa_micros": "targetCpaMicros"},
    "MAXIMIZE_CONVERSION_VALUE": {"target_roas": "targetRoas"},
    "TARGET_SPEND": {"cpc_bid_ceiling_micros": "cpcBidCeilingMicros"},
    "TARGET_IMPRESSION_SHARE": {
        "location": "location",
        "location_fraction_micros": "locationFractionMicros",
        "cpc_bid_ceiling_micros": "cpcBidCeilingMicros",
    },
    "MANUAL_CPC": {},
    "PORTFOLIO": {"bidding_strategy_id": "biddingStrategy"},
}
_NEEDED: dict[str, tuple[str, ...]] = {
    "TARGET_IMPRESSION_SHARE": ("location", "location_fraction_micros", "cpc_bid_ceiling_micros"),
    "PORTFOLIO": ("bidding_strategy_id",),
}
_FIELDS = {
    "MAXIMIZE_CONVERSIONS": "maximizeConversions",
    "MAXIMIZE_CONVERSION_VALUE": "maximizeConversionValue",
    "TARGET_SPEND": "targetSpend",
    "TARGET_IMPRESSION_SHARE": "targetImpressionShare",
    "MANUAL_CPC": "manualCpc",
}
# A strategy whose settings are left out is still named in a mask by one of them: a message that has fields cannot be.
_LEAVES = {**{name: tuple(found.values()) for name, found in _SETTINGS.items()}, "MANUAL_CPC": ("enhancedCpcEnabled",)}
_OWN = {name for found in _SETTINGS.values() for name in found}


class Bidding(Input):
    """A bidding strategy and its settings."""

    strategy: Strategy = Field(description="What is bid for; PORTFOLIO shares a strategy with other campaigns.")
    target_cpa_micros: Micros | None = Field(
        default=None, description="For MAXIMIZE_CONVERSIONS: wanted cost of a conversion, in micros."
    )
    target_roas: float | None = Field(
        default=None, ge=0.01, le=1000, description="For MAXIMIZE_CONVERSION_VALUE: 3.5 is a return of 350 percent."
    )
    cpc_bid_ceiling_micros: BidMicros | None = Field(
        default=None, description="For TARGET_SPEND and TARGET_IMPRESSION_SHARE: highest bid for a click, in micros."
    )
    location: Literal["ANYWHERE_ON_PAGE", "TOP_OF_PAGE", "ABSOLUTE_TOP_OF_PAGE"] | None = Field(
        default=None, description="For TARGET_IMPRESSION_SHARE: where to be shown."
    )
    location_fraction_micros: int | None = Field(
        default=None, strict=True, ge=1, le=1_000_000, description="For TARGET_IMPRESSION_SHARE: 650000 is 65 percent."
    )
    bidding_strategy_id: str | None = Field(
        default=None, pattern=r"^\d{1,19}$", description="For PORTFOLIO: id of the shared strategy."
    )

    @model_validator(mode="after")
    def _settings_fit(self) -> Bidding:
        fitting = _SETTINGS[self.strategy]
        given = {name for name in _OWN if getattr(self, name) is not None}
        if given - set(fitting):
            raise ValueError(f"{', '.join(sorted(given - set(fitting)))} does not go with {self.strategy}")
        missing = [name for name in _NEEDED.get(self.strategy, ()) if name not in given]
        if missing:
            raise ValueError(f"{self.strategy} needs {', '.join(missing)}")
        return self

    def fields(self, *, customer_id: str) -> dict[str, Any]:
        """The one field of a campaign that holds it."""
        if self.strategy == "PORTFOLIO":
            return {"biddingStrategy": f"customers/{customer_id}/biddingStrategies/{self.bidding_strategy_id}"}
        settings = {
            theirs: _written(getattr(self, ours))
            for ours, theirs in _SETTINGS[self.strategy].items()
            if getattr(self, ours) is not None
        }
        return {_FIELDS[self.strategy]: settings}

    def mask(self) -> str:
        """What of a campaign changes: every setting of the strategy, so that one that is left out is taken away."""
        if self.strategy == "PORTFOLIO":
            return "biddingStrategy"
        return ",".join(f"{_FIELDS[self.strategy]}.{leaf}" for leaf in _LEAVES[self.strategy])


def _written(value: Any) -> Any:
    """As JSON of protocol buffers has it: whole numbers of 64 bits are text."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value
