"""``neonhub connections add`` in a terminal: the console's steps, the questions, the browser and its way back."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import re
import select
import shlex
import sqlite3
import subprocess
import sys
import threading
import webbrowser
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from connectors.dialects.google_oauth import HOST, GoogleCredential, GoogleOAuth
from connectors.kit.connector import Connector
from connectors.slack.platform import SlackSettings
from neonhub_worker import get_run
from neonhub_worker.cli.authorizing import Consent, NotAgreed
from neonhub_worker.performing import batch
from neonhub_worker.vault import connections
from tests.integration.cli import COMMAND, ROOT, Neonhub
from tests.integration.rotating import messages, rotating_slack
from tests.integration.sandboxes import Sandbox
from tests.servers import free_port

SCOPE = "https://www.googleapis.com/auth/webmasters"
_LONGEST_S = 60.0


class Terminal:
    """A command in a terminal of its own, and a person before it."""

    def __init__(self, *arguments: str, **environment: str) -> None:
        self._ours, theirs = os.openpty()
        self._process = subprocess.Popen(
            [*COMMAND, *arguments],
            cwd=ROOT,
            env={**os.environ, **environment},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)
        self.said = ""
        self._read = 0

    def until(self, pattern: str) -> re.Match[str]:
        """Read on until it has said something new that fits."""
        while (found := re.search(pattern, self.said[self._read :])) is None:
            assert self._read_on(), f"it ended without {pattern}: {self.said}"
        self._read += found.end()
        return found

    def _read_on(self) -> bool:
        """Read what it says next; False once it has ended."""
        assert select.select([self._ours], [], [], _LONGEST_S)[0], f"it says nothing more: {self.said}"
        try:
            part = os.read(self._ours, 4096)
        except OSError:
            part = b""
        self.said += part.decode().replace("\r\n", "\n")
        return part != b""

    def type(self, text: str) -> None:
        os.write(self._ours, f"{text}\n".encode())

    def answer(self, question: str, text: str) -> None:
        self.until(re.escape(question) + r"[^\n]*: $")
        self.type(text)

    def end(self) -> int:
        """Read the rest; its exit code."""
        while self._read_on():
            pass
        return self._process.wait(_LONGEST_S)

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._ours)


@contextlib.contextmanager
def terminal(*arguments: str, **environment: str) -> Iterator[Terminal]:
    found = Terminal(*arguments, **environment)
    try:
        yield found
    finally:
        found.close()


@pytest.fixture
def app(sandbox: Sandbox) -> dict[str, str]:
    """The app that a person made in Slack's console."""
    oauth = requests.get(f"{sandbox.url}/_sandbox/accounts", timeout=10).json()["slack"]["oauth"]
    return {name: oauth[name] for name in ("client_id", "client_secret")}


@pytest.fixture
def fake_browser(tmp_path: Path) -> dict[str, str]:
    """Opens what it is told to and follows where that leads."""
    script = tmp_path / "browser.py"
    script.write_text("import sys, urllib.request\nurllib.request.urlopen(sys.argv[1], timeout=10).read()\n")
    return {"BROWSER": f"{shlex.quote(sys.executable)} {shlex.quote(str(script))} %s"}


def test_a_person_is_walked_to_a_connection_and_pastes_where_the_browser_got_to(
    sandbox: Sandbox, app: dict[str, str], neonhub: Neonhub
) -> None:
    with terminal("connections", "add", "slack", "--org", "acme", "--name", "new", "--no-browser") as shell:
        shell.answer("Address that Slack may send people back to", "https://acme.example/back")
        shell.until(r"1\. Open https://api\.slack\.com/apps")
        shell.until(r"add https://acme\.example/back to the redirect URLs")
        shell.answer("client_id", app["client_id"])
        shell.answer("client_secret", app["client_secret"])
        shell.answer("access_token", "")
        shell.answer("signing_secret", "")
        address = shell.until(r"http://\S+/slack\.com/oauth/v2/authorize\S+").group()
        back = requests.get(address, allow_redirects=False, timeout=10).headers["Location"]
        shell.until("paste it here:")
        shell.type(back)
        assert shell.end() == 0, shell.said
        assert app["client_secret"] not in shell.said
    assert "Slack workspace Sandbox" in neonhub("connections", "test", "new", "--org", "acme").words
    (listed,) = (one for one in neonhub("connections", "list", "--org", "acme", "--json").json if one["name"] == "new")
    assert listed["renewed"] is True
    assert listed["expires_at"] is not None
    assert listed["missing_scopes"] == []


