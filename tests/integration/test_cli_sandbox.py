"""``neonhub sandbox``: what really reached the platforms, and the faults they are told to have."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from neonhub_worker.performing import batch
from neonhub_worker.settings import Settings
from tests.conftest import forget_settings
from tests.integration.cli import INPUT, TO, Neonhub, in_process, sms_run, start
from tests.integration.sandboxes import Sandbox


@pytest.fixture
def neonhub(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Neonhub:
    return in_process(capsys, monkeypatch)


def test_effects_are_those_that_happened(neonhub: Neonhub, sandbox: Sandbox) -> None:
    run_ids = [sms_run(input={**INPUT, "body": f"Number {number}"}) for number in range(2)]
    batch.perform(run_ids)
    effects = neonhub("sandbox", "effects", "--json").json
    assert effects == sandbox.effects()
    assert {"connector", "action", "provider_id", "key", "recipient", "text", "at"} <= set(effects[0])
    later = neonhub("sandbox", "effects", "--connector", "sms", "--since-id", effects[0]["id"], "--json").json
    assert later == effects[1:]
    assert neonhub("sandbox", "effects", "--connector", "slack", "--json").json == []
    assert f"{TO} Number" in neonhub("sandbox", "effects").words


def test_a_fault_is_added_listed_and_removed(neonhub: Neonhub, sandbox: Sandbox) -> None:
    fault = ("rate_limit", "--connector", "sms", "--operation", "sendSMS", "--times", "2", "--seconds", "7")
    assert "rate_limit sms sendSMS 1.0 2 7.0 0" in neonhub("sandbox", "faults", *fault).words
    neonhub("sandbox", "faults", "latency", "--probability", "0.5")
    listed = neonhub("sandbox", "faults", "--json").json
    assert [(one["kind"], one["probability"], one["times"]) for one in listed] == [
        ("rate_limit", 1.0, 2),
        ("latency", 0.5, None),
    ]
    assert neonhub("sandbox", "faults", "--clear", "--json").json == []


NO_FAULTS: list[tuple[list[str], str]] = [
    (["nonsense"], 'kind: "nonsense" is not one of'),
    (["latency", "--connector", "fax"], "no connector 'fax'; known: "),
    (["latency", "--operation", "sendFax"], "no operation 'sendFax'; known: "),
    (["latency", "--probability", "2"], "'--probability'"),
]


def test_a_fault_that_cannot_be_is_refused(neonhub: Neonhub, sandbox: Sandbox) -> None:
    for fault, says in NO_FAULTS:
        assert says in neonhub("sandbox", "faults", *fault).refusal
        assert neonhub("sandbox", "faults", "--json").json == []


def test_without_a_sandbox_it_says_how_to_get_one(neonhub: Neonhub) -> None:
    assert (
        "no sandbox: start one with `neonhub up`, or set NEONHUB_SANDBOX_URL" in neonhub("sandbox", "effects").refusal
    )


def test_a_sandbox_that_is_away_is_named(neonhub: Neonhub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEONHUB_SANDBOX_URL", "http://127.0.0.1:1")
    forget_settings()
    assert "the sandbox at http://127.0.0.1:1 does not answer" in neonhub("sandbox", "effects").refusal


def test_another_server_is_not_taken_for_a_sandbox(
    neonhub: Neonhub, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEONHUB_SANDBOX_URL", f"{sandbox.url}/_sandbox/elsewhere")
    forget_settings()
    assert "is no sandbox (HTTP 404); check NEONHUB_SANDBOX_URL" in neonhub("sandbox", "effects").refusal


@contextmanager
def serving(*options: str, home: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """``neonhub sandbox serve`` and its URL."""
    with start("sandbox", "serve", "--port", "0", *options, NEONHUB_HOME=str(home)) as process:
        assert process.stdout is not None
        try:
            said = process.stdout.readline()
            assert said.startswith("sandbox listening on http://127.0.0.1:")
            yield process, said.split()[-1]
        finally:
            process.kill()


@pytest.mark.parametrize(("ending", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_a_sandbox_of_its_own_serves_until_it_is_told_to_stop(
    tmp_path: Path, ending: signal.Signals, code: int
) -> None:
    with serving(home=tmp_path) as (process, url):
        assert requests.get(f"{url}/_sandbox/health", timeout=10).json()["status"] == "ok"
        process.send_signal(ending)
        assert process.wait(20) == code
        with pytest.raises(requests.ConnectionError):
            requests.get(f"{url}/_sandbox/health", timeout=10)


def test_a_sandbox_keeps_its_state_in_the_home_or_where_it_is_told(tmp_path: Path) -> None:
    with serving(home=tmp_path / "home"):
        assert list((tmp_path / "home" / "sandbox").iterdir())
    with serving("--state", str(tmp_path / "other"), home=tmp_path / "nowhere"):
        assert list((tmp_path / "other").iterdir())
    assert not (tmp_path / "nowhere").exists()


def test_a_port_that_is_taken_is_named(tmp_path: Path, neonhub: Neonhub, sandbox: Sandbox) -> None:
    port = sandbox.url.rpartition(":")[2]
    said = neonhub("sandbox", "serve", "--port", port, "--state", tmp_path / "other")
    assert (said.code, said.out) == (1, "")
    assert f"cannot listen on 127.0.0.1:{port}" in said.err
    assert len(said.err.splitlines()) == 1
