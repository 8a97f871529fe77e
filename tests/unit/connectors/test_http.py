"""Is a failed request told apart by what was sent? Against real sockets, and for every exception there is."""

from __future__ import annotations

import inspect
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from types import ModuleType

import pytest
import requests
import requests.exceptions
import urllib3.exceptions
from pydantic import BaseModel

from connectors.kit.connector import Connector
from connectors.kit.errors import ConnectorError, InvalidRequest, NotSent, OutcomeUnknown, Unavailable
from connectors.kit.http import Http, retry_after_s
from connectors.kit.transport import BEFORE_SENDING, PERHAPS_SENT, nothing_sent

URL = "https://api.example.com/things"


def connector(*hosts: str, connect_s: float = 1.0, read_s: float = 0.3) -> Connector:
    return Connector(
        "example",
        "Example",
        hosts=hosts or ("api.example.com",),
        credential=BaseModel,
        settings=BaseModel,
        api_version="1",
        connect_s=connect_s,
        read_s=read_s,
    )


class Listener:
    """A server of one connection that does as it is told after it has read a request's headers, and ``more`` bytes."""

    def __init__(self, behave: Callable[[socket.socket], None], *, more: int = 0) -> None:
        self.received = b""
        self._behave = behave
        self._more = more
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._socket.settimeout(5)
        self.port: int = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        try:
            peer, _ = self._socket.accept()
        except TimeoutError:
            return
        with peer:
            peer.settimeout(5)
            while len(self.received.partition(b"\r\n\r\n")[2]) < self._more or b"\r\n\r\n" not in self.received:
                part = peer.recv(65_536)
                if not part:
                    return
                self.received += part
            self._behave(peer)

    def __enter__(self) -> Listener:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join(6)
        self._socket.close()


def reset(peer: socket.socket) -> None:
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")


def say_nothing(peer: socket.socket) -> None:
    peer.recv(1)


def answer(text: str) -> Callable[[socket.socket], None]:
    return lambda peer: peer.sendall(text.replace("\n", "\r\n").encode())


OK = answer("HTTP/1.1 200 OK\nContent-Length: 2\nSet-Cookie: who=me\nConnection: close\n\nok")
HALF = answer("HTTP/1.1 200 OK\nContent-Length: 20\nConnection: close\n\nhalf")
BROKEN_CHUNK = answer("HTTP/1.1 200 OK\nTransfer-Encoding: chunked\nConnection: close\n\nzz\n")
NOT_HTTP = answer("what?\n\n")


class Asking:
    """A guard that asks one question at both places."""

    def __init__(self, check_lease: Callable[[float], None]) -> None:
        self._check = check_lease
        self.writes = 0
        self.kept = 0

    def keep_lease(self) -> None:
        self.kept += 1

    def check_lease(self, *, needed_s: float) -> None:
        self._check(needed_s)

    def before_write(self, *, needed_s: float) -> None:
        self._check(needed_s)

    def after_write(self) -> None:
        self.writes += 1


def http(port: int, check_lease: Callable[[float], None] | None = None) -> Http:
    guard = None if check_lease is None else Asking(check_lease)
    return Http(connector(), sandbox_url=f"http://127.0.0.1:{port}/", guard=guard)


@pytest.mark.parametrize("behave", [reset, say_nothing, HALF, BROKEN_CHUNK, NOT_HTTP])
@pytest.mark.parametrize(("effect", "kind"), [(True, OutcomeUnknown), (False, Unavailable)])
def test_what_fails_after_sending_is_unknown_for_effects_only(
    behave: Callable[[socket.socket], None], effect: bool, kind: type[ConnectorError]
) -> None:
    with Listener(behave) as server, pytest.raises(kind) as caught:
        http(server.port).request("POST", f"{URL}?To=%2B14155550123", effect=effect, data=b"body")

    assert "14155550123" not in f"{caught.value!r}"
    assert caught.value.__suppress_context__


@contextmanager
def refused() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    yield f"http://127.0.0.1:{port}"


@pytest.mark.parametrize("effect", [True, False])
def test_a_refused_connection_sent_nothing(effect: bool) -> None:
    with refused() as url, pytest.raises(NotSent):
        Http(connector(), sandbox_url=url).request("POST", URL, effect=effect, data=b"body")


def test_an_unknown_host_sent_nothing() -> None:
    with pytest.raises(NotSent):
        Http(connector("nowhere.invalid")).request("POST", "https://nowhere.invalid/", effect=True, data=b"body")


def test_a_connection_that_is_not_accepted_sent_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as server:
        port = server.getsockname()[1]
        # Fills the queue, so that the next connection waits until it gives up.
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
        slow = Http(connector(connect_s=0.3), sandbox_url=f"http://127.0.0.1:{port}")
        with pytest.raises(NotSent):
            slow.request("POST", URL, effect=True, data=b"body")
        for one in waiting:
            one.close()


