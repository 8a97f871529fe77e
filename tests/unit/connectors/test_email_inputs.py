"""Is bad input for a mail refused before any call, with its field and rule?"""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from connectors.email.composing import NewMail


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"to": []}, "to"),
        ({"to": "ada"}, "to"),
        ({"to": "ada@example"}, "to"),
        ({"to": "ada@example.org, eve@example.org"}, "to"),
        ({"to": "ada@example.org\r\nBcc: eve@example.org"}, "to"),
        ({"to": "Ada\r\nBcc: eve@example.org <ada@example.org>"}, "to"),
        ({"to": '"Ada" <eve@example.org> <ada@example.org>'}, "to"),
        ({"to": "a..b@example.org"}, "to"),
        ({"to": "x" * 65 + "@example.org"}, "to"),
        ({"to": "ada@-example.org"}, "to"),
        ({"to": [f"p{number}@example.org" for number in range(101)]}, "to"),
        ({"cc": "ada"}, "cc"),
        ({"subject": "Hi\r\nBcc: eve@example.org"}, "subject"),
        ({"subject": "Hi\u2028there"}, "subject"),
        ({"subject": "  "}, "subject"),
        ({"subject": "x" * 501}, "subject"),
        ({"text": "zero\x00"}, "text"),
        ({"from_name": "Acme\nBcc: x@example.org", "from_address": "a@example.org"}, "from_name"),
        ({"reply_to": "desk"}, "reply_to"),
        ({"unsubscribe_url": "http://acme.example/off"}, "unsubscribe_url"),
        ({"unsubscribe_url": "https://acme.example/off>, <x"}, "unsubscribe_url"),
        ({"unsubscribe_email": "off"}, "unsubscribe_email"),
        ({"in_reply_to": "../drafts"}, "in_reply_to"),
        ({"attachments": [{"filename": "a.exe", "content_type": "a/b", "content_base64": "AAAA"}]}, "attachments"),
        ({"attachments": [{"filename": "a.SCR. ", "content_type": "a/b", "content_base64": "AAAA"}]}, "attachments"),
        ({"attachments": [{"filename": "../a.pdf", "content_type": "a/b", "content_base64": "AAAA"}]}, "attachments"),
        ({"attachments": [{"filename": "a\r\nb", "content_type": "a/b", "content_base64": "AAAA"}]}, "attachments"),
        ({"attachments": [{"filename": "a", "content_type": "a/b\r\nX: y", "content_base64": "AAAA"}]}, "attachments"),
        ({"attachments": [{"filename": "a", "content_type": "message/x", "content_base64": "AAAA"}]}, "attachments"),
        ({"attachments": [{"filename": "a", "content_type": "a/b", "content_base64": "A A A"}]}, "attachments"),
        ({"headers": {"X-Evil": "1"}}, "headers"),
    ],
)
def test_bad_input_names_its_field(wrong: dict[str, object], named: str) -> None:
    with pytest.raises(ValidationError) as caught:
        NewMail.model_validate({"to": "ada@example.org", "subject": "Hi", "text": "Hi", **wrong})

    assert caught.value.errors()[0]["loc"][0] == named


@pytest.mark.parametrize(
    ("wrong", "rule"),
    [
        ({"text": None}, "one of text and html is needed"),
        ({"subject": None}, "subject is needed"),
        ({"cc": [f"p{number}@example.org" for number in range(100)]}, "at most 100 addresses together"),
        (
            {
                "attachments": [
                    {"filename": f"{n}.bin", "content_type": "a/b", "content_base64": "AAAA" * 500_001} for n in (1, 2)
                ]
            },
            "at most 3,000,000 bytes together",
        ),
        (
            {
                "attachments": [
                    {"filename": "a.png", "content_type": "a/b", "content_base64": "AAAA", "content_id": "a"}
                ]
            },
            "a content_id needs html",
        ),
    ],
)
def test_bad_input_names_its_rule(wrong: dict[str, object], rule: str) -> None:
    with pytest.raises(ValidationError, match=rule):
        NewMail.model_validate({"to": "ada@example.org", "subject": "Hi", "text": "Hi", **wrong})


def test_an_accepted_mail_is_read_back_as_it_was() -> None:
    given = {"to": " Ada <ada@example.org> ", "subject": " Hi ", "cc": "bob@example.org", "text": "Hi"}
    first = NewMail.model_validate(given)

    again = NewMail.model_validate(first.model_dump(mode="json", exclude_unset=True))

    assert again == first
    assert (again.to, again.subject) == (("Ada <ada@example.org>",), "Hi")
