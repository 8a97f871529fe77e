"""How is a file read that lies at an address? In parts, by ranges where its server has them, one version throughout."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urljoin, urlsplit

import requests
import urllib3.exceptions
from requests.adapters import HTTPAdapter

from connectors.kit.addresses import HTTPS_PORT, AddressRefused, GuardedAdapter, Network
from connectors.kit.errors import InvalidRequest, Unavailable
from connectors.kit.http import fresh_session, no_auth
from connectors.kit.wire import Wire, watching

if TYPE_CHECKING:
    from connectors.kit.call import Call

SANDBOX_HOST = "media.example"
"""The sandbox makes the files of this reserved host."""

HEAD_BYTES = 2**16

_MOST_REDIRECTS = 3
_CONNECT_S, _READ_S = 5.0, 12.0
_LEAST_BYTES_PER_S, _GRACE_S = 2**14, 20.0
_MAX_URL = 2048
_PART = 2**16
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PASSING = frozenset({408, 425, 429})
_CONTENT_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18})")
_WRONG_URL = (
    requests.exceptions.InvalidURL,
    requests.exceptions.InvalidSchema,
    requests.exceptions.MissingSchema,
    urllib3.exceptions.LocationValueError,
    UnicodeError,
)

_sessions = threading.local()


class Source:
    """A file at an https address. Opening it asks for its first bytes.

    Args:
        call: Whose file it is; its lease is kept while bytes arrive.
        url: Where.
        field: The input's field that holds the address, for errors.
        network: How its host is reached.

    Attributes:
        field: As given.
        size: Bytes.
        head: Its first bytes, at most ``HEAD_BYTES``.
        mark: Tells this version of the file from others: equal marks, equal bytes, as far as its server says.

    Raises:
        InvalidRequest: The address is refused, or nothing lies there, or its server does not say how large it is.
        Unavailable: Its server does not answer.
    """

    def __init__(self, call: Call, url: str, *, field: str, network: Network) -> None:
        self._call, self.field = call, field
        self._stream: requests.Response | None = None
        self._session = _session(network, call.sandbox_url)
        self._position = 0
        self.url, answer = self._follow(url)
        with _closed_on_error(answer):
            if answer.status_code == 416:
                raise InvalidRequest(f"{field}: the file is empty")
            self._ranges = answer.status_code == 206
            self.size = self._size_of(answer, 0)
            self.mark = _mark(answer, self.size)
            self.head = self._take(answer, min(HEAD_BYTES, self.size))
        if self._ranges:
            answer.close()
        else:
            self._stream, self._position = answer, len(self.head)

    def __del__(self) -> None:
        # A file that is not read to its end holds a connection.
        self.close()

    def read(self, offset: int, count: int) -> bytes:
        """These bytes of the file, exactly; fewer only where it ends.

        Raises:
            InvalidRequest: The file is another one by now.
            Unavailable: They did not come.
        """
        count = min(count, self.size - offset)
        if count <= 0:
            return b""
        if offset + count <= len(self.head):
            return self.head[offset : offset + count]
        known = self.head[offset:]
        read = self._read_range if self._ranges else self._read_on
        return known + read(offset + len(known), count - len(known))

    def close(self) -> None:
        """Let go of the connection; what is read afterwards opens another one."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def _read_range(self, offset: int, count: int) -> bytes:
        answer = self._get(self.url, offset, offset + count - 1)
        with answer:
            if answer.status_code != 206:
                raise Unavailable(f"{self.field}: its server answered {answer.status_code} to a request for a part")
            self._check_same(answer, self._size_of(answer, offset))
            return self._take(answer, count)

    def _read_on(self, offset: int, count: int) -> bytes:
        """Without ranges the file is read forward; what lies behind is read again from the beginning."""
        if self._stream is None or offset < self._position:
            self.close()
            answer = self._get(self.url, 0, self.size - 1)
            with _closed_on_error(answer):
                if answer.status_code not in (200, 206):
                    raise Unavailable(f"{self.field}: its server answered {answer.status_code} when asked again")
                self._check_same(answer, self._size_of(answer, 0))
            self._stream, self._position = answer, 0
        with _closed_on_error(self):
            while self._position < offset:
                self._position += len(self._take(self._stream, min(_PART, offset - self._position)))
            found = self._take(self._stream, count)
        self._position += count
        return found

    def _follow(self, url: str) -> tuple[str, requests.Response]:
        """The address where the file really lies, and its server's answer about the first bytes.

        Raises:
            InvalidRequest: An address on the way is refused, or there is no file.
            Unavailable: A server on the way does not answer.
        """
        for _ in range(_MOST_REDIRECTS + 1):
            answer = self._get(url, 0, HEAD_BYTES - 1)
            if answer.status_code not in _REDIRECTS:
                break
            answer.close()
            url = urljoin(url, answer.headers.get("Location", ""))
        else:
            raise InvalidRequest(f"{self.field}: more than {_MOST_REDIRECTS} redirects")
        status = answer.status_code
        if status in (200, 206, 416):
            return url, answer
        answer.close()
        if status in _PASSING or status >= 500:
            raise Unavailable(f"{self.field}: its server answered {status}", http_status=status)
        raise InvalidRequest(f"{self.field}: its server answered {status}; anyone must be able to fetch the file")

    def _get(self, url: str, first: int, last: int) -> requests.Response:
        address = _checked(url, self.field)
        if self._call.sandbox_url is not None and address.hostname == SANDBOX_HOST:
            query = f"?{address.query}" if address.query else ""
            url = f"{self._call.sandbox_url.rstrip('/')}/{SANDBOX_HOST}{address.path or '/'}{query}"
        headers = {"Range": f"bytes={first}-{last}", "Accept": "*/*", "Accept-Encoding": "identity"}
        try:
            # What is fetched while an effect's body is being sent is no write of that effect.
            with watching(Wire()):
                return self._session.get(
                    url,
                    headers=headers,
                    auth=no_auth,
                    timeout=(_CONNECT_S, _READ_S),
                    stream=True,
                    allow_redirects=False,
                )
        except AddressRefused as refused:
            raise InvalidRequest(f"{self.field}: {refused}") from None
        except _WRONG_URL:
            raise InvalidRequest(f"{self.field}: must be an https address") from None
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            # Neither the error's text nor the URL: a signed address is a secret.
            raise Unavailable(f"{self.field}: its server did not answer ({type(error).__name__})") from None

    def _size_of(self, answer: requests.Response, offset: int) -> int:
        if answer.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise InvalidRequest(f"{self.field}: its server only sends the file compressed")
        if answer.status_code == 206:
            found = _CONTENT_RANGE.fullmatch(answer.headers.get("Content-Range", "").strip())
            size = int(found[3]) if found is not None and int(found[1]) == offset else None
        else:
            text = answer.headers.get("Content-Length", "")
            size = int(text) if text.isascii() and text.isdecimal() and len(text) <= 18 else None
        if size is None:
            raise InvalidRequest(f"{self.field}: its server does not say how large the file is")
        if size == 0:
            raise InvalidRequest(f"{self.field}: the file is empty")
        return size

    def _check_same(self, answer: requests.Response, size: int) -> None:
        if _mark(answer, size) != self.mark:
            raise InvalidRequest(f"{self.field}: the file was changed while it was read; nothing of it was used")

    def _take(self, answer: requests.Response, count: int) -> bytes:
        """The next bytes of an answer, as they come; one that trickles is given up."""
        until = time.monotonic() + _GRACE_S + count / _LEAST_BYTES_PER_S
        found = bytearray()
        try:
            while len(found) < count:
                part: bytes = answer.raw.read1(min(_PART, count - len(found)), decode_content=False)
                if not part or time.monotonic() > until:
                    raise Unavailable(f"{self.field}: its server broke off or was too slow")
                found += part
                self._call.keep_lease()
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise Unavailable(f"{self.field}: its server broke off ({type(error).__name__})") from None
        return bytes(found)


