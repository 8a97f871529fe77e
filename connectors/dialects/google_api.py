"""How is a Google JSON API called? With the connection's bearer token, typed answers, and errors classed alike."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from connectors.dialects.google_errors import Rules, error_of
from connectors.kit.oauth import OAuthCredential

if TYPE_CHECKING:
    import requests

    from connectors.kit.call import Call
    from connectors.kit.errors import ConnectorError


class Answer(BaseModel):
    """Base of what an answer must hold to be understood; fields are camelCase there, and unknown ones are ignored."""

    model_config = ConfigDict(
        frozen=True,
        alias_generator=to_camel,
        populate_by_name=True,
        hide_input_in_errors=True,
        # JSON as Python reads it has numbers that no database keeps.
        allow_inf_nan=False,
    )

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        # What people wrote is in it.
        return ((None, name) for name in sorted(self.model_fields_set))


A = TypeVar("A", bound=BaseModel)


@dataclass(frozen=True)
class GoogleApi:
    """One API on behalf of one call. Every method takes the name that Google's reference gives to what it asks.

    Args:
        base: What all its addresses begin with, such as ``https://gmail.googleapis.com/gmail/v1``.
        rules: What its reasons mean.
        headers: What each request carries besides the token.
    """

    call: Call
    base: str
    rules: Rules
    headers: Mapping[str, str] | None = None

    def get(self, kind: type[A], what: str, path: str, **params: Any) -> A:
        """Read something; parameters that are None are left out.

        Args:
            kind: What the answer must hold.
            path: Below the base, each value in it quoted by ``segment``.

        Raises:
            ConnectorError: Google did not answer with it; the class says what may be done next.
        """
        return self.understood(kind, what, self.ask("GET", path, effect=False, params=params), effect=False)

    def post(
        self, kind: type[A], what: str, path: str, body: Mapping[str, Any] | None = None, *, effect: bool, **params: Any
    ) -> A:
        """Post JSON; fields and parameters that are None are left out.

        Args:
            effect: Whether a repeat would do harm, or the request changes what people see.

        Raises:
            ConnectorError: Google did not answer that it is done; the class says what may be done next.
        """
        return self.understood(kind, what, self.ask("POST", path, body, effect=effect, params=params), effect=effect)

    def put(
        self, kind: type[A], what: str, path: str, body: Mapping[str, Any] | None = None, *, effect: bool, **params: Any
    ) -> A:
        """Put JSON; otherwise as ``post``."""
        return self.understood(kind, what, self.ask("PUT", path, body, effect=effect, params=params), effect=effect)

    def change(self, method: str, what: str, path: str, **params: Any) -> None:
        """Make a change that is answered with nothing, such as a DELETE.

        Raises:
            ConnectorError: Google did not answer that it is done; the class says what may be done next.
        """
        answer = self.ask(method, path, effect=True, params=params)
        if answer.status_code not in (200, 204):
            raise self.error(what, answer, effect=True)

    def ask(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        effect: bool,
        params: Mapping[str, Any] | None = None,
    ) -> requests.Response:
        """Make one request, and return its answer of whatever status.

        Raises:
            ConnectorError: There was no answer.
        """
        content = None if body is None else json.dumps(_given(body), ensure_ascii=False).encode()
        kind = {} if body is None else {"Content-Type": "application/json; charset=utf-8"}
        return self.call.http.request(
            method,
            f"{self.base}/{path}",
            effect=effect,
            params={name: _text(value) for name, value in _given(params or {}).items()},
            data=content,
            headers={**self.authorization(), **kind},
        )

    def authorization(self) -> dict[str, str]:
        """The headers of every request.

        Raises:
            AuthExpired: The connection has no access token.
        """
        return {**self.call.credential_as(OAuthCredential).bearer(), **(self.headers or {})}

    def understood(self, kind: type[A], what: str, answer: requests.Response, *, effect: bool) -> A:
        """An answer as what it must be.

        Raises:
            ConnectorError: It is no success, or not to be understood.
        """
        if answer.status_code == 200:
            try:
                return kind.model_validate(json.loads(answer.content))
            except (ValueError, RecursionError):
                # What was asked for may be done: the answer does not say.
                raise self.error(what, answer, effect=effect) from None
        raise self.error(what, answer, effect=effect)

    def error(self, what: str, answer: requests.Response, *, effect: bool) -> ConnectorError:
        """Class an answer that is not what was asked for."""
        return error_of(answer, what, self.rules, effect=effect)


def segment(value: str) -> str:
    """A value as one segment of a path: a slash in it is part of the value."""
    return quote(value, safe="")


def _given(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _text(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value
