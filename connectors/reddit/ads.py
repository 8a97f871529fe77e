"""Ads: a post that is shown to an ad group's people, and the posts that are made for ads only."""

from __future__ import annotations

from functools import partial
from itertools import islice
from typing import Annotated, Any, cast

from pydantic import Field, StringConstraints, model_validator

from connectors.kit.action import Input, JsonValue, Limit, LookUp, Output, Park, Resend
from connectors.kit.call import Call
from connectors.kit.errors import InvalidRequest, OutcomeUnknown, PolicyRejected
from connectors.kit.fields import HttpsUrl
from connectors.reddit import ads_api, api
from connectors.reddit.ad_groups import Status
from connectors.reddit.ads_api import NAME, Created, Id, Name
from connectors.reddit.campaigns import SETS
from connectors.reddit.platform import (
    POST,
    REDDIT,
    AdAccountRef,
    Done,
    PostId,
    ProfileId,
    RedditSettings,
    ad_account_of,
)

_CREATIVES = (Limit(200, per_s=60, of="action"),)
ClickUrl = Annotated[str, StringConstraints(pattern=r"^https://[^\s/?#@]+([/?#]\S*)?$", max_length=5000)]


class CreateAd(AdAccountRef):
    """An ad of an ad group, which shows a post. It is made paused."""

    ad_group_id: Id = Field(description="Its ad group, as createAdGroup gave it.")
    name: Name = NAME
    post_id: PostId = POST
    click_url: ClickUrl = Field(description="Where a click leads, at most 5,000 characters.")
    query_parameters: dict[str, str] = Field(
        default={}, max_length=14, description="At most 14, appended to the address, such as utm_source."
    )


def _find(call: Call, data: CreateAd) -> Created | None:
    return ads_api.find(call, f"/ad_accounts/{ad_account_of(call, data.ad_account_id)}/ads", data.name)


@REDDIT.action(
    "createAd",
    CreateAd,
    Created,
    repeat=LookUp(_find, settle_after_s=ads_api.SETTLE_AFTER_S),
    why="Reddit takes no idempotency key for ads, but lists them with the name that carries ours.",
    pace=_CREATIVES,
    scopes=(*ads_api.WRITE, *ads_api.READ),
    limits=("200 creative writes/min", "14 query parameters"),
    cost="Nothing: it is made paused.",
)
def create_ad(call: Call, data: CreateAd) -> Created:
    """Create an ad that shows a post, paused."""
    parameters = [{"name": name, "value": value} for name, value in data.query_parameters.items()]
    fields = {
        "name": ads_api.marked(data.name, call),
        "ad_group_id": data.ad_group_id,
        "configured_status": "PAUSED",
        "post_id": data.post_id,
        "click_url": data.click_url,
        "click_url_query_parameters": parameters or None,
    }
    return ads_api.create(call, f"/ad_accounts/{ad_account_of(call, data.ad_account_id)}/ads", ads_api.given(fields))


class ListAds(AdAccountRef):
    """Which ads to list."""

    ad_group_id: Id | None = Field(default=None, description="Only those of this ad group.")
    campaign_id: Id | None = Field(default=None, description="Only those of this campaign.")
    limit: int = Field(default=100, ge=1, le=5000, description="At most so many.")


class Ad(Output):
    """An ad as Reddit shows it."""

    id: str
    ad_group_id: str | None
    name: str | None
    post_id: str | None
    configured_status: str | None = Field(description="What it was set to.")
    effective_status: str | None = Field(description="What Reddit makes of it, such as PENDING_APPROVAL or REJECTED.")
    rejection_reason: str | None = Field(description="Why Reddit's review rejected it; null if it did not.")


class AdList(Output):
    """Ads of one ad account."""

    ads: tuple[Ad, ...]


@REDDIT.read("listAds", ListAds, AdList, pace=ads_api.READS, scopes=ads_api.READ)
def list_ads(call: Call, data: ListAds) -> AdList:
    """List ads, and what Reddit's review made of them."""
    path = f"/ad_accounts/{ad_account_of(call, data.ad_account_id)}/ads"
    params = {"ad_group_id": data.ad_group_id, "campaign_id": data.campaign_id, "page.size": min(data.limit, 1000)}
    rows = ads_api.listed(call, path, ads_api.given(params))
    return AdList(ads=tuple(_ad(row) for row in islice(rows, data.limit)))


def _ad(row: dict[str, Any]) -> Ad:
    return Ad(
        id=row["id"],
        ad_group_id=api.text(row.get("ad_group_id")),
        name=api.text(row.get("name")),
        post_id=api.text(row.get("post_id")),
        configured_status=api.text(row.get("configured_status")),
        effective_status=api.text(row.get("effective_status")),
        rejection_reason=api.text(row.get("rejection_reason")),
    )


class SetAdStatus(Input):
    """The state of an ad."""

    ad_id: Id = Field(description="Its id, as createAd gave it.")
    status: Status = Field(description="ACTIVE lets it run with its ad group; PAUSED stops it; ARCHIVED puts it away.")


