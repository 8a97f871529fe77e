"""How is Gmail's API called? For one mailbox, with reasons of its own.

https://developers.google.com/workspace/gmail/api/reference/rest
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from connectors.dialects import google_oauth
from connectors.dialects.google_api import Answer, GoogleApi
from connectors.dialects.google_errors import Rules
from connectors.email.addresses import EmailAddress, PersonName
from connectors.kit.errors import NotFound, Permission

if TYPE_CHECKING:
    from connectors.kit.call import Call

VERSION = "v1"
"""Google has named no day on which it ends."""

HOST = "gmail.googleapis.com"
HOSTS = (HOST, google_oauth.HOST)

_PREFIX = "https://www.googleapis.com/auth/"
COMPOSE, MODIFY, READ = f"{_PREFIX}gmail.compose", f"{_PREFIX}gmail.modify", f"{_PREFIX}gmail.readonly"

MARK = "X-Neonhub-Op"
"""Header that carries the effect key, to find a mail by. Gmail replaces a Message-ID that is given."""

UNITS_PER_MIN = 6000
"""Quota units that one user of one Cloud project may spend per minute; projects from before May 2026 have 15,000."""

GmailId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{1,32}$")]
"""The id of a message or thread: hexadecimal digits."""

DraftId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
LabelId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_^-]{1,64}$")]

RULES = Rules.of(
    {Permission: "failedPrecondition FAILED_PRECONDITION delegationDenied"},
    hints={
        "failedPrecondition": "the user has no Gmail, or the service account may not act for them",
        "FAILED_PRECONDITION": "the user has no Gmail, or the service account may not act for them",
    },
)


class EmailSettings(BaseModel):
    """How mails of this connection are signed."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    from_address: EmailAddress | None = Field(
        default=None, description="The mailbox's address or an accepted alias of it; Gmail's default if left out."
    )
    from_name: PersonName | None = Field(default=None, description="Name in front of it.")

    @model_validator(mode="after")
    def _names_an_address(self) -> EmailSettings:
        if self.from_name is not None and self.from_address is None:
            raise ValueError("from_name needs from_address")
        return self


class Message(Answer):
    """A message by its ids, as Gmail answers to what makes or moves one."""

    id: GmailId
    thread_id: GmailId
    label_ids: tuple[str, ...] = ()


class SendAs(Answer):
    """An address that the mailbox can send as."""

    send_as_email: str
    display_name: str = ""
    is_default: bool = False
    is_primary: bool = False
    reply_to_address: str = ""
    verification_status: str | None = None

    @property
    def is_accepted(self) -> bool:
        """Whether mail may be sent as it; the mailbox's own address has no such status."""
        return self.is_primary or self.verification_status == "accepted"


class _SendAsList(Answer):
    send_as: tuple[SendAs, ...] = ()


def gmail(call: Call) -> GoogleApi:
    """Gmail on behalf of the connection's mailbox."""
    return GoogleApi(call, base=f"https://{HOST}/gmail/{VERSION}/users/me", rules=RULES)


def send_as(of: GoogleApi) -> tuple[SendAs, ...]:
    """The addresses that the mailbox can send as.

    Raises:
        ConnectorError: Gmail did not answer with them.
    """
    return of.get(_SendAsList, "users.settings.sendAs.list", "settings/sendAs").send_as


def per_min(units: int) -> int:
    """How many times a minute something of so many quota units can be done."""
    return UNITS_PER_MIN // units


def is_gone(refused: NotFound) -> bool:
    """Whether Gmail itself says that the thing does not exist; a page of its front end says nothing."""
    return refused.code in ("notFound", "NOT_FOUND")
