"""The ledger's moves in any order, by any number of workers, people and clocks: the promise holds at every step."""

from __future__ import annotations

import contextlib
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import Connection, text

from connectors.kit.action import LookUp, Park, Resend, ResendWithKey
from neonhub_worker.dispatch import admission, due
from neonhub_worker.errors import MoveRefused
from neonhub_worker.ledger import decisions, leases, rescue
from neonhub_worker.ledger.states import FINAL, MOVES, RunState
from tests.faults.models import Attempt, Platform, Way
from tests.integration.ledgers import GONE_S, Ledger

_POLICIES = st.sampled_from((Resend, ResendWithKey, LookUp, Park))
_RUNS = 3
_ROUNDS = 20
_LATER = datetime(2100, 1, 1, tzinfo=UTC)


class Moves(RuleBasedStateMachine):
    """Every move as a rule; the statements are the ledger's own, on a real Postgres."""

    def __init__(self, ledger: Ledger) -> None:
        super().__init__()
        self.ledger = ledger
        self.engine = ledger.engine
        self.platform = Platform()
        self.policies: dict[uuid.UUID, type] = {}
        self.attempts: list[Attempt] = []
        self.ended: dict[uuid.UUID, RunState] = {}
        self.ahead: set[uuid.UUID] = set()

    # Producers, people, and the clock.

    @initialize(policy=_POLICIES)
    def accept_one(self, policy: type) -> None:
        self.add(policy)

    @precondition(lambda self: len(self.policies.keys() - self.ended) < _RUNS)
    @rule(policy=_POLICIES, ahead=st.booleans())
    def accept(self, policy: type, ahead: bool) -> None:
        self.add(policy, ahead=ahead)

    def add(self, policy: type, *, ahead: bool = False) -> uuid.UUID:
        run_id = self.ledger.accept(max_retries=2, input={}, **({"run_at": _LATER} if ahead else {}))
        self.policies[run_id] = policy
        if ahead:
            self.ahead.add(run_id)
        return run_id

    @rule(data=st.data(), decision=st.sampled_from(("cancel", "retry", "settle", "settle")))
    def a_person_decides(self, data: st.DataObject, decision: str) -> None:
        self.ask(self.pick(data), decision)

    def ask(self, run_id: uuid.UUID, decision: str) -> None:
        """What a person asks for, who looks at the platform before saying what happened."""
        with contextlib.suppress(MoveRefused), self.engine.begin() as connection:
            if decision == "cancel":
                decisions.cancel(connection, run_id)
            elif decision == "retry":
                decisions.retry(connection, run_id)
                self.ended.pop(run_id, None)
            else:
                made = self.platform.effects.get(run_id)
                decisions.settle(connection, run_id, sent=made[0] if made else None)

    @rule(data=st.data())
    def the_platform_tells(self, data: st.DataObject) -> None:
        self.tell(self.pick(data))

    def tell(self, run_id: uuid.UUID) -> None:
        """What a platform tells unasked of an effect that happened, as often as it likes."""
        made = self.platform.effects.get(run_id)
        if made:
            with self.engine.begin() as connection:
                decisions.hear(connection, run_id, provider_id=made[0], source="a test")

    @rule(data=st.data(), what=st.sampled_from(("wait", "wait", "lease", "expiry")))
    def time_passes(self, data: st.DataObject, what: str) -> None:
        self.let_pass(self.pick(data), what)

    def let_pass(self, run_id: uuid.UUID, what: str) -> None:
        """As if that much time had passed. What was sent is shown long before another run's wait is over."""
        with self.engine.begin() as connection:
            for statement in _PASSED[what]:
                connection.execute(text(statement), {"id": run_id})
        if what == "lease":
            for attempt in self.attempts:
                attempt.lease_over |= attempt.claimed.id == run_id

    # Beats, and what surrounds them.

    @rule(data=st.data(), what=st.sampled_from(("beat", "beat", "hold", "drop", "away", "back")))
    def something_happens(self, data: st.DataObject, what: str) -> None:
        if what == "beat":
            self.beat()
        elif what == "hold":
            self.hold(self.pick(data))
        elif what == "drop":
            self.drop(self.pick(data))
        else:
            self.platform.answers = what == "back"

    def beat(self) -> None:
        self.ledger.rescue()
        with self.engine.begin() as connection:
            decisions.expire(connection)
            due.ripen(connection, redispatch_s=0)

    def hold(self, run_id: uuid.UUID) -> None:
        with self.engine.begin() as connection:
            admission.hold(connection, {run_id: 60.0}, reason="its turn has not come")

    def drop(self, run_id: uuid.UUID) -> None:
        with self.engine.begin() as connection:
            admission.drop(connection, {run_id: "quiet hours"})

    # Workers. A message may come at any time and any number of times.

    @rule(data=st.data())
    def a_message_comes(self, data: st.DataObject) -> None:
        self.claim(self.pick(data))

    def claim(self, run_id: uuid.UUID) -> list[Attempt]:
        claimed = self.ledger.claim(run_id)
        made = [Attempt(one, self.platform.action(self.policies[one.id]), self.platform) for one in claimed]
        self.attempts += made
        return made

    @precondition(lambda self: self.attempts)
    @rule(data=st.data(), way=st.sampled_from(Way), broken=st.sampled_from((False, False, False, True)))
    def a_worker_goes_on(self, data: st.DataObject, way: Way, broken: bool) -> None:
        """One step. What ended is settled again and again, as after a commit whose answer was lost."""
        self.go_on(data.draw(st.sampled_from(self.attempts)), way, broken=broken)

    def go_on(self, attempt: Attempt, way: Way, *, broken: bool = False) -> None:
        with self.engine.begin() as connection:
            if attempt.outcome is not None:
                leases.settle(connection, [attempt.outcome], worker="w1")
            elif attempt.may_send:
                attempt.send(way)
            elif broken:
                attempt.break_off()
            elif not attempt.decide(connection):
                self.attempts.remove(attempt)

    @rule(data=st.data(), way=st.sampled_from(Way))
    def a_worker_does_all(self, data: st.DataObject, way: Way) -> None:
        self.perform(self.pick(data), way)

    def perform(self, run_id: uuid.UUID, way: Way = Way.ANSWERED) -> None:
        """One whole attempt."""
        for attempt in self.claim(run_id):
            for _ in range(3):
                self.go_on(attempt, way)

    @precondition(lambda self: self.attempts)
    @rule(data=st.data())
    def a_worker_dies(self, data: st.DataObject) -> None:
        self.die(data.draw(st.sampled_from(self.attempts)))

    def die(self, attempt: Attempt) -> None:
        self.attempts.remove(attempt)
        self.let_pass(attempt.claimed.id, "lease")

    def pick(self, data: st.DataObject) -> uuid.UUID:
        """Mostly one that is not over."""
        under_way = self.policies.keys() - self.ended
        return data.draw(st.sampled_from([*sorted(under_way) * 3, *sorted(self.policies)]))

    # What holds at every step.

    @invariant()
    def nothing_happens_twice(self) -> None:
        assert [run_id for run_id in self.policies if self.platform.count(run_id) > 1] == []

    @invariant()
    def what_is_said_is_true(self) -> None:
        with self.engine.connect() as connection:
            for run in _read(connection, list(self.policies)):
                count = self.platform.count(run.id)
                assert count == _EFFECTS.get(run.state, count), f"{run.state} with {count} effects: {run.moves}"
                assert count == _SHOWN.get(run.effect or "", count), (
                    f"effect {run.effect}, {count} happened: {run.moves}"
                )
                assert self.ended.get(run.id, run.state) == run.state, "what has ended goes on only if a person asks"
                if run.state in FINAL:
                    self.ended[run.id] = run.state
                replay(run, RunState.SCHEDULED if run.id in self.ahead else RunState.QUEUED)

    def teardown(self) -> None:
        """Whatever happened, every run can be brought to an end."""
        self.finish()
        self.nothing_happens_twice()
        self.what_is_said_is_true()

    def finish(self) -> None:
        self.platform.answers = True
        for attempt in [*self.attempts]:
            self.die(attempt)
        open_runs = set(self.policies)
        for _ in range(_ROUNDS):
            for run_id in sorted(open_runs):
                self.let_pass(run_id, "lease")
                self.let_pass(run_id, "wait")
            self.ledger.rescue()
            for run_id in sorted(open_runs):
                self.perform(run_id)
                self.ask(run_id, "settle")
            with self.engine.connect() as connection:
                open_runs = {run.id for run in _read(connection, list(open_runs)) if run.state not in FINAL}
        assert open_runs == set(), "every run can be brought to an end"


