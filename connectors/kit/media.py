"""How does a file get from an address to a platform? Checked before, read in pieces, never whole in memory."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from connectors.kit.addresses import PUBLIC, Network
from connectors.kit.errors import InvalidRequest
from connectors.kit.probe import Broken, Probed, probe
from connectors.kit.source import Source

if TYPE_CHECKING:
    from connectors.kit.call import Call

PIECE_BYTES = 2 * 2**20

_ENDINGS = {
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/gif": ".gif",
    "image/webp": ".webp",
    "video/mp4": ".mp4",
    "video/quicktime": ".mov",
    "video/webm": ".webm",
    "application/pdf": ".pdf",
}
_MAX_NAME = 128
_NOT_IN_NAMES = re.compile(r'[\x00-\x1f\x7f"/\\:*?<>|]+')


@dataclass(frozen=True, kw_only=True)
class MediaRules:
    """What a platform takes. None: no such rule. A measure that a kind of file does not tell is left to the platform.

    Attributes:
        types: Media types by the file's own bytes, such as ``image/jpeg``, ``video/*`` or ``*/*``.
        max_bytes: Largest file.
        min_bytes: Smallest file.
        min_width: Pixels, as shown: a turned photo or video counts as it is seen. Likewise the next three.
        min_ratio: Width divided by height, compared to two places: 1200 x 628 is 1.91. Likewise ``max_ratio``.
        min_duration_s: Seconds. Likewise ``max_duration_s``.
    """

    types: tuple[str, ...]
    max_bytes: int
    min_bytes: int = 1
    min_width: int | None = None
    max_width: int | None = None
    min_height: int | None = None
    max_height: int | None = None
    min_ratio: float | None = None
    max_ratio: float | None = None
    min_duration_s: float | None = None
    max_duration_s: float | None = None

    def check_size(self, size: int, *, field: str) -> None:
        """Check what is known first.

        Raises:
            InvalidRequest: The file is too small or too large; names the field and the limit.
        """
        _check(field, "size", size, self.min_bytes, self.max_bytes, "bytes")

    def check(self, media: Media, *, field: str) -> None:
        """Check a file against all rules.

        Raises:
            InvalidRequest: It breaks one; names the field, the rule and the limit.
        """
        if not any(_fits(media.media_type, one) for one in self.types):
            raise InvalidRequest(f"{field}: the file is {media.media_type}; must be {' or '.join(self.types)}")
        self.check_size(media.size, field=field)
        ratio = round(media.width / media.height, 2) if media.width and media.height else None
        _check(field, "width", media.width, self.min_width, self.max_width, "pixels")
        _check(field, "height", media.height, self.min_height, self.max_height, "pixels")
        _check(field, "width divided by height", ratio, self.min_ratio, self.max_ratio, "")
        _check(field, "duration", media.duration_s, self.min_duration_s, self.max_duration_s, "s")


class Media:
    """A file that may be sent: it was found, measured and fits the platform's rules.

    Attributes:
        url: Where it lies, as it was given.
        size: Bytes.
        media_type: By its own bytes, not by what its server says; ``application/octet-stream`` if it is none known.
        name: A file name, made of the address.
        width: Pixels, as shown; None where unknown. Likewise ``height``.
        duration_s: Seconds; None where unknown.
        mark: Tells this version of the file from others; kept in a step, it shows whether a resumed upload may go on.
    """

    def __init__(self, call: Call, url: str, source: Source, probed: Probed) -> None:
        self.url = url
        self.size = source.size
        self.media_type = probed.media_type
        self.name = _name(url, probed.media_type)
        self.width, self.height, self.duration_s = probed.width, probed.height, probed.duration_s
        self.mark = source.mark
        self._call, self._source = call, source

    def __repr__(self) -> str:
        # Not the address: a signed one is a secret.
        return f"Media({self.media_type}, {self.size} bytes)"

    def pieces(self, start: int = 0, *, piece_bytes: int = PIECE_BYTES) -> Iterator[tuple[int, bytes]]:
        """The file from an offset on, as offsets and bytes; one piece is in memory at a time.

        Args:
            start: First byte; whoever resumes begins where the platform has arrived.
            piece_bytes: Bytes of each piece but the last.

        Raises:
            InvalidRequest: The file is another one by now.
            Unavailable: Its server does not answer.
        """
        for offset in range(start, self.size, piece_bytes):
            self._call.keep_lease()
            yield offset, self._source.read(offset, piece_bytes)

    def body(self, start: int = 0, end: int | None = None) -> MediaBody:
        """The file, or its bytes from ``start`` up to and without ``end``, as the body of one request."""
        return MediaBody(self._call, self._source, start, self.size if end is None else end)

    def read_all(self, limit: int) -> bytes:
        """The whole file, for small ones.

        Args:
            limit: Most bytes to take into memory.

        Raises:
            InvalidRequest: It is larger, or another one by now.
            Unavailable: Its server does not answer.
        """
        if self.size > limit:
            raise InvalidRequest(f"{self._source.field}: the file has {self.size} bytes; must be at most {limit}")
        self._call.keep_lease()
        return self._source.read(0, self.size)


class MediaBody:
    """A file as a request's body: read from its source while it is sent. It never ends early: it raises instead."""

    def __init__(self, call: Call, source: Source, start: int, end: int) -> None:
        self._call, self._source = call, source
        self._start, self._position, self._end = start, start, end
        self._piece = memoryview(b"")

    def __len__(self) -> int:
        return self._end - self._start

    def __iter__(self) -> Iterator[bytes]:
        while part := self.read(2**16):
            yield part

    def read(self, count: int = -1, /) -> bytes:
        """At most so many further bytes; none at the end.

        Raises:
            InvalidRequest: The file is another one by now.
            Unavailable: Its server does not answer.
        """
        self._call.keep_lease()
        if not self._piece and self._position < self._end:
            found = self._source.read(self._position, min(PIECE_BYTES, self._end - self._position))
            self._position += len(found)
            self._piece = memoryview(found)
        wanted = len(self._piece) if count < 0 else count
        part, self._piece = bytes(self._piece[:wanted]), self._piece[wanted:]
        return part


