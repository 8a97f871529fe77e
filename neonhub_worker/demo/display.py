"""How does a person watch? A live table in a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from types import TracebackType

from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table

from neonhub_worker.demo.report import Report
from neonhub_worker.ledger.states import FINAL, RunState

_PLAIN_EVERY_S = 3.0
_ALWAYS_SHOWN = (RunState.SUCCEEDED, RunState.PARKED)
_DOUBT = "what is in doubt is looked up, and repeated only once the platform would show it (30 s for SMS)"
_COLOURS = {RunState.SUCCEEDED: "green", RunState.FAILED: "yellow", RunState.PARKED: "red", RunState.RUNNING: "cyan"}


class Display:
    """Shows progress on standard error while it is entered; standard output is for the result."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False)
        self._live = Live(console=self._console, refresh_per_second=8, transient=False)
        self._tty = self._console.is_terminal
        self._began = time.monotonic()
        self._said_at = 0.0
        self._told_of_doubt = False

    def __enter__(self) -> Display:
        if self._tty:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._tty:
            self._live.stop()

    def say(self, line: str) -> None:
        """Something that happened."""
        self._console.print(f"[{self._elapsed_s():5.1f} s] {line}", markup=False)

    def progress(self, counts: Mapping[RunState, int], total: int, *, in_doubt: int, restarts: int) -> None:
        """Where the runs stand."""
        if in_doubt and not self._told_of_doubt:
            self._told_of_doubt = True
            self.say(f"{in_doubt} in doubt, perhaps sent: {_DOUBT}")
        if self._tty:
            self._live.update(self._table(counts, total, in_doubt=in_doubt, restarts=restarts))
        elif time.monotonic() - self._said_at > _PLAIN_EVERY_S:
            self._said_at = time.monotonic()
            states = ", ".join(f"{count} {state}" for state, count in sorted(counts.items()))
            self.say(f"{states}; {in_doubt} in doubt; {restarts} restarts")

    def _table(self, counts: Mapping[RunState, int], total: int, *, in_doubt: int, restarts: int) -> Table:
        done = sum(counts.get(state, 0) for state in (*FINAL, RunState.PARKED))
        table = Table.grid(padding=(0, 2))
        for state in RunState:
            if counts.get(state):
                colour = _COLOURS.get(state, "blue")
                bar = ProgressBar(total=total, completed=counts[state], width=40, complete_style=colour)
                table.add_row(str(state), str(counts[state]), bar)
        rate = done / max(0.1, self._elapsed_s())
        note = f"{rate:.0f} a second; {in_doubt} in doubt; {restarts} restarts"
        table.add_row("", f"{done}/{total}", note)
        return table

    def _elapsed_s(self) -> float:
        return time.monotonic() - self._began


def print_report(report: Report) -> None:
    """The result, on standard output."""
    table = Table(title="What happened", title_justify="left", show_header=False, box=None, pad_edge=False)
    table.add_row("accepted", str(report.accepted))
    for state in RunState:
        if state in _ALWAYS_SHOWN or report.states.get(state):
            table.add_row(f"  {state}", str(report.states.get(state, 0)))
    table.add_row("refused", str(sum(report.refused.values())))
    for reason, count in sorted(report.refused.items()):
        table.add_row(f"  {reason}", str(count))
    table.add_row("reached a platform (the sandbox's count)", str(report.effects))
    table.add_row("settled by read-back", str(report.read_backs))
    table.add_row("attempts", str(report.attempts))
    for name, value in report.extra.items():
        table.add_row(name.replace("_", " "), str(value))
    table.add_row("duplicates", str(report.duplicates))
    table.add_row("lost", str(report.lost))
    Console(width=None if sys.stdout.isatty() else 100, highlight=False).print(table)
