"""Does the judge of the chaos run see what it is there to see? And are the kills those that the seed decides?"""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from neonhub_worker.ledger.runs import Event
from neonhub_worker.ledger.states import RunState
from tests.acceptance.chaos import actions, judge, plan
from tests.acceptance.chaos.judge import Effect, Fault, Recovery, RunRecord
from tests.acceptance.chaos.plan import Way
from tests.acceptance.chaos.strikes import Struck

BEGIN = datetime(2026, 11, 25, 12, tzinfo=UTC)
KILLED = "actions.1-old"


def at(seconds: float) -> datetime:
    return BEGIN + timedelta(seconds=seconds)


def event(seconds: float, move: str, state: RunState, *, worker: str = "w", **detail: Any) -> Event:
    return Event(at(seconds), move, state, 1, worker, detail or None)


def run(state: RunState, *events: Event, may_park: bool = False) -> RunRecord:
    return RunRecord(uuid.uuid4(), actions.mark(7), "sms.sendSMS", may_park, state, 1, "SM1", events)


def faults(one: RunRecord, provider_ids: Sequence[str]) -> set[Fault]:
    effects = [Effect(provider_id, "container-1") for provider_id in provider_ids]
    found = judge.judge({one.mark: one.id}, [one], {one.mark: effects} if effects else {})
    return {finding.fault for finding in found}


@pytest.mark.parametrize(
    ("state", "effects", "expected"),
    [
        (RunState.SUCCEEDED, ["SM1"], set()),
        (RunState.SUCCEEDED, [], {Fault.LOST}),
        (RunState.SUCCEEDED, ["SM1", "SM2"], {Fault.DUPLICATED}),
        (RunState.SUCCEEDED, ["SM2"], {Fault.MISNAMED}),
        (RunState.FAILED, [], set()),
        (RunState.FAILED, ["SM1"], {Fault.DENIED}),
        (RunState.CANCELLED, ["SM1", "SM2"], {Fault.DENIED, Fault.DUPLICATED}),
        (RunState.QUEUED, [], {Fault.UNSETTLED, Fault.LOST}),
        (RunState.WAITING, ["SM1"], {Fault.UNSETTLED}),
        (RunState.PARKED, ["SM1"], {Fault.PARKED}),
    ],
)
def test_the_ledgers_word_is_held_against_the_sandboxs_count(
    state: RunState, effects: list[str], expected: set[Fault]
) -> None:
    assert faults(run(state), effects) == expected


def test_parking_is_right_where_it_is_the_policy() -> None:
    one = run(RunState.PARKED, may_park=True)
    assert faults(one, []) == faults(one, ["SM1"]) == set()
    assert faults(one, ["SM1", "SM2"]) == {Fault.DUPLICATED}


def test_a_run_may_be_recorded_under_the_key_that_the_platform_knows_it_by() -> None:
    one = run(RunState.SUCCEEDED)
    assert judge.judge({one.mark: one.id}, [one], {one.mark: [Effect("media-1", "SM1")]}) == []


def test_what_nobody_asked_for_is_found() -> None:
    one = run(RunState.SUCCEEDED)
    twice = judge.judge({one.mark: uuid.uuid4()}, [one], {one.mark: [Effect("SM1")]})
    assert {finding.fault for finding in twice} == {Fault.UNACCEPTED, Fault.LOST}
    (strange,) = judge.judge({}, [], {"": [Effect("SM1")]})
    assert strange.fault is Fault.UNACCEPTED


def test_an_accepted_request_without_a_run_is_lost() -> None:
    (finding,) = judge.judge({actions.mark(1): uuid.uuid4()}, [], {})
    assert finding.fault is Fault.LOST


def kill(seconds: float, way: Way = Way.KILL) -> Struck:
    return Struck("actions.1", way, at(seconds), KILLED)


def test_recovery_is_counted_from_the_kill_until_it_is_known_what_became_of_the_run() -> None:
    interrupted = run(
        RunState.SUCCEEDED,
        event(0, "claim", RunState.RUNNING, worker=KILLED),
        event(3, "rescue", RunState.QUEUED, worker=KILLED),
        event(4, "claim", RunState.RUNNING),
        event(5, "snooze", RunState.WAITING, reason="not shown by the platform yet"),
        event(9, "claim", RunState.RUNNING),
        event(10, "back_off", RunState.RETRYING, **{"class": "Unavailable"}),
        event(14, "claim", RunState.RUNNING),
        event(16, "succeed", RunState.SUCCEEDED),
    )
    done_before = run(
        RunState.SUCCEEDED,
        event(0, "claim", RunState.RUNNING, worker=KILLED),
        event(0.5, "succeed", RunState.SUCCEEDED, worker=KILLED),
    )
    assert judge.recoveries([interrupted, done_before], [kill(1)]) == [Recovery(taken_up_s=3, settled_s=15)]
    assert judge.recoveries([interrupted], [kill(1, Way.FREEZE)]) == []


def test_the_percentile_is_a_time_that_was_measured() -> None:
    times = [float(number) for number in range(100, 0, -1)]
    assert (judge.percentile(times, 0.5), judge.percentile(times, 0.99)) == (50, 99)
    assert judge.percentile([3.0], 0.99) == 3
    assert judge.percentile([], 0.99) is None


def test_read_back_is_counted_by_what_it_said() -> None:
    sent = run(RunState.SUCCEEDED, event(1, "succeed", RunState.SUCCEEDED, settled="read-back: it was sent"))
    not_sent = run(RunState.SUCCEEDED, event(1, "resend", RunState.RUNNING, settled="read-back: it was not sent"))
    assert judge.settled([sent, not_sent, sent]) == (2, 1)


@pytest.mark.parametrize("seed", range(20))
def test_the_seed_decides_on_every_kill(seed: int) -> None:
    def draw(seed: int) -> list[plan.Strike]:
        return plan.strikes(seed, 60, deck=plan.STACK, gap_s=(1.0, 2.0), freeze_s=38)

    strikes = draw(seed)
    assert strikes == draw(seed) != draw(seed + 1)
    assert sum(strike.way is not Way.FREEZE for strike in strikes) == 60
    assert not any({one.process, two.process} == plan.GUARDS for one, two in itertools.pairwise(strikes))


def test_the_frozen_worker_is_left_alone_until_it_wakes_up() -> None:
    strikes = plan.strikes(1, 60, deck=plan.STACK, gap_s=(1.0, 2.0), freeze_s=20)
    (frozen,) = [number for number, strike in enumerate(strikes) if strike.way is Way.FREEZE]
    passed_s = 0.0
    for strike in strikes[frozen + 1 :]:
        passed_s += strike.after_s
        if passed_s < 20:
            assert strike.process != strikes[frozen].process


def test_any_round_strikes_every_kind_of_process() -> None:
    strikes = plan.strikes(5, len(plan.STACK), deck=plan.STACK, gap_s=(1.0, 2.0))
    assert {strike.process for strike in strikes} >= {"actions.1", "actions.2", "beat", "supervisor", "keeper"}
    assert {strike.way for strike in strikes} >= {Way.KILL_AND_EMPTY, Way.IMMEDIATE}


def test_every_request_can_be_told_from_every_other_by_its_effect() -> None:
    shown = {"recipient": None, "provider_id": "SM1", "key": None}
    assert actions.mark_of({**shown, "text": f"Spring is here: {actions.mark(12)}"}) == actions.mark(12)
    assert actions.mark_of({**shown, "text": "Spring is here."}) is None