_EFFECTS = {RunState.SUCCEEDED: 1, RunState.FAILED: 0, RunState.CANCELLED: 0, RunState.EXPIRED: 0}
"""How many effects a run of this state has."""

_SHOWN = {"planned": 0, "refused": 0, "confirmed": 1}
"""How many a run has whose effect is in this state."""

_PASSED = {
    "wait": (
        "update run set run_at = clock_timestamp() where id = :id and run_at > clock_timestamp()",
        "update step set sent_by = sent_by - interval '1 hour' where run_id = :id",
    ),
    "lease": ("update run set lease_until = clock_timestamp() where id = :id and state = 'running'",),
    "expiry": ("update run set expires_at = clock_timestamp() where id = :id and finished_at is null",),
}

_READ = text(
    """
    select r.id, r.state, (select s.state from step s where s.run_id = r.id) as effect,
           (select coalesce(array_agg(e.move || ' ' || e.state order by e.id), '{}') from run_event e
            where e.run_id = r.id) as moves
    from run r where r.id = any(:ids)
    """
)


@dataclass(frozen=True)
class Seen:
    """A run as the database shows it; each move with the state it led to."""

    id: uuid.UUID
    state: RunState
    effect: str | None
    moves: list[tuple[str, RunState]]


def _read(connection: Connection, run_ids: list[uuid.UUID]) -> list[Seen]:
    rows = connection.execute(_READ, {"ids": run_ids})
    return [Seen(row.id, RunState(row.state), row.effect, [_move(one) for one in row.moves]) for row in rows]


