"""Which platform is it, and what does a connection to it hold?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from connectors.kit.connector import Connector
from connectors.kit.errors import GrantDead, InvalidRequest
from connectors.kit.oauth import OAuth, OAuthCredential, granted, token_answer
from connectors.x import web

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connectors.kit.call import Call
    from connectors.kit.http import Http

XId = Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{0,18}$")]
"""X's ids: numbers of 64 bits, written as texts."""

WRITE = ("tweet.read", "tweet.write", "users.read")
READ = ("tweet.read", "users.read")
SCOPES = (*WRITE, "media.write", "dm.read", "dm.write", "offline.access")

C = TypeVar("C", bound=OAuthCredential)


@dataclass(frozen=True, kw_only=True)
class XOAuth(OAuth):
    """X's OAuth2 with PKCE. An access token lives two hours, and each refresh token works once."""

    def refresh(self, http: Http, credential: C) -> C:
        """Fetch a new pair of tokens.

        Raises:
            GrantDead: A person has to agree again: X calls a refresh token that is spent or revoked an invalid request.
            ConnectorError: It did not work this time.
        """
        try:
            return super().refresh(http, credential)
        except InvalidRequest as refused:
            if refused.code != "invalid_request":
                raise
            raise GrantDead(str(refused), code=refused.code, http_status=refused.http_status) from None

    def _ask(self, http: Http, credential: C, form: Mapping[str, str]) -> C:
        if credential.client_secret is not None:
            return super()._ask(http, credential, form)
        # A public client has no secret to prove itself with, and names itself in the form instead.
        named = {**form, "client_id": credential.client_id}
        return granted(credential, token_answer(http.request("POST", self.token_url, effect=False, data=named)))


class XSettings(BaseModel):
    """What a connection knows of its account."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    user_id: XId | None = Field(default=None, description="Id of the account; asked for when left out.")
    premium: bool = Field(default=False, description="The account has Premium: posts of up to 25,000 characters.")


X = Connector(
    "x",
    "X (Twitter)",
    hosts=(web.HOST,),
    credential=web.XCredential,
    settings=XSettings,
    api_version="2",
    oauth=XOAuth(
        authorize_url="https://x.com/i/oauth2/authorize",
        token_url=f"https://{web.HOST}/2/oauth2/token",
        scopes=SCOPES,
        basic=True,
    ),
    console=(
        "Open https://console.x.com, make an app, and buy credits for it: X charges each call.",
        "In the app's user authentication settings choose read and write and direct messages, and a web app.",
        "Enter {redirect_uri} as the callback address; it must match to the letter.",
        "Copy the OAuth 2.0 client id and client secret.",
    ),
)


def settings_of(call: Call) -> XSettings:
    """The connection's settings."""
    return call.settings_as(XSettings)


def me(call: Call) -> dict[str, Any]:
    """The account that the token belongs to."""
    found = web.get(call, "/2/users/me", params={"user.fields": "id,name,username,public_metrics,verified_type"})
    with web.reading():
        account: dict[str, Any] = found["data"]
        return {**account, "id": str(account["id"]), "username": str(account["username"])}


def own_id(call: Call) -> str:
    """The id of the account."""
    return settings_of(call).user_id or str(me(call)["id"])


@X.check
def check_account(call: Call) -> str:
    """Ask X whose token it is."""
    found = me(call)
    return f"X account @{found['username']} ({found['id']})"
