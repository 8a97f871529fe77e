"""How an attempt ends, by what may be done next: never a repeat without knowing, never a loss."""

from __future__ import annotations

import pytest

from connectors.kit.action import Resend
from connectors.kit.errors import (
    AuthExpired,
    ConnectorError,
    InvalidRequest,
    NotSent,
    OutcomeUnknown,
    Postpone,
    RateLimited,
    RecipientOptedOut,
    Unavailable,
)
from neonhub_worker.ledger.leases import Claimed, Outcome
from neonhub_worker.ledger.states import EffectState
from neonhub_worker.performing import outcomes
from neonhub_worker.performing.doubt import Undecidable
from neonhub_worker.performing.run_ledger import LEASE_TOO_SHORT
from tests.unit.performing.actions import POLICIES, Posted, action, claimed

LAST = {"attempts": 4}
"""The fourth attempt of a run that may be retried three times."""

every_policy = pytest.mark.parametrize("policy", POLICIES)


def ended(error: Exception, *, policy: str = "look up", in_doubt: bool = False, run: Claimed | None = None) -> Outcome:
    return outcomes.of_error(run or claimed(), action(POLICIES[policy]), error, in_doubt=in_doubt)


def shown(outcome: Outcome) -> tuple[str, EffectState | None]:
    return outcome.move, outcome.effect


def test_success_keeps_the_platforms_id() -> None:
    outcome = outcomes.succeeded(claimed(), Posted(id="P1"))
    assert (shown(outcome), outcome.provider_id) == (("succeed", EffectState.CONFIRMED), "P1")
    assert outcome.output == {"id": "P1"}


def test_a_repeat_that_the_platform_noticed_is_a_success() -> None:
    outcome = outcomes.already_done(claimed(), "P1")
    assert (shown(outcome), outcome.provider_id) == (("succeed", EffectState.CONFIRMED), "P1")


@every_policy
@pytest.mark.parametrize("error", [InvalidRequest("no such field"), RecipientOptedOut("does not want it")])
def test_what_the_platform_refused_has_failed(policy: str, error: ConnectorError) -> None:
    outcome = ended(error, policy=policy)
    assert shown(outcome) == ("fail", EffectState.REFUSED)
    assert outcome.error is not None
    assert outcome.error["class"] == type(error).__name__


@every_policy
@pytest.mark.parametrize("error", [NotSent("no route"), AuthExpired("token is old"), Unavailable("down")])
def test_what_was_certainly_not_done_is_tried_again_and_fails_in_the_end(policy: str, error: ConnectorError) -> None:
    assert shown(ended(error, policy=policy)) == ("back_off", EffectState.PLANNED)
    assert shown(ended(error, policy=policy, run=claimed(**LAST))) == ("fail", EffectState.REFUSED)


def test_the_wait_doubles_and_is_spread() -> None:
    first = [ended(NotSent("no route")).delay_s for _ in range(50)]
    third = [ended(NotSent("no route"), run=claimed(attempts=3)).delay_s for _ in range(50)]
    assert all(delay is not None and 1.0 <= delay <= 2.0 for delay in first)
    assert all(delay is not None and 4.0 <= delay <= 8.0 for delay in third)
    assert len(set(first)) > 1


def test_without_jitter_the_wait_is_exact_and_has_a_ceiling() -> None:
    patient = action(Resend(), retry_jitter=False, retry_backoff=2.0, retry_backoff_max=5.0, max_retries=9)
    delays = [
        outcomes.of_error(claimed(attempts=n, max_retries=9), patient, NotSent("no route"), in_doubt=False).delay_s
        for n in (1, 2, 3, 4)
    ]
    assert delays == [2.0, 4.0, 5.0, 5.0]


@every_policy
def test_a_rate_limit_waits_as_the_platform_says_and_never_uses_the_last_attempt(policy: str) -> None:
    outcome = ended(RateLimited("slow down", retry_after_s=42.0), policy=policy, run=claimed(**LAST))
    assert shown(outcome) == ("snooze", EffectState.PLANNED)
    assert outcome.delay_s is not None
    assert 42.0 <= outcome.delay_s <= 42.2


def test_a_rate_limit_without_a_time_waits_longer_each_time() -> None:
    delays = [ended(RateLimited("slow down"), run=claimed(fence=fence)).delay_s for fence in (1, 3, 6, 60)]
    for delay, ceiling in zip(delays, (2, 8, 60, 60), strict=True):
        assert delay is not None
        assert ceiling / 2 <= delay <= ceiling


def test_too_short_a_lease_gives_the_run_back_at_once() -> None:
    outcome = ended(NotSent("lease", code=LEASE_TOO_SHORT), run=claimed(**LAST))
    assert (outcome.move, outcome.effect, outcome.delay_s) == ("give_back", EffectState.PLANNED, 0.0)


