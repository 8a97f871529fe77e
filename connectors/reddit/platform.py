"""Which platform is it, and what does a connection to it hold?"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from connectors.kit.action import Input, Limit, Output
from connectors.kit.call import Call
from connectors.kit.connector import Connector
from connectors.kit.errors import InvalidRequest, Permission, Unavailable
from connectors.reddit import ads_api, api, data_api

AdAccountId = Annotated[str, StringConstraints(pattern=r"^(t2|a2)_[A-Za-z0-9]{1,40}$")]
ProfileId = Annotated[str, StringConstraints(pattern=r"^t2_[A-Za-z0-9]{1,40}$")]
Subreddit = Annotated[str, StringConstraints(pattern=r"^(u_[A-Za-z0-9_-]{3,20}|[A-Za-z0-9][A-Za-z0-9_]{1,20})$")]
PostId = Annotated[str, StringConstraints(pattern=r"^t3_[a-z0-9]{1,13}$")]

AD_ACCOUNT = Field(default=None, description="Ad account, a2_... or t2_...; the connection's if left out.")
SUBREDDIT = Field(description="Name without r/, such as gardening; u_<name> is a profile.")
POST = Field(description="Full name of the post, such as t3_1abcde.")

DATA_CALLS = (Limit(100, per_s=60, of="action"),)
"""Of a client id, on average over ten minutes."""


class RedditSettings(BaseModel):
    """Which ad account and profile it is about."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    ad_account_id: AdAccountId | None = Field(
        default=None, description="Ad account used when the input names none, a2_... or t2_..."
    )
    profile_id: ProfileId | None = Field(default=None, description="Profile that ad posts belong to, t2_...")


REDDIT = Connector(
    "reddit",
    "Reddit",
    hosts=api.HOSTS,
    credential=api.RedditCredential,
    settings=RedditSettings,
    api_version=f"Ads {api.VERSION}; Data API unversioned",
    oauth=api.RedditOAuth(
        authorize_url=f"https://{api.TOKEN_HOST}/api/v1/authorize",
        token_url=f"https://{api.TOKEN_HOST}/api/v1/access_token",
        scopes=("identity", "submit", "read", "edit", "history", "flair", "adsread", "adsedit"),
        authorize_params={"duration": "permanent"},
    ),
    console=(
        "For ads: at https://ads.reddit.com open Developer Applications in the Business Manager and create an app.",
        "For posts alone: at https://www.reddit.com/prefs/apps create a web app; Reddit has to approve its use first.",
        "Enter {redirect_uri} as its redirect URI.",
        "Copy the client id, which stands below the app's name, and its secret.",
        "Sign in as the account that is to post: its name goes into each request.",
    ),
)


def ad_account_of(call: Call, given: str | None) -> str:
    """The id of the ad account.

    Raises:
        InvalidRequest: Neither the input nor the connection says.
    """
    found = given or call.settings_as(RedditSettings).ad_account_id
    if found is None:
        raise InvalidRequest("ad_account_id: no ad account. Give it in the input or the connection's settings")
    return found


class AdAccountRef(Input):
    """An ad account."""

    ad_account_id: AdAccountId | None = AD_ACCOUNT


class Done(Output):
    """It is so."""

    done: Literal[True] = True


class CheckCredentials(Input):
    """Nothing is needed."""


class Identity(Output):
    """Whose token it is."""

    name: str = Field(description="Name of the account, or the id of the ads member where the token may read no more.")


@REDDIT.read("checkCredentials", CheckCredentials, Identity, scopes=("identity",))
def check_credentials(call: Call, data: CheckCredentials) -> Identity:
    """Tell whose token the connection holds."""
    try:
        found = data_api.get_plain(call, "/api/v1/me")
        name = api.text(found.get("name")) if isinstance(found, dict) else None
    except Permission:
        # A token for ads alone may not ask there.
        name = api.text(ads_api.read(call, "/me").get("id"))
    if name is None:
        raise Unavailable("Reddit's answer does not tell whose token it is")
    return Identity(name=name)


@REDDIT.check
def check_token(call: Call) -> str:
    """Ask Reddit whose token it is."""
    return f"Reddit account {check_credentials(call, CheckCredentials()).name}"
