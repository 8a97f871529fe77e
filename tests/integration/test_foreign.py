"""Messages of other Celery clients, as they are recorded: each ends as a run, whatever it holds."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import redis
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from neonhub_worker import RunRequest, enqueue, enqueue_many, foreign, get_run, retry, schedule
from neonhub_worker.db.engine import transaction
from neonhub_worker.errors import InvalidInput, Unreachable
from neonhub_worker.ledger import decisions, runs
from neonhub_worker.ledger.runs import Run
from neonhub_worker.performing import batch
from tests.conftest import ConnectionFactory, forget_settings
from tests.servers import free_port

TO = "+14155550199"
NUL = "\0"


@pytest.fixture(autouse=True)
def sms_connection(connection_factory: ConnectionFactory) -> None:
    connection_factory("sms", credential={}, settings={})


def asked(**changes: Any) -> dict[str, Any]:
    body = {"organization_id": "acme", "connection": "sms", "input": {"to": TO, "body": "Spring is here."}}
    return {**body, **changes}


def record(kwargs: Any, *, task_id: str | None = None, action: str = "sms.sendSMS", **fields: Any) -> Run:
    task_id = str(uuid.uuid4()) if task_id is None else task_id
    return get_run(foreign.record(task_id=task_id, action=action, args=fields.pop("args", []), kwargs=kwargs, **fields))


def refused(kwargs: Any, **fields: Any) -> str:
    """Record what cannot be done; what its sender will read."""
    run = record(kwargs, **fields)
    assert (run.state, run.attempts) == ("failed", 0)
    assert run.error is not None
    message: str = run.error["message"]
    assert TO not in message
    return message


def count(engine: Engine) -> int:
    with engine.connect() as connection:
        counted: int = connection.execute(text("select count(*) from run")).scalar_one()
        return counted


def test_a_task_becomes_a_run_under_its_own_id(broker_url: str) -> None:
    task_id = str(uuid.uuid4())
    run = record(asked(), task_id=task_id)
    assert (str(run.id), run.state, run.organization_id, run.connection) == (task_id, "queued", "acme", "sms")
    with redis.Redis.from_url(broker_url) as broker:
        assert broker.llen("actions") == 1


def test_a_task_id_that_is_no_uuid_gives_the_same_run_every_time(engine: Engine) -> None:
    first = record(asked(), task_id="newsletter 4711")
    assert record(asked(), task_id="newsletter 4711").id == first.id
    assert record(asked(), task_id="newsletter 4712").id != first.id
    assert count(engine) == 2


def test_a_second_delivery_changes_nothing(engine: Engine, broker_url: str) -> None:
    runs = [record(asked(), task_id="twice") for _ in range(2)]
    assert runs[0] == runs[1]
    assert count(engine) == 1
    with redis.Redis.from_url(broker_url) as broker:
        assert broker.llen("actions") == 1


@pytest.mark.parametrize(
    ("action", "change"),
    [
        ("sms.sendSMS", {"input": {"to": TO, "body": "Other text."}}),
        ("sms.sendSMS", {"connection": "second"}),
        ("sms.listMessages", {"input": {}}),
    ],
)
def test_a_task_id_used_twice_leaves_the_first_run_and_a_failed_one_that_says_so(
    engine: Engine, connection_factory: ConnectionFactory, action: str, change: dict[str, Any]
) -> None:
    connection_factory("sms", name="second", credential={}, settings={})
    first = record(asked(), task_id="used")
    for _ in range(2):
        second = record(asked(**change), task_id="used", action=action)
        assert second.error is not None
        assert (second.state, second.error["class"]) == ("failed", "TaskIdTaken")
        assert f"task id {first.id} was used before" in second.error["message"]
    assert get_run(first.id) == first
    assert count(engine) == 2


def test_an_action_with_the_same_input_under_the_same_task_id_is_another_request() -> None:
    read = {"input": {"sid": "SM" + 32 * "0"}}
    record(asked(**read), task_id="used", action="sms.getMessageStatus")
    assert "was used before" in refused(asked(**read), task_id="used", action="sms.deleteMessage")


def test_a_known_idempotency_key_gives_the_earlier_run(engine: Engine) -> None:
    first = record(asked(idempotency_key="welcome-4711"))
    assert record(asked(idempotency_key="welcome-4711")).id == first.id
    assert count(engine) == 1


def test_a_known_idempotency_key_with_other_input_fails_under_the_tasks_own_id() -> None:
    first = record(asked(idempotency_key="welcome-4711"))
    other = record(asked(idempotency_key="welcome-4711", input={"to": TO, "body": "x"}), task_id=str(uuid.uuid4()))
    assert other.error is not None
    assert (other.state, other.error["class"]) == ("failed", "IdempotencyConflict")
    assert str(first.id) in other.error["message"]


def test_eta_and_expires_wait_in_the_ledger() -> None:
    soon = datetime(2040, 1, 2, 3, 4, 5, tzinfo=UTC)
    late = soon + timedelta(hours=1)
    run = record(asked(), eta=soon.isoformat(), expires=late.replace(tzinfo=None).isoformat())
    assert (run.state, run.run_at, run.expires_at) == ("scheduled", soon, late)


def test_what_has_expired_ends_as_expired() -> None:
    run = record(asked(), expires="2020-01-01T00:00:00Z")
    with transaction() as connection:
        decisions.expire(connection)
    assert get_run(run.id).state == "expired"


@pytest.mark.parametrize("value", ["soon", "", 5, 1e300, True, ["2030-01-01"], {}, "0001-01-01T00:00:00+14:00", NUL])
def test_a_time_that_is_none_is_named(value: Any) -> None:
    assert refused(asked(), eta=value) == "eta: must be an instant as ISO 8601 text"
    assert refused(asked(), expires=value) == "expires: must be an instant as ISO 8601 text"


@pytest.mark.parametrize("kwargs", [None, "text", 5, [1, 2], []])
def test_arguments_that_are_no_object_are_refused(kwargs: Any) -> None:
    assert refused(kwargs).startswith("kwargs: must be an object with organization_id")


def test_positional_arguments_are_refused() -> None:
    assert refused({}, args=["acme", "sms"]).startswith("args: must be empty")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"organization_id": 5}, "organization_id"),
        ({"connection": None}, "connection"),
        ({"input": [TO]}, "input"),
        ({"input": {"to": "555-0123", "body": "x"}}, "input.to"),
        ({"input": {"to": TO, "body": "x" * 1_000_000}}, "input.body"),
        ({"input": {"to": TO, "body": "x", "__class__": "os.system"}}, "input.__class__"),
        ({"__init__": {}}, "__init__"),
        ({"x" * 10_000: 1}, "x" * 60 + "…"),
        ({"organization_id": "x" * 10_000}, "organization_id"),
        ({"connection": "x" * 10_000}, "connection"),
        ({"idempotency_key": "x" * 10_000}, "idempotency_key"),
        ({"idempotency_key": ""}, "idempotency_key"),
        ({"priority": 10}, "priority"),
        ({"queue": "housekeeping"}, "queue"),
        ({"connection": "mail"}, "connection"),
    ],
)
def test_a_wrong_field_is_named(change: dict[str, Any], field: str) -> None:
    message = refused(asked(**change))
    assert message.startswith(f"{field}: ")
    assert len(message) < 300


def test_an_unknown_action_fails_with_the_names_it_may_mean() -> None:
    assert "did you mean sms.sendSMS" in refused(asked(), action="sms.sendsms")
    assert "action: " in refused(asked(), action="x" * 1_000_000)


@pytest.mark.parametrize("organization_id", ["nobody", "", "Acme", f"acme{NUL}", "x" * 10_000, 5, None, {}])
def test_a_run_of_an_unknown_organization_belongs_to_unaddressed(organization_id: Any) -> None:
    run = record(asked(organization_id=organization_id))
    assert (run.state, run.organization_id) == ("failed", "unaddressed")
    assert run.error is not None
    assert run.error["message"].startswith("organization_id: ")


UNSTORABLE = [
    (NUL, "must not hold a NUL character"),
    ("\ud83d", "half of a surrogate pair"),
    (float("nan"), "must be a finite number"),
    (float("-inf"), "must be a finite number"),
    (10**4000, "must be a number of at most 64 bits"),
]


@pytest.mark.parametrize(("value", "rule"), UNSTORABLE)
def test_what_postgres_cannot_keep_is_refused_by_field_and_rule(value: Any, rule: str) -> None:
    message = refused(asked(input={"to": TO, "body": "x", "content_variables": {"a": [{"b": value}]}}))
    assert message.startswith("input.content_variables.a.0.b: ")
    assert rule in message


def test_a_nul_character_is_refused_in_every_field() -> None:
    for field in ("organization_id", "connection", "idempotency_key", "queue", "priority", "at"):
        assert refused(asked(**{field: f"a{NUL}b"})).startswith(f"{field}: must not hold a NUL character")


def test_a_nul_character_in_a_name_or_an_action_is_refused() -> None:
    assert "input.a\ufffdb: its name must not hold a NUL" in refused(asked(input={f"a{NUL}b": 1}))
    assert "action: must not hold a NUL" in refused(asked(), action=f"sms.{NUL}")


def test_a_name_that_is_no_text_is_refused() -> None:
    assert refused({**asked(), 5: 1}) == "5: its name must be a text"
    assert refused(asked(input={5: 1})) == "input.5: its name must be a text"


@pytest.mark.parametrize("task_id", ["x" * 10_000, NUL, "\ud83d", "{", "0x" + "0" * 30, " "])
def test_any_text_may_be_a_task_id(engine: Engine, task_id: str) -> None:
    assert record(asked(), task_id=task_id) == record(asked(), task_id=task_id)
    assert count(engine) == 1


def test_input_that_is_nested_too_deeply_is_refused() -> None:
    nested: Any = "x"
    for _ in range(900):
        nested = [nested]
    assert "must not be nested more than 64 levels deep" in refused(asked(input={"to": nested}))


def test_refused_input_is_kept_for_whoever_looks_into_it() -> None:
    assert record(asked(input={"to": "12"})).input == {"to": "12"}
    assert record(asked(input={"to": NUL})).input == {}


@pytest.mark.parametrize(
    ("kwargs", "action"),
    [(asked(), "sms.nope"), (asked(organization_id="x"), "sms.sendSMS"), (asked(priority=10), "sms.sendSMS"), ([], "")],
)
def test_retrying_what_was_refused_fails_again(kwargs: Any, action: str) -> None:
    run = record(kwargs, action=action)
    retry(run.id)
    batch.perform([run.id])
    assert get_run(run.id).state == "failed"


def test_without_a_database_nothing_is_recorded_and_the_caller_is_told(
    monkeypatch: pytest.MonkeyPatch, engine: Engine
) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("NEONHUB_DATABASE_URL", f"postgresql://nobody@127.0.0.1:{free_port()}/none")
        forget_settings()
        for kwargs in (asked(), {}):
            with pytest.raises(Unreachable):
                foreign.record(task_id="later", action="sms.sendSMS", args=[], kwargs=kwargs)
    forget_settings()
    assert count(engine) == 0


WAYS_IN: dict[str, Callable[[dict[str, Any]], object]] = {
    "enqueue": enqueue,
    "enqueue_many": lambda request: enqueue_many([{"action": "sms.sendSMS", **asked()}, request]),
    "schedule": lambda request: schedule(request, name="daily", cron="0 9 * * *"),
    "a parsed request": lambda request: enqueue(RunRequest.model_construct(**request)),
}


@pytest.mark.parametrize("way_in", WAYS_IN)
def test_every_way_in_refuses_what_postgres_cannot_keep(way_in: str) -> None:
    where = "item 2: " if way_in == "enqueue_many" else ""
    for value, rule in UNSTORABLE:
        with pytest.raises(InvalidInput, match=rule) as caught:
            WAYS_IN[way_in]({"action": "sms.sendSMS", **asked(input={"to": TO, "body": value})})
        assert [error.field for error in caught.value.errors] == [f"{where}input.body"]


@pytest.mark.parametrize("odd", [{"name": f"a{NUL}"}, {"timezone": f"UTC{NUL}"}, {"cron": f"0 9 * * *{NUL}"}])
def test_a_schedules_own_texts_are_checked_too(odd: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        schedule({"action": "sms.sendSMS", **asked()}, **{"name": "daily", "cron": "0 9 * * *", **odd})


_TEXT = st.text(st.characters(), max_size=8) | st.sampled_from([NUL, "\ud83d", "__class__", "acme", "sms", TO])
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
    max_leaves=8,
)
_ODD_OR = {
    "organization_id": st.just("acme"),
    "connection": st.just("sms"),
    "input": st.just({"to": TO, "body": "Spring is here."}) | st.dictionaries(st.just("body"), _JSON),
    "idempotency_key": st.none() | _TEXT,
    "at": st.none() | st.datetimes(timezones=st.just(UTC)).map(datetime.isoformat),
}
_KWARGS = _JSON | st.fixed_dictionaries({name: likely | _JSON for name, likely in _ODD_OR.items()})


@examples(max_examples=150, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(
    task_id=_TEXT,
    action=st.just("sms.sendSMS") | st.just("slack.sendMessage") | _TEXT,
    args=st.just([]) | _JSON,
    kwargs=_KWARGS,
    eta=st.none() | st.datetimes().map(datetime.isoformat) | _JSON,
    expires=st.none() | st.datetimes().map(datetime.isoformat) | _JSON,
)
def test_whatever_json_holds_ends_as_one_run(**message: Any) -> None:
    run = get_run(foreign.record(**message))
    assert run.state in ("queued", "scheduled", "failed")
    assert run.state != "failed" or (run.error or {}).get("message")
    assert "could not be recorded" not in str(run.error)
    assert foreign.record(**message) == run.id


def test_the_newest_runs_are_listed_first_whatever_their_ids() -> None:
    older = record(asked(), task_id="ffffffff-ffff-4fff-bfff-ffffffffffff")
    newer = record(asked(), task_id="00000000-0000-4000-8000-000000000001")
    with transaction() as connection:
        assert [run.id for run in runs.find(connection)] == [newer.id, older.id]


def test_a_refused_task_was_never_accepted() -> None:
    run = record(asked(connection="none"))
    assert [event.move for event in run.timeline] == ["refuse"]
