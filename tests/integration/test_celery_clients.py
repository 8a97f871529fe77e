"""Plain Celery clients and a real worker: what was sent is recorded, then acknowledged, and done once."""

from __future__ import annotations

import contextlib
import json
import pickle
import threading
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from celery import Celery

from neonhub_worker.ids import run_id_of_task, task_id_of_body
from tests.integration.workers import Place, Worker, place, run_of
from tests.servers import wait_for

TO = "+14155550123"
TASK = "connectors.sms.sendSMS"


@pytest.fixture(scope="module")
def here(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with place(postgres_url, tmp_path_factory.mktemp("clients")) as made:
        yield made


@pytest.fixture(scope="module")
def worker(here: Place) -> Iterator[Worker]:
    with here.worker() as started:
        yield started


@pytest.fixture
def client(here: Place, worker: Worker) -> Iterator[Celery]:
    assert worker.alive, "an earlier test stopped the worker"
    with here.client() as made:
        yield made


@pytest.fixture
def body() -> str:
    """A text of this test's own."""
    return f"Offer {uuid.uuid4().hex}"


def asked(body: str, **changes: Any) -> dict[str, Any]:
    return {"organization_id": "acme", "connection": "sms", "input": {"to": TO, "body": body}, **changes}


def send(client: Celery, kwargs: dict[str, Any], *, task: str = TASK, **options: Any) -> str:
    sent: str = client.send_task(task, kwargs=kwargs, queue="actions", **options).id
    return sent


def texts(here: Place) -> list[str]:
    return [effect["text"] for effect in here.sandbox.effects()]


@pytest.mark.parametrize("protocol", [1, 2])
def test_a_task_sent_by_its_name_is_done_under_its_id(here: Place, worker: Worker, body: str, protocol: int) -> None:
    with here.client(task_protocol=protocol) as client:
        run = run_of(send(client, asked(body)), "succeeded")
    assert run.provider_id in [effect["provider_id"] for effect in here.sandbox.effects() if effect["text"] == body]
    wait_for(here.drained, "the acknowledgement")


def test_a_task_id_that_is_no_uuid_is_done_too(client: Celery, here: Place, body: str) -> None:
    task_id = f"newsletter {uuid.uuid4().hex}"
    assert send(client, asked(body), task_id=task_id) == task_id
    run_of(run_id_of_task(task_id), "succeeded")
    assert texts(here).count(body) == 1


def test_a_message_delivered_twice_is_done_once(client: Celery, here: Place, body: str) -> None:
    task_id = str(uuid.uuid4())
    for _ in range(3):
        send(client, asked(body), task_id=task_id)
    run_of(task_id, "succeeded")
    wait_for(here.drained, "the acknowledgements")
    assert texts(here).count(body) == 1


def test_an_idempotency_key_is_done_once(client: Celery, here: Place, worker: Worker, body: str) -> None:
    first = send(client, asked(body, idempotency_key=body))
    run_of(first, "succeeded")
    second = send(client, asked(body, idempotency_key=body))
    worker.wait_log(f"known_idempotency_key.*{second}.*{first}")
    wait_for(here.drained, "the acknowledgements")
    assert texts(here).count(body) == 1


@pytest.mark.parametrize("protocol", [1, 2])
def test_eta_and_countdown_wait_in_the_ledger_and_not_in_the_worker(
    here: Place, worker: Worker, body: str, protocol: int
) -> None:
    eta = datetime.now(UTC).replace(microsecond=0) + timedelta(days=3)
    with here.client(task_protocol=protocol) as client:
        at_eta = run_of(send(client, asked(body), eta=eta), "scheduled")
        counted = run_of(send(client, asked(body), countdown=3600), "scheduled")
        wait_for(here.drained, "the acknowledgements")
        assert not any((client.control.inspect(timeout=1).scheduled() or {"": []}).values())
    assert at_eta.run_at == eta
    assert 3500 < (counted.run_at - counted.created_at).total_seconds() <= 3600
    assert body not in texts(here)


@pytest.mark.parametrize("protocol", [1, 2])
def test_what_expires_is_recorded_and_not_begun_too_late(here: Place, worker: Worker, body: str, protocol: int) -> None:
    with here.client(task_protocol=protocol) as client:
        past = send(client, asked(body), expires=datetime.now(UTC) - timedelta(seconds=5))
        assert run_of(past, "expired").attempts <= 1
        assert body not in texts(here)
        assert run_of(send(client, asked(body), expires=600), "succeeded").expires_at is not None
    assert texts(here).count(body) == 1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"task": "connectors.sms.sendsms"}, "action: no action 'sms.sendsms'; did you mean sms.sendSMS"),
        ({"args": ["acme"]}, "args: must be empty"),
        ({"kwargs": None}, "organization_id: "),
        ({"kwargs": {"organization_id": "acme", "connection": "sms", "input": {}}}, "input.to: "),
    ],
)
def test_a_wrong_request_ends_as_a_failed_run(client: Celery, change: dict[str, Any], said: str) -> None:
    sent = {"name": TASK, "kwargs": asked("x"), "queue": "actions", **change}
    sent["name"] = sent.pop("task", TASK)
    run = run_of(client.send_task(**sent).id, "failed")
    assert run.error is not None
    assert said in run.error["message"]


