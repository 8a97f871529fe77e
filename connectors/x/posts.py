"""Posts: published once, found again on the account's timeline, deleted.

X takes no idempotency key and no mark. After an unknown outcome the account's own timeline is read: a post of the same
words, addresses, media and place in a conversation, made since, which no other run owns. X also refuses the same text
again for a while; that refusal answers the question when the timeline is slow.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, model_validator

from connectors.kit.action import Input, Limit, LookUp, Output, Resend
from connectors.kit.call import Call
from connectors.kit.errors import AlreadyDone, InvalidRequest, NotFound, OutcomeUnknown, PolicyRejected
from connectors.x import read_back, web
from connectors.x.errors import DUPLICATE
from connectors.x.platform import WRITE, X, XId, settings_of
from connectors.x.text import MOST_WEIGHTED, cashtags, weighted_length

SETTLE_AFTER_S = 120.0
"""A timeline shows a post within seconds; X promises no time."""

_MOST_PREMIUM = 25_000
Option = Annotated[str, StringConstraints(min_length=1, max_length=25)]
Audience = Literal["following", "mentionedUsers", "subscribers", "verified"]


class Poll(Input):
    """A poll below a post."""

    options: tuple[Option, ...] = Field(min_length=2, max_length=4, description="2 to 4, of at most 25 characters.")
    duration_minutes: int = Field(ge=5, le=10_080, description="Minutes it stays open: 5 to 10,080 (a week).")


class PostTweet(Input):
    """A post. At most one of media_ids, poll, quote_tweet_id and card_uri belongs to it."""

    text: str | None = Field(
        default=None,
        min_length=1,
        max_length=_MOST_PREMIUM,
        description="280 as X counts: an address 23, an emoji or CJK sign 2. With Premium 25,000 characters.",
    )
    media_ids: tuple[XId, ...] = Field(
        default=(), max_length=4, description="Files by the ids of uploadMedia: 4 images, or 1 GIF, or 1 video."
    )
    tagged_user_ids: tuple[XId, ...] = Field(default=(), max_length=10, description="Users tagged on the media.")
    poll: Poll | None = Field(default=None, description="A poll.")
    in_reply_to_tweet_id: XId | None = Field(
        default=None, description="Post it answers; its author must have mentioned or quoted the account."
    )
    exclude_reply_user_ids: tuple[XId, ...] = Field(default=(), description="Users that the reply does not mention.")
    quote_tweet_id: XId | None = Field(default=None, description="Post it quotes.")
    card_uri: str | None = Field(default=None, pattern=r"^card://\S{1,200}$", description="Card of X's ads, card://...")
    reply_settings: Audience | None = Field(default=None, description="Who may answer; everybody if left out.")
    community_id: XId | None = Field(default=None, description="Community it is posted in.")
    share_with_followers: bool | None = Field(default=None, description="Show a community's post to followers too.")
    made_with_ai: bool | None = Field(default=None, description="Disclose that it holds generated media.")
    paid_partnership: bool | None = Field(default=None, description="Disclose that it is sponsored.")
    edits: XId | None = Field(
        default=None, description="Own post it replaces, at most an hour old; Premium only. It gets a new id."
    )
    place_id: str | None = Field(default=None, pattern=r"^\w{1,64}$", description="Place it is tagged with, X's id.")
    direct_message_deep_link: str | None = Field(
        default=None, pattern=r"^https://\S{1,500}$", description="Address of a button that opens a direct message."
    )
    nullcast: bool | None = Field(default=None, description="Keep it off the timeline: for promoting only.")
    for_super_followers_only: bool | None = Field(default=None, description="Show it to subscribers only.")

    @model_validator(mode="after")
    def _fits(self) -> PostTweet:
        parts = ("media_ids", "poll", "quote_tweet_id", "card_uri")
        given = [name for name in parts if getattr(self, name)]
        if len(given) > 1:
            raise ValueError(f"{' and '.join(given)} exclude one another")
        if not given and self.text is None:
            raise ValueError(f"one of text, {', '.join(parts)} is needed")
        if self.tagged_user_ids and not self.media_ids:
            raise ValueError("tagged_user_ids belong to media_ids")
        if self.exclude_reply_user_ids and self.in_reply_to_tweet_id is None:
            raise ValueError("exclude_reply_user_ids belong to in_reply_to_tweet_id")
        if self.share_with_followers is not None and self.community_id is None:
            raise ValueError("share_with_followers belongs to a community_id")
        if cashtags(self.text or "") > 1:
            raise ValueError("text may hold one stock symbol such as $TWTR, not several")
        return self

    def body(self) -> dict[str, Any]:
        """As X takes it; what is not given is None."""
        kept = """text quote_tweet_id card_uri reply_settings community_id share_with_followers made_with_ai nullcast
            paid_partnership direct_message_deep_link for_super_followers_only"""
        media = {"media_ids": list(self.media_ids)}
        reply: dict[str, Any] = {"in_reply_to_tweet_id": self.in_reply_to_tweet_id}
        return {
            **self.model_dump(mode="json", include=set(kept.split())),
            "media": {**media, **_listed(tagged_user_ids=self.tagged_user_ids)} if self.media_ids else None,
            "poll": self.poll and self.poll.model_dump(mode="json"),
            "reply": self.in_reply_to_tweet_id
            and {**reply, **_listed(exclude_reply_user_ids=self.exclude_reply_user_ids)},
            "edit_options": self.edits and {"previous_post_id": self.edits},
            "geo": self.place_id and {"place_id": self.place_id},
        }

    def looks(self) -> read_back.Looks:
        """What the timeline shows of it."""
        return read_back.Looks(
            text=self.text or "",
            media=len(self.media_ids),
            polls=0 if self.poll is None else 1,
            replies_to=self.in_reply_to_tweet_id,
            quotes=self.quote_tweet_id,
        )


def _listed(**fields: tuple[str, ...]) -> dict[str, list[str]]:
    return {name: list(values) for name, values in fields.items() if values}


class Tweet(Output):
    """A post that X has published."""

    id: str = Field(description="Its id: a text, never a number.")
    text: str = Field(description="As X shows it: addresses are shortened to https://t.co/...")

    def provider_id(self) -> str:
        """The post's id."""
        return self.id


