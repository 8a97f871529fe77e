"""Posts: texts, links and crossposts, submitted once, and found again among the account's own.

Reddit takes no idempotency key. It lists an account's posts, but late, and removed ones may be missing: what it lists
is there, what it does not list may be there too. So a text of unknown outcome is never submitted again by itself. Of
links Reddit itself refuses a second one in the same subreddit, as long as ``resubmit`` is off.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from pydantic import Field, model_validator

from connectors.kit import clock
from connectors.kit.action import Input, LookUp, Output, Retry
from connectors.kit.call import Call
from connectors.kit.errors import InvalidRequest, OutcomeUnknown, looking
from connectors.kit.fields import HttpsUrl
from connectors.reddit import api, data_api
from connectors.reddit.platform import DATA_CALLS, REDDIT, SUBREDDIT, PostId, Subreddit

PATIENT = Retry(max_retries=8, retry_backoff=10.0)
"""Lists show a post late: they are asked for about half an hour before a person has to look."""

LIMITS = (
    "a title of 300 characters",
    "new accounts may post once in several minutes, as Reddit tells them; crossposting a link widely counts as spam",
    "100 calls/min per app",
)


class Titled(Input):
    """What every post has."""

    subreddit: Subreddit = SUBREDDIT
    title: str = Field(min_length=1, max_length=300, pattern=r"\S", description="At most 300 characters; stays as is.")
    send_replies: bool = Field(default=True, description="Send replies to the account's inbox.")
    nsfw: bool = Field(default=False, description="Mark it as not safe for work.")
    spoiler: bool = Field(default=False, description="Mark it as a spoiler.")
    flair_id: str | None = Field(
        default=None, min_length=1, max_length=36, description="Flair, as listLinkFlairs gave it."
    )
    flair_text: str | None = Field(
        default=None, min_length=1, max_length=64, description="Text of a flair whose text may be chosen."
    )

    def form(self) -> dict[str, Any]:
        """The fields of ``/api/submit`` that every post has."""
        fields = {
            "sr": self.subreddit,
            "title": self.title,
            "sendreplies": self.send_replies,
            "nsfw": self.nsfw or None,
            "spoiler": self.spoiler or None,
            "flair_id": self.flair_id,
            "flair_text": self.flair_text,
        }
        return {name: value for name, value in fields.items() if value is not None}


class SubmitPost(Titled):
    """A text, a link or a crosspost."""

    text: str | None = Field(default=None, min_length=1, max_length=40_000, description="Markdown of a text post.")
    url: HttpsUrl | None = Field(default=None, description="Makes it a link post.")
    resubmit: bool = Field(default=False, description="Post a link that is in the subreddit already.")
    crosspost_of: PostId | None = Field(default=None, description="Makes it a crosspost of this post, t3_...")

    @model_validator(mode="after")
    def _is_one_kind(self) -> SubmitPost:
        given = [name for name in ("text", "url", "crosspost_of") if getattr(self, name) is not None]
        if len(given) > 1:
            raise ValueError(f"a post is one of text, link and crosspost, not {' and '.join(given)}")
        if self.resubmit and self.url is None:
            raise ValueError("resubmit belongs to a url")
        return self

    @property
    def is_guarded(self) -> bool:
        """Whether Reddit refuses to post it a second time."""
        return self.url is not None and not self.resubmit


class Submitted(Output):
    """A post that was submitted; a subreddit's filters may still remove it."""

    post_id: str = Field(description="Full name, t3_...")
    url: str

    def provider_id(self) -> str:
        """The post's full name."""
        return self.post_id


def collapsed(text: str) -> str:
    """A text as Reddit shows titles: runs of white space are one space."""
    return " ".join(text.split())


def alike(data: SubmitPost) -> str:
    """What the account's list cannot tell apart for certain."""
    return json.dumps([data.subreddit.lower(), collapsed(data.title)])


def own_posts_since(call: Call, data: Titled, began_at: datetime) -> list[dict[str, Any]]:
    """The account's posts of that subreddit and title since then, without those of other runs."""
    path = f"/user/{api.account(call).username}/submitted"
    return _ours(call, data, data_api.listed(data_api.get(call, path, sort="new", limit=100)), began_at)


