"""How do the logs stay small? The processes write to their files themselves; full ones are copied and emptied."""

from __future__ import annotations

import itertools
import os
import time
from pathlib import Path

import structlog

log = structlog.get_logger("neonhub.local")

_UNFINISHED_S = 0.5
_LOOK_S = 0.001

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

    No process has to be told, and none is hurt when who rotates is killed. What is written in the microseconds between
    the end of the copy and the emptying is lost.
    """
    for place in folder.glob("*.log"):
        try:
            if place.stat().st_size > largest_bytes:
                _rotate(place)
        except OSError as error:
            log.warning("log_not_rotated", file=place.name, reason=error.strerror)


def _rotate(place: Path) -> None:
    copy = place.with_name(f"{place.name}.new")
    try:
        _move_content(place, copy)
    except OSError:
        copy.unlink(missing_ok=True)
        raise
    for number in range(KEPT, 1, -1):
        older = place.with_name(f"{place.name}.{number - 1}")
        if older.exists():
            older.replace(place.with_name(f"{place.name}.{number}"))
    copy.replace(place.with_name(f"{place.name}.1"))


def _move_content(place: Path, copy: Path) -> None:
    """Copy up to the end of the line that was written last, and empty the file at that very moment."""
    end, until = b"", time.monotonic() + _UNFINISHED_S
    with place.open("rb", buffering=0) as full, os.fdopen(open_log(copy), "wb") as kept:
        kept.truncate(0)
        # A reader may see half of a write that is going on; half a line that stays is cut where it is.
        while (part := full.read(1 << 20)) or (not end.endswith(b"\n") and time.monotonic() < until):
            if not part:
                time.sleep(_LOOK_S)
            end = part or end
            kept.write(part)
            kept.flush()
        os.truncate(place, 0)


def tail(place: Path, *, lines: int = 5) -> str:
    """The last lines of a log that are not empty, each cut to 300 characters; one that comes again and again once."""
    try:
        with place.open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - 8192))
            found = file.read().decode(errors="replace").splitlines()
    except OSError:
        return ""
    different = [line for line, _ in itertools.groupby(one.rstrip() for one in found if one.strip())]
    return "\n".join(f"  {line[:300]}" for line in different[-lines:])