def _move(said: str) -> tuple[str, RunState]:
    move, _, state = said.partition(" ")
    return move, RunState(state)


def replay(run: Seen, state: RunState) -> None:
    """Follow a timeline from move to move; it must lead to where the run stands."""
    for name, target in run.moves:
        move = MOVES[name]
        assert unseen(state) & set(move.sources), f"{name} from {state}: {run.moves}"
        assert target == move.target, f"{name} led to {target}: {run.moves}"
        state = target
    assert run.state in unseen(state), f"it is {run.state}: {run.moves}"


def unseen(state: RunState) -> set[RunState]:
    """Where a run may stand after a move: a time that has come is not on the timeline."""
    return {state, RunState.QUEUED} if state in MOVES["ripen"].sources else {state}


def test_whatever_order_things_happen_in_what_is_promised_holds(ledger: Ledger) -> None:
    run_state_machine_as_test(
        partial(Moves, ledger),  # type: ignore[arg-type]  # any factory will do
        settings=settings(
            max_examples=120,
            stateful_step_count=40,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_every_move_is_made_by_what_causes_it_and_keeps_the_promise(ledger: Ledger) -> None:
    moves = Moves(ledger)
    _succeed_and_fail(moves)
    _put_off(moves)
    _call_off(moves)
    _lose_workers(moves)
    _let_people_decide(moves)
    _let_the_platform_tell(moves)
    moves.what_is_said_is_true()
    moves.teardown()
    with ledger.engine.connect() as connection:
        made = set(connection.execute(text("select distinct move from run_event")).scalars())
    elsewhere = {"ripen", "compare"}  # the one is asserted where it happens, the other after a restore
    assert made | elsewhere == MOVES.keys()


def _succeed_and_fail(moves: Moves) -> None:
    moves.perform(moves.add(Park))
    moves.perform(moves.add(LookUp), Way.REFUSED)


def _put_off(moves: Moves) -> None:
    for way in (Way.RATE_LIMITED, Way.NOT_SENT):
        moves.perform(moves.add(LookUp), way)
    late = moves.add(LookUp)
    (attempt,) = moves.claim(late)
    moves.go_on(attempt, Way.ANSWERED)
    moves.let_pass(late, "lease")
    moves.go_on(attempt, Way.ANSWERED)
    moves.go_on(attempt, Way.ANSWERED)
    assert moves.ledger.get(late).timeline[-1].move == "give_back"
    held = moves.add(Resend)
    moves.hold(held)
    moves.let_pass(held, "wait")
    moves.beat()
    assert moves.ledger.get(held).state is RunState.QUEUED, "ripen"


def _call_off(moves: Moves) -> None:
    moves.ask(moves.add(Park), "cancel")
    for policy, way in ((LookUp, Way.NOT_SENT), (ResendWithKey, Way.RATE_LIMITED)):
        run_id = moves.add(policy)
        (attempt,) = moves.claim(run_id)
        moves.go_on(attempt, way)
        moves.ask(run_id, "cancel")
        moves.go_on(attempt, way)
        moves.go_on(attempt, way)
        run = moves.ledger.get(run_id)
        assert (run.state, run.timeline[-1].move) == ("cancelled", "call_off")
    late = moves.add(Park)
    moves.let_pass(late, "expiry")
    moves.perform(late)
    moves.drop(moves.add(Park))
    moves.let_pass(moves.add(Park), "expiry")
    moves.beat()


def _lose_workers(moves: Moves) -> None:
    for run_id in (moves.add(Park), moves.ledger.accept(effect=None, input={})):
        for _ in range(rescue.MAX_CRASHES):
            moves.ledger.claim(run_id, lease_s=GONE_S)
            moves.ledger.rescue()


def _let_people_decide(moves: Moves) -> None:
    for way in (Way.ANSWER_LOST, Way.REQUEST_LOST):
        run_id = moves.add(Park)
        moves.perform(run_id, way)
        assert moves.ledger.get(run_id).state is RunState.PARKED
        moves.ask(run_id, "settle")
        moves.ask(run_id, "retry")
        moves.perform(run_id)
        assert moves.ledger.get(run_id).state is RunState.SUCCEEDED


def _let_the_platform_tell(moves: Moves) -> None:
    parked, waiting = moves.add(Park), moves.add(LookUp)
    for run_id in (parked, waiting):
        moves.perform(run_id, Way.ANSWER_LOST)
        assert moves.ledger.get(run_id).state in (RunState.PARKED, RunState.RETRYING)
        moves.tell(run_id)
        assert moves.ledger.get(run_id).state is RunState.SUCCEEDED