def test_a_server_without_tls_sent_nothing() -> None:
    # What arrives there is the beginning of a handshake, not a request.
    with Listener(NOT_HTTP) as server, pytest.raises(NotSent):
        Http(connector("127.0.0.1")).request("POST", f"https://127.0.0.1:{server.port}/", effect=True, data=b"body")


def test_each_account_may_have_a_host_of_its_own_one_name_below_the_platforms() -> None:
    of_accounts = connector("*.example.com")
    assert of_accounts.calls("spring.example.com")
    for host in ("example.com", "a.spring.example.com", "spring.example.com.evil.example", "*.example.com.", None):
        assert not of_accounts.calls(host)


def test_a_host_that_is_not_the_platforms_is_never_called() -> None:
    for url in ("https://evil.example/upload", "http://api.example.com/plain", "https://api.example.com@evil.example/"):
        with pytest.raises(InvalidRequest, match="may not call"):
            Http(connector()).request("POST", url, effect=False, data=b"body")


def test_in_the_sandbox_host_and_path_follow_its_address() -> None:
    with Listener(OK) as server:
        http(server.port).get(URL, params={"a": "b c"})

    assert server.received.startswith(b"GET /api.example.com/things?a=b+c HTTP/1.1\r\n")


def test_redirects_are_not_followed() -> None:
    elsewhere = answer("HTTP/1.1 307 Away\nLocation: http://127.0.0.1:1/\nContent-Length: 0\nConnection: close\n\n")
    with Listener(elsewhere) as server:
        found = http(server.port).request("POST", URL, effect=True, data=b"body")

    assert found.status_code == 307


