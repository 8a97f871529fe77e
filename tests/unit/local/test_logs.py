"""Logs stay small while their writers go on writing."""

from __future__ import annotations

import os
from pathlib import Path

from neonhub_worker.local import logs


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


def test_a_small_log_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "one.log").write_text("short")
    logs.rotate(tmp_path, largest_bytes=5)
    assert (tmp_path / "one.log").read_text() == "short"


def test_the_last_lines_are_shown_without_empty_ones(tmp_path: Path) -> None:
    place = tmp_path / "one.log"
    place.write_text("first\n" * 3000 + "the reason\n\n" + "x" * 400 + "\n")
    assert logs.tail(place, lines=2) == f"  the reason\n  {'x' * 300}"
    assert logs.tail(tmp_path / "nowhere.log") == ""
