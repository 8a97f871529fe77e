"""Does nobody wait for a crowd, and does nobody send faster than it may?

    make bench-fairness
    make bench-fairness ARGS='--backlog 5000 --posts 20 --seconds 15'

Everything is real: Postgres with fsync, the broker, three action workers, the sandbox, whose own times of its effects
are what counts. Prints a table, writes build/bench-fairness.json, and ends with code 1 if a target is missed. The
machine is shared with everything else that runs on it: look at several runs.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from isolation import isolation
from pacing import pacing
from single_posts import single_posts
from stage import Stage, Verdict

from neonhub_worker.local import procfile, stack
from neonhub_worker.settings import load

STAGES = ("posts", "pacing", "isolation")


def main() -> int:
    """Start a stack of its own, measure, stop it."""
    options = _options()
    verdicts: list[Verdict] = []
    with _stage(options.workers) as stage:
        if "posts" in options.only:
            verdicts += single_posts(stage, backlog=options.backlog, posts=options.posts)
        if "pacing" in options.only:
            verdicts += pacing(stage, seconds=options.seconds)
        if "isolation" in options.only:
            verdicts += isolation(stage, seconds=options.seconds, backlog=options.lane)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps([one.as_json() for one in verdicts], indent=2) + "\n")
    _print(verdicts)
    return 0 if all(one.kept for one in verdicts) else 1


def _options() -> Any:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backlog", type=int, default=100_000, help="messages of the campaign")
    parser.add_argument("--posts", type=int, default=120, help="single posts that meet it, each time")
    parser.add_argument("--seconds", type=int, default=60, help="how long each pace is watched")
    parser.add_argument("--lane", type=int, default=20_000, help="messages of the connection with a long backlog")
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--only", nargs="+", choices=STAGES, default=STAGES)
    parser.add_argument("--out", type=Path, default=Path("build/bench-fairness.json"))
    return parser.parse_args()


@contextmanager
def _stage(workers: int) -> Iterator[Stage]:
    with tempfile.TemporaryDirectory(prefix="neonhub-bench-") as folder:
        home = Path(folder) / "home"
        os.environ["NEONHUB_HOME"] = str(home)
        info = stack.up(home, detach=True, procfile=_procfile(Path(folder), workers), on_progress=_tell)
        try:
            yield Stage(info.urls["sandbox"], load(home=home).need_database_url(), tell=_tell)
        finally:
            stack.down(home, on_progress=_tell)


def _procfile(folder: Path, workers: int) -> Path:
    """The installation's own, with as many lines of action workers as wanted: its first one is run twice."""
    lines = procfile.parse(procfile.load(procfile.find()))
    actions = next(line for line in lines if line.name == "actions")
    names = ["actions", *(f"actions-{number}" for number in range(3, workers + 1))]
    others = [f"{line.name}: {line.text}" for line in lines if line.name not in ("actions", "flower")]
    place = folder / "Procfile"
    place.write_text("\n".join([*(f"{name}: {actions.text}" for name in names), *others]) + "\n")
    return place


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _print(verdicts: list[Verdict]) -> None:
    width = max((len(one.question) for one in verdicts), default=0)
    for one in verdicts:
        figures = "  ".join(f"{name} {value:.4g}" for name, value in one.figures.items())
        print(f"{'kept  ' if one.kept else 'MISSED'}  {one.question:{width}}  {one.target:30}  {figures}")


if __name__ == "__main__":
    sys.exit(main())
