"""How many actions per second does the embedded stack carry out, and what does one cost?

    make bench                         # 1,500 messages
    make bench ARGS='--actions 5000'

Everything is real: Postgres with fsync, the broker, two action workers, the sandbox. Prints a table and writes
build/bench.json. The machine is shared with everything else that runs on it: compare ratios of one run, not runs.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil
import requests
from sqlalchemy import create_engine, text

from neonhub_worker.local import stack
from neonhub_worker.settings import load


def cpu_s(home: Path) -> dict[str, float]:
    """CPU seconds used so far by each process of the stack; a server's children count as the server.

    A kernel that samples at its timer's ticks sees little of processes that work for less than a tick at a time, as
    Postgres' do here.
    """
    used: dict[str, float] = {}
    for state in stack.processes(home):
        family = [psutil.Process(state.pid)] if psutil.pid_exists(state.pid) else []
        if family and state.name != "supervisor":  # its children are the others
            family += family[0].children(recursive=True)
        used[state.name] = sum(sum(process.cpu_times()[:2]) for process in family)
    return used


def message(number: int, mark: str) -> dict[str, Any]:
    """One SMS to a number of its own."""
    return {
        "action": "sms.sendSMS",
        "organization_id": "demo",
        "connection": "sms",
        "input": {"to": f"+1415555{number % 10_000:04d}", "body": f"{mark} {number}"},
    }


def measure(home: Path, actions: int) -> dict[str, Any]:
    """Enqueue and carry out, and read the counters before and after."""
    from neonhub_worker import enqueue, enqueue_many, wait

    engine = create_engine(load(home=home).need_database_url())

    def counter(sql: str) -> float:
        with engine.connect() as connection:
            connection.execute(text("select pg_stat_force_next_flush()"))
            return float(connection.execute(text(sql)).scalar_one())

    commits = "select xact_commit from pg_stat_database where datname = current_database()"
    done = "select count(*) from run where finished_at is not null"

    wait(enqueue(message(0, "warm up")), timeout_s=60)
    singles = 100
    began = time.perf_counter()
    for number in range(singles):
        enqueue(message(number, "single"))
    single_s = time.perf_counter() - began
    while counter(done) < singles + 1:
        time.sleep(0.1)

    cpu_before, commits_before = cpu_s(home), counter(commits)
    began = time.perf_counter()
    enqueue_many([message(number, "bulk") for number in range(actions)])
    bulk_s = time.perf_counter() - began
    asked = 0
    while counter(done) < actions + singles + 1:
        asked += 1
        time.sleep(0.1)
    total_s = time.perf_counter() - began
    cpu_after, commits_after = cpu_s(home), counter(commits)
    cpu = {name: cpu_after[name] - cpu_before.get(name, 0.0) for name in cpu_after}
    return {
        "actions": actions,
        "actions_per_s": actions / total_s,
        "enqueue_one_per_s": singles / single_s,
        "enqueue_bulk_per_s": actions / bulk_s,
        "commits_per_action": (commits_after - commits_before - asked) / actions,
        "cpu_ms_per_action": {name: 1000 * used / actions for name, used in sorted(cpu.items()) if used > 0},
    }


def main() -> int:
    """Start a stack of its own, measure, stop it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--actions", type=int, default=1500)
    parser.add_argument("--out", type=Path, default=Path("build/bench.json"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="neonhub-bench-") as folder:
        home = Path(folder) / "home"
        os.environ["NEONHUB_HOME"] = str(home)
        info = stack.up(home, detach=True, on_progress=lambda line: print(line, file=sys.stderr))
        try:
            result = measure(home, options.actions)
            counted = requests.get(f"{info.urls['sandbox']}/_sandbox/effects/count", timeout=10).json()
        finally:
            stack.down(home, on_progress=lambda line: print(line, file=sys.stderr))
    result["sandbox_counted"] = counted
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
