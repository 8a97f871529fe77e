"""Do claims and dispatch stay as fast as on an empty table when millions of finished runs are kept?

    make bench-growth                          # 5,000,000 finished runs; about 6 GB of disk
    make bench-growth ARGS='--rows 200000'

A real Postgres with fsync and the settings of the embedded stack holds two databases, one with finished runs and one
without. Every statement is timed on both in turn, after a stretch of work that leaves dead rows behind: nearly as many
as autovacuum lets stand on the full side, while it clears the empty one. Prints medians and their ratios, writes
build/bench-growth.json and fails above 1.3.
"""

from __future__ import annotations

import argparse
import json
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, create_engine, text

from benchmarks import filling
from neonhub_worker import ids
from neonhub_worker.db import migrate
from neonhub_worker.db.engine import make_engine
from neonhub_worker.dispatch import admission, due
from neonhub_worker.ledger import acceptance, decisions, leases, rescue, retention
from neonhub_worker.ledger.acceptance import Draft
from neonhub_worker.ledger.leases import Claimed, Outcome
from neonhub_worker.ledger.states import EffectState
from neonhub_worker.local import ports
from neonhub_worker.local.home import Home
from neonhub_worker.local.postgres import Postgres

MOST = 1.3
BATCH = 64
BACKLOGS = (100, 100_000)
AUTOVACUUM_S = 15.0


class Side:
    """One of the two databases, and the work that is timed on it."""

    def __init__(self, url: str) -> None:
        migrate.upgrade(url)
        self.engine = make_engine("postgresql+psycopg://" + url.partition("://")[2], pool_size=2)
        with self.engine.begin() as connection:
            self.connections = filling.organizations(connection)
        self._made = 0

    def draft(self) -> Draft:
        """A request of the next lane."""
        self._made += 1
        organization_id, connection_id = self.connections[self._made % len(self.connections)]
        return Draft(
            ids.new_id(), organization_id, "action", "sms.sendSMS", connection_id,
            {"to": "+14155550123", "body": f"Spring is here {self._made}."}, "hash", "actions", 3,
            effect="send", alike=f"alike {self._made}", idempotency_key=f"fresh-{self._made}", limits=[],
        )  # fmt: skip

    def accept(self, count: int) -> list[uuid.UUID]:
        """Accept runs; a commit."""
        with self.engine.begin() as connection:
            return [
                one.id for one in acceptance.accept(connection, [self.draft() for _ in range(count)], published=True)
            ]

    def claim(self, run_ids: list[uuid.UUID]) -> list[Claimed]:
        """Admit and claim them, as a worker does; a commit."""
        with self.engine.begin() as connection:
            admitted = admission.admit(connection, run_ids, lease_s=30).admitted
            return leases.claim(connection, admitted, worker="bench", lease_s=30)

    def settle(self, claimed: list[Claimed]) -> None:
        """All of them were sent; a commit."""
        done = [
            Outcome(one.id, one.fence, "succeed", EffectState.CONFIRMED, provider_id=f"SM{one.id.hex}")
            for one in claimed
        ]
        with self.engine.begin() as connection:
            assert len(leases.settle(connection, done, worker="bench")) == len(done)

    def tick(self) -> None:
        """What the dispatcher asks in one tick; undone, so that the next one finds the same backlog."""
        with self.engine.connect() as connection:
            due.ripen(connection, redispatch_s=10)
            assert due.take(connection).due
            due.seconds_to_next(connection)
            connection.rollback()

    def keep_house(self) -> None:
        """What beat asks every second."""
        with self.engine.begin() as connection:
            rescue.rescue(connection)
            decisions.expire(connection)


class Timings:
    """How long things took, in milliseconds, by name and side."""

    def __init__(self) -> None:
        self.of: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))

    @contextmanager
    def of_one(self, name: str, side: str) -> Iterator[None]:
        """Time one thing."""
        began = time.perf_counter()
        yield
        self.of[name][side].append(1000 * (time.perf_counter() - began))

    def medians(self) -> dict[str, dict[str, float]]:
        """Of each thing on each side, and the ratio."""
        found = {}
        for name, sides in self.of.items():
            medians = {side: statistics.median(times) for side, times in sides.items()}
            found[name] = {**medians, "ratio": medians["full"] / medians["empty"]}
        return found


def work(timings: Timings, name: str, side: Side) -> None:
    """One round: runs come in, are claimed and settled, one alone and a batch."""
    for label, count in (("one", 1), ("batch", BATCH)):
        with timings.of_one(f"accept {label}", name):
            run_ids = side.accept(count)
        with timings.of_one(f"claim {label}", name):
            claimed = side.claim(run_ids)
        assert len(claimed) == count
        with timings.of_one(f"settle {label}", name):
            side.settle(claimed)
    with timings.of_one("rescue and expire", name):
        side.keep_house()


