"""What is TikTok to us, and which words do its actions share?"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, Field, StringConstraints

from connectors.kit.action import Limit, Output
from connectors.kit.call import Call
from connectors.kit.connector import Connector
from connectors.kit.errors import InvalidRequest, NotFound
from connectors.tiktok import web
from connectors.tiktok.errors import NAME_TAKEN
from connectors.tiktok.oauth import TIKTOK_OAUTH

SETTLE_AFTER_S = 60.0
"""TikTok forgets a request id after some ten seconds; a minute later its lists show everything."""

TIKTOK = Connector(
    "tiktok",
    "TikTok",
    hosts=web.HOSTS,
    credential=web.TikTokCredential,
    settings=web.TikTokSettings,
    # In force since 2022-08-15; TikTok has announced no end of it.
    api_version=web.VERSION,
    oauth=TIKTOK_OAUTH,
    console=(
        "Create an app at https://business-api.tiktok.com/portal, which TikTok reviews for some days.",
        "Give it Ads Management, Reporting, Creative Management and Ad Account Information.",
        "Enter {redirect_uri} as its advertiser redirect URL.",
        "Smart+ needs the permission Upgraded Smart Plus Ads besides, and on some accounts TikTok's consent.",
        "The app's page shows its id and secret.",
    ),
)

ADS, REPORTING, CREATIVES, ACCOUNTS = (
    ("Ads Management",),
    ("Reporting",),
    ("Creative Management",),
    ("Ad Account Information",),
)
PACE = (Limit(10, 1.0), Limit(600, 60.0))
AD_PACE = (*PACE, Limit(5, 1.0, of="action"), Limit(150, 60.0, of="action"))
LIMITS = ("10 calls/s and 600/min per app in the basic tier",)
WHY_NAMED = "TikTok remembers a request id for ten seconds only; the name carries the run's mark and is looked for."
WHY_SET = "Setting a value twice is the same as once."

_MOST_WIDTH = 470
_EMOJI = ("\U0001f000", "\U0001faff")
_SYMBOLS = ("☀", "➿")


def without_emoji(text: str) -> str:
    """A text as TikTok takes it.

    Raises:
        ValueError: It holds an emoji.
    """
    if any(_EMOJI[0] <= one <= _EMOJI[1] or _SYMBOLS[0] <= one <= _SYMBOLS[1] or one in "\u200d\ufe0f" for one in text):
        raise ValueError("may hold no emoji")
    return text


def _short(text: str) -> str:
    """A name that leaves room for the run's mark: Chinese, Japanese and Korean characters count twice.

    Raises:
        ValueError: It is too long.
    """
    width = sum(2 if unicodedata.east_asian_width(one) in "WF" else 1 for one in text)
    if width > _MOST_WIDTH:
        raise ValueError(f"may be at most {_MOST_WIDTH} characters wide; it is {width}")
    return text


Plain = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True), AfterValidator(without_emoji)]
Name = Annotated[Plain, AfterValidator(_short)]
NAME = "Its name, without emoji; the run's mark is added."

Major = Annotated[Decimal, Field(gt=0, max_digits=14, decimal_places=2)]
"""Money in whole units of the account's currency: 50.00 is fifty dollars."""


class Made(Output):
    """Something that was created."""

    id: str
    name: str = Field(description="As it is at TikTok: with the run's mark.")

    def provider_id(self) -> str:
        """Its id."""
        return self.id


def named(call: Call, name: str) -> str:
    """A name with the run's mark."""
    return f"{name} {web.mark(call)}"


def create(
    call: Call, path: str, fields: Mapping[str, Any], *, name: str, id_field: str, find: Callable[[], Made | None]
) -> Made:
    """Create something, switched off, under a name of its own.

    Args:
        find: What an earlier attempt created, if TikTok shows it.

    Raises:
        ConnectorError: It was not created, or perhaps.
    """
    try:
        made = web.post(call, path, {**fields, "operation_status": "DISABLE"}, effect=True)
    except InvalidRequest as refused:
        # Where names are unique, a repeat is refused for the name that the first request took.
        if call.first_sent_at is None or refused.code not in NAME_TAKEN:
            raise
        found = find()
        if found is None:
            raise
        return found
    return Made(id=web.made_id(made, id_field), name=name)


def said(value: Any) -> str | None:
    """A text; None if it is none."""
    return value if isinstance(value, str) else None


def number(value: Any) -> float | None:
    """A number, or one that is given as text; None if it is none: TikTok writes ``-`` for that."""
    try:
        found = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def money(value: Decimal | None) -> float | None:
    """Money as TikTok takes it."""
    return None if value is None else float(value)


def advertiser_row(call: Call) -> dict[str, Any]:
    """What TikTok says about the connection's advertiser.

    Raises:
        NotFound: It says nothing.
    """
    advertiser = web.advertiser(call)
    found = web.rows(web.get(call, "advertiser/info", advertiser_ids=[advertiser]), "advertiser/info")
    for row in found:
        if str(row.get("advertiser_id")) == advertiser:
            return row
    raise NotFound("advertiser_id: TikTok shows no such advertiser to this token")


@TIKTOK.check
def check_advertiser(call: Call) -> str:
    """Read the advertiser."""
    row = advertiser_row(call)
    return f"TikTok advertiser {row['advertiser_id']}, {row.get('currency') or 'currency unknown'}"
