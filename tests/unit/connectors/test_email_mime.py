"""Is whatever may be in a mail written so that it is read as it was?"""

from __future__ import annotations

import base64
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import parseaddr

from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.email.mails import Attachment, Mail
from connectors.email.mime import write

LINE = st.text(st.characters(categories=["L", "M", "N", "P", "S", "Zs"]), min_size=1, max_size=300).filter(
    lambda text: text.isprintable() and bool(text.strip())
)
NAME = LINE.map(lambda text: "".join(sign for sign in text if sign not in '<>@"\\').strip()[:100].strip()).filter(bool)
FILE = LINE.map(lambda text: "f" + "".join(sign for sign in text if sign not in '/\\"')[:100].strip() + ".txt")
quickly = settings(max_examples=60, deadline=None)
_OF_CONTENT = ("Content-Type", "Content-Transfer-Encoding", "MIME-Version")
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=2000)


def read(raw: bytes) -> EmailMessage:
    found = message_from_bytes(raw, policy=policy.default)
    assert isinstance(found, EmailMessage)
    assert all(len(line) <= 998 for line in raw.split(b"\r\n"))
    return found


def decoded(text: str) -> str:
    return " ".join(str(make_header(decode_header(text))).split())


@quickly
@given(name=NAME, subject=LINE)
def test_names_and_subjects_arrive_as_they_were(name: str, subject: str) -> None:
    mail = Mail(to=(f"{name} <ada@example.org>",), subject=subject.strip(), text="Hi")

    raw = write(mail, sender=f"{name} <news@acme.example>", subject=subject.strip(), headers={})

    assert read(raw).keys() == ["From", "To", "Subject", *_OF_CONTENT]
    # The newer parser puts spaces between the parts of a long name, which RFC 2047 forbids.
    found = message_from_bytes(raw)
    assert decoded(found["Subject"]) == " ".join(subject.split())
    for field, address in (("To", "ada@example.org"), ("From", "news@acme.example")):
        shown, plain = parseaddr(found[field])
        assert (decoded(shown), plain) == (" ".join(name.split()), address)


def lines(text: str) -> list[str]:
    """The lines of a text; how they end, and how many empty ones follow, is not kept."""
    return text.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n").split("\n")


@quickly
@given(text=TEXT, html=TEXT)
def test_texts_arrive_as_they_were(text: str, html: str) -> None:
    mail = Mail(to=("ada@example.org",), subject="Hi", text=text, html=html)

    found = read(write(mail, sender=None, subject="Hi", headers={}))

    for kind, given_text in (("plain", text), ("html", html)):
        body = found.get_body((kind,))
        assert body is not None
        assert lines(body.get_content()) == lines(given_text)


@quickly
@given(filename=FILE, content=st.binary(min_size=1, max_size=300))
def test_files_arrive_as_they_were(filename: str, content: bytes) -> None:
    encoded = base64.b64encode(content).decode()
    file = Attachment(filename=filename, content_type="text/plain", content_base64=encoded)
    mail = Mail(to=("ada@example.org",), subject="Hi", text="Hi", attachments=(file,))

    (found,) = read(write(mail, sender=None, subject="Hi", headers={})).iter_attachments()

    assert found.get_payload(decode=True) == content
    assert " ".join((found.get_filename() or "").split()) == " ".join(filename.split())
