"""Which port does each server of the stack listen on? Those asked for, else those of last time, else free ones."""

from __future__ import annotations

import json
import random
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from neonhub_worker.local.errors import StackError
from neonhub_worker.local.home import Home, read_json, write_private

HOST = "127.0.0.1"
_LAST = 65_535
_TRIES = 200


@dataclass(frozen=True)
class Ports:
    """TCP ports on the loopback address; None takes a free one."""

    database: int | None = None
    broker: int | None = None
    sandbox: int | None = None
    flower: int | None = None


def choose(home: Home, asked: Mapping[str, int | None], *, keep: frozenset[str] = frozenset()) -> dict[str, int]:
    """Choose a port for each server and remember them in the home.

    Args:
        asked: Each server's name and the port it must have; None leaves the choice.
        keep: Servers that are running already: their remembered ports are not tested.

    Raises:
        StackError: A port that was asked for is in use.
    """
    remembered = read_json(home.run / "ports.json")
    chosen: dict[str, int] = {}
    for name, wanted in asked.items():
        last = remembered.get(name)
        if name in keep and isinstance(last, int) and wanted in (None, last):
            chosen[name] = last
        elif wanted is not None:
            chosen[name] = _asked(name, wanted)
        else:
            taken = set(chosen.values())
            chosen[name] = last if isinstance(last, int) and last not in taken and is_free(last) else _free(taken)
    write_private(home.run / "ports.json", json.dumps(chosen))
    return chosen


def _asked(name: str, port: int) -> int:
    if not 1 <= port <= _LAST:
        raise StackError(f"port {port} for the {name} does not exist; choose one from 1 to {_LAST}")
    if not is_free(port):
        raise StackError(f"port {port} for the {name} is in use; choose another, or leave it out to take a free one")
    return port


def is_free(port: int) -> bool:
    """Whether a server could listen on this port now."""
    if not 1 <= port <= _LAST:
        return False
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def accepts(port: int) -> bool:
    """Whether a server answers on this port."""
    try:
        socket.create_connection((HOST, port), timeout=1).close()
    except OSError:
        return False
    return True


def _free(taken: set[int]) -> int:
    """A free port outside the range from which the kernel serves outgoing connections.

    A port inside it may be lost to any connection while its server is being restarted; and a client that keeps
    knocking there can be connected to itself.
    """
    low, high = _outgoing_range()
    candidates = range(15_000, low) if low > 20_000 else range(max(high + 1, 15_000), _LAST)
    if len(candidates) < _TRIES:
        candidates = range(15_000, _LAST)
    for port in random.sample(candidates, _TRIES):
        if port not in taken and is_free(port):
            return port
    raise StackError("no free port found on the loopback address")


def _outgoing_range() -> tuple[int, int]:
    try:
        low, high = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()
    except (OSError, ValueError):
        return 49_152, _LAST
    return int(low), int(high)
