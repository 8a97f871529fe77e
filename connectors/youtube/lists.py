"""Which videos are there, and how far is YouTube with them?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated

from pydantic import Field, StringConstraints

from connectors.dialects.google_api import Answer
from connectors.kit.action import Input, Output
from connectors.kit.call import Call
from connectors.kit.errors import NotFound, OutcomeUnknown
from connectors.kit.fields import UtcDatetime
from connectors.youtube.platform import READ, READS, SEARCHES, YOUTUBE, channel, data_api
from connectors.youtube.resources import VideoRef, Videos, VideoState

PageToken = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_=-]{1,256}$")]
PAGE_TOKEN = Field(default=None, description="From the page before.")
COUNT = Field(default=25, ge=1, le=50, description="Videos of a page, at most 50.")

_MOST_PAGES = 4


class _ItemSnippet(Answer):
    title: str = ""
    published_at: UtcDatetime | None = None


class _ItemContent(Answer):
    video_id: str


class _Item(Answer):
    snippet: _ItemSnippet = _ItemSnippet()
    content_details: _ItemContent


class _Items(Answer):
    items: tuple[_Item, ...] = ()
    next_page_token: str | None = None


class _FoundId(Answer):
    video_id: str


class _Found(Answer):
    id: _FoundId
    snippet: _ItemSnippet = _ItemSnippet()


class _FoundVideos(Answer):
    items: tuple[_Found, ...] = ()
    next_page_token: str | None = None


class _CategorySnippet(Answer):
    title: str
    assignable: bool = False


class _Category(Answer):
    id: str
    snippet: _CategorySnippet


class _Categories(Answer):
    items: tuple[_Category, ...] = ()


class ListedVideo(Output):
    """A video in a list."""

    video_id: str
    title: str
    published_at: UtcDatetime | None = Field(default=None, description="When it was uploaded, or made public.")


class ListedVideos(Output):
    """One page of videos."""

    videos: tuple[ListedVideo, ...]
    next_page_token: str | None = Field(default=None, description="For the next page; null on the last one.")


class ListVideos(Input):
    """The channel's uploads, the newest first."""

    count: int = COUNT
    page_token: PageToken | None = PAGE_TOKEN


class SearchVideos(Input):
    """Words that the channel's own videos are searched for."""

    query: str = Field(min_length=1, max_length=200, description="Words; | means or, - means not.")
    count: int = COUNT
    page_token: PageToken | None = PAGE_TOKEN


class ListCategories(Input):
    """The categories of a country."""

    region: str = Field(default="US", pattern=r"^[A-Z]{2}$", description="Country code, such as US.")


class Category(Output):
    """A category that a video may have."""

    category_id: str
    title: str


class Categories(Output):
    """All of a country."""

    categories: tuple[Category, ...]


@YOUTUBE.read("getVideo", VideoRef, VideoState, pace=READS, scopes=(READ,), limits=("1 unit",))
def get_video(call: Call, data: VideoRef) -> VideoState:
    """Read who may see a video, when it becomes public, and how far YouTube is with it."""
    found = state(call, data.video_id)
    if found is None:
        raise NotFound("videos.list: there is no such video, or it is another channel's and private")
    return found


@YOUTUBE.read("listVideos", ListVideos, ListedVideos, pace=READS, scopes=(READ,), limits=("2 units",))
def list_videos(call: Call, data: ListVideos) -> ListedVideos:
    """List the channel's uploads, the newest first, private ones too."""
    page = _uploads(call, _uploads_of(call), count=data.count, page_token=data.page_token)
    videos = tuple(
        ListedVideo(
            video_id=one.content_details.video_id, title=one.snippet.title, published_at=one.snippet.published_at
        )
        for one in page.items
    )
    return ListedVideos(videos=videos, next_page_token=page.next_page_token)


@YOUTUBE.read(
    "searchVideos",
    SearchVideos,
    ListedVideos,
    pace=SEARCHES,
    scopes=(READ,),
    limits=("100 searches a day in the project", "what was uploaded within the last hours may be missing"),
)
def search_videos(call: Call, data: SearchVideos) -> ListedVideos:
    """Search the channel's own videos."""
    page = data_api(call).get(
        _FoundVideos,
        "search.list",
        "search",
        part="snippet",
        forMine=True,
        type="video",
        q=data.query,
        maxResults=data.count,
        pageToken=data.page_token,
    )
    videos = tuple(
        ListedVideo(video_id=one.id.video_id, title=one.snippet.title, published_at=one.snippet.published_at)
        for one in page.items
    )
    return ListedVideos(videos=videos, next_page_token=page.next_page_token)


@YOUTUBE.read("listCategories", ListCategories, Categories, pace=READS, scopes=(READ,), limits=("1 unit",))
def list_categories(call: Call, data: ListCategories) -> Categories:
    """List the categories that a video may be given."""
    found = data_api(call).get(
        _Categories, "videoCategories.list", "videoCategories", part="snippet", regionCode=data.region
    )
    return Categories(
        categories=tuple(
            Category(category_id=one.id, title=one.snippet.title) for one in found.items if one.snippet.assignable
        )
    )


def state(call: Call, video_id: str) -> VideoState | None:
    """A video as it is now; None if it is not there."""
    found = data_api(call).get(Videos, "videos.list", "videos", part="status", id=video_id).items
    return next((VideoState.of(one) for one in found if one.id == video_id), None)


def uploaded_with_tag(call: Call, tag: str, *, since_at: datetime) -> VideoState | None:
    """The channel's upload with a tag, not older than a moment.

    Raises:
        OutcomeUnknown: There are several, or too many uploads to look through.
    """
    found = [
        VideoState.of(video)
        for ids in _recent(call, since_at)
        for video in data_api(call).get(Videos, "videos.list", "videos", part="snippet,status", id=",".join(ids)).items
        if tag in video.snippet.tags
    ]
    if len(found) > 1:
        raise OutcomeUnknown(f"ambiguous: {len(found)} videos carry the tag {tag}; look into the channel")
    return found[0] if found else None


def _recent(call: Call, since_at: datetime) -> Iterator[list[str]]:
    """Ids of the uploads since a moment, page by page."""
    uploads, token = _uploads_of(call), None
    for _ in range(_MOST_PAGES):
        page = _uploads(call, uploads, count=50, page_token=token)
        ids = [
            one.content_details.video_id
            for one in page.items
            if one.snippet.published_at is None or one.snippet.published_at >= since_at
        ]
        if ids:
            yield ids
        token = page.next_page_token
        if token is None or len(ids) < len(page.items):
            return
    raise OutcomeUnknown("the channel has too many new uploads to look through; look into the channel")


def _uploads_of(call: Call) -> str:
    return channel(call).content_details.related_playlists.uploads


def _uploads(call: Call, playlist: str, *, count: int, page_token: str | None) -> _Items:
    return data_api(call).get(
        _Items,
        "playlistItems.list",
        "playlistItems",
        part="snippet,contentDetails",
        playlistId=playlist,
        maxResults=count,
        pageToken=page_token,
    )
