"""How do the logs stay small? The processes write to their files themselves; full ones are copied and emptied."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import structlog

log = structlog.get_logger("neonhub.local")

LARGEST_BYTES = 10_000_000
KEPT = 2
"""Full files kept beside the one being written."""


def open_log(place: Path) -> int:
    """Open a log for a process: every write goes to the end, also after the file was emptied.

    Returns:
        A file descriptor; the caller closes it.
    """
    return os.open(place, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640)


def rotate(folder: Path, *, largest_bytes: int = LARGEST_BYTES) -> None:
    """Copy and empty every log that has grown too large.

    No process has to be told, and none is hurt when who rotates is killed.
    """
    for place in folder.glob("*.log"):
        try:
            if place.stat().st_size > largest_bytes:
                _rotate(place)
        except OSError as error:
            log.warning("log_not_rotated", file=place.name, reason=error.strerror)


def _rotate(place: Path) -> None:
    for number in range(KEPT, 1, -1):
        older = place.with_name(f"{place.name}.{number - 1}")
        if older.exists():
            older.replace(place.with_name(f"{place.name}.{number}"))
    shutil.copyfile(place, place.with_name(f"{place.name}.1"))
    os.truncate(place, 0)


def tail(place: Path, *, lines: int = 5) -> str:
    """The last lines of a log that are not empty, each cut to 300 characters."""
    try:
        with place.open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - 8192))
            found = file.read().decode(errors="replace").splitlines()
    except OSError:
        return ""
    return "\n".join(f"  {line.rstrip()[:300]}" for line in [one for one in found if one.strip()][-lines:])
