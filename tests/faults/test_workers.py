"""A worker is killed, broken or frozen at every point it passes, with every repeat policy; the sandbox counts."""

from __future__ import annotations

import signal
import time
import uuid
from collections.abc import Iterator

import pytest

from neonhub_worker import faults, get_run
from neonhub_worker.ledger.late import SENT_LATE
from neonhub_worker.settings import settings
from tests.faults.armed import Armed
from tests.faults.cases import CASES, Input
from tests.faults.endings import accept, attempt, finish, let_lease_run_out, let_waits_pass, show, take_over, wrong
from tests.faults.matrix import BEAT, PRODUCER, RENEWAL, WEBHOOKS, Cell, cells
from tests.integration.workers import Place
from tests.servers import wait_for

# More would only wait for each other until too little of their leases were left to send.
_AT_ONCE = 4


def test_every_point_is_one_of_a_producer_a_beat_or_a_worker_and_all_of_a_worker_are_in_the_matrix() -> None:
    for kind in faults.KINDS:
        elsewhere = PRODUCER | BEAT | RENEWAL | WEBHOOKS
        assert {cell.point for cell in cells(kind)} | elsewhere == faults.POINTS.keys()


class Struck:
    """A run whose worker was struck."""

    def __init__(self, place: Place, cell: Cell) -> None:
        self.place = place
        self.cell = cell
        self.given: Input = cell.case.make(place.sandbox)
        self.run_id: uuid.UUID = accept(cell.case, self.given)
        for _ in range(cell.before):
            attempt(place, self.run_id, cell.case)
        let_waits_pass(self.run_id)
        show(place.sandbox)
        if cell.prior is not None:
            assert Armed([self.run_id], cell.prior).wait() == -signal.SIGKILL
            self.wait_arrived()
            let_lease_run_out(self.run_id)
            take_over()
            let_waits_pass(self.run_id)
            show(place.sandbox)
        self.worker = Armed([self.run_id], cell.fault)

    def wait_arrived(self) -> None:
        """What was written before the fault reaches the platform, whatever becomes of the writer."""
        case, sandbox = self.cell.case, self.place.sandbox
        wait_for(lambda: case.count(sandbox, self.given) >= self.cell.done, f"the effect of {self.cell}")
        assert case.count(sandbox, self.given) == self.cell.done

    def finish(self) -> None:
        finish(self.place, self.run_id, self.cell.case)

    def count(self) -> int:
        return self.cell.case.count(self.place.sandbox, self.given)

    def is_said_to_be_late(self) -> bool:
        """Whether its timeline says so, without another state."""
        run = get_run(self.run_id)
        said = [event.state for event in run.timeline if event.move == SENT_LATE]
        assert set(said) <= {run.state}
        return bool(said)

    def wrong(self) -> str | None:
        return wrong(self.place, self.run_id, self.cell.case, self.given)


@pytest.mark.parametrize("cell", cells("kill"), ids=str)
def test_a_worker_killed_at_any_point_loses_and_repeats_nothing(place: Place, cell: Cell) -> None:
    struck = Struck(place, cell)
    assert struck.worker.wait() == -signal.SIGKILL
    struck.wait_arrived()
    let_lease_run_out(struck.run_id)
    struck.finish()
    assert struck.wrong() is None


@pytest.mark.parametrize("cell", cells("raise"), ids=str)
def test_a_worker_that_breaks_at_any_point_loses_and_repeats_nothing(place: Place, cell: Cell) -> None:
    struck = Struck(place, cell)
    assert struck.worker.wait() in (0, 1)
    struck.wait_arrived()
    let_lease_run_out(struck.run_id)
    struck.finish()
    assert struck.wrong() is None


def test_one_attempt_that_breaks_costs_the_others_of_its_batch_nothing(place: Place) -> None:
    case = next(case for case in CASES if case.policy == "LookUp")
    given = [case.make(place.sandbox) for _ in range(3)]
    run_ids = [accept(case, one) for one in given]
    assert Armed(run_ids, "send.answered:raise").wait() == 0
    states = {run_id: get_run(run_id).state for run_id in run_ids}
    assert sorted(states.values()) == ["running", "succeeded", "succeeded"]
    (broken,) = (run_id for run_id, state in states.items() if state == "running")
    let_lease_run_out(broken)
    finish(place, broken, case)
    assert [wrong(place, *one) for one in zip(run_ids, [case] * 3, given, strict=True)] == [None] * 3


@pytest.fixture
def frozen(place: Place) -> Iterator[list[Struck]]:
    """A worker frozen at each point, for longer than its lease, and its run brought to an end by another."""
    struck: list[Struck] = []
    wanted = cells("stop")
    try:
        for start in range(0, len(wanted), _AT_ONCE):
            part = [Struck(place, cell) for cell in wanted[start : start + _AT_ONCE]]
            struck += part
            for one in part:
                one.worker.wait_frozen()
                one.wait_arrived()
        # On the workers' own clocks too: their last check must not find a lease that only the database has shortened.
        over = time.monotonic() + settings().lease_s
        wait_for(lambda: time.monotonic() > over, "the leases to run out", timeout_s=settings().lease_s + 1)
        for one in struck:
            one.finish()
        yield struck
    finally:
        for one in struck:
            one.worker.end()


def test_a_worker_frozen_at_any_point_past_its_lease_does_no_harm_when_it_goes_on(frozen: list[Struck]) -> None:
    before = {str(one.cell): one.wrong() for one in frozen}
    assert {cell: what for cell, what in before.items() if what is not None} == {}
    for one in frozen:
        one.worker.thaw()
    for one in frozen:
        one.worker.wait()
    on_time = [one for one in frozen if not one.cell.sends_late]
    assert {str(one.cell): what for one in on_time if (what := one.wrong()) is not None} == {}
    assert [str(one.cell) for one in on_time if one.is_said_to_be_late()] == []
    # Frozen between the last check and the write: what then arrives twice is one where the platform itself drops a
    # repeat, by its key or by what it is about. Where it does not, the run says that it may be two.
    late = [one for one in frozen if one.cell.sends_late]
    assert {one.cell.case.action: one.count() for one in late} == {
        "slack.deleteMessage": 1,
        "stripe.createCoupon": 1,
        "sms.sendSMS": 2,
        "whatsapp.sendTemplate": 1,
        "slack.uploadFile": 2,
        "instagram.publishPost": 1,
        "linkedin.publishPost": 1,
        "email.sendEmail": 1,
    }
    assert [str(one.cell) for one in late if not one.is_said_to_be_late()] == []
