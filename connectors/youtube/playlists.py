"""Which videos are in a playlist? YouTube lets one be in it several times, so whether it is there is asked first."""

from __future__ import annotations

import json
from datetime import datetime

from pydantic import Field

from connectors.dialects.google_api import Answer
from connectors.kit import clock
from connectors.kit.action import Input, LookUp, Output
from connectors.kit.call import Call
from connectors.kit.errors import OutcomeUnknown, looking
from connectors.kit.fields import UtcDatetime
from connectors.youtube.lists import COUNT, PAGE_TOKEN, PageToken
from connectors.youtube.platform import MANAGE, READ, READS, WRITES, YOUTUBE, PlaylistId, data_api
from connectors.youtube.resources import VideoRef


class _Resource(Answer):
    video_id: str | None = None


class _Snippet(Answer):
    title: str = ""
    position: int | None = None
    published_at: UtcDatetime | None = None
    resource_id: _Resource = _Resource()


class _Item(Answer):
    id: str
    snippet: _Snippet = _Snippet()


class _Items(Answer):
    items: tuple[_Item, ...] = ()
    next_page_token: str | None = None


class AddToPlaylist(VideoRef):
    """A video for a playlist of the channel."""

    playlist_id: PlaylistId = Field(description="Id of the playlist, which begins with PL.")
    position: int | None = Field(default=None, ge=0, le=5000, description="Place from 0; its end if left out.")


class PlaylistItem(Output):
    """A video's place in a playlist."""

    item_id: str
    video_id: str | None = Field(default=None, description="null for a video that was deleted.")
    title: str = ""
    position: int | None = None

    def provider_id(self) -> str:
        """The place's id."""
        return self.item_id


class ListPlaylist(Input):
    """One page of a playlist."""

    playlist_id: PlaylistId = Field(description="Id of the playlist.")
    count: int = COUNT
    page_token: PageToken | None = PAGE_TOKEN


class PlaylistItems(Output):
    """One page of a playlist."""

    items: tuple[PlaylistItem, ...]
    next_page_token: str | None = Field(default=None, description="For the next page; null on the last one.")


def _alike(data: AddToPlaylist) -> str:
    return json.dumps([data.playlist_id, data.video_id])


def _find(call: Call, data: AddToPlaylist) -> PlaylistItem | None:
    """The place that was made since the first request.

    Raises:
        OutcomeUnknown: There are several.
    """
    assert call.first_sent_at is not None
    since_at = call.first_sent_at - clock.SKEW
    with looking():
        page = data_api(call).get(
            _Items,
            "playlistItems.list",
            "playlistItems",
            part="snippet",
            playlistId=data.playlist_id,
            videoId=data.video_id,
            maxResults=50,
        )
    found = [_shown(one) for one in page.items if _is_new(one, since_at)]
    taken = call.ledger.taken([one.item_id for one in found])
    free = [one for one in found if one.item_id not in taken]
    if len(free) > 1:
        raise OutcomeUnknown(f"ambiguous: {len(free)} new places of this video in the playlist")
    return free[0] if free else None


def _is_new(item: _Item, since_at: datetime) -> bool:
    added_at = item.snippet.published_at
    return added_at is None or added_at >= since_at


@YOUTUBE.action(
    "addToPlaylist",
    AddToPlaylist,
    PlaylistItem,
    repeat=LookUp(_find, settle_after_s=60.0, alike=_alike),
    why="YouTube takes no idempotency key, but tells a video's places in a playlist and when each was made.",
    pace=WRITES,
    scopes=(MANAGE,),
    limits=("50 of the project's 10,000 units a day", "5,000 videos in a playlist"),
)
def add_to_playlist(call: Call, data: AddToPlaylist) -> PlaylistItem:
    """Add a video to a playlist."""
    position = {} if data.position is None else {"position": data.position}
    video = {"kind": "youtube#video", "videoId": data.video_id}
    body = {"snippet": {"playlistId": data.playlist_id, "resourceId": video, **position}}
    made = data_api(call).post(_Item, "playlistItems.insert", "playlistItems", body, effect=True, part="snippet")
    return _shown(made)


@YOUTUBE.read("listPlaylist", ListPlaylist, PlaylistItems, pace=READS, scopes=(READ,), limits=("1 unit",))
def list_playlist(call: Call, data: ListPlaylist) -> PlaylistItems:
    """List the videos of a playlist."""
    page = data_api(call).get(
        _Items,
        "playlistItems.list",
        "playlistItems",
        part="snippet",
        playlistId=data.playlist_id,
        maxResults=data.count,
        pageToken=data.page_token,
    )
    return PlaylistItems(items=tuple(map(_shown, page.items)), next_page_token=page.next_page_token)


def _shown(item: _Item) -> PlaylistItem:
    snippet = item.snippet
    return PlaylistItem(
        item_id=item.id, video_id=snippet.resource_id.video_id, title=snippet.title, position=snippet.position
    )
