"""Which platform is it, and what does a connection to it hold?"""

from __future__ import annotations

from connectors.dialects.google_api import Answer
from connectors.dialects.google_oauth import GoogleCredential, GoogleOAuth
from connectors.google_search_console import api
from connectors.google_search_console.api import GoogleSearchConsoleSettings
from connectors.kit.call import Call
from connectors.kit.connector import Connector

GOOGLE_SEARCH_CONSOLE = Connector(
    "google_search_console",
    "Google Search Console",
    hosts=api.HOSTS,
    credential=GoogleCredential,
    settings=GoogleSearchConsoleSettings,
    api_version=api.VERSION,
    oauth=GoogleOAuth(scopes=(api.WRITE,)),
    console=(
        "Open https://console.cloud.google.com and choose or create a project.",
        "Under APIs & Services, enable the Google Search Console API.",
        "On the OAuth consent screen, add the scope webmasters.",
        "Publish the app: the refresh tokens of an app in testing end after 7 days.",
        "Under Credentials, create an OAuth client of type Web application with the redirect URI {redirect_uri}.",
        "Or make a service account, and add its address as a user of each property in Search Console.",
    ),
)


class _Sites(Answer):
    site_entry: tuple[dict[str, object], ...] = ()


@GOOGLE_SEARCH_CONSOLE.check
def check_sites(call: Call) -> str:
    """Ask how many properties the user may see."""
    found = api.console(call).get(_Sites, "sites.list", "sites").site_entry
    return f"Google Search Console, {len(found)} properties"
