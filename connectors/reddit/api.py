"""How is Reddit called? Two APIs on hosts of their own, one token, and a user agent that says who we are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import Field

from connectors.kit.oauth import OAuth, OAuthCredential, granted, token_answer

if TYPE_CHECKING:
    import requests

    from connectors.kit.call import Call
    from connectors.kit.http import Http

ADS_HOST, DATA_HOST, TOKEN_HOST = "ads-api.reddit.com", "oauth.reddit.com", "www.reddit.com"
MEDIA_HOSTS = (
    "reddit-uploaded-media.s3-accelerate.amazonaws.com",
    "reddit-uploaded-video.s3-accelerate.amazonaws.com",
)
HOSTS = (ADS_HOST, DATA_HOST, TOKEN_HOST, *MEDIA_HOSTS)
VERSION = "3"
"""Of the Ads API; no end of it is announced. The Data API has no versions."""


class RedditCredential(OAuthCredential):
    """An app's identity, the account that agreed to it, and its tokens."""

    username: str = Field(
        pattern=r"^[A-Za-z0-9_-]{3,20}$",
        description="Name of the account, without u/; Reddit wants it in each request's user agent.",
    )


C = TypeVar("C", bound=OAuthCredential)


@dataclass(frozen=True, kw_only=True)
class RedditOAuth(OAuth):
    """Reddit's OAuth2: the app proves itself in the header, and names itself as in every request."""

    basic: bool = True
    pkce: bool = False

    def _ask(self, http: Http, credential: C, form: Mapping[str, str]) -> C:
        secret = "" if credential.client_secret is None else credential.client_secret.get_secret_value()
        proof, agent = (credential.client_id, secret), {"User-Agent": user_agent(credential)}
        answer = http.request("POST", self.token_url, effect=False, data=form, auth=proof, headers=agent)
        return granted(credential, token_answer(answer))


def user_agent(credential: OAuthCredential) -> str:
    """What Reddit asks for; it throttles libraries' own agents and bans false ones."""
    name = credential.username if isinstance(credential, RedditCredential) else "unknown"
    return f"linux:{credential.client_id}:v1 (by /u/{name})"


def account(call: Call) -> RedditCredential:
    """Whose connection it is."""
    return call.credential_as(RedditCredential)


def headers(call: Call) -> dict[str, str]:
    """What every request carries."""
    credential = account(call)
    return {**credential.bearer(), "User-Agent": user_agent(credential)}


def json_of(answer: requests.Response) -> Any:
    """The JSON of an answer; None if it has none."""
    try:
        return answer.json()
    except ValueError:
        return None


def text(value: Any) -> str | None:
    """A text of an answer; None if it is none."""
    return value if isinstance(value, str) else None


def number(value: Any) -> int | None:
    """A whole number of an answer; None if it is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None
