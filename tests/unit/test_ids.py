"""Ids sort as they were made; keys are made of ids only and are the same every time."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from neonhub_worker import ids


def test_run_ids_are_uuid7_and_sort_in_the_order_they_were_made() -> None:
    made = [ids.new_id() for _ in range(5000)]
    assert made == sorted(made)
    assert len(set(made)) == 5000
    assert {one.version for one in made} == {7}


def test_a_foreign_task_id_that_is_a_uuid_is_the_run_id() -> None:
    task_id = uuid.uuid4()
    assert ids.run_id_of_task(str(task_id)) == task_id


@pytest.mark.parametrize("task_id", ["order-4711", "", "not a uuid at all"])
def test_any_other_task_id_gives_one_run_id_for_ever(task_id: str) -> None:
    assert ids.run_id_of_task(task_id) == ids.run_id_of_task(task_id)
    assert ids.run_id_of_task(task_id).version == 5


def test_effect_keys_differ_between_steps_and_not_between_attempts() -> None:
    run_id = ids.new_id()
    assert ids.effect_key(run_id, "send") == ids.effect_key(run_id, "send") == run_id.hex
    assert ids.effect_key(run_id, "complete") != ids.effect_key(run_id, "send")


def test_each_due_instant_of_a_schedule_has_a_key_of_its_own() -> None:
    schedule_id = ids.new_id()
    nine = datetime(2026, 12, 1, 9, tzinfo=UTC)
    assert ids.occurrence_key(schedule_id, nine) != ids.occurrence_key(schedule_id, nine.replace(hour=10))


def test_a_digest_does_not_depend_on_the_order_of_keys() -> None:
    assert ids.digest({"a": 1, "b": "ü"}) == ids.digest({"b": "ü", "a": 1})
    assert ids.digest({"a": 1}) != ids.digest({"a": "1"})


def test_the_run_of_a_due_instant_has_the_same_id_whenever_it_is_made() -> None:
    schedule_id = ids.new_id()
    nine = datetime(2026, 12, 1, 9, tzinfo=UTC)
    found = ids.run_id_of_occurrence(schedule_id, nine)
    assert found == ids.run_id_of_occurrence(schedule_id, nine.astimezone(ZoneInfo("Europe/Berlin")))
    assert found.version == 7
    assert found < ids.run_id_of_occurrence(schedule_id, nine.replace(hour=10))
    assert found != ids.run_id_of_occurrence(ids.new_id(), nine)
