"""Which processes make up the stack, in which order, with which environment?"""

from __future__ import annotations

import dataclasses
import functools
import json
import os
import signal
import site
import sys
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import neonhub_worker
from neonhub_worker.local import identity, procfile
from neonhub_worker.local import ports as port_choice
from neonhub_worker.local.broker import Broker
from neonhub_worker.local.child import Spec
from neonhub_worker.local.home import Home
from neonhub_worker.local.ports import Ports
from neonhub_worker.local.postgres import Postgres

WORKER_TIER = 3
"""The tier of what the Procfile names; the servers have lower ones."""

FORMATION = {"actions": 2}
"""How many processes of a Procfile line run; one where nothing is said."""

# A busy worker may need 30 s for a clean stop (billiard's wait for its children) besides the sends in flight.
_WORKER_STOP_S = 40.0
_NOT_INHERITED = {
    "PORT",
    identity.MARK,
    "NEONHUB_WORKER_ID",
    "NEONHUB_DEAD_WORKERS",
    "NEONHUB_KILLED_WORKERS",
    "NEONHUB_PROCESS",
}
_SERVER_OF = {"database": "postgres", "broker": "broker", "sandbox": "sandbox", "flower": "flower"}


@dataclass(frozen=True)
class Config:
    """What ``up`` was asked for; kept in the home for who has to continue.

    Attributes:
        procfile: The text of the Procfile.
        folder: Where its commands run.
    """

    procfile: str
    folder: str
    ports: Ports
    formation: Mapping[str, int] = dataclasses.field(default_factory=lambda: dict(FORMATION))

    def dump(self) -> str:
        """As JSON."""
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def load(cls, text: str) -> Config:
        """From JSON."""
        found = json.loads(text)
        return cls(found["procfile"], found["folder"], Ports(**found["ports"]), found["formation"])


@dataclass(frozen=True)
class Plan:
    """The stack that is to run.

    Attributes:
        specs: In the order of starting.
        urls: As written to the stack file.
        environment: What every process gets.
    """

    specs: tuple[Spec, ...]
    urls: dict[str, str]
    environment: Mapping[str, str]
    postgres: Postgres


def make(home: Home, config: Config, *, running: frozenset[str]) -> Plan:
    """Decide on ports, commands and environments.

    Args:
        running: Names of the processes that are running already; their servers keep their ports.

    Raises:
        StackError: A port is taken, the Procfile is wrong, or a wheel is missing.
    """
    lines = procfile.parse(config.procfile)
    asked: dict[str, int | None] = dataclasses.asdict(config.ports)
    asked |= {line.name: None for line in lines if line.uses_port and line.name not in asked}
    keep = frozenset(name for name in asked if _SERVER_OF.get(name, name) in running)
    ports = port_choice.choose(home, asked, keep=keep)
    postgres, broker = Postgres(home, port=ports["database"]), Broker(home, port=ports["broker"])
    urls = {
        "database": postgres.url,
        "broker": broker.url,
        "sandbox": f"http://{port_choice.HOST}:{ports['sandbox']}",
    }
    for name in ("flower", "webhooks"):
        if any(line.name == name for line in lines) and name in ports:
            urls[name] = f"http://{port_choice.HOST}:{ports[name]}"
    environment = _environment(home, urls)
    servers = (
        _postgres(home, postgres, environment),
        _broker(home, broker, environment),
        _sandbox(home, ports["sandbox"], environment),
    )
    workers = tuple(
        _line(home, line, name, config, ports.get(line.name), environment)
        for line in lines
        for name in _names(line.name, config.formation.get(line.name, 1))
    )
    return Plan((*servers, *workers), urls, environment, postgres)


def _names(name: str, count: int) -> list[str]:
    return [name] if count == 1 else [f"{name}.{number}" for number in range(1, count + 1)]


def python_path() -> dict[str, str]:
    """The variable that lets other interpreters find a checkout that is not installed."""
    place = str(Path(neonhub_worker.__file__).parent.parent)
    if place in {*site.getsitepackages(), site.getusersitepackages()}:
        return {}
    before = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    return {"PYTHONPATH": os.pathsep.join([place, *(one for one in before if one and one != place)])}


def _environment(home: Home, urls: Mapping[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in _NOT_INHERITED}
    programs = [str(Path(sys.executable).parent), sysconfig.get_path("scripts")]
    return {
        **kept,
        **python_path(),
        "PATH": os.pathsep.join(dict.fromkeys([*programs, kept.get("PATH", os.defpath)])),
        "PYTHONUNBUFFERED": "1",
        "NEONHUB_HOME": str(home.path),
        "NEONHUB_DATABASE_URL": urls["database"],
        "NEONHUB_BROKER_URL": urls["broker"],
        "NEONHUB_SANDBOX_URL": urls["sandbox"],
        **({"NEONHUB_WEBHOOKS_URL": urls["webhooks"]} if "webhooks" in urls else {}),
    }


def _postgres(home: Home, postgres: Postgres, environment: Mapping[str, str]) -> Spec:
    return Spec(
        name="postgres",
        tier=0,
        arguments=tuple(postgres.command),
        environment={name: value for name, value in environment.items() if not name.startswith("NEONHUB_")},
        folder=Path("/"),
        ready=postgres.ready,
        before=postgres.make_way,
        # Fast shutdown: SIGTERM would wait for every client to leave.
        stop_signal=signal.SIGINT,
        stop_s=30,
        privileges=postgres.account.popen,
    )


def _broker(home: Home, broker: Broker, environment: Mapping[str, str]) -> Spec:
    return Spec(
        name="broker",
        tier=1,
        arguments=tuple(broker.command),
        environment={name: value for name, value in environment.items() if not name.startswith("NEONHUB_")},
        folder=home.broker,
        ready=broker.ready,
        before=broker.configure,
    )


def _sandbox(home: Home, port: int, environment: Mapping[str, str]) -> Spec:
    return Spec(
        name="sandbox",
        tier=2,
        arguments=(
            *(sys.executable, "-m", "connectors.sandbox", "--host", port_choice.HOST, "--port", str(port)),
            *("--state", str(home.sandbox), "--port-file", str(home.ready_file("sandbox"))),
        ),
        environment=environment,
        folder=home.sandbox,
        ready=home.ready_file("sandbox").exists,
    )


def _line(
    home: Home, line: procfile.Line, name: str, config: Config, port: int | None, environment: Mapping[str, str]
) -> Spec:
    own = {**environment, "NEONHUB_PROCESS": name, "NEONHUB_READY_FILE": str(home.ready_file(name))}
    if port is not None:
        own["PORT"] = str(port)
    words, set_by_line = line.command(own)
    ready = None
    if line.says_ready:
        ready = home.ready_file(name).exists
    elif port is not None:
        ready = functools.partial(port_choice.accepts, port)
    return Spec(
        name=name,
        tier=WORKER_TIER,
        arguments=tuple(words),
        environment={**own, **set_by_line},
        folder=Path(config.folder),
        ready=ready,
        stop_s=_WORKER_STOP_S,
    )
