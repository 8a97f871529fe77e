"""Upload sessions: a session takes a file in pieces, tells how much it has, and becomes one video at most.

https://developers.google.com/youtube/v3/guides/using_resumable_upload_protocol
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from connectors.dialects.google_api import GoogleApi
from connectors.kit.errors import NotFound, Unavailable
from connectors.youtube.platform import DATA_HOST, OLD_HOST, upload_api
from connectors.youtube.resources import Video

if TYPE_CHECKING:
    import requests

    from connectors.kit.call import Call
    from connectors.kit.http import Body
    from connectors.kit.media import Media

PIECE_BYTES = 8 * 2**20
"""A multiple of 262,144 bytes, as every piece but the last must be."""

_ASKED = "videos.insert"
_MOST_WITHOUT_PROGRESS = 3
_STORED = re.compile(r"bytes=0-(\d{1,15})")


class SessionLost(NotFound):
    """YouTube does not know the session (any more); nothing more can come of it."""


@dataclass(frozen=True)
class Session:
    """A session that was opened for a file.

    Attributes:
        uri: Where the bytes go; whoever has it may send some.
        size: Bytes of the file.
        media_type: Of the file.
    """

    uri: str
    size: int
    media_type: str

    def put(self, call: Call, body: Body | None, range_: str, *, effect: bool) -> requests.Response:
        """Send bytes, or with none ask; redirects are not followed: 308 means that bytes are missing.

        Raises:
            ConnectorError: There was no answer.
        """
        kind = {"Content-Type": self.media_type} if body is not None else {"Content-Length": "0"}
        return call.http.request(
            "PUT",
            self.uri,
            effect=effect,
            data=body,
            headers={**upload_api(call).authorization(), **kind, "Content-Range": f"bytes {range_}/{self.size}"},
        )


def open_session(call: Call, resource: dict[str, Any], media: Media, *, notify: bool) -> str:
    """Open a session. Nobody sees one, so a repeat does no harm; it costs one of the day's 100 uploads.

    Returns:
        Its address.

    Raises:
        ConnectorError: YouTube opened none.
    """
    api = upload_api(call)
    answer = GoogleApi(
        call,
        api.base,
        api.rules,
        {"X-Upload-Content-Length": str(media.size), "X-Upload-Content-Type": media.media_type},
    ).ask(
        "POST",
        "videos",
        resource,
        effect=False,
        params={"uploadType": "resumable", "part": ",".join(resource), "notifySubscribers": notify},
    )
    uri = answer.headers.get("Location", "")
    if answer.status_code != 200:
        raise api.error(_ASKED, answer, effect=False)
    if not _is_ours(uri):
        raise Unavailable(f"{_ASKED}: YouTube opened a session and did not say where")
    return uri


def progress(call: Call, session: Session) -> int | Video:
    """How many bytes a session has, or the video that it became.

    Raises:
        SessionLost: It is not there any more.
        ConnectorError: YouTube did not tell.
    """
    return _read(call, session, session.put(call, None, "*", effect=False), effect=False)


def bring(call: Call, session: Session, media: Media, offset: int) -> int:
    """Send all but the last piece; the video is not made before that one.

    Args:
        offset: How many bytes it has.

    Returns:
        Where the last piece begins.

    Raises:
        ConnectorError: It got no further; what has arrived stays there.
    """
    stuck = 0
    while session.size - offset > PIECE_BYTES:
        end = offset + PIECE_BYTES
        answer = session.put(call, media.body(offset, end), f"{offset}-{end - 1}", effect=False)
        stored = _read(call, session, answer, effect=False)
        if isinstance(stored, Video):
            raise Unavailable(f"{_ASKED}: YouTube says that the video is whole before its last piece was sent")
        stuck = stuck + 1 if stored <= offset else 0
        if stored > end or stuck == _MOST_WITHOUT_PROGRESS:
            raise Unavailable(f"{_ASKED}: YouTube stores nothing of what it is sent")
        offset = stored
    return offset


def finish(call: Call, session: Session, media: Media, offset: int) -> Video:
    """Send the last piece: the irreversible step.

    Raises:
        SessionLost: The session is not there any more, and this piece did nothing.
        OutcomeUnknown: The video may have been made.
        ConnectorError: It was not made.
    """
    body = media.body(offset, session.size)
    answer = session.put(call, body, f"{offset}-{session.size - 1}", effect=True)
    stored = _read(call, session, answer, effect=True)
    if not isinstance(stored, Video):
        raise Unavailable(f"{_ASKED}: YouTube did not store the whole of the last piece")
    return stored


def _read(call: Call, session: Session, answer: requests.Response, *, effect: bool) -> int | Video:
    """What a session answered.

    Raises:
        SessionLost: It is not there any more.
        ConnectorError: Something else.
    """
    api = upload_api(call)
    if answer.status_code == 308:
        told = answer.headers.get("Range")
        found = _STORED.fullmatch(told or "")
        stored = 0 if found is None else int(found[1]) + 1
        if (told and found is None) or stored > session.size:
            raise Unavailable(f"{_ASKED}: YouTube does not say how much of the file it has")
        return stored
    if answer.status_code in (404, 410):
        raise SessionLost(f"{_ASKED}: the upload session is gone", http_status=answer.status_code)
    if answer.status_code == 201:
        # It is "created" when the last piece arrives, and 200 when asked later.
        answer.status_code = 200
    return api.understood(Video, _ASKED, answer, effect=effect)


def _is_ours(uri: str) -> bool:
    try:
        parts = urlsplit(uri)
    except ValueError:
        return False
    return parts.scheme == "https" and parts.netloc in (DATA_HOST, OLD_HOST) and parts.path.startswith("/upload/")
