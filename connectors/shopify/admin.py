"""How is Shopify's GraphQL Admin API called? At the shop's own host, with a token that lives for an hour or a day."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from connectors.kit.action import Limit
from connectors.kit.errors import AuthExpired, GrantDead, InvalidRequest, Permission, Unavailable
from connectors.kit.grants import ClientCredentials
from connectors.kit.oauth import OAuth, OAuthCredential, granted, token_answer
from connectors.shopify.answers import Answer
from connectors.shopify.documents import DOCUMENTS

if TYPE_CHECKING:
    import requests

    from connectors.kit.call import Call
    from connectors.kit.http import Http

API_VERSION = "2026-10"
"""Stable for twelve months from its first of October 2026; Shopify then serves another version in its place."""

STORAGE_HOST = "storage.googleapis.com"
HOSTS = ("*.myshopify.com", "shopify-staged-uploads.storage.googleapis.com", STORAGE_HOST)

PACE = (Limit(count=10, per_s=1.0),)
"""A mutation costs 10 points, and the smallest plan restores 100 points a second."""

LIMITS = ("cost points per app and shop; the smallest plan restores 100 a second, a mutation costs 10 and more",)

_MOST_PAGES = 20

Shop = Annotated[str, StringConstraints(to_lower=True, pattern=r"^[A-Za-z0-9][A-Za-z0-9-]{0,60}\.myshopify\.com$")]


class ShopifyCredential(OAuthCredential):
    """An app's identity and its token of one shop.

    Attributes:
        shop: The shop's own host. It belongs to the secret: a token works at no other shop, and must not be sent there.
    """

    shop: Shop = Field(description="Host of the shop, such as spring-shoes.myshopify.com.")


class ShopifySettings(BaseModel):
    """Nothing: the credential names the shop."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


C = TypeVar("C", bound=OAuthCredential)


@dataclass(frozen=True, kw_only=True)
class ShopifyOAuth(ClientCredentials):
    """Shopify's tokens: asked for in JSON at the shop's own host.

    An app of the shop's own organization needs no person: its id and secret bring a token (client credentials). Any
    other app has a refresh token, which is replaced at each use; the one before it works until the app first uses its
    successor, so a lost answer can be asked for again.
    """

    def exchange(self, http: Http, credential: C, *, code: str, redirect_uri: str, verifier: str) -> C:
        """Turn the code of a consent into tokens that expire and can be renewed.

        Raises:
            ConnectorError: It did not work; the class says why.
        """
        return self._ask(http, credential, {"code": code, "expiring": "1"})

    def refresh(self, http: Http, credential: C) -> C:
        """Fetch a new access token, by the refresh token or else by the app's own identity.

        Raises:
            GrantDead: There is neither a refresh token nor a secret, or the grant is gone.
            ConnectorError: It did not work this time.
        """
        if credential.refresh_token is not None:
            return OAuth.refresh(self, http, credential)
        if credential.client_secret is None:
            raise GrantDead("the connection has neither a refresh token nor the app's secret; add one of them")
        return self._ask(http, credential, {"grant_type": "client_credentials"})

    def renews(self, credential: OAuthCredential) -> bool:
        """Whether there is a refresh token or a secret to ask with."""
        return credential.refresh_token is not None or super().renews(credential)

    def missing(self, credential: OAuthCredential) -> tuple[str, ...]:
        """As usual; whoever may write may read, and Shopify then names the writing only."""
        granted_too = {scope.replace("write_", "read_", 1) for scope in credential.scopes}
        return tuple(scope for scope in super().missing(credential) if scope not in granted_too)

    def _ask(self, http: Http, credential: C, form: Mapping[str, str]) -> C:
        if not isinstance(credential, ShopifyCredential):
            raise TypeError(f"shopify was called with a {type(credential).__name__}")
        secret = credential.client_secret.get_secret_value() if credential.client_secret is not None else ""
        asked = {"client_id": credential.client_id, "client_secret": secret, **form}
        # A renewal changes nothing that our users see: repeating it is not an effect.
        answer = http.request(
            "POST",
            f"https://{credential.shop}/admin/oauth/access_token",
            effect=False,
            data=_json(asked),
            headers=_JSON,
        )
        return granted(credential, token_answer(answer, self.errors))


