"""Where may a process die? Named points at every boundary of the protocol; nothing happens at them unless armed.

``NEONHUB_FAULT=claim.committed:kill`` makes a process kill itself the first time it comes to that point;
``send.before:stop:3`` makes it stop there (SIGSTOP) at the third time. Several are separated by commas. For tests.
"""

from __future__ import annotations

import os
import re
import signal
import threading
from collections.abc import Mapping

VARIABLE = "NEONHUB_FAULT"

POINTS: Mapping[str, str] = {
    "accept.inserted": "a producer has inserted runs and not committed",
    "accept.committed": "a producer has committed runs and published nothing",
    "dispatch.taken": "the dispatcher has marked runs as published and sent no message",
    "dispatch.published": "the dispatcher has sent the messages and not committed",
    "dispatch.committed": "the dispatcher has committed",
    "claim.begin": "a worker has a message and has asked for nothing",
    "claim.written": "a worker has claimed runs and not committed",
    "claim.committed": "a worker holds runs and has sent nothing",
    "renew.answered": "the platform has given a renewed token and nothing of it is stored",
    "renew.stored": "a renewed token is stored and has not been used",
    "doubt.answered": "the platform said whether an effect happened, and nothing of it is recorded",
    "send.before": "part of an effect's request is about to be checked against the lease for the last time",
    "send.allowed": "the last check has let it pass, and the next instruction writes it to the socket",
    "send.written": "part of an effect's request was written, perhaps its last, and not answered",
    "send.answered": "the platform answered and nothing of it is recorded",
    "step.done": "a step of several was done and is not recorded",
    "step.recorded": "a step of several is recorded and the next one has not begun",
    "settle.written": "a worker has written how attempts ended and not committed",
    "settle.committed": "a worker has committed how attempts ended",
    "rescue.written": "a run whose lease ran out was taken over and this is not committed",
    "schedule.inserted": "an occurrence made its run and the schedule has not moved on",
    "webhook.kept": "events of a platform are kept, and it has not heard so",
    "webhook.taken": "events that the platform was thanked for are about to be worked off",
    "webhook.acted": "events were worked off and this is not committed",
}
"""Every point, and what is true there."""

KINDS = ("kill", "raise", "stop")

_SHAPE = re.compile(r"(?P<name>[a-z.]+):(?P<kind>kill|raise|stop)(?::(?P<at>[1-9][0-9]*))?")


class Injected(Exception):
    """The exception of a point that was armed with ``raise``."""


class _Armed:
    def __init__(self, kind: str, at: int) -> None:
        self.kind = kind
        self.left = at


def parse(text: str) -> dict[str, _Armed]:
    """What ``NEONHUB_FAULT`` arms, by point.

    Raises:
        ValueError: It names a point or a kind that does not exist.
    """
    armed = {}
    for entry in filter(None, text.split(",")):
        found = _SHAPE.fullmatch(entry)
        if found is None or found["name"] not in POINTS:
            known = f"POINT:{'|'.join(KINDS)}[:TIME]; points: {', '.join(POINTS)}"
            raise ValueError(f"{VARIABLE}: {entry!r} is not {known}")
        armed[found["name"]] = _Armed(found["kind"], int(found["at"] or 1))
    return armed


_armed = parse(os.environ.get(VARIABLE, ""))
_lock = threading.Lock()


def point(name: str) -> None:
    """Pass a point; whatever it is armed with happens once, and to this process only.

    Raises:
        Injected: It is armed with ``raise``.
    """
    if _armed and name in _armed:
        _strike(name)


def _strike(name: str) -> None:
    with _lock:
        fault = _armed[name]
        fault.left -= 1
        due = fault.left == 0
    if not due:
        return
    if fault.kind == "raise":
        raise Injected(name)
    os.kill(os.getpid(), signal.SIGKILL if fault.kind == "kill" else signal.SIGSTOP)