@REDDIT.action(
    "setAdStatus",
    SetAdStatus,
    Done,
    repeat=Resend(),
    why=SETS,
    pace=_CREATIVES,
    scopes=ads_api.WRITE,
    cost="An active ad of an active ad group spends that one's budget.",
)
def set_ad_status(call: Call, data: SetAdStatus) -> Done:
    """Start, stop or put away an ad."""
    ads_api.send(call, "PATCH", f"/ads/{data.ad_id}", {"configured_status": data.status}, effect=True)
    return Done()


class CreateAdPost(Input):
    """A post for ads, which nobody sees before an ad shows it: a text, an image or a video."""

    profile_id: ProfileId | None = Field(default=None, description="Profile it belongs to; the connection's.")
    headline: str = Field(min_length=1, max_length=300, description="At most 300 characters.")
    body: str | None = Field(default=None, min_length=1, max_length=40_000, description="Plain text of a text post.")
    destination_url: HttpsUrl | None = Field(default=None, description="Where an image or video leads.")
    image_url: HttpsUrl | None = Field(default=None, description="Public https address, which Reddit fetches.")
    video_url: HttpsUrl | None = Field(default=None, description="Likewise, instead of an image.")
    thumbnail_url: HttpsUrl | None = Field(default=None, description="Image that stands for the video.")
    allow_comments: bool = Field(default=True, description="Whether people may comment on it.")

    @model_validator(mode="after")
    def _is_one_kind(self) -> CreateAdPost:
        if sum(one is not None for one in (self.body, self.image_url, self.video_url)) != 1:
            raise ValueError("one of body, image_url and video_url is needed")
        if (self.body is None) != (self.destination_url is not None):
            raise ValueError("destination_url belongs to an image or video, and is needed with it")
        if (self.video_url is None) != (self.thumbnail_url is None):
            raise ValueError("thumbnail_url belongs to a video_url, and is needed with it")
        return self

    def creative(self) -> dict[str, Any]:
        """What Reddit makes the post of."""
        destination = {"type": "URL", "url": self.destination_url}
        if self.image_url is not None:
            image = _fetched(self.image_url)
            return {"type": "IMAGE", "headline": self.headline, "destination": destination, "image": image}
        if self.video_url is not None:
            video, thumbnail = _fetched(self.video_url), _fetched(str(self.thumbnail_url))
            shown = {"destination": destination, "video": video, "thumbnail": thumbnail}
            return {"type": "VIDEO", "headline": self.headline, **shown}
        return {"type": "TEXT", "headline": self.headline, "body": self.body, "text_format": "PLAIN_TEXT"}


def _fetched(url: str) -> dict[str, Any]:
    return {"media": {"type": "URL", "url": url}}


class AdPost(Output):
    """A post for ads."""

    job_id: str = Field(description="Reddit's job that makes it.")
    post_id: str | None = Field(default=None, description="Full name, t3_...; null while it is being made.")

    def provider_id(self) -> str:
        """The post's full name, or else the job's id."""
        return self.post_id or self.job_id


@REDDIT.action(
    "createAdPost",
    CreateAdPost,
    AdPost,
    repeat=Park(
        "Reddit takes no key for posts of ads, and lists its jobs nowhere. Look into the profile's ad posts in Ads "
        "Manager; one too many is shown to nobody"
    ),
    why="Nothing tells whether Reddit has begun a job whose id was lost.",
    multi_step=True,
    pace=_CREATIVES,
    scopes=(*ads_api.WRITE, *ads_api.READ),
    limits=("200 creative writes/min", "a headline of 300 characters"),
    cost="Nothing: it is shown to nobody before an ad shows it.",
)
def create_ad_post(call: Call, data: CreateAdPost) -> AdPost:
    """Make a post for ads, and wait until Reddit has made it."""
    profile_id = data.profile_id or call.settings_as(RedditSettings).profile_id
    if profile_id is None:
        raise InvalidRequest("profile_id: no profile. Give it in the input or the connection's settings")
    begun = AdPost.model_validate(call.effect("job", partial(_begin, call, data, profile_id)))
    return call.wait_for("made", lambda: _made(call, begun.job_id), every_s=5.0, timeout_s=900.0)


def _begin(call: Call, data: CreateAdPost, profile_id: str) -> JsonValue:
    fields = {"allow_comments": data.allow_comments, "creative": data.creative()}
    made = ads_api.send(call, "POST", f"/profiles/{profile_id}/structured_posts/jobs", fields, effect=True)
    job_id = api.text(made.get("id"))
    if job_id is None:
        raise OutcomeUnknown("Reddit's answer has no id of the job")
    return cast("JsonValue", AdPost(job_id=job_id).model_dump(mode="json"))


def _made(call: Call, job_id: str) -> AdPost | None:
    """The post of a job; None while Reddit works on it.

    Raises:
        PolicyRejected: Reddit does not take the creative.
        OutcomeUnknown: Reddit failed, and does not say how far it came.
    """
    found = ads_api.read(call, f"/structured_posts/jobs/{job_id}")
    status, post_id = found.get("status"), api.text(found.get("post_id"))
    if status == "CLIENT_ERROR":
        raise PolicyRejected("Reddit does not take the creative; its files or texts break a rule", code="CLIENT_ERROR")
    if status == "SERVER_ERROR":
        raise OutcomeUnknown("Reddit could not make the post", code="SERVER_ERROR")
    return AdPost(job_id=job_id, post_id=post_id) if status == "SUCCESS" and post_id is not None else None
