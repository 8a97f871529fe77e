"""What the embedded stack keeps is private, whole, and in one folder."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from neonhub_worker.local.errors import StackError
from neonhub_worker.local.home import Home, read_json, write_private


def test_a_secret_is_made_once_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    home = Home.at(tmp_path / "home")
    home.prepare()
    first = home.secret("broker.password")
    assert len(first) >= 32
    assert home.secret("broker.password") == first
    assert stat.S_IMODE((home.path / "secrets" / "broker.password").stat().st_mode) == 0o600
    assert stat.S_IMODE((home.path / "secrets").stat().st_mode) == 0o700
    assert home.secret("other") != first


def test_a_reader_never_sees_a_part_of_a_file_that_is_replaced(tmp_path: Path) -> None:
    place, over = tmp_path / "state.json", threading.Event()
    write_private(place, json.dumps({"n": 0, "filling": ""}))
    broken = []

    def read() -> None:
        while not over.is_set():
            found = read_json(place)
            if len(found.get("filling", "missing")) != found.get("n"):
                broken.append(found)

    reader = threading.Thread(target=read)
    reader.start()
    for n in range(200):
        write_private(place, json.dumps({"n": n, "filling": "x" * n}))
    over.set()
    reader.join()
    assert not broken
    assert list(tmp_path.iterdir()) == [place]


def test_a_place_that_cannot_be_written_is_one_clear_line() -> None:
    with pytest.raises(StackError, match=r"cannot write to /proc/nowhere: .*; set NEONHUB_HOME"):
        Home.at(Path("/proc/nowhere")).prepare()


@pytest.mark.parametrize("text", ["", "[1]", "{", "null"])
def test_a_file_that_is_no_json_object_counts_as_empty(tmp_path: Path, text: str) -> None:
    (tmp_path / "file").write_text(text)
    assert read_json(tmp_path / "file") == {}


def test_of_many_who_make_a_file_at_once_the_first_is_heard_by_all(tmp_path: Path) -> None:
    place = tmp_path / "id"
    script = "import sys; from pathlib import Path; from neonhub_worker.local.home import keep_private as keep; "
    script += "input(); print(keep(Path(sys.argv[1]), sys.argv[2]))"
    makers = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(place), f"maker {number}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(6)
    ]
    for maker in makers:
        assert maker.stdin is not None
        maker.stdin.write("go\n")
        maker.stdin.flush()
    heard = {maker.communicate(timeout=30)[0].strip() for maker in makers}
    assert heard == {place.read_text()}
