"""Was it posted? The account's own timeline, compared with what was to be posted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from connectors.kit import clock
from connectors.kit.call import Call
from connectors.kit.errors import OutcomeUnknown, looking
from connectors.x import web
from connectors.x.platform import own_id
from connectors.x.text import folded, is_shortened, without_addresses

FIELDS = ("created_at", "entities", "attachments", "references", "note")
_MOST_PAGES = 8


@dataclass(frozen=True)
class Looks:
    """What a timeline shows of a post.

    Attributes:
        media: How many files it has.
        polls: How many polls.
        replies_to: The post it answers.
        quotes: The post it quotes.
    """

    text: str
    media: int
    polls: int
    replies_to: str | None
    quotes: str | None

    def alike(self) -> str:
        """What cannot be told apart."""
        return json.dumps([folded(self.text), self.media, self.polls, self.replies_to, self.quotes])

    def is_of(self, post: dict[str, Any]) -> bool:
        """Whether a post on the timeline looks like this, addresses included."""
        return self._frames(post) and folded(readable(post)) == folded(self.text)

    def may_be_of(self, post: dict[str, Any]) -> bool:
        """Whether it looks like this as far as can be told: X has shortened an address, and does not show which."""
        text = readable(post)
        same = folded(without_addresses(text)) == folded(without_addresses(self.text))
        return self._frames(post) and is_shortened(text) and same

    def _frames(self, post: dict[str, Any]) -> bool:
        attached = post.get("attachments") or {}
        references = post.get("referenced_posts") or post.get("referenced_tweets") or ()
        to = {one["type"]: str(one["id"]) for one in references}
        counts = (len(attached.get("media_keys") or ()), len(attached.get("poll_ids") or ()))
        return (
            counts == (self.media, self.polls)
            and to.get("replied_to") == self.replies_to
            and to.get("quoted") == self.quotes
        )


def readable(post: dict[str, Any]) -> str:
    """A post's text with its addresses as they were written, and without those of its media."""
    note = post.get("note_post") or post.get("note_tweet") or {}
    # Of a long post, the text is its beginning only.
    whole = note if note.get("text") else post
    text = str(whole.get("text") or "")
    for one in (whole.get("entities") or {}).get("urls") or ():
        text = text.replace(one["url"], "" if "media_key" in one else one.get("expanded_url") or one["url"])
    return text


def find(call: Call, looks: Looks) -> dict[str, Any] | None:
    """The post that looks like this, was made since the effect may first have been sent, and no other run owns.

    Raises:
        OutcomeUnknown: Several could be it, or one of which X does not show the address.
        NotDone: The question could not be asked.
    """
    if call.first_sent_at is None:
        return None
    since_at = call.first_sent_at - clock.SKEW
    with looking(), web.reading():
        posts = [one for one in _timeline(call, since_at) if _made_since(one, since_at)]
        taken = call.ledger.taken([one["id"] for one in posts])
        free = [one for one in posts if one["id"] not in taken]
        sure = [one for one in free if looks.is_of(one)]
        doubtful = [one for one in free if looks.may_be_of(one)]
    if len(sure) > 1 or (not sure and doubtful):
        raise OutcomeUnknown(f"ambiguous: {len(sure) or len(doubtful)} posts on the timeline could be this one")
    return sure[0] if sure else None


def _made_since(post: dict[str, Any], since_at: datetime) -> bool:
    return datetime.fromisoformat(post["created_at"]) >= since_at.replace(microsecond=0)


def _timeline(call: Call, since_at: datetime) -> Iterator[dict[str, Any]]:
    params: dict[str, Any] = {
        "start_time": since_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "exclude": "retweets",
        "max_results": 100,
    }
    path = f"/2/users/{own_id(call)}/tweets"
    for _ in range(_MOST_PAGES):
        # Without a single post there is no data, only meta.
        page = web.get(call, path, params=params, fields=FIELDS, needs=("meta",))
        yield from page.get("data") or ()
        token = page["meta"].get("next_token")
        if token is None:
            return
        params["pagination_token"] = token
    raise OutcomeUnknown(f"ambiguous: more than {_MOST_PAGES * 100} posts since")
