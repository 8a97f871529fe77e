"""A token is renewed before it is used: once, whoever needs it, and stored first. A dead grant pauses its runs."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from sqlalchemy import Engine, event, text

from connectors import registry
from connectors.kit.http import Http
from connectors.kit.oauth import C, OAuth
from neonhub_worker import enqueue_many, get_run
from neonhub_worker.db import engine as db
from neonhub_worker.db.engine import transaction
from neonhub_worker.dispatch import due
from neonhub_worker.errors import Unreachable
from neonhub_worker.performing import batch, probe, tokens
from neonhub_worker.settings import settings
from neonhub_worker.vault import connections, renewals
from tests.conftest import ConnectionFactory
from tests.factories import sms
from tests.integration.rotating import Rotating, messages, rotating_slack
from tests.integration.sandboxes import Sandbox
from tests.races import at_once

pytestmark = pytest.mark.usefixtures("slack")


@pytest.fixture
def slack(sandbox: Sandbox) -> Rotating:
    """The connection slack has rotating tokens, and its access token has ended."""
    return rotating_slack(sandbox)


def states(run_ids: Sequence[uuid.UUID]) -> set[str]:
    return {str(get_run(run_id).state) for run_id in run_ids}


def let_pass() -> None:
    """As if the time had come that runs, gates and renewals wait for."""
    with transaction() as connection:
        connection.execute(text("update gate set closed_until = now() where closed_until > now()"))
        connection.execute(text("update run set run_at = now() where state in ('waiting', 'retrying')"))
        connection.execute(text("update connection set renew_after = now() where renew_after > now()"))


def dispatchable() -> set[uuid.UUID]:
    """What a tick of the dispatcher would publish now."""
    with transaction() as connection:
        due.ripen(connection, redispatch_s=settings().redispatch_s)
        found = {one.id for one in due.take(connection).due}
        due.unpublish(connection, list(found))
    return found


def perform(run_ids: Sequence[uuid.UUID]) -> None:
    """Go on with runs until none of them is due any more."""
    for _ in range(20):
        let_pass()
        left = [run_id for run_id in run_ids if get_run(run_id).finished_at is None]
        if not left:
            return
        batch.perform(left)


def test_a_token_that_has_ended_is_renewed_before_it_is_used(sandbox: Sandbox, slack: Rotating) -> None:
    asked, sent = slack.asked(), sandbox.count("slack", "sendMessage")
    run_ids = messages(5)
    batch.perform(run_ids)
    assert states(run_ids) == {"succeeded"}
    assert asked() == 1
    assert sent() == 5
    stored = slack.stored()
    assert stored.credential["refresh_token"] != slack.refresh_token
    assert stored.version == 1
    assert datetime.fromisoformat(stored.credential["expires_at"]) > datetime.now(UTC) + timedelta(hours=11)


def test_a_fresh_token_costs_no_further_commit_and_no_question(slack: Rotating) -> None:
    batch.perform(messages())
    asked, commits = slack.asked(), Commits()
    (run_id,) = messages(first=1)
    with commits:
        batch.perform([run_id])
    assert states([run_id]) == {"succeeded"}
    assert commits.seen == 2
    assert asked() == 0


class Commits:
    """Counts the transactions of this process."""

    seen = 0

    def __enter__(self) -> None:
        event.listen(db.engine(), "commit", self._note)

    def __exit__(self, *_: object) -> None:
        event.remove(db.engine(), "commit", self._note)

    def _note(self, _: Any) -> None:
        self.seen += 1


def test_of_many_that_need_a_token_at_once_one_renews_and_no_attempt_is_lost(slack: Rotating) -> None:
    asked = slack.asked(delay_s=0.5)
    groups = [messages(3, first=10 * group) for group in range(4)]
    at_once(*(_performing(group) for group in groups))
    run_ids = [run_id for group in groups for run_id in group]
    perform(run_ids)
    assert states(run_ids) == {"succeeded"}
    assert asked() == 1
    assert {get_run(run_id).attempts for run_id in run_ids} == {1}


def _performing(run_ids: Sequence[uuid.UUID]) -> Callable[[], None]:
    return lambda: batch.perform(run_ids)


@pytest.mark.parametrize("kind", ["error_500_before", "error_503_before", "rate_limit", "reset_before"])
def test_a_token_endpoint_that_fails_for_a_while_costs_time_and_nothing_else(slack: Rotating, kind: str) -> None:
    slack.fault(kind=kind, times=2)
    run_ids = messages(2)
    batch.perform(run_ids)
    assert states(run_ids) == {"waiting"}
    (listed,) = (one for one in connections.list_all("acme") if one.name == "slack")
    assert listed.state == "active"
    assert listed.trouble is not None
    assert "could not be renewed" in listed.trouble["message"]
    more = messages(1, first=10)
    batch.perform(more)
    assert states(more) == {"queued"}, "the connection's gate is closed until the next try"
    perform([*run_ids, *more])
    assert states([*run_ids, *more]) == {"succeeded"}
    assert {get_run(run_id).attempts for run_id in run_ids} == {1}
    assert slack.stored().trouble is None


def test_an_answer_lost_on_its_way_leaves_a_rotating_grant_to_a_person(slack: Rotating) -> None:
    slack.fault(kind="reset_after", times=1)
    run_ids = messages(2)
    batch.perform(run_ids)
    assert slack.stored().state == "active", "nobody can know yet"
    let_pass()
    batch.perform(run_ids)
    assert slack.stored().state == "reauthorize"
    slack.renew_at_the_platform()
    perform(run_ids)
    assert states(run_ids) == {"succeeded"}


def test_waits_for_the_next_renewal_grow_with_each_failure(slack: Rotating) -> None:
    slack.fault(kind="error_500_before", times=3)
    (run_id,) = messages()
    for _ in range(3):
        batch.perform([run_id])
        let_pass()
    waits = [event.detail["delay_s"] for event in get_run(run_id).timeline if event.move == "snooze" and event.detail]
    assert waits == [pytest.approx(2, abs=0.1), pytest.approx(4, abs=0.1), pytest.approx(8, abs=0.1)]


def test_a_wrong_client_secret_is_no_dead_grant(slack: Rotating) -> None:
    slack.store(client_secret="wrong")
    run_ids = messages()
    batch.perform(run_ids)
    assert states(run_ids) == {"waiting"}
    assert slack.stored().state == "active"
    slack.store(client_secret=slack.client_secret)
    perform(run_ids)
    assert states(run_ids) == {"succeeded"}


def test_while_the_old_token_lives_a_failed_renewal_delays_nothing(sandbox: Sandbox, slack: Rotating) -> None:
    batch.perform(messages())
    slack.store_end(timedelta(seconds=60), **slack.stored().credential)
    asked = slack.asked()
    slack.fault(kind="error_500_before", times=1)
    run_ids = messages(2, first=10)
    batch.perform(run_ids[:1])
    with transaction() as connection:
        connection.execute(text("update connection set renew_after = renew_after + interval '1 hour'"))
    batch.perform(run_ids[1:])
    assert states(run_ids) == {"succeeded"}
    assert asked() == 1, "the second does not ask again so soon"
    let_pass()
    batch.perform(messages(1, first=20))
    assert asked() == 2
    assert slack.stored().trouble is None


def test_a_dead_grant_pauses_its_runs_and_they_go_on_once_a_person_renewed_it(
    sandbox: Sandbox, slack: Rotating, engine: Engine
) -> None:
    slack.store(refresh_token="xoxe-1-replaced-long-ago")
    first, waiting = messages(2), messages(40, first=10)
    batch.perform(first)
    stored = connections.get_by_name("acme", "slack")
    assert stored.state == "reauthorize"
    assert stored.trouble is not None
    assert (stored.trouble["class"], stored.trouble["code"]) == ("GrantDead", "invalid_refresh_token")
    asked, sent = slack.asked(), sandbox.count("slack", "sendMessage")
    let_pass()
    assert dispatchable() == set(), "its lanes are shut"
    batch.perform([*first, *waiting])
    assert states([*first, *waiting]) == {"queued"}
    assert {get_run(run_id).attempts for run_id in [*first, *waiting]} == {0}
    assert (asked(), sent()) == (0, 0)
    connections.replace_credential(slack.id, slack.credential, {})
    assert dispatchable() == {*first, *waiting}
    perform([*first, *waiting])
    assert states([*first, *waiting]) == {"succeeded"}
    assert len(sandbox.effects("slack")) == 42


def test_other_connections_do_not_wait_for_a_dead_grant(sandbox: Sandbox, slack: Rotating) -> None:
    slack.store(refresh_token="xoxe-1-replaced-long-ago")
    batch.perform(messages())
    (run_id,) = enqueue_many([sms()])
    batch.perform([run_id])
    assert states([run_id]) == {"succeeded"}


def test_a_token_refused_before_its_time_is_renewed_and_the_run_goes_again(sandbox: Sandbox, slack: Rotating) -> None:
    batch.perform(messages())
    slack.let_renewal_be_long_ago()
    asked = slack.asked()
    sandbox.fault(connector="slack", operation="sendMessage", kind="auth_expired", times=1)
    (run_id,) = messages(1, first=10)
    batch.perform([run_id])
    run = get_run(run_id)
    assert (run.state, run.attempts) == ("queued", 0)
    batch.perform([run_id])
    run = get_run(run_id)
    assert (run.state, run.attempts) == ("succeeded", 1)
    assert asked() == 1
    assert len(sandbox.effects("slack")) == 2


def test_a_token_refused_right_after_it_was_renewed_is_a_failure_like_any_other(
    sandbox: Sandbox, slack: Rotating
) -> None:
    batch.perform(messages())
    asked = slack.asked()
    sandbox.fault(connector="slack", operation="sendMessage", kind="auth_expired", times=1)
    (run_id,) = messages(1, first=10)
    batch.perform([run_id])
    run = get_run(run_id)
    assert (run.state, run.attempts) == ("retrying", 1)
    assert run.error is not None
    assert run.error["class"] == "AuthExpired"
    assert asked() == 0


def test_a_platform_that_refuses_every_token_ends_the_run(sandbox: Sandbox, slack: Rotating) -> None:
    sandbox.fault(connector="slack", operation="sendMessage", kind="auth_expired")
    (run_id,) = messages()
    for _ in range(40):
        slack.let_renewal_be_long_ago()
        let_pass()
        batch.perform([run_id])
        if get_run(run_id).finished_at is not None:
            break
    run = get_run(run_id)
    assert run.state == "failed"
    assert sandbox.effects("slack") == []


def test_a_run_in_doubt_stays_in_doubt_when_its_question_is_refused(sandbox: Sandbox, slack: Rotating) -> None:
    sandbox.fault(connector="slack", operation="sendMessage", kind="reset_after", times=1)
    (run_id,) = messages()
    batch.perform([run_id])
    assert get_run(run_id).state == "retrying"
    slack.let_renewal_be_long_ago()
    sandbox.fault(connector="slack", operation="listMessages", kind="auth_expired", times=1)
    let_pass()
    batch.perform([run_id])
    assert get_run(run_id).state == "queued"
    with transaction() as connection:
        assert connection.execute(text("select state from step")).scalar_one() == "unknown"
    perform([run_id])
    assert get_run(run_id).state == "succeeded"
    assert len(sandbox.effects("slack")) == 1


def test_a_dead_grant_leaves_a_run_in_doubt_where_it_is(sandbox: Sandbox, slack: Rotating) -> None:
    sandbox.fault(connector="slack", operation="sendMessage", kind="reset_after", times=1)
    (run_id,) = messages()
    batch.perform([run_id])
    slack.store_end(timedelta(seconds=-1), **{**slack.stored().credential, "refresh_token": "xoxe-1-gone"})
    let_pass()
    batch.perform([run_id])
    let_pass()
    assert dispatchable() == set()
    with transaction() as connection:
        assert connection.execute(text("select state from step")).scalar_one() == "unknown"
    slack.renew_at_the_platform()
    perform([run_id])
    assert get_run(run_id).state == "succeeded"
    assert len(sandbox.effects("slack")) == 1


def test_what_a_late_process_brings_is_kept_if_nobody_stored_another(slack: Rotating) -> None:
    by = "frozen"
    with transaction() as connection:
        assert renewals.begin(connection, slack.id, version=0, by=by, lease_s=-1) == renewals.Begun(cut_off=False)
    renewed = slack.exchange()  # its answer is under way while another process tries the same
    run_ids = messages()
    batch.perform(run_ids)
    assert slack.stored().state == "reauthorize"
    with transaction() as connection:
        assert renewals.store(connection, slack.id, renewed, version=0)
    assert slack.stored().state == "active"
    perform(run_ids)
    assert states(run_ids) == {"succeeded"}


def test_what_a_late_process_brings_is_dropped_if_there_is_another(slack: Rotating) -> None:
    batch.perform(messages())
    before = slack.stored()
    with transaction() as connection:
        assert not renewals.store(connection, slack.id, {"bot_token": "late"}, version=0)
    assert (slack.stored().version, slack.stored().credential) == (before.version, before.credential)


def test_a_renewal_that_was_cut_off_says_so_when_its_answer_is_missed(slack: Rotating) -> None:
    with transaction() as connection:
        renewals.begin(connection, slack.id, version=0, by="killed", lease_s=-1)
    slack.exchange()
    batch.perform(messages())
    found = connections.get_by_name("acme", "slack")
    assert found.state == "reauthorize"
    assert found.trouble is not None
    assert "a process was killed after it had asked for the new token" in found.trouble["message"]


@dataclass(frozen=True, kw_only=True)
class Broken(OAuth):
    """A mistake in a connector."""

    def refresh(self, http: Http, credential: C) -> C:
        raise KeyError(credential.refresh_token)


def test_a_connector_that_breaks_while_it_renews_costs_time_and_shows_nothing(
    slack: Rotating, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = Broken(authorize_url=None, token_url="https://slack.com/api/oauth.v2.access", scopes=())
    with monkeypatch.context() as patch:
        patch.setattr(registry.connector("slack"), "oauth", broken)
        run_ids = messages()
        batch.perform(run_ids)
        assert states(run_ids) == {"waiting"}
        trouble = slack.stored().trouble
    assert trouble is not None
    assert trouble["message"] == "its token could not be renewed: unforeseen KeyError in the connector slack"
    perform(run_ids)
    assert states(run_ids) == {"succeeded"}


def test_the_database_may_be_away_while_the_answer_is_stored(slack: Rotating, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "_STORE_AGAIN_S", 0.0)
    times = iter((Unreachable("away"), Unreachable("away")))
    store = renewals.store

    def failing(*args: Any, **kwargs: Any) -> bool:
        error = next(times, None)
        if error is not None:
            raise error
        return store(*args, **kwargs)

    monkeypatch.setattr(renewals, "store", failing)
    run_ids = messages()
    batch.perform(run_ids)
    assert states(run_ids) == {"succeeded"}
    assert slack.stored().version == 1


def test_a_harmless_call_renews_the_token_too(slack: Rotating) -> None:
    assert "Slack workspace" in probe.test_connection("acme", "slack")
    assert slack.stored().version == 1


def test_the_token_of_an_idle_connection_is_renewed_once_a_week(slack: Rotating) -> None:
    assert tokens.renew_idle() == 0, "it was used lately"
    with transaction() as connection:
        connection.execute(text("update connection set updated_at = now() - interval '8 days'"))
    assert tokens.renew_idle() == 1
    assert slack.stored().version == 1
    assert tokens.renew_idle() == 0


def test_idle_connections_that_cannot_be_renewed_do_not_stop_the_others(
    sandbox: Sandbox, slack: Rotating, connection_factory: ConnectionFactory
) -> None:
    connection_factory("slack", name="gone", credential={**slack.credential, "refresh_token": "xoxe-1-x"}, settings={})
    connection_factory("slack", name="other-key", credential={}, settings={})
    with transaction() as connection:
        connection.execute(text("update connection set updated_at = now() - interval '8 days'"))
        connection.execute(text("update connection set credential = 'x' where name = 'other-key'"))
    assert tokens.renew_idle() == 1
    assert connections.get_by_name("acme", "gone").state == "reauthorize"


def test_no_token_is_in_errors_or_timelines(slack: Rotating) -> None:
    slack.store(refresh_token="xoxe-1-replaced-long-ago")
    (run_id,) = messages()
    batch.perform([run_id])
    run, listed = get_run(run_id), connections.get_by_name("acme", "slack")
    assert "xoxe" not in f"{run!r} {listed!r} {slack.stored()!r}"


@pytest.fixture(autouse=True)
def no_leftovers(sandbox: Sandbox) -> Iterator[None]:
    yield
    requests.delete(f"{sandbox.url}/_sandbox/faults", timeout=10)
