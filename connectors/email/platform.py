"""Which platform is it, and what does a connection to it hold?"""

from __future__ import annotations

from connectors.dialects.google_api import Answer
from connectors.dialects.google_oauth import GoogleCredential, GoogleOAuth
from connectors.email import api
from connectors.email.api import EmailSettings
from connectors.kit.call import Call
from connectors.kit.connector import Connector

CHANNEL = "email"
"""Channel of consent."""

EMAIL = Connector(
    "email",
    "Gmail",
    hosts=api.HOSTS,
    credential=GoogleCredential,
    settings=EmailSettings,
    api_version=api.VERSION,
    oauth=GoogleOAuth(scopes=(api.COMPOSE, api.MODIFY)),
    console=(
        "Open https://console.cloud.google.com and choose or create a project.",
        "Under APIs & Services, enable the Gmail API.",
        "On the OAuth consent screen, add the scopes gmail.compose and gmail.modify.",
        "Publish the app: the refresh tokens of an app in testing end after 7 days.",
        "Under Credentials, create an OAuth client of type Web application with the redirect URI {redirect_uri}.",
        "Give its client id and secret to `neonhub connections add`, and agree as the owner of the mailbox.",
    ),
)


class _Profile(Answer):
    email_address: str
    messages_total: int = 0


@EMAIL.check
def check_mailbox(call: Call) -> str:
    """Ask Gmail whose mailbox it is."""
    found = api.gmail(call).get(_Profile, "users.getProfile", "profile")
    return f"Gmail mailbox {found.email_address}, {found.messages_total} messages"