def test_a_request_of_nobody_known_belongs_to_unaddressed(client: Celery) -> None:
    run = run_of(send(client, asked("x", organization_id="stranger")), "failed")
    assert run.organization_id == "unaddressed"


@pytest.mark.parametrize("task", [TASK, "connectors.sms.sendsms"])
def test_while_the_database_is_away_the_message_waits(
    client: Celery, here: Place, worker: Worker, body: str, task: str
) -> None:
    with here.database_away():
        task_id = send(client, asked(body), task=task)
        worker.wait_log(f"entry_waits.*{task_id}.*\n(.*\n)*.*entry_waits.*{task_id}")
        assert not here.drained()
    run = run_of(task_id, "succeeded", "failed")
    assert run.state == ("succeeded" if task == TASK else "failed")
    wait_for(here.drained, "the acknowledgement")
    assert texts(here).count(body) == (1 if task == TASK else 0)


def publish(client: Celery, body: object, *, headers: dict[str, Any] | None = None, **options: Any) -> None:
    """Send a message that Celery's own client would not send."""
    raw = body if isinstance(body, bytes) else json.dumps(body)
    options = {"content_type": "application/json", "content_encoding": "utf-8", **options}
    with client.connection_for_write() as connection:
        connection.Producer(auto_declare=False).publish(raw, routing_key="actions", headers=headers or {}, **options)


WHOLE = [[], asked("x"), {}]

ODD_ENVELOPES: dict[str, tuple[dict[str, Any], object, str]] = {
    "kwargs are a list": ({}, [[], [1], {}], "kwargs: must be an object"),
    "kwargs are a text": ({}, [[], "text", {}], "kwargs: must be an object"),
    "the body is a text": ({}, "text", "kwargs: must be an object"),
    "the body is empty": ({}, b"", "kwargs: must be an object"),
    "the body is too short": ({}, [[]], "kwargs: must be an object"),
    "the body is no JSON": ({}, b"{", "body: must be readable JSON"),
    "the body is no text": ({}, b"\xff\xfe", "body: must be readable JSON"),
    "a number has 5,000 digits": ({}, b'[[], {"input": ' + b"1" * 5000 + b"}, {}]", "body: must be readable JSON"),
    "the nesting is too deep": ({}, b"[" * 100_000 + b"]" * 100_000, "body: must be readable JSON"),
    "NaN": ({}, b'[[], {"input": {"body": NaN}}, {}]', "input.body: must be a finite number"),
    "half a surrogate pair": ({}, b'[[], {"input": {"body": "\\ud83d"}}, {}]', "input.body: must be Unicode"),
    "NUL": ({}, b'[[], {"input": {"body": "\\u0000"}}, {}]', "input.body: must not hold a NUL"),
    "the eta is a number": ({"eta": 5}, WHOLE, "eta: must be an instant"),
    "the eta is no date": ({"eta": "soon"}, WHOLE, "eta: must be an instant"),
    "expires is an object": ({"expires": {}}, WHOLE, "expires: must be an instant"),
    "odd fields of Celery's": (
        {"timelimit": "x", "retries": "x", "stamps": 5, "stamped_headers": 5, "group": [], "shadow": {}, "lang": 5},
        [[], asked("x", connection="none"), "embed"],
        "connection: ",
    ),
}


@pytest.mark.parametrize("name", ODD_ENVELOPES)
def test_an_odd_envelope_ends_as_a_failed_run(client: Celery, here: Place, worker: Worker, name: str) -> None:
    headers, sent, said = ODD_ENVELOPES[name]
    task_id = str(uuid.uuid4())
    publish(client, sent, headers={"task": TASK, "id": task_id, **headers})
    run = run_of(task_id, "failed")
    assert run.error is not None
    assert run.error["message"].startswith(said)
    wait_for(here.drained, "the acknowledgement")
    assert worker.alive


