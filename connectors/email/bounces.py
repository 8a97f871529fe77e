"""Bounces: mails that could not be delivered. Gmail reports them as mails (RFC 3464), not as errors."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from email import message_from_bytes
from email.utils import getaddresses
from typing import Any

from pydantic import Field

from connectors.email import api
from connectors.email.messages import Headers, Page, PageToken, content_of, headers_of, parts_of, read
from connectors.email.platform import EMAIL
from connectors.email.reading import PAGE_TOKEN
from connectors.kit.action import Input, Limit, Output
from connectors.kit.call import Call
from connectors.kit.fields import UtcDatetime

_BLANK = re.compile(rb"\r?\n\s*\n")
_STATUS = re.compile(r"\b([245])\.(\d{1,3})\.(\d{1,3})\b")


class ListBounces(Input):
    """Since when."""

    since: UtcDatetime = Field(description="Only reports that came after this instant, with offset.")
    limit: int = Field(default=20, ge=1, le=50, description="Most reports of a page; each is read by itself.")
    page_token: PageToken | None = PAGE_TOKEN


class Bounce(Output):
    """A report that a mail could not be delivered."""

    message_id: str = Field(description="Of the report.")
    thread_id: str = Field(description="Of the mail that it is about.")
    reported_at: datetime | None
    recipients: tuple[str, ...] = Field(description="Who did not get it.")
    status: str | None = Field(description="As RFC 3463 has it, such as 5.1.1; null if the report does not say.")
    permanent: bool = Field(description="Whether it is for good (5.x.x): write to these addresses no more.")


class BounceList(Output):
    """A page of reports, the newest first."""

    bounces: tuple[Bounce, ...]
    next_page_token: str | None = Field(description="Gives the next page; null on the last one.")


@EMAIL.read(
    "listBounces",
    ListBounces,
    BounceList,
    scopes=(api.READ,),
    pace=(Limit(6, per_s=60.0, of="action"),),
    limits=("5 quota units, and 20 for each report",),
)
def list_bounces(call: Call, data: ListBounces) -> BounceList:
    """List which mails could not be delivered, to whom and why."""
    gmail = api.gmail(call)
    query = f"from:mailer-daemon after:{int(data.since.timestamp())}"
    page = gmail.get(Page, "users.messages.list", "messages", q=query, maxResults=data.limit, pageToken=data.page_token)
    bounces = []
    for one in page.messages:
        call.ledger.keep_lease()
        bounces.append(_read(gmail.get(Headers, "users.messages.get", f"messages/{one.id}", format="full")))
    return BounceList(bounces=tuple(bounces), next_page_token=page.next_page_token)


def _read(found: Headers) -> Bounce:
    reported = [fields for part in parts_of(found.payload) for fields in _delivery_status(part)]
    named = [fields["final-recipient"].partition(";")[2] for fields in reported if "final-recipient" in fields]
    statuses = [match[0] for fields in reported if (match := _STATUS.search(fields.get("status", "")))]
    recipients = [address for _, address in getaddresses([found.header("X-Failed-Recipients") or ""]) if address]
    return Bounce(
        message_id=found.id,
        thread_id=found.thread_id,
        reported_at=read(found).received_at,
        recipients=tuple(dict.fromkeys(recipients or [one.strip() for one in named if one.strip()])),
        status=statuses[0] if statuses else None,
        permanent=any(one.startswith("5") for one in statuses),
    )


def _delivery_status(part: Mapping[str, Any]) -> list[dict[str, str]]:
    """The groups of fields in a part that reports a delivery.

    Gmail gives such a part either as text, or split into parts of their own whose headers are the fields.
    """
    if str(part.get("mimeType", "")).lower() != "message/delivery-status":
        return []
    groups = _BLANK.split((content_of(part) or b"").strip())
    texts = [{name.lower(): str(value) for name, value in message_from_bytes(one).items()} for one in groups]
    split = [
        {name: value for name in ("final-recipient", "status") for value in headers_of(one, name)}
        for one in parts_of(part)
    ]
    return [found for found in (*texts, *split) if found]