_JSON = {"Content-Type": "application/json; charset=utf-8"}

OAUTH = ShopifyOAuth(
    token_url="https://{shop}.myshopify.com/admin/oauth/access_token",  # noqa: S106 (an address)
    scopes=(
        "read_products",
        "write_products",
        "read_inventory",
        "write_inventory",
        "read_discounts",
        "write_discounts",
        "read_orders",
        "read_locations",
        "read_publications",
        "write_publications",
    ),
    pkce=False,
    errors={
        "application_cannot_be_found": Permission,
        "shop_not_permitted": Permission,
        "app_not_installed": Permission,
    },
)


def ask(call: Call, operation: str, field: str, **variables: Any) -> Any:
    """What a query's only field holds; variables that are None are left out.

    Raises:
        ConnectorError: Shopify did not answer it.
    """
    return Answer(_post(call, operation, variables, effect=False), operation, effect=False).value(field)


def change(call: Call, operation: str, field: str, **variables: Any) -> dict[str, Any]:
    """Do a mutation; variables that are None are left out.

    Args:
        operation: Name of its document.
        field: Its only field.

    Returns:
        That field's payload, which holds no user errors.

    Raises:
        ConnectorError: Shopify did not do it, or perhaps did.
    """
    return Answer(_post(call, operation, variables, effect=True), operation, effect=True).payload(field)


def prepare(call: Call, operation: str, field: str, **variables: Any) -> dict[str, Any]:
    """Do a mutation that changes nothing that anybody sees, such as making room for a file; as ``change``."""
    return Answer(_post(call, operation, variables, effect=False), operation, effect=False).payload(field)


def page(call: Call, operation: str, field: str, *, first: int, **variables: Any) -> dict[str, Any]:
    """One page of a list. A page that costs more than Shopify allows for one document is asked for in half the size.

    Raises:
        ConnectorError: Shopify did not answer with a list.
    """
    while True:
        try:
            found = ask(call, operation, field, first=first, **variables)
        except InvalidRequest as refused:
            if refused.code != "MAX_COST_EXCEEDED" or first == 1:
                raise
            first = first // 2
            continue
        if isinstance(found, dict) and isinstance(found.get("nodes"), list):
            return found
        raise Unavailable(f"{operation}: Shopify answered without a list")


def listed(call: Call, operation: str, field: str, **variables: Any) -> Iterator[dict[str, Any]]:
    """The items of all pages of a list.

    Raises:
        Unavailable: There are more pages than may be read.
        ConnectorError: Shopify did not answer with a list.
    """
    after: str | None = None
    for _ in range(_MOST_PAGES):
        found = page(call, operation, field, first=100, after=after, **variables)
        yield from found["nodes"]
        after = next_cursor(found)
        if after is None:
            return
    raise Unavailable(f"{operation} has more than {_MOST_PAGES} pages; the answer may be on a later one")


def next_cursor(found: Mapping[str, Any]) -> str | None:
    """Where a list goes on; None at its end."""
    info = found.get("pageInfo")
    if not isinstance(info, dict) or not info.get("hasNextPage"):
        return None
    cursor = info.get("endCursor")
    return cursor if isinstance(cursor, str) else None


def served_version(call: Call) -> tuple[dict[str, Any], str | None]:
    """The shop, and the version that Shopify answered in: another one than asked for once ours is gone."""
    response = _post(call, "ShopInfo", {}, effect=False)
    return Answer(response, "ShopInfo", effect=False).payload("shop"), response.headers.get("X-Shopify-API-Version")


def _post(call: Call, operation: str, variables: Mapping[str, Any], *, effect: bool) -> requests.Response:
    credential = call.credential_as(ShopifyCredential)
    if credential.access_token is None:
        raise AuthExpired("the connection has no access token; `neonhub connections refresh` fetches one")
    given = {name: value for name, value in variables.items() if value is not None}
    body = {"query": DOCUMENTS[operation], "variables": given, "operationName": operation}
    url = f"https://{credential.shop}/admin/api/{call.connector.api_version}/graphql.json"
    headers = {**_JSON, "X-Shopify-Access-Token": credential.access_token.get_secret_value()}
    return call.http.request("POST", url, effect=effect, data=_json(body), headers=headers)


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()
