"""A file server with TLS on this machine, which a network of the tests takes for one on the internet."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from connectors.kit.addresses import Network

HOST, PUBLIC_ADDRESS = "files.example.org", "93.184.216.34"

Respond = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class FileServer:
    """Where it listens, and what it was asked.

    Attributes:
        asked: Headers of each request.
        dialled: Addresses that connections were opened to.
        looked_up: Host names that were looked up.
    """

    port: int
    ca_file: Path
    asked: list[dict[str, str]] = field(default_factory=list)
    dialled: list[str] = field(default_factory=list)
    looked_up: list[str] = field(default_factory=list)

    def network(self, *answers: list[str]) -> Network:
        """A network in which names have these addresses: one list per look-up, the last one for ever."""
        left = list(answers) or [[PUBLIC_ADDRESS]]

        def resolve(host: str) -> list[str]:
            self.looked_up.append(host)
            return left.pop(0) if len(left) > 1 else left[0]

        def dial(address: str, timeout_s: float | None) -> socket.socket:
            self.dialled.append(address)
            return socket.create_connection(("127.0.0.1", self.port), timeout_s)

        return Network(resolve=resolve, dial=dial, ca_file=str(self.ca_file))


@contextmanager
def file_server(folder: Path, respond: Respond, *, name: str = HOST) -> Iterator[FileServer]:
    """Serve with a certificate for ``name``."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            found.asked.append({key.lower(): value for key, value in self.headers.items()})
            respond(self)

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """Clients that go away in the middle are the point of some tests."""

    file = _certificate(folder / "both.pem", name)
    with Server(("127.0.0.1", 0), Handler) as listening:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        listening.socket = context.wrap_socket(listening.socket, server_side=True)
        found = FileServer(listening.server_port, file)
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield found
        finally:
            listening.shutdown()
            thread.join()


def answer(status: int, body: bytes = b"", **headers: str) -> Respond:
    """Always the same answer; header names are given with ``_`` for ``-``."""

    def respond(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        for name, value in {"Content_Length": str(len(body)), **headers}.items():
            request.send_header(name.replace("_", "-"), value)
        request.end_headers()
        request.wfile.write(body)

    return respond


def _certificate(file: Path, name: str) -> Path:
    """A key and a self-signed certificate of one host name."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return file
