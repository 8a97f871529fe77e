"""What if the supervisor itself is killed? This small process notices at once and becomes the next one.

It holds the read end of a pipe whose write end only the supervisor has. A farewell byte means that the supervisor
stopped on purpose; an end without one means that it was killed. Run as a file, with the standard library only::

    python keeper.py READ_DESCRIPTOR COMMAND...
"""

from __future__ import annotations

import os
import sys
import time

FAREWELL = b"q"

_SHORTEST_LIFE_S = 5.0
_PAUSE_S = 1.0


def keep(descriptor: int, command: list[str]) -> None:
    """Wait for the supervisor's end; unless it said farewell, become ``command``.

    A supervisor that lives only for seconds is followed by the next after a pause.
    """
    born = time.monotonic()
    if os.read(descriptor, 1) == FAREWELL:
        return
    os.close(descriptor)
    if time.monotonic() - born < _SHORTEST_LIFE_S:
        time.sleep(_PAUSE_S)
    os.execv(command[0], command)  # noqa: S606 (our own supervisor again)


if __name__ == "__main__":
    keep(int(sys.argv[1]), sys.argv[2:])
