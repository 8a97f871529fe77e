"""Opt-outs: one spelling, kept with their proof, imported without losing a line silently."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from neonhub_worker.consent import opt_outs
from neonhub_worker.errors import InvalidInput


def test_an_opt_out_is_found_under_any_spelling(organization: str) -> None:
    opt_outs.record(organization, "sms", "+1 (415) 555-0123", opted_out=True, source="reply STOP")
    found = opt_outs.status(organization, "sms", "+14155550123")
    assert found is not None
    assert (found.address, found.source) == ("+14155550123", "reply STOP")
    assert opt_outs.status(organization, "whatsapp", "+14155550123") is None


def test_every_change_stays_on_record_and_repeats_do_not(organization: str, engine: Engine) -> None:
    for opted_out in (True, True, False, True):
        opt_outs.record(organization, "sms", "+14155550123", opted_out=opted_out, source="test")
    with engine.connect() as connection:
        changes = connection.execute(text("select opted_out from consent_event order by id")).scalars().all()
    assert changes == [True, False, True]
    assert len(opt_outs.list_all(organization)) == 1


def test_an_import_names_bad_lines_and_takes_the_good_ones_once(organization: str, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text(
        "channel,address,opted_out,source\n"
        "sms,+14155550123,yes,letter\n"
        "sms,nonsense,yes,\n"
        "sms,+14155550124,perhaps,\n"
        "email,Anna@Example.COM,,\n"
    )
    for _ in range(2):
        result = opt_outs.import_csv(organization, file)
        assert result.imported == 2
        assert [error.field for error in result.refused] == ["line 3: address", "line 4: opted_out"]
    assert {one.address for one in opt_outs.list_all(organization)} == {"+14155550123", "anna@example.com"}


@pytest.mark.parametrize("content", [b"name,phone\n", b"\xff\xfe\x00bad"])
def test_a_file_of_another_kind_is_refused(organization: str, tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "people.csv"
    file.write_bytes(content)
    with pytest.raises(InvalidInput, match=r"people\.csv"):
        opt_outs.import_csv(organization, file)


def test_people_of_a_platform_are_known_by_their_id(organization: str) -> None:
    opt_outs.record(organization, "discord", "810000000000000001", opted_out=True, source="discord 50007")
    assert opt_outs.status(organization, "discord", " 810000000000000001 ") is not None
    assert opt_outs.status(organization, "x", "810000000000000001") is None
    with pytest.raises(InvalidInput, match="id on that platform"):
        opt_outs.record(organization, "discord", "anna", opted_out=True, source="x")


def test_an_address_of_another_kind_is_refused(organization: str) -> None:
    with pytest.raises(InvalidInput, match="phone number"):
        opt_outs.record(organization, "sms", "anna@example.com", opted_out=True, source="x")
