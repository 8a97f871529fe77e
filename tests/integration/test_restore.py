"""After a database was restored from an older backup nothing is sent twice: not before it was compared, nor then."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
import redis
from sqlalchemy import text

from neonhub_worker import cancel, enqueue, get_run, retry
from neonhub_worker.app import app
from neonhub_worker.db.engine import transaction
from neonhub_worker.dispatch import heartbeat
from neonhub_worker.dispatch.scheduler import PostgresScheduler
from neonhub_worker.ledger import guard, leases
from neonhub_worker.ledger.leases import Outcome
from neonhub_worker.ledger.states import EffectState
from neonhub_worker.performing import batch
from neonhub_worker.settings import Settings
from neonhub_worker.vault import connections
from tests.factories import TO, sms
from tests.integration import gaps, restores
from tests.integration.cli import Neonhub
from tests.integration.gaps import carry_out, effects, open_runs
from tests.integration.sandboxes import Sandbox

Restore = Callable[[], None]


@pytest.fixture
def back_up(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], Restore]]:
    """Copies the test's database; what it returns puts the copy in the database's place, as a restored dump is."""
    copies: list[str] = []

    def copy() -> Restore:
        copies.append(restores.copied(settings.need_database_url()))
        return lambda: restores.use(copies[-1], monkeypatch)

    yield copy
    for url in copies:
        restores.dropped(url)


def tick(beat: PostgresScheduler, times: int = 2) -> None:
    for _ in range(times):
        beat.tick()


def test_nothing_is_sent_until_it_was_compared_and_then_each_effect_has_happened_once(
    sandbox: Sandbox, beat: PostgresScheduler, back_up: Callable[[], Restore], neonhub: Neonhub
) -> None:
    tick(beat)
    runs = gaps.accept_one_of_each(sandbox)
    sandbox.fault(connector="slack", operation="completeUpload", kind="rate_limit", times=1)
    batch.perform([runs["of several steps"]])
    gaps.schedule_once("known by its content", sms(input={"to": TO, "body": "By content."}))
    gaps.schedule_once(
        "known by its key", gaps.slack("sendMessage", channel=gaps.slack_channel(sandbox), text="By key.")
    )
    restore = back_up()
    tick(beat)
    carry_out(sandbox, besides=[runs["never sent"]])
    done = effects(sandbox)
    restore()
    tick(beat)
    batch.perform(open_runs())
    tick(beat)
    assert effects(sandbox) == done
    assert {get_run(one).state for one in runs.values()} <= {"queued", "waiting"}
    report = neonhub("doctor", "--after-restore", "--yes", "--json").json
    assert report["occurrences"] == {"acme/known by its content": 1, "acme/known by its key": 1}
    tick(beat)
    carry_out(sandbox)
    assert {name: get_run(one).state for name, one in runs.items()} == dict.fromkeys(runs, "succeeded")
    assert effects(sandbox) == sorted([*done, ("sendSMS", "Doors close at five.")])


def test_a_file_that_was_brought_after_the_backup_is_left_to_a_person(
    sandbox: Sandbox, beat: PostgresScheduler, back_up: Callable[[], Restore], neonhub: Neonhub
) -> None:
    tick(beat)
    channel = gaps.slack_channel(sandbox)
    run_id = enqueue(gaps.slack("uploadFile", channel=channel, filename="plan.txt", text="Nine."))
    restore = back_up()
    carry_out(sandbox)
    restore()
    tick(beat)
    assert neonhub("doctor", "--after-restore", "--yes", "--json").json["compared"] == 1
    carry_out(sandbox)
    run = get_run(run_id)
    assert (run.state, effects(sandbox)) == ("parked", [("uploadFile", "plan.txt")])
    assert run.error is not None
    assert "the backup that was restored does not hold the step 'upload'" in run.error["message"]


def test_two_runs_with_the_same_content_are_not_sent_a_third_time(
    sandbox: Sandbox, beat: PostgresScheduler, back_up: Callable[[], Restore], neonhub: Neonhub
) -> None:
    tick(beat)
    twins = [enqueue(sms()), enqueue(sms())]
    restore = back_up()
    carry_out(sandbox)
    restore()
    tick(beat)
    neonhub("doctor", "--after-restore", "--yes", "--json")
    carry_out(sandbox)
    assert len(effects(sandbox)) == 2
    assert {get_run(one).state for one in twins} == {"parked"}, "which of them is which cannot be told"


def test_of_two_runs_with_the_same_content_the_one_that_was_not_sent_is(
    sandbox: Sandbox, beat: PostgresScheduler, back_up: Callable[[], Restore], neonhub: Neonhub
) -> None:
    tick(beat)
    twins = [enqueue(sms()), enqueue(sms())]
    restore = back_up()
    batch.perform([twins[0]])
    restore()
    tick(beat)
    neonhub("doctor", "--after-restore", "--yes", "--json")
    carry_out(sandbox)
    assert len(effects(sandbox)) == 2
    assert {get_run(one).state for one in twins} == {"succeeded"}


def test_a_request_that_is_sent_again_while_the_guard_is_engaged_is_found_by_its_content(
    sandbox: Sandbox, beat: PostgresScheduler, back_up: Callable[[], Restore], neonhub: Neonhub
) -> None:
    tick(beat)
    restore = back_up()
    enqueue(sms(idempotency_key="order-4711"))
    carry_out(sandbox)
    restore()
    tick(beat)
    again = enqueue(sms(idempotency_key="order-4711"))
    neonhub("doctor", "--after-restore", "--yes", "--json")
    carry_out(sandbox)
    assert (get_run(again).state, len(effects(sandbox))) == ("succeeded", 1)


def test_what_is_scheduled_for_later_is_left_as_it_is(
    sandbox: Sandbox, beat: PostgresScheduler, back_up: Callable[[], Restore], neonhub: Neonhub
) -> None:
    tick(beat)
    run_id = enqueue(sms(at=gaps.make_now() + timedelta(days=1)))
    restore = back_up()
    restore()
    tick(beat)
    report = neonhub("doctor", "--after-restore", "--yes", "--json").json
    assert (report["compared"], report["runs"][0]["later"]) == (0, 1)
    assert [event.move for event in get_run(run_id).timeline] == ["accept"]


def test_the_timeline_of_each_run_says_that_it_was_compared(
    sandbox: Sandbox, beat: PostgresScheduler, back_up: Callable[[], Restore], neonhub: Neonhub
) -> None:
    tick(beat)
    run_id = enqueue(sms())
    restore = back_up()
    restore()
    tick(beat)
    neonhub("doctor", "--after-restore", "--yes", "--json")
    carry_out(sandbox)
    compared = next(event for event in get_run(run_id).timeline if event.move == "compare")
    assert compared.detail is not None
    assert compared.detail["reason"] == "restored: compared before sending"
    settled = get_run(run_id).timeline[-1]
    assert settled.detail is not None
    assert (settled.move, settled.detail["settled"]) == ("succeed", "read-back: it was not sent")


def test_a_worker_from_before_the_restore_writes_nothing_after_it(
    sandbox: Sandbox, beat: PostgresScheduler, back_up: Callable[[], Restore], neonhub: Neonhub
) -> None:
    tick(beat)
    run_id = enqueue(sms())
    restore = back_up()
    with transaction() as connection:
        (claimed,) = leases.claim(connection, [run_id], worker="before", lease_s=60)
    restore()
    tick(beat)
    neonhub("doctor", "--after-restore", "--yes", "--json")
    with transaction() as connection:
        (again,) = leases.claim(connection, [run_id], worker="after", lease_s=60)
        late = Outcome(run_id, claimed.fence, "fail", effect=EffectState.REFUSED)
        assert leases.settle(connection, [late], worker="before") == {}
    assert again.effect_before is EffectState.UNKNOWN


def test_cancelling_is_only_asked_for_while_the_guard_is_engaged(
    sandbox: Sandbox, beat: PostgresScheduler, back_up: Callable[[], Restore], neonhub: Neonhub
) -> None:
    tick(beat)
    sent, unsent = enqueue(sms()), enqueue(sms(input={"to": TO, "body": "Not sent."}))
    restore = back_up()
    batch.perform([sent])
    restore()
    tick(beat)
    assert {cancel(sent).state, cancel(unsent).state} == {"queued"}
    neonhub("doctor", "--after-restore", "--yes", "--json")
    carry_out(sandbox)
    assert (get_run(sent).state, get_run(unsent).state, len(effects(sandbox))) == ("succeeded", "cancelled", 1)


def test_a_database_that_was_moved_goes_on_without_comparing(
    sandbox: Sandbox, beat: PostgresScheduler, back_up: Callable[[], Restore], neonhub: Neonhub
) -> None:
    tick(beat)
    run_id = enqueue(sms())
    move = back_up()
    move()
    tick(beat)
    assert neonhub("doctor", "--not-restored").code == 1, "it asks, and nobody answers"
    assert neonhub("doctor", "--not-restored", "--yes", "--json").json["released"]
    tick(beat)
    batch.perform([run_id])
    assert [event.move for event in get_run(run_id).timeline] == ["accept", "claim", "succeed"]
    assert neonhub("doctor", "--not-restored", "--yes").refusal.endswith("there is nothing to deny")


def test_a_guard_that_is_engaged_under_running_workers_stops_the_next_claim(
    sandbox: Sandbox, beat: PostgresScheduler
) -> None:
    tick(beat)
    first, second = enqueue(sms()), enqueue(sms(input={"to": TO, "body": "Second."}))
    batch.perform([first])
    with transaction() as connection:
        guard.engage(connection, "somebody said so")
    batch.perform([second])
    assert len(effects(sandbox)) == 1
    assert [event.move for event in get_run(second).timeline] == ["accept"]


def test_a_dump_that_is_loaded_under_running_workers_stops_the_next_claim(
    sandbox: Sandbox, beat: PostgresScheduler
) -> None:
    tick(beat)
    first, second = enqueue(sms()), enqueue(sms(input={"to": TO, "body": "Second."}))
    batch.perform([first])
    with transaction() as connection:
        connection.execute(text("update restore_guard set seen_at = seen_at - interval '1 hour'"))
        assert leases.claim(connection, [second], worker="on an open connection", lease_s=60) == []
    batch.perform([second])
    assert len(effects(sandbox)) == 1
    with transaction() as connection:
        assert guard.engaged(connection) is not None


def test_a_schedule_does_not_fire_while_the_guard_is_engaged(sandbox: Sandbox, beat: PostgresScheduler) -> None:
    tick(beat)
    gaps.schedule_once("soon", sms())
    with transaction() as connection:
        guard.engage(connection, "somebody said so")
    tick(beat)
    assert open_runs() == []


@pytest.mark.parametrize("ended", ["failed", "cancelled"])
def test_a_retry_of_what_had_ended_before_the_backup_is_compared_too(
    sandbox: Sandbox, beat: PostgresScheduler, back_up: Callable[[], Restore], neonhub: Neonhub, ended: str
) -> None:
    tick(beat)
    run_id = enqueue(sms())
    if ended == "failed":
        connections.set_state("acme", "sms", "disabled")
        batch.perform([run_id])
        connections.set_state("acme", "sms", "active")
    else:
        cancel(run_id)
    assert get_run(run_id).state == ended
    restore = back_up()
    retry(run_id)
    carry_out(sandbox)
    assert len(effects(sandbox)) == 1
    restore()
    tick(beat)
    neonhub("doctor", "--after-restore", "--yes", "--json")
    retry(run_id)
    carry_out(sandbox)
    assert (get_run(run_id).state, len(effects(sandbox))) == ("succeeded", 1)


def test_keeping_the_mark_does_not_disturb_who_asks_the_workers_over_the_same_connection(settings: Settings) -> None:
    for _ in range(3):
        assert not app.control.inspect(timeout=0.2).ping()
        assert heartbeat.beat()


def test_a_mark_on_the_broker_that_cannot_be_read_stops_nothing(settings: Settings, broker: redis.Redis) -> None:
    assert heartbeat.beat()
    (key,) = broker.keys("neonhub:seen:*")
    broker.set(key, "garbage")
    assert heartbeat.beat()
    assert broker.get(key) != b"garbage"
