"""How is our own stack tried? Up, asked, struck, waited for, and looked at."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from neonhub_worker.demo.watch import Sandbox
from neonhub_worker.local import stack
from neonhub_worker.local.home import Home
from neonhub_worker.settings import settings
from tests.acceptance.chaos import evidence
from tests.acceptance.chaos.faults import faults
from tests.acceptance.chaos.judge import Effect, Finding, RunRecord, judge
from tests.acceptance.chaos.plan import Strike
from tests.acceptance.chaos.producer import Producer
from tests.acceptance.chaos.strikes import Striker, Struck
from tests.conftest import forget_settings

_STUCK_S = 120.0
"""Nothing a run waits for takes longer."""

_LONGEST_S = 420.0
"""After the last blow: several such waits, one after the other."""

_LOOK_S = 0.5
_SAY_EVERY_S = 3.0

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Result:
    """What one experiment showed.

    Attributes:
        effects: What the sandbox counted, by mark.
        lease_s: The lease of this stack's workers.
    """

    runs: Sequence[RunRecord]
    effects: dict[str, list[Effect]]
    findings: Sequence[Finding]
    struck: Sequence[Struck]
    asked_again: int
    lease_s: float
    seconds: float


@dataclass
class Experiment:
    """One stack while it is tried.

    Args:
        actions: How many are asked for: half of them at once, the others bit by bit, each bit before a blow.
        fault_ids: What goes wrong at the platforms until the last blow.
    """

    actions: int
    striker: Striker
    sandbox: Sandbox
    fault_ids: Sequence[int]
    tell: Tell
    producer: Producer = field(default_factory=Producer)
    _said_at: float = 0.0

    def run(self, strikes: Sequence[Strike]) -> Result:
        """Try it and judge."""
        began = time.monotonic()
        with ThreadPoolExecutor(1, thread_name_prefix="producer") as asking:
            try:
                self._strike(strikes, asking)
                self._let_platforms_work()
                self._until_ended()
            finally:
                self.striker.thaw()
                self.producer.stop()
        runs, effects = evidence.runs(), evidence.effects(self.sandbox)
        return Result(
            runs=runs,
            effects=effects,
            findings=judge(self.producer.accepted, runs, effects),
            struck=self.striker.struck,
            asked_again=self.producer.asked_again,
            lease_s=settings().lease_s,
            seconds=time.monotonic() - began,
        )

    def _strike(self, strikes: Sequence[Strike], asking: ThreadPoolExecutor) -> None:
        first = self.actions // 2
        asked: list[Future[None]] = [asking.submit(self.producer.ask, first)]
        for number, strike in enumerate(strikes):
            time.sleep(max(0.0, strike.after_s - strike.lead_s))
            share = (self.actions - first) * (number + 1) // len(strikes) - (self.actions - first) * number // len(
                strikes
            )
            asked.append(asking.submit(self.producer.ask, share))
            time.sleep(strike.lead_s)
            self.striker.strike(strike)
            self._say(f"{len(self.striker.struck)}/{len(strikes)} blows, last {strike.process}: {strike.way}")
        for one in asked:
            one.result()

    def _let_platforms_work(self) -> None:
        """After the last blow every platform works again: what is left is to show that all of it comes to its end."""
        for fault_id in self.fault_ids:
            self.sandbox.remove_fault(fault_id)

    def _until_ended(self) -> None:
        """Until every run has ended or is parked, or it is hopeless to wait for the rest."""
        last, began = evidence.counts(), time.monotonic()
        changed_at = began
        while evidence.ended(last) < self.actions:
            if time.monotonic() - changed_at > _STUCK_S or time.monotonic() - began > _LONGEST_S:
                self.tell("the rest does not end")
                return
            time.sleep(_LOOK_S)
            now = evidence.counts()
            if now != last:
                last, changed_at = now, time.monotonic()
            states = ", ".join(f"{number} {state}" for state, number in sorted(now.items()))
            self._say(f"waiting for the end: {states}")

    def _say(self, text: str) -> None:
        if time.monotonic() - self._said_at > _SAY_EVERY_S:
            self._said_at = time.monotonic()
            self.tell(f"{len(self.producer.accepted)}/{self.actions} accepted; {text}")


def run(home: Path, *, actions: int, strikes: Sequence[Strike], seed: int, tell: Tell) -> Result:
    """Try a new stack in an empty folder; nothing of it runs afterwards."""
    with _stack(home, tell) as info:
        sandbox = Sandbox(info.urls["sandbox"])
        fault_ids = [sandbox.add_fault(fault) for fault in faults(seed)]
        striker = Striker(Home.at(home), broker_url=info.urls["broker"])
        return Experiment(actions, striker, sandbox, fault_ids, tell).run(strikes)


@contextlib.contextmanager
def _stack(home: Path, tell: Tell) -> Iterator[stack.StackInfo]:
    for name in [one for one in os.environ if one.startswith("NEONHUB_")]:
        del os.environ[name]
    os.environ["NEONHUB_HOME"] = str(home)
    try:
        info = stack.up(home, detach=True, on_progress=tell)
        forget_settings()
        yield info
    finally:
        tell("stopping the stack")
        stack.down(home, on_progress=lambda _: None)
