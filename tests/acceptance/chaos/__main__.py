"""``python -m tests.acceptance.chaos``: try our stack and Celery alone, print a table, exit 0 if nothing went wrong."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tests.acceptance.chaos import bare_celery, experiment, plan, report
from tests.acceptance.chaos.bare_celery import BareResult
from tests.acceptance.chaos.experiment import Result, Tell


@dataclass(frozen=True)
class Size:
    """How much is tried.

    Attributes:
        gap_s: Shortest and longest time between two kills.
        freeze_s: How long a worker is frozen, longer than its lease; None: not at all.
        bare: One part of so many is tried with Celery alone; None: nothing.
    """

    actions: int
    kills: int
    gap_s: tuple[float, float]
    freeze_s: float | None
    bare: int | None


LONG = Size(actions=2000, kills=60, gap_s=(1.2, 3.6), freeze_s=38.0, bare=4)
SHORT = Size(actions=200, kills=len(plan.STACK), gap_s=(1.2, 2.4), freeze_s=None, bare=None)


def main() -> int:
    """Do it; 1 if the target does not hold, 130 if it was interrupted."""
    parser = argparse.ArgumentParser(prog="python -m tests.acceptance.chaos", description=__doc__)
    parser.add_argument("--actions", type=int, help=f"how many are asked for (default: {LONG.actions})")
    parser.add_argument("--kills", type=int, help=f"how many processes are killed (default: {LONG.kills})")
    parser.add_argument("--seed", type=int, default=1, help="decides on every kill and every fault (default: 1)")
    parser.add_argument("--out", type=Path, default=Path("build/chaos.json"), help="the result (default: %(default)s)")
    parser.add_argument("--short", action="store_true", help="in about a minute: 200 actions, each process killed once")
    options = parser.parse_args()
    size = SHORT if options.short else LONG
    actions, kills = options.actions or size.actions, options.kills or size.kills
    # Whoever stops it gets what Ctrl-C does: everything is cleaned up.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    tell = _teller()
    try:
        with tempfile.TemporaryDirectory(prefix="neonhub-chaos-") as folder:
            result = _ours(Path(folder), size, actions, kills, options.seed, tell)
            bare = _bare(Path(folder), size, actions, kills, options.seed, tell)
    except KeyboardInterrupt:
        return 130
    found = report.figures(result, bare, seed=options.seed)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(found, indent=2) + "\n")
    report.show(found, result.findings)
    return 0 if found["held"] else 1


def _ours(folder: Path, size: Size, actions: int, kills: int, seed: int, tell: Tell) -> Result:
    strikes = plan.strikes(seed, kills, deck=plan.STACK, gap_s=size.gap_s, freeze_s=size.freeze_s)
    return experiment.run(folder / "ours", actions=actions, strikes=strikes, seed=seed, tell=tell)


def _bare(folder: Path, size: Size, actions: int, kills: int, seed: int, tell: Tell) -> dict[str, BareResult]:
    if size.bare is None:
        return {}
    strikes = plan.strikes(seed, max(1, kills // size.bare), deck=plan.CELERY, gap_s=size.gap_s)
    return {
        name: bare_celery.run(folder / name, name, count=actions // size.bare, strikes=strikes, seed=seed, tell=tell)
        for name in bare_celery.SETTINGS
    }


def _teller() -> Tell:
    began = time.monotonic()
    return lambda line: print(f"[{time.monotonic() - began:5.1f} s] {line}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
