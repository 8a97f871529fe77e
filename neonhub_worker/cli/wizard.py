"""What has a person to do and to say before a connection works? Step by step, with the platform's own words."""

from __future__ import annotations

import contextlib
import getpass
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, get_args

from pydantic import BaseModel, SecretStr, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from connectors.kit import clock
from connectors.kit.connector import Connector
from connectors.kit.grants import ClientCredentials
from connectors.kit.oauth import OAuthCredential, plain
from neonhub_worker.cli import authorizing
from neonhub_worker.cli.authorizing import Consent, NotAgreed
from neonhub_worker.cli.inputs import json_object
from neonhub_worker.cli.output import note
from neonhub_worker.errors import InvalidInput
from neonhub_worker.requests import field_errors

_TOKENS = ("access_token", "refresh_token", "expires_at", "refresh_expires_at", "scopes")


def walk(
    connector: Connector,
    *,
    known: Mapping[str, Any],
    settings: Mapping[str, Any],
    redirect_uri: str | None,
    port: int | None,
    browser: bool,
    timeout_s: float,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Walk a person through a platform's developer console to a credential and settings.

    Args:
        known: The credential that is stored already; Enter keeps what it holds.
        settings: The settings that are stored or were given already.
        redirect_uri: Where the platform sends people back to, if not to this machine.
        port: Where to listen on this machine; None takes the one that was registered, or a free one.

    Raises:
        InvalidInput: What was said does not fit together.
        NotAgreed: Nobody agreed in the browser, or the platform granted no token.
    """
    oauth = connector.oauth
    if oauth is None or oauth.authorize_url is None:
        _show(connector, redirect_uri=None)
        return _answers(connector, known), _settings(connector, settings)
    if redirect_uri is None and not oauth.loopback:
        prompt = f"Address that {connector.title} may send people back to, as you register it there (https://...): "
        redirect_uri = _typed(prompt, secret=False)
    if port is None:
        port = authorizing.REGISTERED_PORT if any("{redirect_uri}" in step for step in connector.console) else 0
    with Consent(connector, oauth, redirect_uri=redirect_uri, port=port) as consent:
        _show(connector, redirect_uri=consent.redirect_uri)
        answers = _answers(connector, known)
        asked = _settings(connector, settings)
        credential = _checked(connector.credential, answers)
        assert isinstance(credential, OAuthCredential)
        if not oauth.renews(credential) and oauth.is_over(credential, clock.now()):
            answers = plain(consent.obtain(credential, browser=browser, timeout_s=timeout_s))
    return answers, asked


def _show(connector: Connector, *, redirect_uri: str | None) -> None:
    if connector.console:
        note(f"\n{connector.title}, step by step:\n")
    for number, step in enumerate(connector.console, start=1):
        note(f"  {number}. {step.replace('{redirect_uri}', redirect_uri or '(none)')}")
    note("")


def _answers(connector: Connector, known: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of the credential; tokens that the platform will give are not asked for."""
    kind, oauth = connector.credential, connector.oauth
    given: set[str] = set()
    if oauth is not None:
        given = {*_TOKENS} - ({"access_token"} if _may_be_brought(connector) else set())
    return _ask_all(kind, {name: value for name, value in known.items() if name not in _TOKENS}, leave_out=given)


def _may_be_brought(connector: Connector) -> bool:
    """Whether a person may have a token already: nobody is asked in a browser, or the platform describes it itself."""
    if connector.oauth is None or isinstance(connector.oauth, ClientCredentials):
        return False
    field = connector.credential.model_fields.get("access_token")
    described = field is not None and field.description != OAuthCredential.model_fields["access_token"].description
    return described or connector.oauth.authorize_url is None


def _settings(connector: Connector, known: Mapping[str, Any]) -> dict[str, Any]:
    answers = _ask_all(connector.settings, known, leave_out=set())
    _checked(connector.settings, answers)
    return answers


def _ask_all(model: type[BaseModel], known: Mapping[str, Any], *, leave_out: set[str]) -> dict[str, Any]:
    answers: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        if name in leave_out:
            continue
        value = _ask(name, field, known.get(name))
        if value is not None:
            answers[name] = value
    return answers


def _ask(name: str, field: FieldInfo, known: Any) -> Any:
    """One field, asked until the answer fits; None if it is left out."""
    kinds = _kinds(field.annotation)
    nested = any(isinstance(kind, type) and issubclass(kind, BaseModel) for kind in kinds)
    secret = SecretStr in kinds
    if field.description:
        note(f"{name}: {field.description}")
    prompt = f"  {name}{_hint(field, known, nested=nested, secret=secret)}: "
    while True:
        text = _typed(prompt, secret=secret)
        if not text and (known is not None or not field.is_required()):
            return known
        try:
            return _fitting(field, _read_file(text, name) if nested else text)
        except ValidationError as error:
            note(f"  {'; '.join(found['msg'] for found in error.errors(include_input=False, include_url=False))}")
        except (InvalidInput, OSError) as error:
            note(f"  {error.strerror if isinstance(error, OSError) else error}")


def _hint(field: FieldInfo, known: Any, *, nested: bool, secret: bool) -> str:
    said = ["path of its JSON file"] if nested else ["not shown"] if secret else []
    if known is not None:
        said.append("Enter keeps what is stored" if secret or nested else f"Enter: {known}")
    elif not field.is_required():
        said.append("Enter leaves it out")
    return f" ({', '.join(said)})" if said else ""


def _fitting(field: FieldInfo, value: Any) -> Any:
    """What is stored for an answer: lists and objects are typed as JSON."""
    kind: Any = Annotated[(field.annotation, *field.metadata, None)]
    if isinstance(value, str) and value[:1] in ("[", "{"):
        with contextlib.suppress(ValueError):
            value = json.loads(value)
    TypeAdapter(kind).validate_python(value)
    return value


def _kinds(annotation: Any) -> list[Any]:
    """The types that a field may have, without what stands around them."""
    parts = get_args(annotation)
    if hasattr(annotation, "__metadata__"):
        return _kinds(parts[0])
    return [kind for part in parts for kind in _kinds(part)] if parts else [annotation]


def _typed(prompt: str, *, secret: bool) -> str:
    if secret:
        return getpass.getpass(prompt, stream=sys.stderr).strip()
    print(prompt, end="", file=sys.stderr, flush=True)
    line = sys.stdin.readline()
    if not line:
        raise NotAgreed("the input ended before all was said; nothing was stored")
    return line.strip()


def _read_file(text: str, name: str) -> dict[str, Any]:
    return json_object(Path(text).expanduser().read_text(encoding="utf-8"), name)


def _checked(model: type[BaseModel], answers: Mapping[str, Any]) -> BaseModel:
    try:
        return model.model_validate(answers)
    except ValidationError as error:
        raise InvalidInput(field_errors(error)) from None
