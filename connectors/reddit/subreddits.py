"""What does a subreddit ask of a post? Its rules for titles and texts, and its flairs."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from connectors.kit.action import Input, Output
from connectors.kit.call import Call
from connectors.kit.errors import Unavailable
from connectors.reddit import api, data_api
from connectors.reddit.platform import DATA_CALLS, REDDIT, SUBREDDIT, Subreddit


class SubredditRef(Input):
    """A subreddit."""

    subreddit: Subreddit = SUBREDDIT


class PostRequirements(Output):
    """What a subreddit asks of posts; null where it asks nothing."""

    title_min_length: int | None
    title_max_length: int | None
    text_min_length: int | None
    text_max_length: int | None
    text: Literal["required", "notAllowed", "none"] = Field(description="Whether a post must or may not have a text.")
    is_flair_required: bool
    allowed_domains: tuple[str, ...] = Field(description="Links must lead to one of these; empty if to any.")
    banned_domains: tuple[str, ...] = Field(description="Links may lead to none of these.")


@REDDIT.read("getPostRequirements", SubredditRef, PostRequirements, pace=DATA_CALLS, scopes=("submit",))
def get_post_requirements(call: Call, data: SubredditRef) -> PostRequirements:
    """Read what a subreddit asks of posts, before one is submitted."""
    found = data_api.get_plain(call, f"/api/v1/{data.subreddit}/post_requirements")
    if not isinstance(found, dict):
        raise Unavailable("Reddit's requirements cannot be read")
    policy, links = found.get("body_restriction_policy"), found.get("link_restriction_policy")
    return PostRequirements(
        title_min_length=api.number(found.get("title_text_min_length")),
        title_max_length=api.number(found.get("title_text_max_length")),
        text_min_length=api.number(found.get("body_text_min_length")),
        text_max_length=api.number(found.get("body_text_max_length")),
        text=policy if policy in ("required", "notAllowed") else "none",
        is_flair_required=found.get("is_flair_required") is True,
        allowed_domains=_texts(found.get("domain_whitelist")) if links == "whitelist" else (),
        banned_domains=_texts(found.get("domain_blacklist")) if links == "blacklist" else (),
    )


def _texts(values: Any) -> tuple[str, ...]:
    return tuple(one for one in values if isinstance(one, str)) if isinstance(values, list) else ()


class LinkFlair(Output):
    """A flair that posts of a subreddit may carry."""

    flair_id: str
    text: str | None
    text_editable: bool = Field(description="Whether the post may have a text of its own in it.")
    mod_only: bool = Field(description="Whether only moderators may use it.")


class LinkFlairs(Output):
    """The flairs of a subreddit."""

    flairs: tuple[LinkFlair, ...]


@REDDIT.read("listLinkFlairs", SubredditRef, LinkFlairs, pace=DATA_CALLS, scopes=("flair",))
def list_link_flairs(call: Call, data: SubredditRef) -> LinkFlairs:
    """List the flairs that posts of a subreddit may carry."""
    rows = data_api.get_plain(call, f"/r/{data.subreddit}/api/link_flair_v2")
    if not isinstance(rows, list):
        raise Unavailable("Reddit's flairs cannot be read")
    flairs = (
        LinkFlair(
            flair_id=row["id"],
            text=api.text(row.get("text")),
            text_editable=row.get("text_editable") is True,
            mod_only=row.get("mod_only") is True,
        )
        for row in rows
        if isinstance(row, dict) and isinstance(row.get("id"), str)
    )
    return LinkFlairs(flairs=tuple(flairs))
