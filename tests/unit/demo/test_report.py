"""The demo's verdict: it must see a loss and a repeat, or it is worth nothing."""

from __future__ import annotations

from typing import Any

from neonhub_worker.demo.report import RunResult, judge
from neonhub_worker.ledger.states import RunState


def run(state: str, *, to: str = "+1", text: str = "hi", error: str | None = None) -> RunResult:
    return RunResult("id", "sms.sendSMS", RunState(state), to, text, 1, error, read_back=False)


def effect(*, to: str = "+1", text: str = "hi", action: str = "sendSMS") -> dict[str, Any]:
    return {"recipient": to, "text": text, "action": action}


def test_one_effect_for_each_succeeded_run_is_clean() -> None:
    report = judge([run("succeeded"), run("failed", to="+2", error="InvalidRequest")], [effect()], left_out={"bad": 2})
    assert report.clean
    assert report.refused == {"bad": 2, "InvalidRequest": 1}


def test_a_second_effect_is_a_duplicate() -> None:
    assert judge([run("succeeded")], [effect(), effect()], left_out={}).duplicates == 1


def test_an_effect_of_a_failed_run_is_a_duplicate_too() -> None:
    assert judge([run("failed")], [effect()], left_out={}).duplicates == 1


def test_an_effect_that_nobody_asked_for_is_a_duplicate() -> None:
    assert judge([], [effect()], left_out={}).duplicates == 1


def test_a_succeeded_run_without_an_effect_is_lost() -> None:
    assert judge([run("succeeded")], [], left_out={}).lost == 1


def test_a_run_without_an_end_is_lost() -> None:
    assert judge([run("queued")], [], left_out={}).lost == 1


def test_a_parked_run_may_have_had_its_effect_or_not_but_no_second_one() -> None:
    assert judge([run("parked")], [], left_out={}).clean
    assert judge([run("parked")], [effect()], left_out={}).clean
    assert judge([run("parked")], [effect(), effect()], left_out={}).duplicates == 1


def test_two_equal_messages_need_two_effects() -> None:
    twice = [run("succeeded"), run("succeeded")]
    assert judge(twice, [effect(), effect()], left_out={}).clean
    assert judge(twice, [effect()], left_out={}).lost == 1


def test_other_actions_of_the_sandbox_do_not_count() -> None:
    assert judge([], [effect(action="deleteMessage")], left_out={}).clean
