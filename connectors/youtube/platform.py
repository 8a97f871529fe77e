"""Which platform is it, what does a connection to it hold, and what do its errors mean?"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints, model_validator

from connectors.dialects import google_oauth
from connectors.dialects.google_api import Answer, GoogleApi
from connectors.dialects.google_errors import Rules, Table
from connectors.dialects.google_oauth import GoogleCredential, GoogleOAuth
from connectors.kit.action import Limit
from connectors.kit.call import Call
from connectors.kit.connector import Connector
from connectors.kit.errors import (
    InvalidRequest,
    NotFound,
    OutcomeUnknown,
    Permission,
    PolicyRejected,
    RateLimited,
)

DATA_HOST, OLD_HOST, ANALYTICS_HOST = "youtube.googleapis.com", "www.googleapis.com", "youtubeanalytics.googleapis.com"

_AUTH = "https://www.googleapis.com/auth/"
UPLOAD, MANAGE = f"{_AUTH}youtube.upload", f"{_AUTH}youtube.force-ssl"
READ, REPORTS = f"{_AUTH}youtube.readonly", f"{_AUTH}yt-analytics.readonly"

DAY_S = 86_400.0
# A project's 10,000 units a day begin anew at midnight in California; these fit into any 24 hours of one connection.
READS = (Limit(10_000, DAY_S, of="action"),)
WRITES = (Limit(196, DAY_S, of="action"),)
UPLOADS = (Limit(100, DAY_S, of="action"),)
SEARCHES = (Limit(100, DAY_S, of="action"),)
WRITE_COST = "51 of the project's 10,000 units a day: one reads, fifty write"

VideoId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{11}$")]
PlaylistId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{2,64}$")]

_TABLE: Table = {
    InvalidRequest: """invalidTitle invalidDescription invalidTags invalidCategoryId invalidPublishAt invalidFilename
        invalidVideoMetadata invalidRecordingDetails defaultLanguageNotSet defaultLanguageNotSetError mediaBodyRequired
        missingRequiredParameter incompatibleParameters unexpectedParameter unexpectedPart invalidVideoGameRating
        invalidImage mediaBodyTooLarge invalidPageToken playlistIdRequired invalidPlaylistItemPosition
        playlistContainsMaximumNumberOfVideos""",
    Permission: """youtubeSignupRequired forbidden insufficientPermissions forbiddenPrivacySetting
        forbiddenLicenseSetting forbiddenEmbedSetting accountDelegationForbidden""",
    PolicyRejected: "authenticatedUserAccountSuspended authenticatedUserAccountClosed",
    NotFound: "videoNotFound playlistNotFound playlistItemNotFound notFound",
    RateLimited: """uploadLimitExceeded uploadRateLimitExceeded quotaExceeded dailyLimitExceeded rateLimitExceeded
        userRateLimitExceeded""",
    OutcomeUnknown: "SERVICE_UNAVAILABLE",
}
_HINTS = {
    "youtubeSignupRequired": "the Google account has no YouTube channel",
    "uploadLimitExceeded": "the channel has uploaded as much as it may in 24 hours",
    "quotaExceeded": "the project's daily quota is used up; it begins anew at midnight in California",
    "invalidPublishAt": "only a private video that was never published can have a time, and it must lie ahead",
    "forbiddenPrivacySetting": "a project that has not passed YouTube's audit may only upload private videos",
}
_WAITS_S = {"uploadLimitExceeded": DAY_S, "uploadRateLimitExceeded": 300.0}

RULES = Rules.of(_TABLE, hints=_HINTS, waits_s=_WAITS_S, daily="quotaExceeded")
UPLOAD_RULES = Rules.of(_TABLE, hints=_HINTS, waits_s=_WAITS_S, daily="quotaExceeded", limited="action")
"""What a channel may not upload any more says nothing about its other actions; videos have a quota of their own."""


class YouTubeCredential(GoogleCredential):
    """An app's identity, and the consent of a channel's owner; the consent chooses the channel."""

    @model_validator(mode="after")
    def _a_person(self) -> YouTubeCredential:
        if self.service_account is not None:
            raise ValueError("a service account has no YouTube channel; use the consent of the channel's owner")
        return self


class YouTubeSettings(BaseModel):
    """Nothing: the consent chooses the channel."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


YOUTUBE = Connector(
    "youtube",
    "YouTube",
    hosts=(DATA_HOST, OLD_HOST, ANALYTICS_HOST, google_oauth.HOST),
    credential=YouTubeCredential,
    settings=YouTubeSettings,
    # Neither has a dated end.
    api_version="v3",
    oauth=GoogleOAuth(scopes=(UPLOAD, MANAGE, READ, REPORTS)),
    console=(
        "Open https://console.cloud.google.com and choose or create a project.",
        "Under APIs & Services, enable the YouTube Data API v3 and the YouTube Analytics API.",
        "On the consent screen, add youtube.upload, youtube.force-ssl, youtube.readonly and yt-analytics.readonly.",
        "Publish the app: the refresh tokens of an app in testing end after 7 days.",
        "Under Credentials, create an OAuth client of type Web application with the redirect URI {redirect_uri}.",
        "Give its client id and secret to `neonhub connections add`, and agree as the owner of the channel.",
        "Until the project has passed YouTube's audit, everything that it uploads stays private.",
    ),
)


def data_api(call: Call) -> GoogleApi:
    """The Data API."""
    return GoogleApi(call, f"https://{DATA_HOST}/youtube/v3", RULES)


def upload_api(call: Call) -> GoogleApi:
    """The addresses that take files."""
    return GoogleApi(call, f"https://{DATA_HOST}/upload/youtube/v3", UPLOAD_RULES)


def analytics_api(call: Call) -> GoogleApi:
    """The Analytics API."""
    return GoogleApi(call, f"https://{ANALYTICS_HOST}/v2", RULES)


class ChannelSnippet(Answer):
    """What a channel is called."""

    title: str = ""


class RelatedPlaylists(Answer):
    """Lists that every channel has."""

    uploads: str


class ChannelContent(Answer):
    """What is in a channel."""

    related_playlists: RelatedPlaylists


class Channel(Answer):
    """The connection's channel."""

    id: str
    snippet: ChannelSnippet = ChannelSnippet()
    content_details: ChannelContent


class Channels(Answer):
    """At most one, if it is one's own."""

    items: tuple[Channel, ...] = ()


def channel(call: Call) -> Channel:
    """The channel that the consent chose.

    Raises:
        Permission: The account has none.
        ConnectorError: YouTube did not answer with it.
    """
    found = data_api(call).get(Channels, "channels.list", "channels", part="snippet,contentDetails", mine=True).items
    if not found:
        raise Permission("channels.list: the Google account has no YouTube channel")
    return found[0]


@YOUTUBE.check
def check_channel(call: Call) -> str:
    """Read the channel's name."""
    found = channel(call)
    return f"YouTube channel {found.snippet.title or found.id}"