def test_the_way_back_is_caught_on_this_machine(
    sandbox: Sandbox, app: dict[str, str], neonhub: Neonhub, fake_browser: dict[str, str]
) -> None:
    here = ("--redirect-uri", f"http://127.0.0.1:{free_port()}/back")
    with terminal("connections", "add", "slack", "--org", "acme", "--name", "new", *here, **fake_browser) as shell:
        shell.answer("client_id", app["client_id"])
        shell.answer("client_secret", app["client_secret"])
        shell.answer("access_token", "")
        shell.answer("signing_secret", "")
        assert shell.end() == 0, shell.said
    assert connections.open_connection(connections.get_by_name("acme", "new").id).credential["refresh_token"]


def test_a_token_that_a_person_has_already_needs_no_browser(sandbox: Sandbox, neonhub: Neonhub) -> None:
    account = requests.get(f"{sandbox.url}/_sandbox/accounts", timeout=10).json()["instagram"]
    with terminal("connections", "add", "instagram", "--org", "acme", "--name", "new") as shell:
        shell.until(r"API setup with Instagram login")
        shell.answer("client_id", "")
        shell.answer("client_secret", "")
        shell.answer("access_token", account["credential"]["access_token"])
        shell.answer("app_secret", account["credential"]["app_secret"])
        shell.answer("ig_user_id", "not a number")
        shell.until("should match pattern")
        shell.answer("ig_user_id", account["settings"]["ig_user_id"])
        shell.answer("login", "")
        shell.answer("page_id", "")
        assert shell.end() == 0, shell.said
        assert account["credential"]["access_token"] not in shell.said
    assert "Instagram account" in neonhub("connections", "test", "new", "--org", "acme").words
    (listed,) = (one for one in neonhub("connections", "list", "--org", "acme", "--json").json if one["name"] == "new")
    assert listed["ends_at"] is not None, "it was taken for new"


def test_a_dead_grant_is_agreed_to_again_and_its_runs_go_on(
    sandbox: Sandbox, app: dict[str, str], fake_browser: dict[str, str]
) -> None:
    slack = rotating_slack(sandbox)
    slack.store(refresh_token="xoxe-1-gone")
    run_ids = messages(2)
    batch.perform(run_ids)
    assert slack.stored().state == "reauthorize"
    here = ("--redirect-uri", f"http://127.0.0.1:{free_port()}/")
    with terminal("connections", "add", "slack", "--org", "acme", *here, **fake_browser) as shell:
        shell.answer("client_id", "")
        shell.answer("client_secret", "")
        shell.answer("access_token", "")
        shell.answer("signing_secret", "")
        assert shell.end() == 0, shell.said
    assert slack.stored().state == "active"
    batch.perform(run_ids)
    assert {str(get_run(run_id).state) for run_id in run_ids} == {"succeeded"}


def test_nothing_is_stored_without_a_consent(sandbox: Sandbox, app: dict[str, str]) -> None:
    said = {
        "https://acme.example/back?code=1&state=other": "not of this consent",
        "": "not of this consent",
    }
    for pasted, says in said.items():
        arguments = ("connections", "add", "slack", "--org", "acme", "--name", "new", "--no-browser")
        with terminal(*arguments, "--redirect-uri", "https://acme.example/back") as shell:
            shell.answer("client_id", app["client_id"])
            shell.answer("client_secret", app["client_secret"])
            shell.answer("access_token", "")
            shell.answer("signing_secret", "")
            shell.until("paste it here:")
            shell.type(pasted)
            assert shell.end() == 1
            assert says in shell.said
        assert connections.find("acme", "new") is None


# The way back, by itself


@pytest.fixture
def google() -> Connector:
    """A connector that has Google's tokens."""
    oauth = GoogleOAuth(scopes=(SCOPE,))
    return Connector(
        "g", "G", hosts=(HOST,), credential=GoogleCredential, settings=SlackSettings, api_version="1", oauth=oauth
    )


