"""Which platform is it, and what does a connection to it hold?"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from connectors.kit.action import Input, Output
from connectors.kit.call import Call
from connectors.kit.connector import Connector
from connectors.kit.errors import InvalidRequest, Unavailable
from connectors.kit.oauth import OAuth, OAuthCredential
from connectors.linkedin import web

AuthorUrn = Annotated[str, StringConstraints(pattern=r"^urn:li:(person|organization):[A-Za-z0-9_-]+$")]
PostUrn = Annotated[str, StringConstraints(pattern=r"^urn:li:(share|ugcPost):[0-9]+$")]
Digits = Annotated[str, StringConstraints(pattern=r"^[0-9]+$", max_length=20)]

AUTHOR = Field(default=None, description="Who posts: urn:li:organization:... or urn:li:person:...; the connection's.")
AD_ACCOUNT = Field(default=None, description="Number of the ad account; the connection's if left out.")


class LinkedInSettings(BaseModel):
    """For whom the token speaks."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    author: AuthorUrn | None = Field(
        default=None, description="Who posts when the input names nobody: the URN of a Page or of the member."
    )
    ad_account_id: Digits | None = Field(default=None, description="Ad account used when the input names none.")


LINKEDIN = Connector(
    "linkedin",
    "LinkedIn",
    hosts=web.HOSTS,
    credential=OAuthCredential,
    settings=LinkedInSettings,
    api_version=web.VERSION,
    api_sunset=web.SUNSET,
    oauth=OAuth(
        authorize_url="https://www.linkedin.com/oauth/v2/authorization",
        token_url="https://www.linkedin.com/oauth/v2/accessToken",  # noqa: S106 (an address)
        scopes=(
            "openid",
            "profile",
            "w_member_social",
            "w_organization_social",
            "r_organization_social",
            "rw_organization_admin",
            "r_member_postAnalytics",
            "rw_ads",
            "r_ads_reporting",
        ),
        pkce=False,
    ),
    console=(
        "At https://www.linkedin.com/developers/apps create an app for your Page, and have the Page's admin verify it.",
        "Under Products ask for Community Management API and Advertising API; LinkedIn reviews both for some weeks.",
        "Share on LinkedIn and Sign In with LinkedIn are granted at once, and are enough to post as a member.",
        "Under Auth enter {redirect_uri} as an authorized redirect URL, and copy the client id and secret.",
        "Refresh tokens come with programmatic access; without them a person has to agree again every 60 days.",
    ),
)


def author_of(call: Call, given: str | None) -> str:
    """Who posts.

    Raises:
        InvalidRequest: Neither the input nor the connection says.
    """
    found = given or call.settings_as(LinkedInSettings).author
    if found is None:
        raise InvalidRequest("author: nobody to post for. Give author in the input or the connection's settings")
    return found


def ad_account_of(call: Call, given: str | None) -> str:
    """The number of the ad account.

    Raises:
        InvalidRequest: Neither the input nor the connection says.
    """
    found = given or call.settings_as(LinkedInSettings).ad_account_id
    if found is None:
        raise InvalidRequest("ad_account_id: no ad account. Give it in the input or the connection's settings")
    return found


class CheckCredentials(Input):
    """Nothing is needed."""


class Identity(Output):
    """Whose token it is."""

    person_urn: str = Field(description="The member who agreed, urn:li:person:...")
    name: str | None


@LINKEDIN.read("checkCredentials", CheckCredentials, Identity, scopes=("openid", "profile"))
def check_credentials(call: Call, data: CheckCredentials) -> Identity:
    """Tell which member's token the connection holds."""
    answer = call.http.get(f"https://{web.API_HOST}/v2/userinfo", headers=web.bearer(call))
    if answer.status_code != 200:
        raise web.error(call, answer, effect=False)
    try:
        found = answer.json()
    except ValueError:
        found = None
    if not isinstance(found, dict) or not isinstance(found.get("sub"), str):
        raise Unavailable("LinkedIn's answer does not tell whose token it is", http_status=answer.status_code)
    name = found.get("name")
    return Identity(person_urn=f"urn:li:person:{found['sub']}", name=name if isinstance(name, str) else None)


@LINKEDIN.check
def check_token(call: Call) -> str:
    """Ask LinkedIn whose token it is."""
    found = check_credentials(call, CheckCredentials())
    return f"LinkedIn member {found.name or found.person_urn}"
