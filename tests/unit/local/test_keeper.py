"""The keeper acts on the end of a pipe: with a farewell it goes, without one it becomes the next supervisor."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from neonhub_worker.local import keeper


def start(command: list[str]) -> tuple[subprocess.Popen[bytes], int]:
    read, write = os.pipe()
    process = subprocess.Popen([sys.executable, "-I", "-S", keeper.__file__, str(read), *command], pass_fds=[read])
    os.close(read)
    return process, write


def test_an_end_without_farewell_starts_the_next_again_and_again(tmp_path: Path) -> None:
    # The first two supervisors end without a word, the third says farewell.
    script = (
        "import os, sys; place = sys.argv[1]; "
        "f = open(place, 'a'); f.write('started\\n'); f.close(); "
        "len(open(place).readlines()) > 2 and os.write(int(sys.argv[3]), b'q')"
    )
    journal = tmp_path / "journal"
    process, write = start([sys.executable, "-c", script, str(journal)])
    os.close(write)
    assert process.wait(20) == 0
    assert journal.read_text().splitlines() == ["started"] * 3


def test_a_farewell_starts_nothing(tmp_path: Path) -> None:
    process, write = start([sys.executable, "-c", f"open({str(tmp_path / 'healed')!r}, 'w')"])
    os.write(write, keeper.FAREWELL)
    os.close(write)
    assert process.wait(20) == 0
    assert not (tmp_path / "healed").exists()
