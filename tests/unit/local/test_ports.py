"""Ports: those asked for, else those of last time, else free ones."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from neonhub_worker.local import ports
from neonhub_worker.local.errors import StackError
from neonhub_worker.local.home import Home

ANY: dict[str, int | None] = {"database": None, "broker": None, "sandbox": None}


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A prepared home."""
    made = Home.at(tmp_path / "home")
    made.prepare()
    return made


@pytest.fixture
def taken() -> Iterator[int]:
    """A port on which someone else listens."""
    with socket.create_server((ports.HOST, 0)) as server:
        yield server.getsockname()[1]


def test_free_ports_are_different_and_stay_the_same_next_time(home: Home) -> None:
    first = ports.choose(home, ANY)
    assert len(set(first.values())) == 3
    assert all(ports.is_free(port) for port in first.values())
    assert ports.choose(home, ANY) == first


def test_a_port_that_was_taken_meanwhile_is_chosen_anew(home: Home) -> None:
    first = ports.choose(home, ANY)
    with socket.create_server((ports.HOST, first["broker"])):
        second = ports.choose(home, ANY)
        kept = ports.choose(home, ANY, keep=frozenset({"broker"}))
    assert second["broker"] != first["broker"]
    assert second["database"] == first["database"]
    assert kept["broker"] == second["broker"]


def test_a_port_that_was_asked_for_is_used_or_refused(home: Home, taken: int) -> None:
    free = ports.choose(home, ANY)["sandbox"]
    assert ports.choose(home, {**ANY, "broker": free, "sandbox": None})["broker"] == free
    with pytest.raises(StackError, match=f"port {taken} for the broker is in use"):
        ports.choose(home, {**ANY, "broker": taken})
    with pytest.raises(StackError, match="port 70000 for the broker does not exist"):
        ports.choose(home, {**ANY, "broker": 70000})


def test_a_running_server_keeps_its_port_without_a_test(home: Home) -> None:
    first = ports.choose(home, ANY)
    with socket.create_server((ports.HOST, first["database"])):
        assert ports.choose(home, ANY, keep=frozenset(ANY)) == first
        assert ports.accepts(first["database"])
    assert not ports.accepts(first["database"])


@pytest.mark.parametrize("last", ["x", [1], -5, 0, 99_999_999, None])
def test_a_remembered_port_that_makes_no_sense_is_chosen_anew(home: Home, last: object) -> None:
    (home.run / "ports.json").write_text(json.dumps(dict.fromkeys(ANY, last)))
    chosen = ports.choose(home, ANY)
    assert len(set(chosen.values())) == 3
    assert all(port > 1024 for port in chosen.values())
