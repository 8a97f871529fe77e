"""How does a person agree? In a browser, whose way back is caught on loopback or pasted."""

from __future__ import annotations

import secrets
import sys
import threading
import webbrowser
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

from connectors.kit.connector import Connector
from connectors.kit.errors import ConnectorError
from connectors.kit.http import Http
from connectors.kit.oauth import C, OAuth
from neonhub_worker.cli.output import note
from neonhub_worker.errors import NeonhubError
from neonhub_worker.settings import settings

HOST = "127.0.0.1"
REGISTERED_PORT = 8971
"""The port of platforms that want the whole address to be registered; others take any."""

_PAGE = (
    "<!DOCTYPE html><html lang=en><meta charset=utf-8><title>NeonHub</title>"
    "<body style='font-family:sans-serif;margin:4em'><h1>{title}</h1><p>{text}</p>"
)
_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
    "Referrer-Policy": "no-referrer",
}


class NotAgreed(NeonhubError):
    """No consent came; nothing was stored."""


class Consent:
    """One consent: its secrets, and where it leads back to.

    Args:
        redirect_uri: An address that the platform knows: on loopback we listen there, elsewhere the person copies
            where the browser got to. None: any address on loopback will do.
        port: Where to listen then; 0 takes a free one.

    Raises:
        NotAgreed: The port is taken.
    """

    def __init__(self, connector: Connector, oauth: OAuth, *, redirect_uri: str | None = None, port: int = 0) -> None:
        self._connector = connector
        self._oauth = oauth
        self._state = secrets.token_urlsafe(32)
        self._verifier = secrets.token_urlsafe(64)
        if redirect_uri is not None:
            parts = urlsplit(redirect_uri)
            ours = parts.scheme == "http" and parts.hostname in (HOST, "localhost")
            self._server = _Catcher(self._state, parts.port or 80, oauth.code_name) if ours else None
            self.redirect_uri = redirect_uri
        else:
            self._server = _Catcher(self._state, port, oauth.code_name)
            self.redirect_uri = f"http://{HOST}:{self._server.port}/"

    def __enter__(self) -> Consent:
        return self

    def __exit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()

    def obtain(self, credential: C, *, browser: bool, timeout_s: float) -> C:
        """Let a person agree, and exchange what that brings.

        Args:
            credential: The app's identity.
            browser: Whether to open the address; it is shown in any case.
            timeout_s: Seconds to wait for the person.

        Raises:
            NotAgreed: Nobody agreed, or not in time, or the platform granted no token for it.
        """
        address = _address(
            self._oauth.authorize(
                credential.client_id, redirect_uri=self.redirect_uri, state=self._state, verifier=self._verifier
            )
        )
        note(f"\nOpen this address, sign in as the account's owner and agree:\n\n  {address}\n")
        if browser:
            webbrowser.open(address)
        code = self._code(timeout_s)
        http = Http(self._connector, sandbox_url=settings().sandbox_url)
        try:
            return self._oauth.exchange(
                http, credential, code=code, redirect_uri=self.redirect_uri, verifier=self._verifier
            )
        except ConnectorError as error:
            text = f"the consent brought no token ({type(error).__name__}: {error}); nothing was stored"
            raise NotAgreed(text) from None

    def _code(self, timeout_s: float) -> str:
        if self._server is not None:
            return self._code_of(self._server.wait(timeout_s))
        note("Afterwards the browser shows a page of yours, or none. Copy its whole address, and paste it here:")
        told = dict(parse_qsl(urlsplit(sys.stdin.readline().strip()).query))
        if not secrets.compare_digest(told.get("state", "").encode(), self._state.encode()):
            raise NotAgreed("the pasted address is not of this consent (its state differs); nothing was stored")
        return self._code_of(told)

    def _code_of(self, told: Mapping[str, str]) -> str:
        code = told.get(self._oauth.code_name)
        if code:
            return code
        # Only the name: its description comes from outside.
        error = told.get("error", "no_code")
        said = error if error.replace("_", "").isalnum() and len(error) <= 60 else "an_error"
        raise NotAgreed(f"the platform did not let the app in ({said}); nothing was stored")


def _address(url: str) -> str:
    """The sandbox's page, when that plays the platforms."""
    sandbox_url = settings().sandbox_url
    return url if sandbox_url is None else f"{sandbox_url.rstrip('/')}/{url.removeprefix('https://')}"


class _Catcher:
    """A page on loopback that waits for the browser to come back, and takes only what bears this consent's state."""

    def __init__(self, state: str, port: int, code_name: str) -> None:
        self._state = state
        self._code_name = code_name
        self._came = threading.Event()
        self._told: dict[str, str] = {}
        catcher = self

        class Page(BaseHTTPRequestHandler):
            timeout = 5  # browsers open connections ahead and say nothing on them

            def do_GET(self) -> None:
                told = dict(parse_qsl(urlsplit(self.path).query))
                title, text, status = catcher.page(told)
                body = _PAGE.format(title=title, text=text).encode()
                self.send_response(status)
                for name, value in {**_HEADERS, "Content-Length": str(len(body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)
                catcher.take(told)

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing: the address holds the code."""

        try:
            self._server = ThreadingHTTPServer((HOST, port), Page)
        except OSError as error:
            raise NotAgreed(
                f"port {port} on {HOST} cannot be used ({error.strerror}); choose another by --port"
            ) from None
        self._server.daemon_threads = True
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def is_mine(self, told: Mapping[str, str]) -> bool:
        """Whether a request belongs to this consent."""
        return secrets.compare_digest(told.get("state", "").encode(), self._state.encode())

    def page(self, told: Mapping[str, str]) -> tuple[str, str, int]:
        """Title, text and status of the answer to a request."""
        if not self.is_mine(told):
            return "Not this way", "This is no answer to the consent that is being waited for.", 400
        if self._code_name not in told:
            return "Not agreed", "Nothing was stored. Back to the terminal.", 200
        return "Agreed", "You can close this window. The terminal goes on.", 200

    def take(self, told: dict[str, str]) -> None:
        """The first answer to this consent ends the wait."""
        if self.is_mine(told) and not self._came.is_set():
            self._told = told
            self._came.set()

    def wait(self, timeout_s: float) -> dict[str, str]:
        """The parameters of the way back.

        Raises:
            NotAgreed: It did not come in time.
        """
        if not self._came.wait(timeout_s):
            raise NotAgreed(f"nobody agreed within {timeout_s:.0f} s; nothing was stored, try again")
        return self._told

    def close(self) -> None:
        """Listen no more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