def _ours(call: Call, data: Titled, rows: list[dict[str, Any]], began_at: datetime) -> list[dict[str, Any]]:
    since = (began_at - clock.SKEW).timestamp()
    found = [
        row
        for row in rows
        if str(row.get("subreddit", "")).lower() == data.subreddit.lower()
        and collapsed(str(row.get("title", ""))) == collapsed(data.title)
        and isinstance(row.get("created_utc"), (int, float))
        and row["created_utc"] >= since
    ]
    taken = call.ledger.taken([row["name"] for row in found])
    return [row for row in found if row["name"] not in taken]


def submitted(row: dict[str, Any]) -> Submitted:
    """A listed post as an output."""
    path = api.text(row.get("permalink")) or f"/comments/{row['name'][3:]}"
    return Submitted(post_id=row["name"], url=f"https://www.reddit.com{path}")


def _find(call: Call, data: SubmitPost) -> Submitted | None:
    """The post that this run made, or None if it may be submitted again.

    Raises:
        OutcomeUnknown: Several could be it, or none is listed and a second one could be posted.
    """
    if call.first_sent_at is None:
        return None
    with looking():
        found = [row for row in own_posts_since(call, data, call.first_sent_at) if _holds(row, data)]
        if not found and data.is_guarded:
            found = _same_links(call, data, call.first_sent_at)
    if len(found) == 1:
        return submitted(found[0])
    if found:
        raise OutcomeUnknown(f"ambiguous: {len(found)} posts of the account could be this one; look into the subreddit")
    if data.is_guarded:
        return None
    raise OutcomeUnknown("the account's list does not show it, and may not show removed posts; look into the subreddit")


def _holds(row: dict[str, Any], data: SubmitPost) -> bool:
    if data.url is not None:
        return row.get("url") == data.url
    if data.crosspost_of is not None:
        return row.get("crosspost_parent") == data.crosspost_of
    return bool(row.get("is_self")) and str(row.get("selftext", "")).split() == (data.text or "").split()


def _same_links(call: Call, data: SubmitPost, began_at: datetime) -> list[dict[str, Any]]:
    """The account's posts of this link since then, as Reddit's search by address shows them."""
    rows = data_api.listed(data_api.get(call, "/api/info", url=data.url))
    mine = [row for row in rows if str(row.get("author", "")).lower() == api.account(call).username.lower()]
    return _ours(call, data, mine, began_at)


@REDDIT.action(
    "submitPost",
    SubmitPost,
    Submitted,
    repeat=LookUp(_find, settle_after_s=120.0, alike=alike),
    why="Reddit takes no idempotency key, but lists the account's posts; a link it takes only once per subreddit.",
    retry=PATIENT,
    target=lambda data: data.subreddit.lower(),
    pace=DATA_CALLS,
    scopes=("submit", "history", "read"),
    limits=(*LIMITS, "a text of 40,000 characters"),
)
def submit_post(call: Call, data: SubmitPost) -> Submitted:
    """Submit a text, a link or a crosspost to a subreddit or profile."""
    kind = {"kind": "link", "url": data.url, "resubmit": data.resubmit}
    if data.crosspost_of is not None:
        kind = {"kind": "crosspost", "crosspost_fullname": data.crosspost_of}
    elif data.url is None:
        kind = {"kind": "self", "text": data.text or ""}
    try:
        made = data_api.post_for(call, "/api/submit", {**data.form(), **kind})
    except InvalidRequest as refused:
        if refused.code != "ALREADY_SUB" or call.first_sent_at is None:
            raise
        return _there_already(call, data, refused, call.first_sent_at)
    return _made(made)


def _made(made: dict[str, Any]) -> Submitted:
    name, url = api.text(made.get("name")), api.text(made.get("url"))
    if name is None or not name.startswith("t3_"):
        raise OutcomeUnknown("Reddit's answer does not name the post")
    return Submitted(post_id=name, url=url or f"https://www.reddit.com/comments/{name[3:]}")


def _there_already(call: Call, data: SubmitPost, refused: InvalidRequest, began_at: datetime) -> Submitted:
    """Our own post, which an earlier request of this run made.

    Raises:
        OutcomeUnknown: Nothing tells whether it is ours.
    """
    with looking():
        found = _same_links(call, data, began_at)
    if len(found) != 1:
        raise OutcomeUnknown(
            f"{refused}; nothing tells whether by this run: look into the subreddit", code=refused.code
        )
    return submitted(found[0])
