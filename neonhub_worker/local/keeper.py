"""What if the supervisor itself is killed? This small process notices at once and starts the next one.

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
_PAUSE_S = 0.5


def keep(descriptor: int, command: list[str]) -> None:
    """Start ``command --keeper WRITE_DESCRIPTOR`` whenever the supervisor ends without a farewell.

    One that lived only for seconds is followed by the next after a pause.
    """
    supervisor: int | None = None
    born = time.monotonic()
    while os.read(descriptor, 1) != FAREWELL:
        os.close(descriptor)
        if supervisor is not None:
            os.waitpid(supervisor, 0)
        if time.monotonic() - born < _SHORTEST_LIFE_S:
            time.sleep(_PAUSE_S)
        born = time.monotonic()
        descriptor, write = os.pipe()
        supervisor = _start(command, write)
        os.close(write)


def _start(command: list[str], write: int) -> int:
    """Start a supervisor in its own session; it alone gets the write end."""
    pid = os.fork()
    if pid == 0:
        try:
            os.setsid()
            os.set_inheritable(write, True)
            os.execv(command[0], [*command, "--keeper", str(write)])  # noqa: S606 (our own supervisor again)
        finally:
            os._exit(127)
    return pid


if __name__ == "__main__":
    keep(int(sys.argv[1]), sys.argv[2:])
