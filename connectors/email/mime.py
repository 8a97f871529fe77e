"""How is a mail written? RFC 5322 text in ASCII, with its parts in the order in which mail programs show them."""

from __future__ import annotations

from email.headerregistry import BaseHeader, HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage
from email.policy import SMTP, Policy
from typing import TYPE_CHECKING

from connectors.email.addresses import header

if TYPE_CHECKING:
    from connectors.email.mails import Mail


class _Words(UnstructuredHeader, BaseHeader):
    """A header of addresses or ids, one on each line; a long one must stay as it is, or nobody understands it."""

    def fold(self, *, policy: Policy) -> str:
        return f"{self.name}: " + f"{policy.linesep} ".join(str(self).split()) + policy.linesep


_HEADERS = HeaderRegistry()
for _name in ("List-Unsubscribe", "In-Reply-To", "References"):
    _HEADERS.map_to_type(_name, _Words)
# Seven bits, whatever the text: nothing on the way may rewrite it.
_POLICY = SMTP.clone(cte_type="7bit", header_factory=_HEADERS)


def write(mail: Mail, *, sender: str | None, subject: str, headers: dict[str, str]) -> bytes:
    """The mail as it goes to Gmail, which adds the date and a Message-ID, and takes Bcc out when it delivers.

    Args:
        sender: The mailbox that it comes from; Gmail's default if None.
        subject: The mail's, or that of the mail that it answers.
        headers: Further headers, of one line each.
    """
    message = EmailMessage(policy=_POLICY)
    if sender is not None:
        message["From"] = header(sender)
    for field, group in (("To", mail.to), ("Cc", mail.cc), ("Bcc", mail.bcc)):
        if group:
            message[field] = tuple(header(one) for one in group)
    message["Subject"] = subject
    if mail.reply_to is not None:
        message["Reply-To"] = header(mail.reply_to)
    for field, value in {**_list_headers(mail), **headers}.items():
        message[field] = value
    _add_content(message, mail)
    return message.as_bytes()


def _list_headers(mail: Mail) -> dict[str, str]:
    ways = [mail.unsubscribe_url, mail.unsubscribe_email and f"mailto:{mail.unsubscribe_email}?subject=unsubscribe"]
    given = [f"<{way}>" for way in ways if way]
    found = {"List-Unsubscribe": ", ".join(given)} if given else {}
    if mail.unsubscribe_url is not None:
        found["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    return found


def _add_content(message: EmailMessage, mail: Mail) -> None:
    if mail.text is not None:
        message.set_content(mail.text)
    if mail.html is not None and mail.text is not None:
        message.add_alternative(mail.html, subtype="html")
    elif mail.html is not None:
        message.set_content(mail.html, subtype="html")
    shown = message.get_body(("html",))
    for one in mail.attachments:
        if one.content_id is not None and isinstance(shown, EmailMessage):
            kind, _, subtype = one.content_type.partition("/")
            cid = f"<{one.content_id}>"
            shown.add_related(one.content, kind, subtype, filename=one.filename, disposition="inline", cid=cid)
    # Afterwards: they wrap all that is there.
    for one in mail.attachments:
        if one.content_id is None:
            kind, _, subtype = one.content_type.partition("/")
            message.add_attachment(one.content, kind, subtype, filename=one.filename)