@contextmanager
def _closed_on_error(held: Source | requests.Response) -> Iterator[None]:
    """A connection whose answer cannot be used must not stay open."""
    try:
        yield
    except BaseException:
        held.close()
        raise


def _checked(url: str, field: str) -> SplitResult:
    """An address that may be asked, as far as its text tells.

    Raises:
        InvalidRequest: It may not.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise InvalidRequest(f"{field}: must be an https address") from None
    plain = len(url) <= _MAX_URL and not any(mark.isspace() or ord(mark) < 32 for mark in url)
    if parts.scheme != "https" or not parts.hostname or not plain:
        raise InvalidRequest(f"{field}: must be an https address of at most {_MAX_URL} characters")
    if port not in (None, HTTPS_PORT):
        raise InvalidRequest(f"{field}: only port {HTTPS_PORT} may be asked")
    if parts.username is not None or parts.password is not None:
        raise InvalidRequest(f"{field}: must hold no user name")
    return parts


def _mark(answer: requests.Response, size: int) -> str:
    version = answer.headers.get("ETag") or answer.headers.get("Last-Modified") or ""
    return f"{size} {version[:256]}".strip()


def _session(network: Network, sandbox_url: str | None) -> requests.Session:
    """This thread's session for one network: it knows no way to an unguarded address, but that of the sandbox."""
    made: dict[tuple[Network, str | None], requests.Session] = _sessions.__dict__.setdefault("made", {})
    key = (network, sandbox_url)
    if key not in made:
        session = fresh_session()
        session.adapters.clear()
        session.verify = network.ca_file or True
        session.mount("https://", GuardedAdapter(network))
        if sandbox_url is not None:
            session.mount(f"{sandbox_url.rstrip('/')}/{SANDBOX_HOST}/", HTTPAdapter(pool_connections=1, pool_maxsize=2))
        made[key] = session
    return made[key]
