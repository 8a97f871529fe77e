"""Can a media address make us ask a machine inside our network? By no spelling, no redirect and no rebinding."""

from __future__ import annotations

import socket
import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from connectors.kit import addresses
from connectors.kit.addresses import PUBLIC, Network, is_public
from connectors.kit.errors import InvalidRequest, Unavailable
from connectors.kit.media import Media, MediaRules, open_media
from tests.unit.connectors.calls import call
from tests.unit.connectors.file_server import HOST, PUBLIC_ADDRESS, answer, file_server

URL = f"https://{HOST}/notes.txt"
INSIDE = "169.254.169.254"


def fetch(network: Network = PUBLIC, url: str = URL) -> Media:
    return open_media(
        call("slack"), url, MediaRules(types=("*/*",), max_bytes=2**20), field="media_url", network=network
    )


@pytest.mark.parametrize(
    "address",
    [
        *(
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "10.255.255.255",
            "100.64.0.1",
            "100.100.100.200",
            "127.0.0.1",
            "127.9.9.9",
        ),
        *("169.254.169.254", "169.254.0.1", "172.16.0.1", "172.31.255.254", "192.0.0.8", "192.0.0.192", "192.0.2.1"),
        *("192.88.99.1", "192.168.0.1", "198.18.0.1", "198.19.255.255", "198.51.100.7", "203.0.113.9"),
        *("224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255", "168.63.129.16"),
        *("::", "::1", "fe80::1", "fe80::1%eth0", "fec0::1", "fc00::1", "fd00:ec2::254", "ff02::1", "100::1"),
        *("::ffff:127.0.0.1", "::ffff:169.254.169.254", "::ffff:7f00:1", "::127.0.0.1", "64:ff9b::7f00:1"),
        *("64:ff9b::169.254.169.254", "64:ff9b::10.0.0.1", "64:ff9b:1::808:808", "2002:7f00:1::", "2002:a00:1::1"),
        *("2001::1", "2001:0:53aa:64c:0:fffe:80ff:fffe", "2001:db8::1", "2001:10::1", "3fff::1", "5f00::1", "4000::1"),
        *("", "localhost", "1.2.3", "0x7f.1", "2130706433", "1.1.1.1/8", "2606:4700::1111%1"),
    ],
)
def test_what_is_not_a_public_address_of_one_host_is_refused(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        *("8.8.8.8", "93.184.216.34", "1.1.1.1", "100.63.255.255", "100.128.0.1", "172.15.0.1", "172.32.0.1"),
        *("2606:4700:4700::1111", "2a00:1450:4001:81b::200e", "64:ff9b::808:808", "::ffff:8.8.8.8"),
    ],
)
def test_public_addresses_are_taken(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "127.1", "2130706433", "0x7f000001", "017700000001", "0"),
        *("169.254.169.254", "[fe80::1]", "localhost", "localhost."),
    ],
)
def test_every_spelling_of_an_inner_address_is_refused(host: str) -> None:
    with pytest.raises(InvalidRequest, match=r"^media_url: its host is not on the public internet$"):
        fetch(url=f"https://{host}/latest/meta-data/")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        (f"http://{HOST}/a", "must be an https address"),
        ("file:///etc/passwd", "must be an https address"),
        ("ftp://files.example.org/a", "must be an https address"),
        ("gopher://127.0.0.1:6379/_FLUSHALL", "must be an https address"),
        (f"https://{HOST}:8443/a", "only port 443"),
        (f"https://{HOST}:0/a", "only port 443"),
        (f"https://{HOST}:99999/a", "must be an https address"),
        (f"https://me@{HOST}/a", "no user name"),
        (f"https://me:secret@{HOST}/a", "no user name"),
        (f"https://{HOST}/a b", "must be an https address"),
        (f"https://{HOST}/a\r\nHost: other", "must be an https address"),
        ("https:///a", "must be an https address"),
        ("https://[::1", "must be an https address"),
        ("", "must be an https address"),
        (f"https://{HOST}/{'a' * 2048}", "at most 2048 characters"),
    ],
)
def test_an_address_that_is_not_plain_https_is_refused_before_any_look_up(tmp_path: Path, url: str, said: str) -> None:
    with file_server(tmp_path, answer(200, b"x")) as server:
        with pytest.raises(InvalidRequest, match=f"^media_url: .*{said}") as caught:
            fetch(server.network(), url)

        assert server.dialled == []
    assert "secret" not in str(caught.value)


def test_the_address_that_was_checked_is_the_one_that_is_connected_to(tmp_path: Path) -> None:
    with file_server(tmp_path, answer(200, b"plain text")) as server:
        # Whoever asks twice is rebound to the metadata service.
        media = fetch(server.network([PUBLIC_ADDRESS], [INSIDE]))

        assert media.read_all(100) == b"plain text"
        assert server.looked_up == [HOST]
        assert server.dialled == [PUBLIC_ADDRESS]


