"""Records of processes and the stack file: what others may rely on."""

from __future__ import annotations

import json
import os
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from neonhub_worker.local import stack, state
from neonhub_worker.local.home import Home

AT = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A prepared home."""
    made = Home.at(tmp_path / "home")
    made.prepare()
    return made


def record(name: str, pid: int, *, tier: int = 3) -> state.Record:
    return state.Record(name=name, pid=pid, mark="boot:1", started_at=AT.isoformat(), tier=tier)


def test_the_stack_file_has_the_promised_form_and_is_private(home: Home) -> None:
    urls = {"database": "postgresql://x", "broker": "redis://x", "sandbox": "http://x", "flower": "http://y"}
    state.save_stack(
        home, urls=urls, records=[record("supervisor", 10), record("beat", 11)], state="ready", started_at=AT
    )
    found = json.loads(home.stack_file.read_text())
    assert found["urls"] == urls
    assert found["processes"] == [{"name": "supervisor", "pid": 10}, {"name": "beat", "pid": 11}]
    assert (found["state"], found["supervisor"]) == ("ready", 10)
    assert stat.S_IMODE(home.stack_file.stat().st_mode) == 0o600
    info = stack.info(home.path)
    assert info is not None
    assert (info.urls, info.processes, info.started_at) == (urls, {"supervisor": 10, "beat": 11}, AT)


def test_passwords_are_not_shown_with_the_stack(home: Home) -> None:
    info = state.StackInfo(
        urls={"database": "postgresql://neonhub:hush@h/d"}, processes={}, state="ready", started_at=AT
    )
    assert "hush" not in repr(info)


def test_the_stack_file_is_written_only_when_something_changed(home: Home) -> None:
    for pid, changed in ((1, True), (1, False), (2, True)):
        before = home.stack_file.stat().st_ino if home.stack_file.exists() else None
        state.save_stack(home, urls={}, records=[record("beat", pid)], state="ready", started_at=AT)
        assert (home.stack_file.stat().st_ino != before) is changed


def test_a_record_survives_and_unknown_fields_do_not_hurt(home: Home) -> None:
    written = record("actions.1", 17)
    written.dead = ["actions.1-abc"]
    written.save(home)
    place = home.run / "process-actions.1.json"
    place.write_text(json.dumps(json.loads(place.read_text()) | {"from_the_future": 1}))
    assert state.load_record(home, "actions.1") == written
    (home.run / "process-broken.json").write_text("{")
    assert state.load_records(home) == [written]


def test_a_record_is_written_only_when_it_is_not_there_yet(home: Home) -> None:
    one, place = record("beat", 11), home.run / "process-beat.json"
    one.save(home)
    first = place.stat().st_ino
    one.save(home)
    assert place.stat().st_ino == first
    one.dead = ["beat-abc"]
    one.save(home)
    assert state.load_record(home, "beat") == one
    place.unlink()
    one.save(home)
    assert state.load_record(home, "beat") == one


def test_a_stopped_stack_has_no_processes(home: Home) -> None:
    record("actions.1", os.getpid()).save(home)
    assert stack.processes(home.path) == []
    assert stack.info(home.path) is None


def test_only_one_holds_the_lock_and_it_goes_with_its_holder(home: Home) -> None:
    assert not state.is_locked(home)
    with state.lock(home) as first, state.lock(home) as second:
        assert (first, second) == (True, False)
        assert state.is_locked(home)
    assert not state.is_locked(home)


def test_nothing_to_stop_where_there_never_was_a_stack(tmp_path: Path) -> None:
    assert stack.down(tmp_path / "nowhere", on_progress=lambda _: None) is False
    assert not (tmp_path / "nowhere").exists()
