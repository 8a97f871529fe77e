"""How is a platform called? With explicit timeouts, no repeats, nothing from the environment, and failures classed."""

from __future__ import annotations

import io
import logging
import threading
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

import requests
import urllib3.exceptions

from connectors.kit import clock
from connectors.kit.errors import ConnectorError, InvalidRequest, NotSent, OutcomeUnknown, Unavailable
from connectors.kit.transport import nothing_sent
from connectors.kit.wire import WatchedAdapter, Wire, watching

if TYPE_CHECKING:
    from connectors.kit.connector import Connector

# Its debug lines hold whole URLs, and a query may hold a phone number.
logging.getLogger("urllib3.connectionpool").setLevel(logging.INFO)

_sessions = threading.local()

_LONG = 2**17
"""Bytes; a longer body is written in parts, each with its own timeout and its own look at the lease."""

_PART_S = 5.0
"""For writing one part of 16 KB, on top of which the answer may take its own time while the lease still lasts."""


class Body(Protocol):
    """A body that is read while it is sent; its length is known before."""

    def __len__(self) -> int:
        """Bytes."""

    def __iter__(self) -> Iterator[bytes]:
        """The bytes, in parts."""

    def read(self, count: int = -1, /) -> bytes:
        """At most so many further bytes; none at the end."""


class Guard(Protocol):
    """Who decides whether an effect's request may leave; ``RunLedger`` is one."""

    def check_lease(self, *, needed_s: float) -> None:
        """See ``RunLedger.check_lease``."""

    def keep_lease(self) -> None:
        """See ``RunLedger.keep_lease``."""

    def before_write(self, *, needed_s: float) -> None:
        """See ``RunLedger.before_write``."""

    def after_write(self) -> None:
        """See ``RunLedger.after_write``."""


def fresh_session() -> requests.Session:
    """A session that takes nothing from its surroundings and keeps nothing of an answer."""
    session = requests.Session()
    # No proxies, no .netrc, no CA bundle from the environment: a connection's credential is the only one used.
    session.trust_env = False
    session.headers["User-Agent"] = "neonhub-worker"
    # One session serves all connections of a thread: a cookie of one must never reach another.
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    return session


def _session() -> requests.Session:
    """This thread's session; requests does not promise that threads may share one."""
    session: requests.Session | None = getattr(_sessions, "session", None)
    if session is None:
        session = fresh_session()
        adapter = WatchedAdapter(pool_connections=32, pool_maxsize=4)
        session.mount("https://", adapter)
        session.mount("http://", adapter)
        _sessions.session = session
    return session


class Http:
    """HTTP to one platform, on behalf of one run.

    Args:
        connector: The platform; only its hosts are called, with its timeouts.
        sandbox_url: When set, ``https://HOST/PATH`` goes to ``{sandbox_url}/HOST/PATH``.
        guard: Asked before each socket write of an effect's request, and told afterwards.

    Attributes:
        answered: Whether the platform has answered at all, other than that it is out of order.
    """

    def __init__(
        self,
        connector: Connector,
        *,
        sandbox_url: str | None = None,
        guard: Guard | None = None,
    ) -> None:
        self._connector = connector
        self._sandbox_url = None if sandbox_url is None else sandbox_url.rstrip("/")
        self._guard = guard
        self.answered = False

    def get(self, url: str, **content: Any) -> requests.Response:
        """Read; see ``request``."""
        return self.request("GET", url, effect=False, **content)

    def request(
        self,
        method: str,
        url: str,
        *,
        effect: bool,
        params: Mapping[str, Any] | None = None,
        data: Mapping[str, Any] | bytes | Body | Iterator[bytes] | None = None,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        read_s: float | None = None,
    ) -> requests.Response:
        """Make one request, once. Redirects are not followed: an answer of any status is returned.

        Args:
            url: ``https://HOST/PATH``, as the platform documents it.
            effect: Whether the request may change the outside world.
            data: The body. One that is read while it is sent may raise: the request then never ends, and the platform
                cannot act on it; the error comes out here as it is.
            read_s: Seconds to wait for the answer, where the connector's own are too few, as after an upload that is no
                effect. An effect has to be answered while its lease lasts.

        Raises:
            InvalidRequest: The URL is none of the platform's.
            NotSent: Nothing left this side.
            OutcomeUnknown: It may have arrived, and it was an effect.
            Unavailable: It may have arrived, and it was none.
        """
        connect_s, read_s = self._connector.connect_s, read_s or self._connector.read_s
        data = io.BytesIO(data) if isinstance(data, bytes) and len(data) > _LONG else data
        wire = self._wire(effect=effect, long=hasattr(data, "__next__") or hasattr(data, "read"), read_s=read_s)
        address = self._address(url)
        try:
            with watching(wire):
                answer = _session().request(
                    method,
                    address,
                    params=params,
                    data=data,
                    json=json,
                    headers=headers,
                    auth=auth or no_auth,
                    timeout=(connect_s, read_s),
                    allow_redirects=False,
                )
            self.answered = self.answered or answer.status_code < 500
            return answer
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            raise self._failure(error, url, effect=effect, written=wire.written) from None

    def _wire(self, *, effect: bool, long: bool, read_s: float) -> Wire:
        """What watches a request: an effect's lease is asked before each write, and kept through a long body."""
        guard = self._guard if effect else None
        write_s = min(_PART_S, read_s) if long else None
        if guard is None:
            return Wire(write_s=write_s)

        def before_write() -> None:
            if long:
                guard.keep_lease()
            guard.before_write(needed_s=read_s)

        if long:
            guard.keep_lease()
        guard.check_lease(needed_s=self._connector.connect_s + read_s)
        return Wire(before_write=before_write, after_write=guard.after_write, write_s=write_s)

    def _address(self, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme != "https" or not self._connector.calls(parts.hostname):
            raise InvalidRequest(
                f"{self._connector.slug} may not call {parts.scheme}://{parts.hostname}; nothing was sent"
            )
        if self._sandbox_url is None:
            return url
        return f"{self._sandbox_url}/{url.removeprefix('https://')}"

    def _failure(self, error: Exception, url: str, *, effect: bool, written: bool | None) -> ConnectorError:
        # The text of the error is left out: it holds the URL, and that may hold a phone number.
        host, kind = urlsplit(url).hostname, type(error).__name__
        if nothing_sent(error, written=written):
            return NotSent(f"{host} could not be reached ({kind}); nothing was sent")
        if effect:
            return OutcomeUnknown(f"{host} did not answer ({kind}); the request may have been carried out")
        return Unavailable(f"{host} did not answer ({kind})")


def no_auth(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Keeps requests from looking for a user name in the URL."""
    return request


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Seconds that a ``Retry-After`` header (seconds or an HTTP date) asks to wait; None if there is none."""
    text = headers.get("Retry-After", "").strip()
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        until_at = _http_date(text)
        if until_at is None:
            return None
        # Measured on the platform's own clock where it shows it.
        now = _http_date(headers.get("Date", "")) or clock.now()
        return max(0.0, (until_at - now).total_seconds())
    return seconds if 0 <= seconds < float("inf") else None


def _http_date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