def open_media(call: Call, url: str, rules: MediaRules, *, field: str, network: Network = PUBLIC) -> Media:
    """Find a file, measure it, and check it before anything is sent.

    It asks another server, which takes time: in an action that may be limited it belongs before ``call.effect``, whose
    permit to send is good for a moment only.

    Args:
        call: Whose file it is.
        url: Its https address; anyone must be able to fetch it.
        rules: What the platform takes.
        field: The input's field that holds the address, for errors.
        network: How its host is reached.

    Raises:
        InvalidRequest: The address is refused, or the file breaks a rule; names the field, the rule and the limit.
        Unavailable: The file's server does not answer.
    """
    source = Source(call, url, field=field, network=network)
    try:
        rules.check_size(source.size, field=field)
        media = Media(call, url, source, probe(source.read, source.size))
        rules.check(media, field=field)
    except Broken as broken:
        raise InvalidRequest(f"{field}: {broken}") from None
    return media


def _fits(media_type: str, pattern: str) -> bool:
    return pattern in (media_type, "*/*") or (pattern.endswith("/*") and media_type.startswith(pattern[:-1]))


def _check(field: str, what: str, value: float | None, least: float | None, most: float | None, unit: str) -> None:
    if value is None or ((least is None or value >= least) and (most is None or value <= most)):
        return
    limits = [f"at least {least:g}" if isinstance(least, float) else f"at least {least}"] * (least is not None)
    limits += [f"at most {most:g}" if isinstance(most, float) else f"at most {most}"] * (most is not None)
    unit = f" {unit}" if unit else ""
    shown = f"{value:.2f}" if isinstance(value, float) else str(value)
    raise InvalidRequest(f"{field}: {what} is {shown}{unit}; must be {' and '.join(limits)}")


def _name(url: str, media_type: str) -> str:
    """A file name without anything that would end a header's value or lead into another folder."""
    last = unquote(urlsplit(url).path.rpartition("/")[2], errors="replace")
    name = _NOT_IN_NAMES.sub("-", last).strip(" .-")[-_MAX_NAME:]
    ending = _ENDINGS.get(media_type, "")
    return name if "." in name else f"{name or 'media'}{ending}"
