"""Logs stay small while their writers go on writing."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from neonhub_worker.local import logs
from tests.servers import wait_for


def test_a_full_log_is_copied_and_emptied_under_its_writer(tmp_path: Path) -> None:
    place = tmp_path / "one.log"
    writer = logs.open_log(place)
    try:
        for round_number in range(4):
            os.write(writer, f"round {round_number}\n".encode() * 20)
            logs.rotate(tmp_path, largest_bytes=100)
        os.write(writer, b"after\n")
    finally:
        os.close(writer)
    assert place.read_text() == "after\n"
    assert sorted(found.name for found in tmp_path.iterdir()) == ["one.log", "one.log.1", "one.log.2"]
    assert set((tmp_path / "one.log.1").read_text().splitlines()) == {"round 3"}
    assert set((tmp_path / "one.log.2").read_text().splitlines()) == {"round 2"}


def test_no_line_is_cut_while_another_process_goes_on_writing(tmp_path: Path) -> None:
    place = tmp_path / "one.log"
    script = "import os, sys; n = 0\nwhile True:\n n += 1; os.write(1, f'<{n} {chr(120) * 80}>\\n'.encode())"
    output = logs.open_log(place)
    writer = subprocess.Popen([sys.executable, "-c", script], stdout=output)
    os.close(output)
    seen: list[int] = []
    try:
        for _ in range(20):
            wait_for(lambda: place.stat().st_size > 100_000, "a full log")
            logs.rotate(tmp_path, largest_bytes=100_000)
            lines = (tmp_path / "one.log.1").read_text().splitlines()
            assert all(re.fullmatch(r"<\d+ x{80}>", line) for line in lines)
            seen += [int(line[1:].split()[0]) for line in lines]
    finally:
        writer.kill()
        writer.wait()
    assert seen == sorted(set(seen))
    assert len(seen) > 20 * 1000


def test_a_full_log_that_cannot_be_copied_is_left_as_it_is_with_the_older_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("one.log", "one.log.1", "one.log.2"):
        (tmp_path / name).write_text(f"{name}\n" * 100)
    os.symlink("/dev/full", tmp_path / "one.log.new")
    logs.rotate(tmp_path, largest_bytes=100)
    for name in ("one.log", "one.log.1", "one.log.2"):
        assert (tmp_path / name).read_text() == f"{name}\n" * 100


def test_copies_are_as_private_as_the_log(tmp_path: Path) -> None:
    output = logs.open_log(tmp_path / "one.log")
    os.write(output, b"full\n" * 100)
    os.close(output)
    logs.rotate(tmp_path, largest_bytes=100)
    for name in ("one.log", "one.log.1"):
        assert not stat.S_IMODE((tmp_path / name).stat().st_mode) & 0o007


def test_a_small_log_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "one.log").write_text("short")
    logs.rotate(tmp_path, largest_bytes=5)
    assert (tmp_path / "one.log").read_text() == "short"


def test_the_last_lines_are_shown_without_empty_ones(tmp_path: Path) -> None:
    place = tmp_path / "one.log"
    place.write_text("first\n" * 3000 + "the reason\n\n" + "x" * 400 + "\n")
    assert logs.tail(place, lines=2) == f"  the reason\n  {'x' * 300}"
    assert logs.tail(tmp_path / "nowhere.log") == ""


def test_a_last_word_that_was_said_at_each_start_is_shown_once(tmp_path: Path) -> None:
    place = tmp_path / "one.log"
    place.write_text("before\n" + "error: no key\n" * 4)
    assert logs.tail(place) == "  before\n  error: no key"