def test_the_environment_and_earlier_answers_do_not_speak_for_us(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    for _ in range(2):
        with Listener(OK) as server:
            http(server.port).get(URL)

    assert b"cookie" not in server.received.lower()
    assert b"authorization" not in server.received.lower()


def test_the_lease_is_asked_after_connecting_and_right_before_the_write() -> None:
    asked: list[float] = []

    def check(needed_s: float) -> None:
        asked.append(needed_s)
        # The first question comes before the connection is opened; the process may freeze while it opens.
        if len(asked) == 2:
            raise NotSent("the lease would end too soon")

    with Listener(OK) as server, pytest.raises(NotSent, match="lease"):
        http(server.port, check).request("POST", URL, effect=True, data=b"body")

    assert asked == [pytest.approx(1.3), pytest.approx(0.3)]
    assert server.received == b""


def test_a_body_that_the_lease_held_back_leaves_an_unfinished_request() -> None:
    asked: list[float] = []

    def check(needed_s: float) -> None:
        asked.append(needed_s)
        if len(asked) == 3:
            raise NotSent("the lease would end too soon")

    with Listener(reset) as server, pytest.raises(NotSent, match="lease"):
        http(server.port, check).request("POST", URL, effect=True, data=b"body")

    assert server.received.endswith(b"\r\n\r\n")


class Parts:
    """A body that is read while it is sent.

    Args:
        fails_after: Bytes after which it raises instead.
    """

    def __init__(self, count: int, *, fails_after: int | None = None) -> None:
        self._count, self._left, self._fails_after = count, count, fails_after

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[bytes]:
        while part := self.read(1000):
            yield part

    def read(self, count: int = -1, /) -> bytes:
        if self._fails_after is not None and self._count - self._left >= self._fails_after:
            raise Unavailable("media_url: its server broke off")
        part = b"x" * min(count, self._left)
        self._left -= len(part)
        return part


def drain(peer: socket.socket) -> None:
    """Read until the client hangs up."""
    while peer.recv(65_536):
        pass


@pytest.mark.parametrize("body", [Parts(300_000), b"x" * 300_000], ids=["streamed", "bytes"])
def test_the_lease_is_kept_and_asked_before_each_part_of_a_long_body(body: Parts | bytes) -> None:
    guard = Asking(lambda _: None)
    with Listener(OK, more=300_000) as server:
        Http(connector(read_s=5), sandbox_url=f"http://127.0.0.1:{server.port}", guard=guard).request(
            "PUT", URL, effect=True, data=body
        )

    assert b"Content-Length: 300000\r\n" in server.received
    assert guard.writes > 5
    assert guard.kept == guard.writes + 1


def test_a_streamed_body_that_is_no_effect_asks_nobody() -> None:
    guard = Asking(lambda _: pytest.fail("asked"))
    with Listener(OK, more=300_000) as server:
        Http(connector(read_s=5), sandbox_url=f"http://127.0.0.1:{server.port}", guard=guard).request(
            "PUT", URL, effect=False, data=Parts(300_000)
        )

    assert guard.writes == guard.kept == 0


@pytest.mark.parametrize("effect", [True, False])
def test_a_body_that_fails_leaves_an_unfinished_request_that_did_nothing(effect: bool) -> None:
    with Listener(drain) as server, pytest.raises(Unavailable, match="media_url: its server broke off"):
        Http(connector(read_s=5), sandbox_url=f"http://127.0.0.1:{server.port}", guard=Asking(lambda _: None)).request(
            "PUT", URL, effect=effect, data=Parts(300_000, fails_after=20_000)
        )

    assert b"Content-Length: 300000\r\n" in server.received
    assert server.received.count(b"x") < 300_000


def test_an_iterator_is_sent_in_chunks() -> None:
    chunks = b"3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n"
    with Listener(OK, more=len(chunks)) as server:
        Http(connector(read_s=5), sandbox_url=f"http://127.0.0.1:{server.port}").request(
            "POST", URL, effect=False, data=iter([b"one", b"two"])
        )

    assert b"Transfer-Encoding: chunked\r\n" in server.received
    assert server.received.endswith(chunks)


def test_an_upload_may_wait_longer_for_its_answer() -> None:
    def late(peer: socket.socket) -> None:
        threading.Event().wait(0.3)
        OK(peer)

    with Listener(late) as server:
        slow = Http(connector(read_s=0.1), sandbox_url=f"http://127.0.0.1:{server.port}")
        assert slow.request("PUT", URL, effect=False, data=b"x", read_s=5).text == "ok"


def test_a_part_that_is_not_taken_ends_the_request() -> None:
    # More than fits into the buffers of both sides, and nobody reads it.
    stuck = threading.Event()

    def hang(peer: socket.socket) -> None:
        stuck.wait(5)

    with Listener(hang) as server:
        slow = Http(connector(connect_s=5, read_s=0.3), sandbox_url=f"http://127.0.0.1:{server.port}")
        with pytest.raises(OutcomeUnknown):
            slow.request("PUT", URL, effect=True, data=Parts(50_000_000))
        stuck.set()


def test_a_read_needs_no_lease() -> None:
    def check(needed_s: float) -> None:
        raise AssertionError(f"asked for {needed_s} s")

    with Listener(OK) as server:
        assert http(server.port, check).get(URL).text == "ok"


@pytest.mark.parametrize("module", [requests.exceptions, urllib3.exceptions], ids=lambda module: module.__name__)
def test_every_exception_of_the_library_is_classed(module: ModuleType) -> None:
    found = {
        kind
        for _, kind in inspect.getmembers(module, inspect.isclass)
        if issubclass(kind, Exception) and not issubclass(kind, Warning) and kind.__module__ == module.__name__
    }

    assert found <= BEFORE_SENDING | PERHAPS_SENT
    assert not BEFORE_SENDING & PERHAPS_SENT


def wrapped(reason: Exception) -> requests.exceptions.ConnectionError:
    return requests.exceptions.ConnectionError(urllib3.exceptions.MaxRetryError(None, "/", reason))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("error", "before"),
    [
        (requests.exceptions.ConnectTimeout(), True),
        (requests.exceptions.SSLError(), True),
        (requests.exceptions.ReadTimeout(), False),
        (requests.exceptions.ChunkedEncodingError(), False),
        (wrapped(urllib3.exceptions.NewConnectionError(None, "refused")), True),  # type: ignore[arg-type]
        (wrapped(urllib3.exceptions.NameResolutionError("h", None, OSError())), True),  # type: ignore[arg-type]
        (wrapped(urllib3.exceptions.ProtocolError("reset")), False),
        (requests.exceptions.ConnectionError(urllib3.exceptions.ProtocolError("reset")), False),
        (requests.exceptions.ConnectionError(), False),
        (OSError("anything"), False),
    ],
    ids=repr,
)
def test_without_sockets_to_ask_the_wrapped_reason_decides(error: Exception, before: bool) -> None:
    assert nothing_sent(error, written=None) is before
    assert nothing_sent(error, written=False)
    assert not nothing_sent(error, written=True)


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ({}, None),
        ({"Retry-After": "30"}, 30.0),
        ({"Retry-After": "1.5"}, 1.5),
        ({"Retry-After": "-1"}, None),
        ({"Retry-After": "nan"}, None),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "Sun, 22 Nov 2026 07:11:02 GMT", "Date": "Sun, 22 Nov 2026 07:10:02 GMT"}, 60.0),
        ({"Retry-After": "Sun, 22 Nov 2026 07:09:02 GMT", "Date": "Sun, 22 Nov 2026 07:10:02 GMT"}, 0.0),
    ],
)
def test_retry_after_is_read_as_seconds_or_date(headers: dict[str, str], wait_s: float | None) -> None:
    assert retry_after_s(headers) == wait_s


def test_a_date_without_the_platforms_clock_is_measured_on_ours() -> None:
    far = datetime(2100, 1, 1, tzinfo=UTC)

    wait_s = retry_after_s({"Retry-After": "Fri, 01 Jan 2100 00:00:00 GMT"})

    assert wait_s == pytest.approx((far - datetime.now(UTC)).total_seconds(), abs=60)
