"""Creatives: the ads of a campaign, each of which shows a post."""

from __future__ import annotations

import re
from itertools import islice
from typing import Any

from pydantic import Field

from connectors.kit.action import LookUp, Output
from connectors.kit.call import Call
from connectors.kit.errors import OutcomeUnknown, looking
from connectors.linkedin import ads, web
from connectors.linkedin.ads import NAME, Created, Name
from connectors.linkedin.campaigns import CampaignRef
from connectors.linkedin.platform import LINKEDIN, PostUrn, ad_account_of

_URN = re.compile(r"(urn:li:sponsoredCreative:)?[0-9]{1,20}")


class CreateCreative(CampaignRef):
    """An ad that shows a post. It is made paused, and runs when its campaign does and it is set to."""

    post_urn: PostUrn = Field(description="The post that it shows, of the campaign's Page.")
    name: Name = NAME


def _find(call: Call, data: CreateCreative) -> Created | None:
    """The creative that carries this run's mark."""
    if call.first_sent_at is None:
        return None
    wanted = ads.marked(data.name, call)
    with looking():
        rows = [one for one in _rows(call, data) if _shows(one) == data.post_urn]
    ours = [one for one in rows if one.get("name") == wanted]
    if not ours and any(not one.get("name") for one in rows):
        raise OutcomeUnknown("ambiguous: the campaign has an ad of that post without a name; look into the campaign")
    return Created(id=str(ours[0]["id"]), name=wanted) if ours else None


def _rows(call: Call, data: CampaignRef) -> Any:
    campaign = web.encoded(f"urn:li:sponsoredCampaign:{data.campaign_id}")
    path = f"adAccounts/{ad_account_of(call, data.ad_account_id)}/creatives"
    return ads.pages(call, path, f"q=criteria&campaigns=List({campaign})&pageSize=100")


def _shows(row: dict[str, Any]) -> str | None:
    content = row.get("content")
    return web.text(content.get("reference")) if isinstance(content, dict) else None


@LINKEDIN.action(
    "createCreative",
    CreateCreative,
    Created,
    repeat=LookUp(_find, settle_after_s=ads.SETTLE_AFTER_S),
    why="LinkedIn takes no idempotency key for creatives, but lists a campaign's with the name that carries ours.",
    scopes=ads.WRITE,
    limits=("15 active creatives per campaign",),
    cost="Nothing: it is made paused.",
)
def create_creative(call: Call, data: CreateCreative) -> Created:
    """Create an ad that shows a post, paused."""
    body = {
        "campaign": f"urn:li:sponsoredCampaign:{data.campaign_id}",
        "content": {"reference": data.post_urn},
        "intendedStatus": "PAUSED",
        "name": ads.marked(data.name, call),
    }
    path = f"adAccounts/{ad_account_of(call, data.ad_account_id)}/creatives"
    return ads.create(call, path, body, wanted=_URN)


class ListCreatives(CampaignRef):
    """Whose creatives to list."""

    limit: int = Field(default=100, ge=1, le=2000, description="At most so many.")


class Creative(Output):
    """A creative as LinkedIn shows it."""

    id: str
    name: str | None
    post_urn: str | None
    intended_status: str | None = Field(description="What it was set to.")
    is_serving: bool | None = Field(description="Whether it is shown.")


class CreativeList(Output):
    """Creatives of one campaign."""

    creatives: tuple[Creative, ...]


@LINKEDIN.read("listCreatives", ListCreatives, CreativeList, scopes=ads.READ)
def list_creatives(call: Call, data: ListCreatives) -> CreativeList:
    """List the creatives of a campaign."""
    creatives = (
        Creative(
            id=str(one["id"]),
            name=web.text(one.get("name")),
            post_urn=_shows(one),
            intended_status=web.text(one.get("intendedStatus")),
            is_serving=one.get("isServing") if isinstance(one.get("isServing"), bool) else None,
        )
        for one in islice(_rows(call, data), data.limit)
    )
    return CreativeList(creatives=tuple(creatives))
