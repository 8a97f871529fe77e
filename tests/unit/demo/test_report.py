"""The demo's verdict: it must see a loss and a repeat, or it is worth nothing."""

from __future__ import annotations

from typing import Any

from neonhub_worker.demo.report import RunResult, judge
from neonhub_worker.ledger.states import RunState


def run(state: str, *, known_as: str | None = "SM1", error: str | None = None) -> RunResult:
    return RunResult("id", "sms.sendSMS", RunState(state), known_as, 1, error, read_back=False)


def effect(known_as: str = "SM1", *, key: str | None = None, action: str = "sendSMS") -> dict[str, Any]:
    return {"connector": "sms", "action": action, "provider_id": known_as, "key": key}


def test_one_effect_for_each_succeeded_run_is_clean() -> None:
    report = judge(
        [run("succeeded"), run("failed", known_as=None, error="InvalidRequest")], [effect()], left_out={"bad": 2}
    )
    assert report.clean
    assert report.refused == {"bad": 2, "InvalidRequest": 1}
    assert report.by_action == {"sms.sendSMS": 2}


def test_a_second_effect_is_a_duplicate() -> None:
    assert judge([run("succeeded")], [effect(), effect("SM2")], left_out={}).duplicates == 1
    assert judge([run("succeeded")], [effect(), effect()], left_out={}).duplicates == 1


def test_an_effect_of_a_failed_run_is_a_duplicate_too() -> None:
    assert judge([run("failed", known_as=None)], [effect()], left_out={}).duplicates == 1


def test_a_succeeded_run_without_its_effect_is_lost() -> None:
    assert judge([run("succeeded")], [], left_out={}).lost == 1
    another = judge([run("succeeded")], [effect("SM2")], left_out={})
    assert (another.lost, another.duplicates) == (1, 1)


def test_two_runs_that_name_the_same_effect_need_two() -> None:
    assert judge([run("succeeded"), run("succeeded")], [effect()], left_out={}).lost == 1


def test_a_run_without_an_end_is_lost() -> None:
    assert judge([run("queued", known_as=None)], [], left_out={}).lost == 1


def test_a_parked_run_may_have_had_its_effect_or_not_but_no_second_one() -> None:
    parked = run("parked", known_as=None)
    assert judge([parked], [], left_out={}).clean
    assert judge([parked], [effect()], left_out={}).clean
    assert judge([parked], [effect(), effect("SM2")], left_out={}).duplicates == 1


def test_what_a_platform_knows_by_our_key_is_known_too() -> None:
    assert judge([run("succeeded", known_as="nh_1")], [effect(key="nh_1")], left_out={}).clean


def test_other_actions_of_the_sandbox_do_not_count() -> None:
    assert judge([run("succeeded")], [effect(), effect("SM1", action="deleteMessage")], left_out={}).clean
