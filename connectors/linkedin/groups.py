"""Campaign groups: what every campaign belongs to."""

from __future__ import annotations

import re
from datetime import datetime
from itertools import islice
from typing import Literal

from pydantic import Field, model_validator

from connectors.kit.action import LookUp, Output
from connectors.kit.call import Call
from connectors.kit.fields import UtcDatetime
from connectors.linkedin import ads, web
from connectors.linkedin.ads import NAME, AdAccountRef, Created, Money, Name
from connectors.linkedin.platform import LINKEDIN, ad_account_of

_ID = re.compile(r"[0-9]{1,20}")
_STATUSES = ("ACTIVE", "PAUSED", "DRAFT", "ARCHIVED", "CANCELED")


class CreateCampaignGroup(AdAccountRef):
    """A campaign group; by itself it spends nothing."""

    name: Name = NAME
    status: Literal["ACTIVE", "PAUSED", "DRAFT"] = Field(
        default="ACTIVE", description="Its state; campaigns only run in an active group, and a draft holds drafts only."
    )
    starts_at: UtcDatetime | None = Field(default=None, description="When its campaigns may begin, with offset.")
    ends_at: UtcDatetime | None = Field(default=None, description="When they end, with offset.")
    total_budget: Money | None = Field(default=None, description="Most that its campaigns spend together.")

    @model_validator(mode="after")
    def _fits(self) -> CreateCampaignGroup:
        if self.ends_at is not None and (self.starts_at is None or self.ends_at <= self.starts_at):
            raise ValueError("ends_at must come after starts_at")
        return self


def _find(call: Call, data: CreateCampaignGroup) -> Created | None:
    return ads.find(call, "adCampaignGroups", data, data.name)


@LINKEDIN.action(
    "createCampaignGroup",
    CreateCampaignGroup,
    Created,
    repeat=LookUp(_find, settle_after_s=ads.SETTLE_AFTER_S),
    why="LinkedIn takes no idempotency key for campaign groups, but its search finds the name that carries ours.",
    scopes=ads.WRITE,
)
def create_campaign_group(call: Call, data: CreateCampaignGroup) -> Created:
    """Create a campaign group."""
    account = ad_account_of(call, data.ad_account_id)
    schedule = {name: _ms(at) for name, at in (("start", data.starts_at), ("end", data.ends_at)) if at is not None}
    body = {
        "account": f"urn:li:sponsoredAccount:{account}",
        "name": ads.marked(data.name, call),
        "status": data.status,
        **({"runSchedule": schedule} if schedule else {}),
        **({"totalBudget": data.total_budget.as_json()} if data.total_budget is not None else {}),
    }
    return ads.create(call, f"adAccounts/{account}/adCampaignGroups", body, wanted=_ID)


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


class ListCampaignGroups(AdAccountRef):
    """Which campaign groups to list."""

    limit: int = Field(default=100, ge=1, le=2000, description="At most so many.")


class CampaignGroup(Output):
    """A campaign group as LinkedIn shows it."""

    id: str
    name: str | None
    status: str | None
    total_budget: str | None = Field(description="Such as 1000 USD.")


class CampaignGroupList(Output):
    """Campaign groups of one ad account."""

    groups: tuple[CampaignGroup, ...]


@LINKEDIN.read("listCampaignGroups", ListCampaignGroups, CampaignGroupList, scopes=ads.READ)
def list_campaign_groups(call: Call, data: ListCampaignGroups) -> CampaignGroupList:
    """List the campaign groups of an ad account."""
    path = f"adAccounts/{ad_account_of(call, data.ad_account_id)}/adCampaignGroups"
    rows = ads.searched(call, path, statuses=_STATUSES)
    groups = (
        CampaignGroup(
            id=str(one["id"]),
            name=web.text(one.get("name")),
            status=web.text(one.get("status")),
            total_budget=ads.money(one.get("totalBudget")),
        )
        for one in islice(rows, data.limit)
    )
    return CampaignGroupList(groups=tuple(groups))
