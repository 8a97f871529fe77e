"""Two versions at work on one database: each takes up what the other left, and nothing is done twice or lost."""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import redis
from alembic import command
from sqlalchemy import Engine, text

from neonhub_worker import enqueue, enqueue_many
from neonhub_worker.db import migrate
from neonhub_worker.db.engine import transaction
from neonhub_worker.dispatch import due
from neonhub_worker.ledger.states import EffectState, RunState
from tests.factories import TO, sms
from tests.integration.before import MESSAGES, Before
from tests.integration.ledgers import GONE_S, Ledger
from tests.integration.workers import place, run_of


@pytest.fixture
def before(engine: Engine, link: uuid.UUID, database_url: str) -> Before:
    """The version before, on a database that was migrated under it and is not finished."""
    command.downgrade(migrate.config(database_url), "0001")
    migrate.upgrade(database_url)
    assert migrate.schema(database_url).unfinished
    return Before(engine, link)


def taken_by_beat(ledger: Ledger) -> set[uuid.UUID]:
    """What this version's beat publishes in a tick."""
    with ledger.engine.begin() as connection:
        due.ripen(connection, redispatch_s=10)
        return {one.id for one in due.take(connection).due}


def test_a_run_accepted_before_the_migration_is_done_after_it(
    ledger: Ledger, engine: Engine, link: uuid.UUID, database_url: str
) -> None:
    command.downgrade(migrate.config(database_url), "0001")
    old = Before(engine, link)
    waiting, held = old.accept(), old.accept()
    fences = old.claim(held)
    migrate.upgrade(database_url)
    assert taken_by_beat(ledger) == {waiting}
    (claimed,) = ledger.claim(waiting)
    assert ledger.settle(claimed, "succeed", EffectState.CONFIRMED, provider_id="SM1") is RunState.SUCCEEDED
    assert ledger.claim(held) == [], "the version before holds it"
    assert old.settle(held, fences[held], "succeed", "confirmed", provider_id="SM2") == "succeeded"
    assert [event.move for event in ledger.get(held).timeline] == ["accept", "claim", "succeed"]


def test_the_version_before_does_what_this_one_accepted(ledger: Ledger, before: Before) -> None:
    limits = [{"count": 1, "per_s": 60, "of": "connection"}]
    run_id = ledger.accept(target="digest", limits=limits)
    assert before.take() == {run_id}
    assert before.take() == set(), "it is on its way"
    fences = before.claim(run_id)
    assert before.settle(run_id, fences[run_id], "succeed", "confirmed", provider_id="SM1") == "succeeded"
    assert ledger.get(run_id).provider_id == "SM1"
    assert ledger.claim(run_id) == []
    assert taken_by_beat(ledger) == set()


def test_this_version_does_what_the_one_before_accepted_and_published(ledger: Ledger, before: Before) -> None:
    waiting, published = before.accept(), before.accept(published=True)
    assert taken_by_beat(ledger) == {waiting}
    for run_id in (waiting, published):
        (claimed,) = ledger.claim(run_id)
        assert ledger.settle(claimed, "succeed", EffectState.CONFIRMED) is RunState.SUCCEEDED
    assert before.claim(waiting, published) == {}
    assert before.take() == set()


@pytest.mark.parametrize("published_by", ["before", "now"])
def test_a_lost_message_of_either_version_is_sent_again_by_the_other(
    ledger: Ledger, before: Before, engine: Engine, published_by: str
) -> None:
    run_id = before.accept()

    def taken_now() -> set[uuid.UUID]:
        return taken_by_beat(ledger)

    first, second = (before.take, taken_now) if published_by == "before" else (taken_now, before.take)
    assert first() == {run_id}
    assert second() == set()
    with engine.begin() as connection:
        connection.execute(text("update run set published_at = now() - interval '11 seconds'"))
    assert second() == {run_id}


def test_only_one_of_two_versions_gets_a_run(ledger: Ledger, before: Before) -> None:
    run_ids = [before.accept() for _ in range(3)] + [ledger.accept() for _ in range(3)]
    mine = {one.id for one in ledger.claim(*run_ids[1:5])}
    assert mine == set(run_ids[1:5])
    assert set(before.claim(*run_ids)) == {run_ids[0], run_ids[5]}
    assert ledger.claim(*run_ids) == []


