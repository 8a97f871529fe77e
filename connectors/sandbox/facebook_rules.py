"""What does the Marketing API refuse, besides what does not fit its contract?"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any

from connectors.sandbox import meta_graph
from connectors.sandbox.facebook_data import loaded
from connectors.sandbox.platform import Call, Refusal, Reply

_CAPPED = frozenset({"COST_CAP", "LOWEST_COST_WITH_BID_CAP"})
_EU = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK"
_CHANGES, _CHANGES_WITHIN_S = 4, 3600
_ACTIVE = ("ACTIVE", "PAUSED")


def invalid(message: str, *, field: str, subcode: int | None = None) -> Refusal:
    """Code 100 with the field at fault."""
    return Refusal(meta_graph.error(100, message, subcode=subcode, blame=[field]))


def find(db: sqlite3.Connection, object_id: str, kind: str, *, field: str) -> dict[str, Any]:
    """The living object that a field names.

    Raises:
        Refusal: There is none.
    """
    row = db.execute("SELECT * FROM facebook_object WHERE id = ? AND kind = ?", (object_id, kind)).fetchone()
    fields = None if row is None else loaded(row)
    if fields is None or fields.get("status", "ACTIVE") not in _ACTIVE:
        raise invalid(f"{field} does not name a living {kind}", field=field)
    return fields


def check_campaign(fields: Mapping[str, Any]) -> None:
    """One budget at most; without one, whether ad sets share theirs must be said."""
    if "daily_budget" in fields and "lifetime_budget" in fields:
        raise invalid("A campaign has a daily or a lifetime budget", field="lifetime_budget")
    if not has_budget(fields):
        if "is_adset_budget_sharing_enabled" not in fields:
            message = "Must specify True or False in is_adset_budget_sharing_enabled"
            raise invalid(message, field="is_adset_budget_sharing_enabled", subcode=4834011)
        if "bid_strategy" in fields:
            raise invalid("A bid strategy needs a campaign budget", field="bid_strategy")


def check_adset(fields: Mapping[str, Any], campaign: Mapping[str, Any]) -> None:
    """Budget where the campaign has none, bids as the strategy wants them, somewhere to be shown."""
    if has_budget(campaign) == has_budget(fields):
        raise invalid("The budget belongs to the campaign or to the ad set", field="daily_budget")
    if "daily_budget" in fields and "lifetime_budget" in fields:
        raise invalid("An ad set has a daily or a lifetime budget", field="lifetime_budget")
    if "lifetime_budget" in fields and "end_time" not in fields:
        raise invalid("A lifetime budget needs an end", field="end_time")
    strategy = fields.get("bid_strategy", campaign.get("bid_strategy", "LOWEST_COST_WITHOUT_CAP"))
    if (strategy in _CAPPED) != ("bid_amount" in fields):
        raise invalid("The bid amount does not go with the bid strategy", field="bid_amount")
    floor = (fields.get("bid_constraints") or {}).get("roas_average_floor")
    if (strategy == "LOWEST_COST_WITH_MIN_ROAS") != isinstance(floor, int):
        raise invalid("The floor of return does not go with the bid strategy", field="bid_constraints")
    _check_places(fields)


def _check_places(fields: Mapping[str, Any]) -> None:
    places: dict[str, Any] = fields["targeting"].get("geo_locations") or {}
    if not any(places.get(name) for name in ("countries", "regions", "cities", "zips")):
        raise invalid("Targeting needs a location", field="targeting")
    in_eu = any(country in _EU.split() for country in places.get("countries", ()))
    if in_eu and not (fields.get("dsa_beneficiary") and fields.get("dsa_payor")):
        raise invalid("Ads to the EU must say who benefits and who pays", field="dsa_beneficiary")


def check_budget(call: Call, object_id: str, kind: str, fields: Mapping[str, Any], given: Mapping[str, Any]) -> None:
    """A budget may change only where there is one of its kind; of an ad set four times an hour.

    Raises:
        Refusal: It may not.
    """
    for name in ("daily_budget", "lifetime_budget"):
        if name in given and name not in fields:
            raise invalid(f"There is no {name} to change", field=name)
    if kind != "adset" or not has_budget(given):
        return
    since = call.now - _CHANGES_WITHIN_S
    query = "SELECT count(*) FROM facebook_budget_change WHERE object = ? AND at > ?"
    if call.db.execute(query, (object_id, since)).fetchone()[0] >= _CHANGES:
        headers = {"X-Ad-Account-Usage": '{"acc_id_util_pct": 100, "reset_time_duration": 3600}'}
        raise Refusal(meta_graph.error(17, "User request limit reached", subcode=1487742, headers=headers))
    call.db.execute("INSERT INTO facebook_budget_change VALUES (?, ?)", (object_id, call.now))


def has_budget(fields: Mapping[str, Any]) -> bool:
    """Whether there is a budget of either kind."""
    return "daily_budget" in fields or "lifetime_budget" in fields


def only_validates(fields: Mapping[str, Any]) -> Reply | None:
    """The answer to a request that was only to be checked."""
    return Reply(200, {"success": True}) if "validate_only" in fields.get("execution_options", ()) else None
