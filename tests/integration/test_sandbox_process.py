"""The sandbox process remembers everything across kill -9, stops cleanly, and says plainly why it cannot start."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import requests

from tests.integration.sandboxes import Sandbox
from tests.unit.sandbox.process import Box, running


def test_everything_survives_kill_9(tmp_path: Path) -> None:
    with running(tmp_path / "state") as box:
        account, channel = box.sms["account"], box.slack["channels"]["launch"]
        sid = box.send_sms("+14155550123", "before the kill").json()["sid"]
        scheduled = box.schedule_sms("+14155550123", 600).json()["sid"]
        ts = box.slack_post("chat.postMessage", channel=channel, text="before the kill")["ts"]
        box.control("POST", "opt-outs", {"connector": "sms", "address": "+14155550199"})
        box.fault("rate_limit", connector="slack", operation="getChannels")
        box.control("POST", "limits", {"connector": "slack", "per_second": 1000})
        before = box.effects()
        box.kill()
        box.start()
        assert box.sms["account"] == account
        assert box.effects() == before
        assert box.twilio("GET", f"Messages/{sid}.json").json()["body"] == "before the kill"
        assert box.twilio("GET", f"Messages/{scheduled}.json").json()["status"] == "scheduled"
        assert [message["ts"] for message in box.slack_get("conversations.history", channel=channel)["messages"]] == [
            ts
        ]
        assert box.send_sms("+14155550199").json()["code"] == 21610
        assert box.slack_call("conversations.list", http_method="GET").status_code == 429
        assert box.control("GET", "limits") == {"limits": {"slack": 1000.0}}
        box.send_sms("+14155550123", "after the kill")
        assert [effect["id"] for effect in box.effects()] == [
            *(effect["id"] for effect in before),
            before[-1]["id"] + 1,
        ]


def test_no_answered_request_is_lost_when_the_process_is_killed_under_load(tmp_path: Path) -> None:
    with running(tmp_path / "state") as box:
        answered: list[str] = []
        enough = threading.Event()

        def send_until_it_breaks() -> None:
            url = f"{box.url}/api.twilio.com/2010-04-01/Accounts/{box.sms['account']}/Messages.json"
            data = {"To": "+14155550123", "From": box.sms["settings"]["from_number"], "Body": "hi"}
            headers = {"Authorization": f"Basic {box.basic()}"}
            with requests.Session() as http, contextlib.suppress(requests.RequestException):
                while True:
                    answered.append(http.post(url, data=data, headers=headers, timeout=10).json()["sid"])
                    if len(answered) >= 100:
                        enough.set()

        senders = [threading.Thread(target=send_until_it_breaks) for _ in range(4)]
        for sender in senders:
            sender.start()
        assert enough.wait(20)
        box.kill()
        for sender in senders:
            sender.join()
        box.start()
        counted = [effect["provider_id"] for effect in box.effects("sms")]
        assert len(set(counted)) == len(counted)
        assert set(answered) <= set(counted)
        assert len(counted) - len(answered) <= len(senders)


def test_sigterm_ends_it_with_0_also_while_a_request_hangs(tmp_path: Path) -> None:
    with running(tmp_path / "state") as box:
        box.fault("timeout_before", seconds=60)
        credential = f"Authorization: Basic {box.basic()}"
        with socket.create_connection(("127.0.0.1", box.port), timeout=10) as client:
            path = f"/api.twilio.com/2010-04-01/Accounts/{box.sms['account']}.json"
            client.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n{credential}\r\n\r\n".encode())
            assert box.control("GET", "health")["status"] == "ok"
            assert box.stop() == 0
            with pytest.raises(ConnectionResetError):
                client.recv(100)


def test_a_taken_port_is_one_clear_line_and_exit_code_1(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = start_in_vain(tmp_path, port)
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert ended.stderr.startswith(f"sandbox: cannot listen on 127.0.0.1:{port}: ")
    assert ended.stderr.count("\n") == 1


def test_a_state_directory_serves_one_sandbox_at_a_time(tmp_path: Path) -> None:
    with running(tmp_path):
        ended = start_in_vain(tmp_path, 0)
    assert ended.returncode == 1
    assert "another sandbox uses" in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_the_port_file_holds_the_chosen_port(tmp_path: Path) -> None:
    box = Box(tmp_path / "state")
    port_file = tmp_path / "port"
    command = [sys.executable, "-m", "connectors.sandbox", "--state", str(box.state), "--port-file", str(port_file)]
    box.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert box.process.stdout is not None
    line = box.process.stdout.readline()
    assert line.strip() == f"sandbox listening on http://127.0.0.1:{int(port_file.read_text())}"
    assert box.stop() == 0


def start_in_vain(state: Path, port: int) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "connectors.sandbox", "--state", str(state), "--port", str(port)]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)


def test_it_starts_over_with_new_accounts_and_knows_nothing_of_before(sandbox: Sandbox) -> None:
    before = requests.get(f"{sandbox.url}/_sandbox/accounts", timeout=10).json()["slack"]["credential"]
    sandbox.fault(connector="slack", kind="latency", seconds=0.0)
    requests.post(f"{sandbox.url}/_sandbox/clock", json={"advance_s": 3600}, timeout=10).raise_for_status()
    requests.delete(f"{sandbox.url}/_sandbox/state", timeout=10).raise_for_status()
    after = requests.get(f"{sandbox.url}/_sandbox/accounts", timeout=10).json()["slack"]["credential"]
    assert after != before
    assert requests.get(f"{sandbox.url}/_sandbox/faults", timeout=10).json()["faults"] == []
    assert requests.get(f"{sandbox.url}/_sandbox/health", timeout=10).json()["now"] < time.time() + 60
    headers = {"Authorization": f"Bearer {before.get('bot_token') or before['access_token']}"}
    answer = requests.post(f"{sandbox.url}/slack.com/api/auth.test", headers=headers, json={}, timeout=10).json()
    assert answer["error"] == "invalid_auth"