@pytest.mark.parametrize("policy", ["resend", "resend with key", "look up"])
@pytest.mark.parametrize("error", [OutcomeUnknown("no answer"), KeyError("who foresaw this?")])
def test_what_is_unknown_is_settled_first_and_left_to_a_person_in_the_end(policy: str, error: Exception) -> None:
    assert shown(ended(error, policy=policy)) == ("back_off", EffectState.UNKNOWN)
    assert shown(ended(error, policy=policy, run=claimed(**LAST))) == ("park", EffectState.PARKED)


def test_what_is_unknown_and_cannot_be_found_out_is_parked_at_once() -> None:
    assert shown(ended(OutcomeUnknown("no answer"), policy="park")) == ("park", EffectState.PARKED)
    assert shown(ended(Undecidable("ambiguous"))) == ("park", EffectState.PARKED)


def test_who_has_to_look_is_told_why_nothing_else_tells() -> None:
    outcome = ended(OutcomeUnknown("no answer"), policy="park")
    assert outcome.error is not None
    assert outcome.error["message"] == "no answer; nothing tells"


def test_a_read_without_an_answer_is_asked_again_and_fails_in_the_end() -> None:
    read = action(Resend(), effect=False)
    again = outcomes.of_error(claimed(), read, OutcomeUnknown("no answer"), in_doubt=False)
    last = outcomes.of_error(claimed(**LAST), read, OutcomeUnknown("no answer"), in_doubt=False)
    assert (again.move, last.move) == ("back_off", "fail")


@pytest.mark.parametrize("error", [InvalidRequest("bad question"), NotSent("no route"), OutcomeUnknown("ambiguous")])
def test_a_question_that_could_not_be_asked_leaves_the_effect_in_doubt(error: Exception) -> None:
    assert shown(ended(error, in_doubt=True)) == ("back_off", EffectState.UNKNOWN)
    assert shown(ended(error, in_doubt=True, run=claimed(**LAST))) == ("park", EffectState.PARKED)


@pytest.mark.parametrize("policy", ["resend", "resend with key"])
@pytest.mark.parametrize("error", [NotSent("no route"), AuthExpired("token is old"), Unavailable("down")])
def test_a_repeat_that_did_nothing_says_nothing_of_the_first_send(policy: str, error: ConnectorError) -> None:
    assert shown(ended(error, policy=policy, in_doubt=True)) == ("back_off", EffectState.UNKNOWN)
    assert shown(ended(error, policy=policy, in_doubt=True, run=claimed(**LAST))) == ("park", EffectState.PARKED)


def test_a_refusal_speaks_of_the_first_send_only_where_a_key_gets_its_first_answer_again() -> None:
    error = InvalidRequest("no such coupon")
    assert shown(ended(error, policy="resend with key", in_doubt=True)) == ("fail", EffectState.REFUSED)
    assert shown(ended(error, policy="resend", in_doubt=True)) == ("back_off", EffectState.UNKNOWN)


def test_too_short_a_lease_leaves_in_doubt_what_was() -> None:
    outcome = ended(NotSent("lease", code=LEASE_TOO_SHORT), policy="resend with key", in_doubt=True)
    assert (outcome.move, outcome.effect, outcome.delay_s) == ("give_back", EffectState.UNKNOWN, 0.0)


def test_a_question_that_is_rate_limited_waits_however_often() -> None:
    outcome = ended(RateLimited("slow down", retry_after_s=9.0), in_doubt=True, run=claimed(**LAST))
    assert shown(outcome) == ("snooze", EffectState.UNKNOWN)


@pytest.mark.parametrize(("in_doubt", "effect"), [(True, EffectState.UNKNOWN), (False, EffectState.PLANNED)])
def test_what_is_waited_for_uses_up_no_attempt(in_doubt: bool, effect: EffectState) -> None:
    outcome = ended(Postpone(5.0, "not ready"), in_doubt=in_doubt)
    assert (outcome.move, outcome.effect, outcome.delay_s) == ("snooze", effect, 5.0)
    assert outcome.error is None


@pytest.mark.parametrize(
    ("why", "move"),
    [({"cancel_requested": True}, "call_off"), ({"expired": True}, "run_out"), ({"opted_out": True}, "fail")],
)
def test_what_must_not_be_sent_any_more_is_not(why: dict[str, bool], move: str) -> None:
    outcome = outcomes.refused_before_sending(claimed(**why))
    assert outcome is not None
    assert shown(outcome) == (move, EffectState.REFUSED)
    assert outcomes.refused_before_sending(claimed()) is None


def test_the_text_of_an_unforeseen_error_is_told_to_nobody() -> None:
    outcome = ended(ValueError("+14155550123 said: Spring is here."))
    assert "+1415" not in str(outcome)
    assert "Spring" not in str(outcome)
    assert outcome.error is not None
    assert outcome.error["class"] == "OutcomeUnknown"
