"""What is a person asked before a connection works? Fields one by one, each checked before the next."""

from __future__ import annotations

import getpass
import io
import json
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pydantic import BaseModel, ConfigDict, Field

from connectors.dialects.google_oauth import HOST, GoogleCredential, GoogleOAuth
from connectors.kit.connector import Connector
from connectors.kit.fields import Secret
from connectors.kit.grants import ClientCredentials
from connectors.kit.oauth import OAuth, OAuthCredential
from neonhub_worker.cli import wizard
from neonhub_worker.cli.authorizing import NotAgreed
from neonhub_worker.errors import InvalidInput

Answer = Callable[..., None]


class Keyed(BaseModel):
    """A credential without OAuth."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    user: str = Field(pattern="^[a-z]+$", description="Who it is.")
    key: Secret = Field(description="The key.")
    pages: tuple[int, ...] = Field(default=(), description="Numbers of pages.")


class Sender(BaseModel):
    """Settings."""

    model_config = ConfigDict(extra="forbid")

    sender: str | None = None


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Iterator[Answer]:
    """What a person types, and what of it is not shown."""

    def give(*lines: str, secrets: tuple[str, ...] = ()) -> None:
        hidden = iter(secrets)
        monkeypatch.setattr(sys, "stdin", io.StringIO("".join(f"{line}\n" for line in lines)))
        monkeypatch.setattr(getpass, "getpass", lambda *_, **__: next(hidden))

    yield give
    assert sys.stdin.read() == "", "all was asked for"


def connector(credential: type[BaseModel], oauth: OAuth | None = None, **more: Any) -> Connector:
    return Connector(
        "p", "P", hosts=(HOST,), credential=credential, settings=Sender, api_version="1", oauth=oauth, **more
    )


def walk(made: Connector, **known: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    wanted: dict[str, Any] = {"redirect_uri": None, "port": 0, "browser": False, "timeout_s": 0.01}
    settings = known.pop("settings", {})
    return wizard.walk(made, known=known, settings=settings, **wanted)


def test_each_field_is_asked_until_it_fits(answers: Answer, capsys: pytest.CaptureFixture[str]) -> None:
    answers("Ann!", "ann", "[1, x]", "[1, 2]", "", secrets=("two words", "hush"))
    assert walk(connector(Keyed, console=("Go there.",))) == ({"user": "ann", "key": "hush", "pages": [1, 2]}, {})
    said = capsys.readouterr().err
    assert "1. Go there." in said
    assert "user: Who it is." in said
    assert "should match pattern" in said
    assert "must be one word of printable ASCII characters" in said
    assert "hush" not in said


def test_enter_keeps_what_is_stored(answers: Answer, capsys: pytest.CaptureFixture[str]) -> None:
    answers("", "", "", secrets=("",))
    known = {"user": "ann", "key": "hush", "pages": [7]}
    assert walk(connector(Keyed), **known, settings={"sender": "me"}) == (known, {"sender": "me"})
    said = capsys.readouterr().err
    assert "user (Enter: ann):" in said
    assert "hush" not in said


def test_an_input_that_ends_is_no_answer(answers: Answer) -> None:
    answers()
    with pytest.raises(NotAgreed, match="the input ended before all was said; nothing was stored"):
        walk(connector(Keyed))


def key_file(folder: Path) -> Path:
    pem = generate_private_key(65537, 2048).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file = folder / "key.json"
    account = {"client_email": "robot@p.example", "private_key_id": "1", "private_key": pem.decode(), "type": "x"}
    file.write_text(json.dumps(account))
    return file


def test_a_service_account_is_read_from_its_file_and_needs_no_consent(answers: Answer, tmp_path: Path) -> None:
    (tmp_path / "wrong.json").write_text("{}")
    files = (str(tmp_path / "missing.json"), str(tmp_path / "wrong.json"), str(key_file(tmp_path)))
    answers("", *files, "", "", secrets=("",))
    credential, _ = walk(connector(GoogleCredential, GoogleOAuth(scopes=("s",))))
    assert credential["service_account"]["client_email"] == "robot@p.example"
    assert GoogleCredential.model_validate(credential).service_account is not None


def test_what_does_not_fit_together_is_refused(answers: Answer) -> None:
    answers("", "", "", "", secrets=("",))
    with pytest.raises(InvalidInput, match="needs client_id and client_secret, or service_account"):
        walk(connector(GoogleCredential, GoogleOAuth(scopes=("s",))))


def test_an_app_that_speaks_for_itself_is_asked_for_no_token(answers: Answer) -> None:
    answers("app", "", secrets=("hush",))
    own = ClientCredentials(token_url=f"https://{HOST}/token", scopes=())
    assert walk(connector(OAuthCredential, own)) == ({"client_id": "app", "client_secret": "hush"}, {})


def test_old_tokens_are_not_kept_when_somebody_agrees_again(answers: Answer) -> None:
    answers("", "", secrets=("",))
    oauth = OAuth(authorize_url=f"https://{HOST}/a", token_url=f"https://{HOST}/t", scopes=())
    ends_at = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    known = {"client_id": "app", "client_secret": "hush", "refresh_token": "dead", "expires_at": ends_at}
    with pytest.raises(NotAgreed, match="nobody agreed within"):
        walk(connector(OAuthCredential, oauth), **known)