@pytest.fixture
def person(sandbox: Sandbox, sandbox_folder: Path) -> GoogleCredential:
    """The sandbox's app, which nobody has agreed to yet."""
    (state,) = sandbox_folder.rglob("sandbox.sqlite3")
    with contextlib.closing(sqlite3.connect(f"file:{state}?mode=ro", uri=True)) as db:
        client_id, secret = db.execute("select id, secret from google_client").fetchone()
    return GoogleCredential.model_validate({"client_id": client_id, "client_secret": secret})


class Browser:
    """Opens what it is told to, or something else first, while the command waits."""

    def __init__(self, *first: str) -> None:
        self._first = first
        self.answers: list[requests.Response] = []
        self._thread: threading.Thread | None = None

    def open(self, address: str) -> bool:
        self._thread = threading.Thread(target=self._browse, args=([*self._first, address],))
        self._thread.start()
        return True

    def _browse(self, addresses: list[str]) -> None:
        self.answers += [requests.get(address, timeout=10) for address in addresses]

    def join(self) -> None:
        if self._thread is not None:
            self._thread.join()


def agree(
    google: Connector, person: GoogleCredential, browser: Browser, patch: pytest.MonkeyPatch, **more: float
) -> Any:
    """Ask for a consent that the browser is opened for."""
    patch.setattr(webbrowser, "open", browser.open)
    assert google.oauth is not None
    try:
        with Consent(google, google.oauth) as consent:
            browser._first = tuple(one.replace("HERE/", consent.redirect_uri) for one in browser._first)
            return consent.obtain(person, browser=True, timeout_s=20)
    finally:
        browser.join()


def test_a_consent_at_googles_brings_tokens(
    google: Connector, person: GoogleCredential, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = Browser()
    found = agree(google, person, browser, monkeypatch)
    assert found.refresh_token is not None
    assert found.scopes == (SCOPE,)
    (page,) = browser.answers
    assert (page.status_code, "You can close this window" in page.text) == (200, True)
    assert page.headers["Cache-Control"] == "no-store"


def test_whoever_else_calls_is_turned_away_and_the_wait_goes_on(
    google: Connector, person: GoogleCredential, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = Browser(
        "HERE/favicon.ico", "HERE/?code=stolen&state=wrong", "HERE/?code=stolen", "HERE/?state=%C3%BC&code=1"
    )
    found = agree(google, person, browser, monkeypatch)
    assert found.refresh_token is not None
    assert [page.status_code for page in browser.answers] == [400, 400, 400, 400, 200]


def test_a_platform_may_call_its_code_otherwise(
    google: Connector, person: GoogleCredential, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert google.oauth is not None
    google.oauth = dataclasses.replace(google.oauth, code_name="auth_code")
    browser = Browser()
    with pytest.raises(NotAgreed, match=r"did not let the app in \(no_code\)"), monkeypatch.context() as patch:
        agree(google, person, browser, patch)
    assert "Not agreed" in browser.answers[0].text


def test_a_person_who_does_not_agree_is_told_so(
    google: Connector, person: GoogleCredential, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert google.oauth is not None
    google.oauth = dataclasses.replace(google.oauth, authorize_params={"login_hint": "nobody@example.com"})
    browser = Browser()
    with pytest.raises(NotAgreed, match=r"did not let the app in \(access_denied\); nothing was stored"):
        agree(google, person, browser, monkeypatch)
    assert "Not agreed" in browser.answers[0].text


def test_a_wrong_secret_is_found_when_the_code_is_exchanged(
    google: Connector, person: GoogleCredential, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = GoogleCredential.model_validate({"client_id": person.client_id, "client_secret": "wrong"})
    with pytest.raises(NotAgreed, match=r"Permission: the token endpoint answered 401 invalid_client"):
        agree(google, wrong, Browser(), monkeypatch)


def test_nobody_is_waited_for_for_ever(google: Connector, person: GoogleCredential) -> None:
    assert google.oauth is not None
    with Consent(google, google.oauth) as consent, pytest.raises(NotAgreed, match="nobody agreed within 0 s"):
        consent.obtain(person, browser=False, timeout_s=0.01)


def test_a_port_that_is_taken_is_named(google: Connector) -> None:
    assert google.oauth is not None
    with Consent(google, google.oauth) as first:
        port = urlsplit(first.redirect_uri).port
        assert port is not None
        with pytest.raises(NotAgreed, match=f"port {port} on 127.0.0.1 cannot be used"):
            Consent(google, google.oauth, port=port)
