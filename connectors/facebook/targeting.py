"""Whom does an ad set reach, and what does it promote?"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from connectors.dialects.meta_graph import NodeId
from connectors.facebook.campaigns import Country
from connectors.kit.action import Input

_EU = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK"
EU = frozenset(_EU.split())
"""Countries where the Digital Services Act wants to know who pays and who benefits."""


class City(Input):
    """A city and its surroundings."""

    key: str = Field(min_length=1, description="Meta's key of the city.")
    radius_km: int | None = Field(default=None, ge=17, le=80, description="How far around it.")


class Targeting(Input):
    """Whom to reach: at least somewhere."""

    countries: tuple[Country, ...] = Field(default=(), max_length=25, description="ISO 3166 codes, such as DE.")
    regions: tuple[str, ...] = Field(default=(), max_length=200, description="Meta's keys of regions.")
    cities: tuple[City, ...] = Field(default=(), max_length=250, description="Cities.")
    age_min: int | None = Field(default=None, ge=13, le=65, description="Youngest age in years.")
    age_max: int | None = Field(default=None, ge=13, le=65, description="Oldest age in years; 65 includes all older.")
    genders: tuple[Literal["male", "female"], ...] = Field(default=(), max_length=2, description="All if left out.")
    interests: tuple[NodeId, ...] = Field(default=(), description="Ids of interests.")
    custom_audiences: tuple[NodeId, ...] = Field(default=(), description="Ids of audiences to reach.")
    excluded_custom_audiences: tuple[NodeId, ...] = Field(default=(), description="Ids of audiences to leave out.")
    publisher_platforms: tuple[
        Literal["facebook", "instagram", "audience_network", "messenger", "threads", "whatsapp"], ...
    ] = Field(default=(), description="Where ads are shown; Meta chooses if left out.")
    advantage_audience: bool = Field(default=False, description="Whether Meta may look beyond this for people.")

    @model_validator(mode="after")
    def _is_somewhere(self) -> Targeting:
        if not (self.countries or self.regions or self.cities):
            raise ValueError("one of countries, regions and cities is needed")
        if self.age_min is not None and self.age_max is not None and self.age_min > self.age_max:
            raise ValueError("age_min must not be over age_max")
        return self

    def as_sent(self) -> dict[str, Any]:
        """As Meta takes it."""
        sex = {"male": 1, "female": 2}
        places = {
            "countries": list(self.countries),
            "regions": [{"key": key} for key in self.regions],
            "cities": [_city(one) for one in self.cities],
        }
        found = {
            "geo_locations": {name: value for name, value in places.items() if value},
            "age_min": self.age_min,
            "age_max": self.age_max,
            "genders": [sex[one] for one in self.genders],
            "interests": [{"id": one} for one in self.interests],
            "custom_audiences": [{"id": one} for one in self.custom_audiences],
            "excluded_custom_audiences": [{"id": one} for one in self.excluded_custom_audiences],
            "publisher_platforms": list(self.publisher_platforms),
        }
        given = {name: value for name, value in found.items() if value not in (None, [])}
        return {**given, "targeting_automation": {"advantage_audience": int(self.advantage_audience)}}


def _city(one: City) -> dict[str, Any]:
    around = {} if one.radius_km is None else {"radius": one.radius_km, "distance_unit": "kilometer"}
    return {"key": one.key, **around}


class PromotedObject(Input):
    """What an ad set is optimized for: a Page, a pixel's event or an app."""

    page_id: NodeId | None = Field(default=None, description="A Page.")
    pixel_id: NodeId | None = Field(default=None, description="A pixel; needs custom_event_type.")
    custom_event_type: str | None = Field(
        default=None, pattern=r"^[A-Z_]{1,64}$", description="The pixel's event, such as PURCHASE or LEAD."
    )
    application_id: NodeId | None = Field(default=None, description="An app; needs object_store_url.")
    object_store_url: str | None = Field(
        default=None, pattern=r"^https?://\S+$", max_length=2048, description="The app's page in its store."
    )

    @model_validator(mode="after")
    def _is_whole(self) -> PromotedObject:
        if (self.pixel_id is None) != (self.custom_event_type is None):
            raise ValueError("pixel_id and custom_event_type need each other")
        if (self.application_id is None) != (self.object_store_url is None):
            raise ValueError("application_id and object_store_url need each other")
        if self.page_id is None and self.pixel_id is None and self.application_id is None:
            raise ValueError("one of page_id, pixel_id and application_id is needed")
        return self
