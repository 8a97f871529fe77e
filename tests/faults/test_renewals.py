"""Several processes need a token at once, or one dies or freezes while it renews one that is replaced each time."""

from __future__ import annotations

import signal
import uuid
from collections.abc import Sequence

import pytest
import requests
from sqlalchemy import text

from neonhub_worker import get_run
from neonhub_worker.db.engine import transaction
from neonhub_worker.performing import batch
from neonhub_worker.vault import connections
from tests.faults.armed import Armed
from tests.faults.endings import let_lease_run_out, let_waits_pass, take_over
from tests.integration.rotating import Rotating, messages, rotating_slack
from tests.integration.workers import Place


@pytest.fixture
def slack(place: Place) -> Rotating:
    """The connection slack of acme: its access token has ended and its refresh token is good for once."""
    with transaction() as connection:
        connection.execute(text("delete from gate"))
    requests.delete(f"{place.sandbox.url}/_sandbox/faults", timeout=10).raise_for_status()
    found = rotating_slack(place.sandbox)
    found.store()
    return found


def let_renewal_run_out() -> None:
    """As if the time of a process that renewed had run out."""
    with transaction() as connection:
        connection.execute(text("update connection set refreshing_until = clock_timestamp() - interval '1 s'"))


def go_on(run_ids: Sequence[uuid.UUID]) -> None:
    """Let another worker bring these runs to their ends."""
    for _ in range(12):
        for run_id in run_ids:
            let_lease_run_out(run_id)
        take_over()
        for run_id in run_ids:
            let_waits_pass(run_id)
        batch.perform(run_ids)
        if all(get_run(run_id).finished_at for run_id in run_ids):
            return
    raise AssertionError({str(get_run(run_id).state) for run_id in run_ids})


def sent(place: Place, run_ids: Sequence[uuid.UUID]) -> list[int]:
    """How often the message of each run was posted."""
    keys = [effect["key"] for effect in place.sandbox.effects("slack")]
    return [keys.count(run_id.hex) for run_id in run_ids]


def test_processes_that_need_a_token_at_once_renew_it_once(place: Place, slack: Rotating) -> None:
    asked = slack.asked(delay_s=0.3)
    groups = [messages(2, first=100 + 10 * group) for group in range(4)]
    processes = [Armed(group, "") for group in groups]
    assert [process.wait() for process in processes] == [0] * 4
    run_ids = [run_id for group in groups for run_id in group]
    go_on(run_ids)
    assert asked() == 1
    assert sent(place, run_ids) == [1] * 8
    assert {get_run(run_id).attempts for run_id in run_ids} == {1}


def test_a_process_killed_after_the_new_token_was_stored_costs_nothing(place: Place, slack: Rotating) -> None:
    asked, run_ids = slack.asked(), messages(2, first=200)
    assert Armed(run_ids, "renew.stored:kill").wait() == -signal.SIGKILL
    go_on(run_ids)
    assert asked() == 1
    assert sent(place, run_ids) == [1, 1]


@pytest.mark.parametrize("kind", ["kill", "raise"])
def test_a_process_that_ends_before_the_answer_was_stored_leaves_word_for_a_person(
    place: Place, slack: Rotating, kind: str
) -> None:
    asked, run_ids = slack.asked(), messages(2, first=300)
    assert Armed(run_ids, f"renew.answered:{kind}").wait() != 0
    for run_id in run_ids:
        let_lease_run_out(run_id)
    take_over()
    for run_id in run_ids:
        let_waits_pass(run_id)
    batch.perform(run_ids)
    assert {str(get_run(run_id).state) for run_id in run_ids} == {"waiting"}, "nobody knows yet that nothing will come"
    assert asked() == 1
    let_renewal_run_out()
    for run_id in run_ids:
        let_waits_pass(run_id)
    batch.perform(run_ids)
    found = connections.get_by_name("acme", "slack")
    assert found.state == "reauthorize"
    assert found.trouble is not None
    assert "killed after it had asked for the new token" in found.trouble["message"]
    slack.renew_at_the_platform()
    go_on(run_ids)
    assert sent(place, run_ids) == [1, 1]


def test_a_process_frozen_before_it_stores_the_answer_brings_it_when_it_goes_on(place: Place, slack: Rotating) -> None:
    run_ids = messages(1, first=400)
    frozen = Armed(run_ids, "renew.answered:stop")
    try:
        frozen.wait_frozen()
        let_renewal_run_out()
        others = messages(1, first=410)
        batch.perform(others)
        assert slack.stored().state == "reauthorize"
        frozen.thaw()
        assert frozen.wait() == 0
        assert slack.stored().state == "active"
        go_on([*run_ids, *others])
        assert sent(place, [*run_ids, *others]) == [1, 1]
    finally:
        frozen.end()


def test_a_process_frozen_before_it_stores_the_answer_spoils_no_newer_one(place: Place, slack: Rotating) -> None:
    run_ids = messages(1, first=500)
    frozen = Armed(run_ids, "renew.answered:stop")
    try:
        frozen.wait_frozen()
        slack.renew_at_the_platform()
        others = messages(1, first=510)
        batch.perform(others)
        newest = slack.stored()
        frozen.thaw()
        assert frozen.wait() == 0
        assert (slack.stored().version, slack.stored().credential) == (newest.version, newest.credential)
        go_on([*run_ids, *others])
        assert sent(place, [*run_ids, *others]) == [1, 1]
    finally:
        frozen.end()