def test_each_version_tells_the_other_that_an_effect_may_have_been_sent(ledger: Ledger, before: Before) -> None:
    begun_before, begun_now = ledger.accept(), before.accept()
    fences = before.claim(begun_before, lease_s=GONE_S)
    (stale,) = ledger.claim(begun_now, lease_s=GONE_S)
    assert ledger.rescue() == [begun_before, begun_now]
    (claimed,) = ledger.claim(begun_before)
    assert claimed.effect_before is EffectState.SENDING
    assert claimed.first_sent_at is not None
    assert before.settle(begun_before, fences[begun_before], "succeed", "confirmed") is None, "its lease was lost"
    assert set(before.claim(begun_now)) == {begun_now}
    assert ledger.settle(stale, "succeed", EffectState.CONFIRMED) is None, "its lease was lost"


def test_the_version_before_rescues_what_this_one_left(ledger: Ledger, before: Before) -> None:
    run_id = ledger.accept(limits=[])
    ledger.claim(run_id, lease_s=GONE_S)
    assert before.rescue() == [run_id]
    assert taken_by_beat(ledger) == {run_id}


def test_one_run_goes_through_the_hands_of_both(ledger: Ledger, before: Before) -> None:
    run_id = ledger.accept(limits=[])
    fences = before.claim(run_id)
    assert before.settle(run_id, fences[run_id], "back_off", "planned", delay_s=0.0) == "retrying"
    (claimed,) = ledger.claim(run_id)
    assert ledger.settle(claimed, "snooze", EffectState.PLANNED, delay_s=0.0) is RunState.WAITING
    fences = before.claim(run_id)
    assert fences == {run_id: 3}
    assert before.settle(run_id, 3, "give_back", "planned") == "queued"
    assert taken_by_beat(ledger) == {run_id}
    (claimed,) = ledger.claim(run_id)
    assert ledger.settle(claimed, "succeed", EffectState.CONFIRMED) is RunState.SUCCEEDED
    assert ledger.get(run_id).attempts == 2


def test_runs_whose_effects_look_alike_take_turns_across_versions(ledger: Ledger, before: Before) -> None:
    first, second = before.accept(alike="same"), ledger.accept(alike="same")
    fences = before.claim(first)
    assert ledger.claim(second) == []
    before.settle(first, fences[first], "succeed", "confirmed")
    assert [one.id for one in ledger.claim(second)] == [second]


@contextmanager
def broker_of(url: str) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(url) as client:
        yield client


def kwargs_of(message: dict[str, Any]) -> dict[str, Any]:
    args, kwargs, _ = json.loads(base64.b64decode(message["body"]))
    assert args == []
    found: dict[str, Any] = kwargs
    return found


def written_before(kind: str, run_ids: list[uuid.UUID]) -> str:
    """A message of the version before, for these runs."""
    message = MESSAGES[kind]
    recorded = kwargs_of(message)["run_ids"]
    assert len(recorded) == len(run_ids)
    written, body = json.dumps({**message, "body": None}), base64.b64decode(message["body"]).decode()
    for old, new in zip(recorded, run_ids, strict=True):
        written, body = written.replace(old, str(new)), body.replace(old, str(new))
    return json.dumps({**json.loads(written), "body": base64.b64encode(body.encode()).decode()})


def test_a_message_of_the_version_before_is_performed(postgres_url: str, tmp_path: Path) -> None:
    with place(postgres_url, tmp_path) as here, here.worker(), broker_of(here.broker_url) as broker:
        with transaction() as connection:  # not published: only the messages below tell of them
            run_ids = enqueue_many(
                [sms(input={"to": TO, "body": f"Number {number}"}) for number in range(3)], connection=connection
            )
        broker.lpush("actions", written_before("one", run_ids[:1]))
        broker.lpush("actions", written_before("many", run_ids[1:]))
        for run_id in run_ids:
            run_of(run_id, "succeeded")
        assert len(here.sandbox.effects()) == 3


def test_a_message_of_this_version_is_what_the_one_before_understands(ledger: Ledger, broker_url: str) -> None:
    recorded = MESSAGES["one"]
    with transaction() as connection:
        connection.execute(text("update connection set name = 'sms'"))
    run_id = enqueue(sms())
    with broker_of(broker_url) as broker:
        raw = broker.rpop("actions")
    assert isinstance(raw, bytes)
    message = json.loads(raw)
    assert kwargs_of(message) == {"run_ids": [str(run_id)]}
    assert kwargs_of(message).keys() == kwargs_of(recorded).keys()
    for key in ("content-type", "content-encoding"):
        assert message[key] == recorded[key]
    assert message["headers"].keys() == recorded["headers"].keys()
    same = ("task", "eta", "expires", "retries", "timelimit", "ignore_result", "lang")
    assert {key: message["headers"][key] for key in same} == {key: recorded["headers"][key] for key in same}
    assert message["headers"]["id"] == str(run_id)
    assert message["properties"]["delivery_info"] == recorded["properties"]["delivery_info"]
