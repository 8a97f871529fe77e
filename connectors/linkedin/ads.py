"""What do campaigns, their groups and creatives share? Money, marks in names, and being found again by them.

LinkedIn takes no idempotency key for ads, and names may repeat. So each name carries the effect key, as no other does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from connectors.kit.action import Input, Output
from connectors.kit.call import Call
from connectors.kit.errors import InvalidRequest, NotFound, OutcomeUnknown, Unavailable, looking
from connectors.linkedin import web
from connectors.linkedin.platform import AD_ACCOUNT, Digits, ad_account_of

SETTLE_AFTER_S = 60.0
"""LinkedIn's search shows what was created within seconds; a minute is on the safe side."""

WRITE, READ = ("rw_ads",), ("r_ads", "rw_ads")
LIMITS = ("5,000 campaigns per account, 1,000 of them active", "calls per day, as shown in the developer portal only")
_MOST_PAGES = 20

Name = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\[\]]+$")]
NAME = Field(description="At most 200 characters, no square brackets; a mark of this run in brackets is appended.")


class Money(Input):
    """An amount in the ad account's currency."""

    amount: str = Field(pattern=r"^[0-9]{1,12}(\.[0-9]{1,2})?$", description="Such as 12.50; a text.")
    currency: str = Field(pattern=r"^[A-Z]{3}$", description="ISO 4217, such as USD; the ad account's.")

    def as_json(self) -> dict[str, str]:
        """As LinkedIn writes it."""
        return {"amount": self.amount, "currencyCode": self.currency}


class AdAccountRef(Input):
    """An ad account."""

    ad_account_id: Digits | None = AD_ACCOUNT


class Created(Output):
    """Something that was created."""

    id: str = Field(description="LinkedIn's id.")
    name: str = Field(description="Its name, with the mark of this run.")

    def provider_id(self) -> str:
        """LinkedIn's id."""
        return self.id


class Done(Output):
    """It is so."""

    done: Literal[True] = True


def marked(name: str, call: Call) -> str:
    """A name that no other run gives."""
    return f"{name} [nh-{call.key}]"


def create(call: Call, path: str, body: dict[str, Any], *, wanted: re.Pattern[str]) -> Created:
    """Create something; its id must look like ``wanted``.

    Raises:
        OutcomeUnknown: It may exist.
        ConnectorError: It does not.
    """
    try:
        made = web.create(call, path, body)
    except InvalidRequest as refused:
        if refused.code == "ENTITY_WITH_SAME_KEY_ALREADY_EXISTS" and call.first_sent_at is not None:
            raise OutcomeUnknown(str(refused), code=refused.code, http_status=refused.http_status) from None
        raise
    if not wanted.fullmatch(made):
        raise OutcomeUnknown("LinkedIn created something, and its id cannot be read")
    return Created(id=made, name=body["name"])


def find(call: Call, collection: str, data: AdAccountRef, name: str) -> Created | None:
    """What carries this run's mark in an ad account, as its search shows it."""
    if call.first_sent_at is None:
        return None
    wanted = marked(name, call)
    with looking():
        account = ad_account_of(call, data.ad_account_id)
        rows = searched(call, f"adAccounts/{account}/{collection}", names=(wanted,))
        found = [str(row["id"]) for row in rows if row.get("name") == wanted]
    return Created(id=found[0], name=wanted) if found else None


def searched(
    call: Call, path: str, *, names: tuple[str, ...] = (), statuses: tuple[str, ...] = ()
) -> Iterator[dict[str, Any]]:
    """The rows of a search, page by page.

    Raises:
        Unavailable: There are more pages than may be read, or they cannot be read.
        ConnectorError: LinkedIn did not answer.
    """
    parts = [
        *([f"name:(values:{web.listed(names)})"] if names else []),
        *([f"status:(values:{web.listed(statuses)})"] if statuses else []),
    ]
    query = "q=search" + (f"&search=({','.join(parts)})" if parts else "") + "&pageSize=100"
    yield from pages(call, path, query)


def pages(call: Call, path: str, query: str) -> Iterator[dict[str, Any]]:
    """The rows of all pages of a finder; each has an id.

    Raises:
        Unavailable: There are more pages than may be read, or they cannot be read.
        ConnectorError: LinkedIn did not answer.
    """
    token: str | None = None
    for _ in range(_MOST_PAGES):
        more = "" if token is None else f"&pageToken={web.encoded(token)}"
        page = web.get(call, path, query + more, needs=("elements",), finder=True)
        rows = page["elements"]
        if not isinstance(rows, list):
            raise Unavailable("LinkedIn's list cannot be read")
        yield from (one for one in rows if isinstance(one, dict) and "id" in one)
        metadata = page.get("metadata")
        token = metadata.get("nextPageToken") if isinstance(metadata, dict) else None
        if not isinstance(token, str) or not token:
            return
    raise Unavailable(f"LinkedIn's list has more than {_MOST_PAGES} pages; narrow it down")


def delete(call: Call, path: str) -> None:
    """Delete something that may be gone already.

    Raises:
        NotFound: It was not there, and no earlier attempt can have deleted it.
    """
    try:
        web.delete(call, path)
    except NotFound:
        if call.first_sent_at is None:
            raise


def money(value: Any) -> str | None:
    """An amount of an answer, such as ``12.50 USD``; None if it is none."""
    if not isinstance(value, dict) or not isinstance(value.get("amount"), str):
        return None
    return f"{value['amount']} {value.get('currencyCode') or ''}".strip()
