"""``neonhub consent``: who may not be written to, and a wrong word never looks like a recorded opt-out."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.cli import TO, Neonhub, count


def test_an_opt_out_is_shown_with_its_source_until_an_opt_in(neonhub: Neonhub) -> None:
    assert neonhub("consent", "show", TO, "--org", "acme").words == "not opted out"
    assert (
        neonhub("consent", "opt-out", "+1 (415) 555-0177", "--org", "acme", "--source", "letter").words == "opted out"
    )
    assert "opted out since 20" in neonhub("consent", "show", TO, "--org", "acme").words
    shown = neonhub("consent", "show", TO, "--org", "acme", "--json").json
    assert (shown["opted_out"], shown["source"]) == (True, "letter")
    answer = neonhub("consent", "opt-in", TO, "--org", "acme", "--source", "form 12", "--json").json
    assert answer == {"opted_out": False}
    shown = neonhub("consent", "show", TO, "--org", "acme", "--json").json
    assert shown == {"opted_out": False, "since_at": None, "source": None}


def test_an_opt_in_needs_its_proof(neonhub: Neonhub) -> None:
    neonhub("consent", "opt-out", TO, "--org", "acme")
    assert "--source" in neonhub("consent", "opt-in", TO, "--org", "acme").refusal
    assert count("opt_out") == 1


def test_everyone_who_opted_out_is_listed(neonhub: Neonhub) -> None:
    neonhub("consent", "opt-out", TO, "--org", "acme")
    neonhub("consent", "opt-out", "Anna@Example.com", "--channel", "email", "--org", "acme")
    listed = neonhub("consent", "list", "--org", "acme", "--json").json
    assert {(one["channel"], one["address"]) for one in listed} == {("sms", TO), ("email", "anna@example.com")}
    words = neonhub("consent", "list", "--org", "acme").words
    assert f"sms {TO} 20" in words


NO_ADDRESSES: list[tuple[list[str], str]] = [
    (["nonsense"], "address: must be a phone number with + and country code"),
    (["4155550123"], "address: must be a phone number with + and country code"),
    ([TO, "--channel", "SMS"], "channel: must be one of sms, whatsapp, email"),
    ([TO, "--channel", "email"], "address: must be an e-mail address"),
    ([TO, "--org", "nobody"], "no organization 'nobody'"),
]


@pytest.mark.parametrize("command", ["opt-out", "show"])
def test_what_could_never_be_looked_up_is_refused(neonhub: Neonhub, command: str) -> None:
    for arguments, says in NO_ADDRESSES:
        where = [] if "--org" in arguments else ["--org", "acme"]
        assert says in neonhub("consent", command, *arguments, *where).refusal
        assert count("opt_out") == count("consent_event") == 0


def test_an_import_names_each_bad_line_and_takes_the_good_ones(neonhub: Neonhub, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text(
        f"channel,address,opted_out,source\nsms,{TO},yes,letter\nsms,12,yes,\nfax,{TO},,\nemail,a@b.c,no,\n"
    )
    said = neonhub("consent", "import", file, "--org", "acme")
    assert (said.code, said.out) == (1, "2 imported, 2 refused\n")
    assert said.err.splitlines() == [
        "refused: line 3: address: must be a phone number with + and country code",
        "refused: line 4: channel: must be one of sms, whatsapp, email, discord, x",
    ]
    again = neonhub("consent", "import", file, "--org", "acme", "--json")
    assert again.code == 1
    assert again.json["imported"] == 2
    assert len(again.json["refused"]) == 2
    assert count("opt_out") == 1


def test_a_clean_import_succeeds(neonhub: Neonhub, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text(f"channel,address\nsms,{TO}\n")
    assert neonhub("consent", "import", file, "--org", "acme").words == "1 imported, 0 refused"


OTHER_FILES: list[tuple[bytes, str]] = [
    (b"name,phone\n", "people.csv: has no column address, channel"),
    (b"\xff\xfe", "people.csv: must be CSV in UTF-8"),
]


def test_a_file_of_another_kind_is_refused(neonhub: Neonhub, tmp_path: Path) -> None:
    for content, says in OTHER_FILES:
        file = tmp_path / "people.csv"
        file.write_bytes(content)
        assert says in neonhub("consent", "import", file, "--org", "acme").refusal