def measure(sides: dict[str, Side], *, churn: int, rounds: int) -> dict[str, dict[str, float]]:
    """Time everything on both sides in turn."""
    timings = Timings()
    say(f"working through {churn} runs on both sides")
    for _ in range(churn // BATCH):
        for side in sides.values():
            side.settle(side.claim(side.accept(BATCH)))
    time.sleep(AUTOVACUUM_S)
    say(f"{rounds} rounds")
    for name in in_turn(sides, rounds):
        work(timings, name, sides[name])
    for backlog in BACKLOGS:
        say(f"{backlog} wait")
        for side in sides.values():
            with side.engine.begin() as connection:
                filling.backlog(connection, backlog)
            vacuum(side, "analyze run")
        for name in in_turn(sides, rounds):
            run_ids = sides[name].accept(BATCH)
            with timings.of_one(f"tick, {backlog} wait", name):
                sides[name].tick()
            with timings.of_one(f"claim batch, {backlog} wait", name):
                claimed = sides[name].claim(run_ids)
            sides[name].settle(claimed)
    return timings.medians()


def in_turn(sides: dict[str, Side], rounds: int) -> Iterator[str]:
    """Each side's name once a round; who comes first changes."""
    for number in range(rounds):
        yield from sorted(sides, reverse=number % 2 == 0)


def measure_pruning(side: Side, *, rounds: int) -> dict[str, float]:
    """How fast old runs go, and what a claim and its settling cost meanwhile, at the pace of beat."""
    sweep = Sweep(side)
    count, times = 0, []
    for _ in range(30):
        began = time.perf_counter()
        count += sweep.prune()
        times.append(time.perf_counter() - began)
    timings = Timings()
    for _ in range(rounds):
        work(timings, "empty", side)  # without a pruner
    with sweep.at_beats_pace():
        for _ in range(rounds):
            work(timings, "full", side)
    medians = timings.medians()
    return {
        "runs_per_s": count / sum(times),
        "batch_ms": 1000 * statistics.median(times),
        **{f"{what} while pruning": medians[what]["ratio"] for what in ("claim batch", "settle batch")},
    }


class Sweep:
    """A sweep over old runs, as beat makes it."""

    def __init__(self, side: Side) -> None:
        self._side = side
        self._mark: retention.Mark | None = None

    def prune(self) -> int:
        """Remove a batch; how many there were."""
        with self._side.engine.begin() as connection:
            count, self._mark = retention.prune(connection, days=90, mark=self._mark)
        return count

    @contextmanager
    def at_beats_pace(self) -> Iterator[None]:
        """Remove a batch every second meanwhile."""
        stop = threading.Event()

        def keep_on() -> None:
            while not stop.wait(1.0):
                self.prune()

        thread = threading.Thread(target=keep_on)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()


def say(line: str) -> None:
    """Progress, on stderr."""
    print(line, file=sys.stderr, flush=True)


def vacuum(side: Side, statement: str = "vacuum analyze") -> None:
    """Run a statement that wants no transaction."""
    with side.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(statement))


@contextmanager
def server(folder: Path) -> Iterator[Callable[[str], str]]:
    """A Postgres of its own; yields what creates a database and gives its URL."""
    home = Home.at(folder)
    home.prepare()
    postgres = Postgres(home, port=ports.choose(home, {"database": None})["database"])
    assert postgres.make_way(0)
    # Autovacuum is awake, as it is on a server that has been at work for longer.
    command = [*postgres.command, "-c", "autovacuum_naptime=5s"]
    process = subprocess.Popen(command, cwd="/", stderr=subprocess.DEVNULL, **postgres.account.popen)
    try:
        while not postgres.ready():
            assert process.poll() is None
            time.sleep(0.1)

        def create(name: str) -> str:
            engine = create_engine(
                "postgresql+psycopg://" + postgres.url.partition("://")[2], isolation_level="AUTOCOMMIT"
            )
            with engine.connect() as connection:
                connection.execute(text(f"create database bench_{name}"))
            engine.dispose()
            return postgres.url.rpartition("/")[0] + f"/bench_{name}"

        yield create
    finally:
        process.send_signal(signal.SIGINT)  # at once, whoever is connected
        process.wait()


def size_gb(connection: Connection) -> float:
    """Of the whole database."""
    return float(connection.execute(text("select pg_database_size(current_database())")).scalar_one()) / 1e9


def main() -> int:
    """Fill, measure, compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=5_000_000, help="finished runs on the full side")
    parser.add_argument("--churn", type=int, default=8_000, help="runs worked through before anything is timed")
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--out", type=Path, default=Path("build/bench-growth.json"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="neonhub-bench-") as folder, server(Path(folder) / "home") as create:
        sides = {name: Side(create(name)) for name in ("full", "empty")}
        began = time.perf_counter()
        filling.finished(sides["full"].engine, options.rows, say)
        vacuum(sides["full"])
        with sides["full"].engine.connect() as connection:
            result: dict[str, Any] = {"rows": options.rows, "gb": size_gb(connection)}
        say(f"{result['gb']:.1f} GB made in {time.perf_counter() - began:.0f} s")
        result["ms"] = measure(sides, churn=options.churn, rounds=options.rounds)
        result["pruning"] = measure_pruning(sides["full"], rounds=options.rounds)
        for side in sides.values():
            side.engine.dispose()
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(result, indent=2) + "\n")
    for name, one in result["ms"].items():
        print(f"{name:28} {one['empty']:8.2f} ms  {one['full']:8.2f} ms  x {one['ratio']:.2f}")
    print(json.dumps(result["pruning"], indent=2))
    slow = [name for name, one in result["ms"].items() if one["ratio"] > MOST]
    if slow:
        print(f"error: more than {MOST} x as slow as on an empty table: {', '.join(slow)}", file=sys.stderr)
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
