"""Which connectors are there? One explicit list."""

from __future__ import annotations

import difflib

from connectors.discord import DISCORD
from connectors.email import EMAIL
from connectors.facebook import FACEBOOK
from connectors.google_ads import GOOGLE_ADS
from connectors.google_search_console import GOOGLE_SEARCH_CONSOLE
from connectors.instagram import INSTAGRAM
from connectors.kit.connector import AnyAction, Connector
from connectors.linkedin import LINKEDIN
from connectors.reddit import REDDIT
from connectors.shopify import SHOPIFY
from connectors.slack import SLACK
from connectors.sms import SMS
from connectors.stripe import STRIPE
from connectors.tiktok import TIKTOK
from connectors.whatsapp import WHATSAPP
from connectors.x import X
from connectors.youtube import YOUTUBE

CONNECTORS: tuple[Connector, ...] = (
    SMS,
    WHATSAPP,
    EMAIL,
    SLACK,
    DISCORD,
    INSTAGRAM,
    FACEBOOK,
    X,
    LINKEDIN,
    REDDIT,
    YOUTUBE,
    TIKTOK,
    GOOGLE_ADS,
    GOOGLE_SEARCH_CONSOLE,
    SHOPIFY,
    STRIPE,
)
"""Every connector, in the order of the catalog."""

_OF_SLUG = {found.slug: found for found in CONNECTORS}
_OF_NAME = {action.full_name: action for found in CONNECTORS for action in found.actions.values()}


class UnknownConnector(LookupError):
    """There is no connector of this slug; the text names close ones."""


class UnknownAction(LookupError):
    """There is no action of this name; the text names close ones."""


def connector(slug: str) -> Connector:
    """The connector of a slug, such as ``sms``.

    Raises:
        UnknownConnector: There is none.
    """
    try:
        return _OF_SLUG[slug]
    except KeyError:
        raise UnknownConnector(f"no connector {slug!r}; {_close(slug, _OF_SLUG)}") from None


def action(full_name: str) -> AnyAction:
    """The action of a full name, such as ``sms.sendSMS``.

    Raises:
        UnknownAction: There is none.
    """
    try:
        return _OF_NAME[full_name]
    except KeyError:
        raise UnknownAction(f"no action {full_name!r}; {_close(full_name, _OF_NAME)}") from None


def _close(name: str, known: dict[str, Connector] | dict[str, AnyAction]) -> str:
    # Case is what people get wrong first: sms.sendsms, sms.SendSMS.
    by_lower = {key.lower(): key for key in known}
    lower = name.lower()
    alike = [lower] if lower in by_lower else difflib.get_close_matches(lower, by_lower, n=3, cutoff=0.6)
    near = [by_lower[found] for found in alike]
    if near:
        return "did you mean " + " or ".join(near) + "?"
    return "`neonhub catalog` lists them all"
