"""Do the watched connections see what really leaves, over TLS as well?"""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from ipaddress import ip_address
from pathlib import Path

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from connectors.kit.errors import NotSent
from connectors.kit.wire import WatchedAdapter, Wire, watching


class Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.arrived += 1  # type: ignore[attr-defined]
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with a key and a self-signed certificate of 127.0.0.1."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file = tmp_path_factory.mktemp("tls") / "both.pem"
    file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return file


@contextmanager
def server(certificate: Path | None) -> Iterator[HTTPServer]:
    with HTTPServer(("127.0.0.1", 0), Handler) as listening:
        listening.arrived = 0  # type: ignore[attr-defined]
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            listening.socket = context.wrap_socket(listening.socket, server_side=True)
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield listening
        listening.shutdown()
        thread.join()


@contextmanager
def session(certificate: Path) -> Iterator[requests.Session]:
    with requests.Session() as made:
        made.trust_env = False
        made.verify = str(certificate)
        made.mount("https://", WatchedAdapter())
        made.mount("http://", WatchedAdapter())
        yield made


@pytest.mark.parametrize("tls", [True, False], ids=["tls", "plain"])
def test_each_write_is_asked_about_and_a_forbidden_one_does_not_happen(certificate: Path, tls: bool) -> None:
    asked = []

    def allow() -> None:
        asked.append(True)

    def forbid() -> None:
        raise NotSent("frozen for too long")

    with server(certificate if tls else None) as listening, session(certificate) as sends:
        url = f"{'https' if tls else 'http'}://127.0.0.1:{listening.server_port}/"
        # Twice, so that the second one goes over a connection that is open already.
        for _ in range(2):
            wire = Wire(before_write=allow)
            with watching(wire):
                assert sends.post(url, data=b"body", timeout=5).text == "ok"
            assert wire.written
        assert len(asked) == 4

        wire = Wire(before_write=forbid)
        with pytest.raises(NotSent), watching(wire):
            sends.post(url, data=b"body", timeout=5)
        assert wire.written is False
    assert listening.arrived == 2  # type: ignore[attr-defined]


def test_a_certificate_that_is_not_trusted_ends_before_the_first_write(certificate: Path) -> None:
    with server(certificate) as listening, requests.Session() as distrusts:
        distrusts.trust_env = False
        distrusts.mount("https://", WatchedAdapter())
        wire = Wire(before_write=None)
        with pytest.raises(requests.exceptions.SSLError), watching(wire):
            distrusts.post(f"https://127.0.0.1:{listening.server_port}/", data=b"body", timeout=5)
        assert wire.written is False


def test_requests_that_nobody_watches_are_left_alone(certificate: Path) -> None:
    with server(None) as listening, session(certificate) as sends:
        assert sends.post(f"http://127.0.0.1:{listening.server_port}/", data=b"x", timeout=5).ok
