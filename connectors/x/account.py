"""Whose account is it, and how much of X's cap is used?"""

from __future__ import annotations

from pydantic import Field

from connectors.kit.action import Input, Limit, Output
from connectors.kit.call import Call
from connectors.x import web
from connectors.x.platform import READ, X, me


class GetMe(Input):
    """Nothing is needed."""


class Account(Output):
    """Whose token it is."""

    id: str
    username: str
    name: str | None
    followers: int | None
    premium: str | None = Field(description="X's verified type, such as blue or business; null or none without.")


@X.read("getMe", GetMe, Account, pace=(Limit(75, per_s=900, of="action"),), scopes=READ)
def get_me(call: Call, data: GetMe) -> Account:
    """Tell which account the connection posts as."""
    found = me(call)
    with web.reading():
        return Account(
            id=found["id"],
            username=found["username"],
            name=found.get("name"),
            followers=(found.get("public_metrics") or {}).get("followers_count"),
            premium=found.get("verified_type"),
        )


class GetUsage(Input):
    """Nothing is needed."""


class Usage(Output):
    """How many posts the app has read in this period."""

    used: int
    cap: int = Field(description="Posts that may be read in a month.")
    resets_on_day: int | None = Field(description="Day of the month on which it begins anew.")


@X.read("getUsage", GetUsage, Usage, limits=("needs the app's own token: app_token",))
def get_usage(call: Call, data: GetUsage) -> Usage:
    """Tell how much of the month's cap on posts read is used."""
    fields = {"usage.fields": "cap_reset_day,project_cap,project_usage"}
    found = web.get(call, "/2/usage/tweets", params=fields, as_app=True)
    with web.reading():
        usage = found["data"]
        return Usage(used=usage["project_usage"], cap=usage["project_cap"], resets_on_day=usage.get("cap_reset_day"))