def test_a_pickled_body_is_not_opened(client: Celery) -> None:
    task_id = str(uuid.uuid4())
    pickled = {"content_type": "application/x-python-serialize", "content_encoding": "binary"}
    publish(client, pickle.dumps(WHOLE), headers={"task": TASK, "id": task_id}, **pickled)
    run = run_of(task_id, "failed")
    assert run.error is not None
    assert run.error["message"].startswith("body: must be readable JSON (ContentDisallowed)")


def test_a_message_without_an_id_leaves_one_failed_run(client: Celery, here: Place, worker: Worker) -> None:
    sent = [[], asked("without an id"), {}]
    odd: tuple[object, ...] = (None, 5, [], "")
    for task_id in odd:
        publish(client, sent, headers={"task": TASK, "id": task_id})
    run = run_of(run_id_of_task(task_id_of_body(json.dumps(sent).encode())), "failed")
    wait_for(here.drained, "the acknowledgements")
    assert run.error is not None
    assert run.error["message"].startswith("id: must be a text")
    assert worker.alive
    assert "without an id" not in texts(here)


def test_a_message_compressed_in_an_unknown_way_does_not_stop_the_worker(client: Celery, worker: Worker) -> None:
    task_id = str(uuid.uuid4())
    publish(client, WHOLE, headers={"task": TASK, "id": task_id, "compression": "application/x-squeezed"})
    worker.wait_log(f"message_dropped.*{task_id}")
    assert worker.alive


@pytest.mark.parametrize(
    ("headers", "sent"),
    [
        ({"task": "somebody.elses"}, WHOLE),
        ({"task": []}, WHOLE),
        ({"task": {}}, WHOLE),
        ({"task": None}, WHOLE),
        ({"task": "runs.perform"}, "text"),
        ({"task": "runs.perform", "eta": "soon"}, [[], {}, {}]),
        ({}, {"task": []}),
        ({}, {"no": "task"}),
        ({}, "text"),
        ({}, b"{"),
        ({}, {"task": TASK, "args": 5, "kwargs": 5, "id": 5}),
    ],
)
def test_what_is_no_task_of_ours_is_dropped_with_one_line(
    client: Celery, here: Place, worker: Worker, headers: dict[str, Any], sent: object
) -> None:
    before = len(worker.log)
    publish(client, sent, headers=headers)
    worker.wait_log("message_dropped|foreign_task_refused", after=before)
    wait_for(here.drained, "the end of the message")
    assert worker.alive


@contextlib.contextmanager
def events(here: Place) -> Iterator[list[dict[str, Any]]]:
    """What Flower sees."""
    seen: list[dict[str, Any]] = []
    with here.client() as watcher, watcher.connection_for_read() as connection:
        receiver = watcher.events.Receiver(connection, handlers={"*": seen.append})
        watching = threading.Thread(target=receiver.capture)
        watching.start()
        try:
            wait_for(lambda: seen, "the worker's heartbeat")
            yield seen
        finally:
            receiver.should_stop = True
            watching.join()


def test_the_worker_shows_no_arguments(client: Celery, here: Place, worker: Worker, body: str) -> None:
    with events(here) as seen:
        with here.locked():
            task_id = send(client, asked(body))
            wait_for(here.somebody_waits, "the worker to wait for the lock")
            inspected = client.control.inspect(timeout=1)
            shown = f"{inspected.active()} {inspected.reserved()}"
        run_of(task_id, "succeeded")
        wait_for(lambda: "task-succeeded" in [one["type"] for one in seen], "the run's last event")
    assert task_id in shown
    for where in (shown, str(seen), worker.log):
        assert TO not in where
        assert body not in where


def test_killed_before_the_run_is_recorded_the_message_is_delivered_again(
    postgres_url: str, tmp_path_factory: pytest.TempPathFactory, body: str
) -> None:
    with place(postgres_url, tmp_path_factory.mktemp("killed")) as there, there.client() as client:
        with there.worker() as first, there.locked():
            task_id = send(client, asked(body))
            wait_for(there.somebody_waits, "the worker to wait for the lock")
            first.kill()
        assert not there.drained()
        there.let_delivery_time_out()
        with there.worker():
            run_of(task_id, "succeeded")
            wait_for(there.drained, "the acknowledgement")
        assert texts(there) == [body]
