"""The campaign folder: what is taken from it, and what is refused by file, line and rule."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from neonhub_worker.demo import campaign
from neonhub_worker.errors import InvalidInput

EXAMPLE = Path(__file__).parents[3] / "examples" / "spring-launch"
NOW = datetime(2026, 11, 24, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(EXAMPLE, tmp_path / "campaign"))


def test_the_example_has_what_real_lists_have() -> None:
    found = campaign.load(EXAMPLE)
    reasons = {refusal.reason for refusal in found.refused}
    assert reasons == {"not a phone number", "opted out (contacts file)", "listed twice"}
    assert len(found.contacts) > 290
    assert len({contact.fields["country"] for contact in found.contacts}) >= 8


def test_nobody_gets_the_same_message_twice_or_after_opting_out() -> None:
    found = campaign.load(EXAMPLE)
    requests = campaign.requests(found, occasion="test", now=NOW)
    keys = [request.idempotency_key for request in requests]
    assert len(keys) == len(set(keys))
    receivers = {request.input["to"] for request in requests if request.action == "sms.sendSMS"}
    assert receivers.isdisjoint(found.opted_out)


def test_keys_are_made_of_ids_only_and_stay_the_same() -> None:
    found = campaign.load(EXAMPLE, limit=20)
    first = campaign.requests(found, occasion="test", now=NOW)
    assert first == campaign.requests(found, occasion="test", now=NOW)
    assert not any(contact.phone[1:] in str(request.idempotency_key) for contact in found.contacts for request in first)


def test_texts_are_in_the_contacts_language_and_whole() -> None:
    found = campaign.load(EXAMPLE)
    texts = [r.input["body"] for r in campaign.requests(found, occasion="test", now=NOW) if "body" in r.input]
    assert any("Tulpen" in text for text in texts)
    assert not any("{" in text for text in texts)
    assert max(len(text) for text in texts) <= 200


def test_the_follow_up_waits() -> None:
    found = campaign.load(EXAMPLE)
    later = [request for request in campaign.requests(found, occasion="test", now=NOW) if request.at is not None]
    assert later
    assert {(request.at - NOW).total_seconds() for request in later if request.at} == {8.0}


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("campaign.yaml", "name: [", "must be YAML"),
        (
            "campaign.yaml",
            "name: x\norganization: demo\ncontacts: contacts.csv\nmessages: []\n",
            "campaign.yaml: messages",
        ),
        ("contacts.csv", "id,phone\n1,+1\n", "has no column"),
        ("templates/launch.en.txt", "Hi {nickname}", "no column of the contacts"),
    ],
)
def test_what_is_wrong_is_named(folder: Path, file: str, content: str, said: str) -> None:
    (folder / file).write_text(content)
    with pytest.raises(InvalidInput, match=said):
        campaign.requests(campaign.load(folder), occasion="test", now=NOW)


def test_a_missing_file_is_named(folder: Path) -> None:
    (folder / "templates" / "launch.de.txt").unlink()
    with pytest.raises(InvalidInput, match=r"launch\.de\.txt: is not there"):
        campaign.requests(campaign.load(folder), occasion="test", now=NOW)