def test_a_name_that_is_rebound_before_a_later_piece_is_refused_then(tmp_path: Path) -> None:
    body = b"x" * 100_000
    with file_server(tmp_path, answer(200, body, Connection="close")) as server:
        media = fetch(server.network([PUBLIC_ADDRESS], [INSIDE]))
        assert b"".join(piece for _, piece in media.pieces()) == body

        with pytest.raises(InvalidRequest, match="not on the public internet"):
            # Read again, over a new connection.
            b"".join(piece for _, piece in media.pieces())
        assert server.dialled == [PUBLIC_ADDRESS]


@pytest.mark.parametrize("answers", [[INSIDE], [PUBLIC_ADDRESS, INSIDE], ["::1", PUBLIC_ADDRESS]])
def test_a_name_with_any_inner_address_is_refused_and_not_dialled(tmp_path: Path, answers: list[str]) -> None:
    with file_server(tmp_path, answer(200, b"x")) as server:
        with pytest.raises(InvalidRequest, match="not on the public internet") as caught:
            fetch(server.network(answers))

        assert server.dialled == []
    # What our own names mean is nobody's business.
    assert INSIDE not in str(caught.value)


@pytest.mark.parametrize(
    ("location", "said"),
    [
        ("https://169.254.169.254/latest/meta-data/", "not on the public internet"),
        ("https://127.0.0.1/", "not on the public internet"),
        (f"http://{HOST}/plain", "must be an https address"),
        (f"https://{HOST}:22/", "only port 443"),
        (f"https://me@{HOST}/", "no user name"),
        ("file:///etc/passwd", "must be an https address"),
        ("//inner.example.org/", "not on the public internet"),
    ],
)
def test_each_redirect_is_checked_anew(tmp_path: Path, location: str, said: str) -> None:
    def resolve(host: str) -> list[str]:
        return [PUBLIC_ADDRESS] if host == HOST else [INSIDE]

    with file_server(tmp_path, answer(302, Location=location)) as server:
        outside = server.network()
        network = Network(resolve=resolve, dial=outside.dial, ca_file=outside.ca_file)
        with pytest.raises(InvalidRequest, match=said):
            fetch(network)

        assert len(server.asked) == 1


def test_a_redirect_may_be_relative_and_three_are_followed(tmp_path: Path) -> None:
    with file_server(tmp_path, answer(307, Location="again")) as server:
        with pytest.raises(InvalidRequest, match="more than 3 redirects"):
            fetch(server.network())

        assert len(server.asked) == 4


def trickle(request: BaseHTTPRequestHandler) -> None:
    """A head that never ends, byte by byte."""
    pause = threading.Event()
    request.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while True:
        request.wfile.write(b"a")
        pause.wait(0.02)


def test_a_server_that_trickles_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addresses, "_SLOWEST_S", 0.3)
    with file_server(tmp_path, trickle) as server, pytest.raises(Unavailable):
        fetch(server.network())


def test_a_server_that_never_begins_tls_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addresses, "_SLOWEST_S", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        network = Network(
            resolve=lambda _: [PUBLIC_ADDRESS], dial=lambda _, timeout_s: socket.create_connection(("127.0.0.1", port))
        )
        with pytest.raises(Unavailable):
            fetch(network)


def test_a_certificate_of_another_name_is_not_taken(tmp_path: Path) -> None:
    with file_server(tmp_path, answer(200, b"x"), name="other.example.org") as server:
        with pytest.raises(Unavailable, match="SSLError"):
            fetch(server.network())

        assert server.asked == []


def test_nothing_of_this_machine_goes_along(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text(f"machine {HOST} login me password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    with file_server(tmp_path, answer(200, b"x", Set_Cookie="who=me", Connection="close")) as server:
        for _ in range(2):
            fetch(server.network())

        assert all(not {"cookie", "authorization", "referer"} & set(headers) for headers in server.asked)


def test_another_address_is_tried_where_one_does_not_answer(tmp_path: Path) -> None:
    with file_server(tmp_path, answer(200, b"x")) as server:
        outside = server.network()

        def dial(address: str, timeout_s: float | None):  # type: ignore[no-untyped-def]
            if address == "1.1.1.1":
                raise ConnectionRefusedError
            return outside.dial(address, timeout_s)

        network = Network(resolve=lambda _: ["1.1.1.1", PUBLIC_ADDRESS], dial=dial, ca_file=outside.ca_file)
        assert fetch(network).size == 1


def test_a_name_that_can_be_none_is_refused() -> None:
    with pytest.raises(InvalidRequest, match=r"^media_url: must be an https address"):
        fetch(url=f"https://{'a' * 64}.example/")


def test_a_name_without_address_may_have_one_later() -> None:
    with pytest.raises(Unavailable, match=r"^media_url: its server did not answer"):
        fetch(url="https://nowhere.invalid/a.jpg")


def test_in_the_sandbox_other_hosts_are_guarded_too() -> None:
    made = call("slack")
    made.sandbox_url = "http://127.0.0.1:9"

    with pytest.raises(InvalidRequest, match="not on the public internet"):
        open_media(made, "https://127.0.0.1/x", MediaRules(types=("*/*",), max_bytes=9), field="media_url")