def _find(call: Call, data: PostTweet) -> Tweet | None:
    found = None if data.nullcast else read_back.find(call, data.looks())
    if data.nullcast and call.first_sent_at is not None:
        raise OutcomeUnknown("the timeline does not show a post that is for promoting only; look into X Ads")
    return None if found is None else Tweet(id=found["id"], text=found.get("text") or "")


@X.action(
    "postTweet",
    PostTweet,
    Tweet,
    repeat=LookUp(_find, settle_after_s=SETTLE_AFTER_S, alike=lambda data: data.looks().alike()),
    why="X takes no key, but the account's timeline shows what it posted, and X refuses the same text again.",
    pace=(Limit(100, per_s=900, of="action"), Limit(300, per_s=10_800, of="action")),
    scopes=WRITE,
    limits=(
        "100 posts per 15 min, 300 per 3 h and account",
        "replies only to who mentioned or quoted the account",
        "1 stock symbol per post",
    ),
    cost="0.015 USD a post, 0.20 USD with a web address in it",
)
def post_tweet(call: Call, data: PostTweet) -> Tweet:
    """Publish a post."""
    check_length(call, data.text or "")
    try:
        posted = web.post(call, "/2/tweets", data.body(), effect=True)
    except PolicyRejected as refused:
        if refused.code != DUPLICATE or call.first_sent_at is None:
            raise
        raise _repeated(call, data, refused) from None
    with web.reading(effect=True):
        return Tweet(id=posted["data"]["id"], text=posted["data"].get("text") or "")


def check_length(call: Call, text: str) -> None:
    """Check a text against what the account may post.

    Raises:
        InvalidRequest: It is too long; nothing was sent.
    """
    length = weighted_length(text)
    if length > MOST_WEIGHTED and not settings_of(call).premium:
        raise InvalidRequest(
            f"text: is {length} long as X counts; must be at most {MOST_WEIGHTED} unless the connection's settings say "
            "premium"
        )


def _repeated(call: Call, data: PostTweet, refused: PolicyRejected) -> Exception:
    """X refuses the text as posted already, and an earlier attempt may have posted it."""
    found = _find(call, data)
    if found is not None:
        return AlreadyDone(found.id, code=refused.code, http_status=refused.http_status)
    text = "X says that the account has posted this text, but its timeline does not show it (yet)"
    return OutcomeUnknown(text, code=refused.code, http_status=refused.http_status)


class TweetRef(Input):
    """A post by its id."""

    tweet_id: XId = Field(description="The post's id, as postTweet gave it.")


class Deleted(Output):
    """A post that is gone."""

    id: str


@X.action(
    "deleteTweet",
    TweetRef,
    Deleted,
    repeat=Resend(),
    why="Deleting twice is the same as once.",
    pace=(Limit(50, per_s=900, of="action"),),
    scopes=WRITE,
    limits=("only the account's own posts", "50 per 15 min"),
    cost="0.010 USD",
)
def delete_tweet(call: Call, data: TweetRef) -> Deleted:
    """Delete a post of the account."""
    try:
        web.delete(call, f"/2/tweets/{data.tweet_id}")
    except NotFound:
        # An earlier attempt may have deleted it; what was never there is an error.
        if call.first_sent_at is None:
            raise
    return Deleted(id=data.tweet_id)
