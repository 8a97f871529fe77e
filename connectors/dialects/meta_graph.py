"""Meta's Graph API: one version for all platforms that speak it, and how it is called."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import SecretStr, StringConstraints

from connectors.dialects.meta_graph_errors import Rules, error_of

if TYPE_CHECKING:
    import requests

    from connectors.kit.call import Call

VERSION = "v26.0"
SUNSET = date(2028, 7, 29)
"""Meta has announced no day for v26.0 yet; a version lives two years at least, so this is the earliest."""

FACEBOOK_HOST, INSTAGRAM_HOST = "graph.facebook.com", "graph.instagram.com"

_JSON = {"Content-Type": "application/json; charset=utf-8"}

NodeId = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,32}$")]
"""The id of anything in the graph: digits."""


@dataclass(frozen=True)
class Graph:
    """The Graph API on behalf of one call.

    Args:
        token: The access token.
        rules: What the platform's error codes mean.
        host: Which of Meta's hosts answers for this connection.
        app_secret: The app's secret; with it each request proves that it comes from the app's own server.
    """

    call: Call
    token: SecretStr
    rules: Rules
    host: str = FACEBOOK_HOST
    app_secret: SecretStr | None = None

    def get(self, path: str, *, needs: tuple[str, ...] = (), **params: Any) -> dict[str, Any]:
        """Read a node or an edge; parameters that are None are left out.

        Args:
            path: Below the version, such as ``{id}/media``.
            needs: What the answer must hold to be understood.

        Raises:
            ConnectorError: Meta did not answer with what was asked for; the class says what may be done next.
        """
        answer = self.call.http.get(
            self._url(path), params={**_given(params), **self._proof()}, headers=self._authorization()
        )
        return self._body(answer, path, effect=False, needs=needs)

    def post(self, path: str, body: Mapping[str, Any], *, effect: bool, needs: tuple[str, ...] = ()) -> dict[str, Any]:
        """Create something; fields that are None are left out, and without fields there is no body.

        Args:
            effect: Whether a repeat would do harm.
            needs: What the answer must hold to be understood.

        Raises:
            ConnectorError: Meta did not answer that it is done; the class says what may be done next.
        """
        answer = self.call.http.request(
            "POST",
            self._url(path),
            effect=effect,
            params=self._proof(),
            data=json.dumps(_given(body), ensure_ascii=False).encode() if body else None,
            headers={**self._authorization(), **(_JSON if body else {})},
        )
        return self._body(answer, path, effect=effect, needs=needs)

    def upload(self, path: str, content: bytes, content_type: str, *, needs: tuple[str, ...] = ()) -> dict[str, Any]:
        """Bring a form with a file.

        Raises:
            ConnectorError: Meta did not answer that it has it; the class says what may be done next.
        """
        headers = {**self._authorization(), "Content-Type": content_type}
        answer = self.call.http.request(
            "POST", self._url(path), effect=True, params=self._proof(), data=content, headers=headers
        )
        return self._body(answer, path, effect=True, needs=needs)

    def delete(self, path: str, **params: Any) -> None:
        """Delete a node, or what the parameters name on an edge.

        Raises:
            ConnectorError: Meta did not answer that it is done; the class says what may be done next.
        """
        answer = self.call.http.request(
            "DELETE",
            self._url(path),
            effect=True,
            params={**_given(params), **self._proof()},
            headers=self._authorization(),
        )
        self._body(answer, path, effect=True, needs=("success",))

    def _url(self, path: str) -> str:
        return f"https://{self.host}/{VERSION}/{path}"

    def _authorization(self) -> dict[str, str]:
        # Never in the URL, where Meta takes it too: addresses end up in logs.
        return {"Authorization": f"Bearer {self.token.get_secret_value()}"}

    def _proof(self) -> dict[str, str]:
        if self.app_secret is None:
            return {}
        secret, token = self.app_secret.get_secret_value(), self.token.get_secret_value()
        return {"appsecret_proof": hmac.new(secret.encode(), token.encode(), hashlib.sha256).hexdigest()}

    def _body(self, answer: requests.Response, path: str, *, effect: bool, needs: tuple[str, ...]) -> dict[str, Any]:
        try:
            body = answer.json()
        except (ValueError, RecursionError):
            body = None
        if answer.status_code == 200 and isinstance(body, dict) and all(name in body for name in needs):
            return body
        # An id in the path may name a person; the edge after it, or its absence, says enough.
        what = path.partition("/")[2] or "read"
        raise error_of(answer, what, self.rules, effect=effect)


def _given(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
