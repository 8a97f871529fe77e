"""Does each action keep its promise when the platform fails? Judged by the sandbox's own count of effects."""

from __future__ import annotations

import contextlib
import itertools
import logging
from typing import Any

import pytest
from pydantic import SecretStr

from connectors import registry
from connectors.kit.action import Input, LookUp, Output, Park
from connectors.kit.call import Call
from connectors.kit.errors import AuthExpired, ConnectorError, NotSent, OutcomeUnknown, Postpone, RateLimited
from connectors.kit.http import Http
from connectors.kit.source import Source
from tests.contract.case import Case
from tests.contract.cases import CASES, UNTRIED
from tests.contract.conftest import Performer, Sandbox
from tests.contract.memory_ledger import MemoryLedger

every_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
once_only = pytest.mark.parametrize("case", [case for case in CASES if case.once], ids=lambda case: case.name)
once_and_told = pytest.mark.parametrize(
    "case", [case for case in CASES if case.once and case.told], ids=lambda case: case.name
)
told_only = pytest.mark.parametrize("case", [case for case in CASES if case.told], ids=lambda case: case.name)
untold_only = pytest.mark.parametrize("case", [case for case in CASES if not case.told], ids=lambda case: case.name)
LOST_ANSWER = ("reset_after", "error_500_after", "error_503_after", "truncated_body_after")
PRIVATE = ("body", "text", "content", "subject", "caption", "email", "name")
CUT_SHORT = "truncated_body_after"
NEVER_ARRIVED = ("reset_before", "error_500_before", "error_503_before")


class Trial:
    """One run of one action against the sandbox."""

    def __init__(self, case: Case, performer: Performer, sandbox: Sandbox, recipient: str) -> None:
        self.action = case.action
        self._counted = case.counted or case.action.name
        self._performer = performer
        self._sandbox = sandbox
        self.data: Input = case.action.input.model_validate(case.prepare(performer, recipient))
        self.ledger = MemoryLedger()
        # All that was done before belongs to other runs.
        self.ledger.owned_by_others = {str(found["provider_id"]) for found in sandbox.effects()}
        self.call: Call = performer.call(case.action.slug, self.ledger)
        self._mark = sandbox.mark()

    def perform(self, *, read_s: float | None = None) -> Output:
        """Perform until it is over; what it waits for comes when the sandbox's clock moves."""
        if read_s is not None:
            self.call = self._performer.call(self.action.slug, self.ledger, read_s=read_s)
        while True:
            try:
                return self._performer.perform(self.action, self.call, self.data)
            except Postpone:
                self._sandbox.ask("POST", "clock", json={"advance_s": 1.0})

    def settle(self) -> Output | None:
        """What the worker does with an effect in doubt: ask, and None means that it may be sent again.

        Raises:
            OutcomeUnknown: A person has to say.
        """
        if isinstance(self.action.repeat, Park):
            raise OutcomeUnknown(self.action.repeat.reason)
        if not isinstance(self.action.repeat, LookUp):
            return None
        if self.action.multi_step:
            # What is shared shows a moment later.
            self._sandbox.ask("POST", "clock", json={"advance_s": 1.0})
        return self._performer.look_up(self.action, self.call, self.data)

    def finish(self) -> Output:
        """Settle an effect in doubt, and send it again if that is how, or if it was not sent."""
        found = self.settle()
        return self.perform() if found is None else found

    def effects(self) -> list[dict[str, object]]:
        return [found for found in self._sandbox.effects(self._mark) if found["action"] == self._counted]


@pytest.fixture
def trial(case: Case, performer: Performer, sandbox: Sandbox, recipient: str) -> Trial:
    return Trial(case, performer, sandbox, recipient)


def test_every_action_that_changes_something_is_tried_here() -> None:
    declared = {a.full_name for c in registry.CONNECTORS for a in c.actions.values() if a.effect}

    assert declared - {case.name for case in CASES} == UNTRIED


@every_case
def test_success_is_one_effect_and_gives_its_id(case: Case, trial: Trial) -> None:
    output = trial.perform()

    (effect,) = trial.effects()
    if case.once:
        assert output.provider_id() == effect["provider_id"]


@pytest.mark.parametrize(
    ("case", "fault"),
    [
        (case, fault)
        for case, fault in itertools.product(CASES, LOST_ANSWER)
        if not (case.empty_answer and fault == CUT_SHORT)
    ],
    ids=lambda value: value.name if isinstance(value, Case) else value,
)
def test_a_lost_answer_is_settled_without_a_second_effect(
    case: Case, trial: Trial, sandbox: Sandbox, fault: str
) -> None:
    sandbox.fault(fault, case.platform, case.operation)

    with pytest.raises(OutcomeUnknown):
        trial.perform()

    (effect,) = trial.effects()
    if isinstance(case.action.repeat, Park):
        with pytest.raises(OutcomeUnknown, match="Look into"):
            trial.settle()
        return
    found = trial.finish()
    if case.once:
        assert found.provider_id() == effect["provider_id"]
        assert trial.effects() == [effect]


@told_only
@pytest.mark.parametrize("fault", NEVER_ARRIVED)
def test_a_request_that_did_nothing_is_sent_again(case: Case, trial: Trial, sandbox: Sandbox, fault: str) -> None:
    sandbox.fault(fault, case.platform, case.operation)

    with pytest.raises(OutcomeUnknown):
        trial.perform()

    assert trial.effects() == []
    assert trial.settle() is None
    trial.perform()
    assert len(trial.effects()) == 1


@untold_only
@pytest.mark.parametrize("fault", NEVER_ARRIVED)
def test_a_request_of_which_nothing_tells_is_left_to_a_person(
    case: Case, trial: Trial, sandbox: Sandbox, fault: str
) -> None:
    sandbox.fault(fault, case.platform, case.operation)

    with pytest.raises(OutcomeUnknown):
        trial.perform()

    with pytest.raises(OutcomeUnknown, match=r"[Ll]ook into"):
        trial.settle()
    assert trial.effects() == []


@every_case
@pytest.mark.parametrize("fault", ["reset_before", "error_503_before", "rate_limit"])
def test_a_request_that_fails_is_made_once(case: Case, trial: Trial, sandbox: Sandbox, fault: str) -> None:
    sandbox.fault(fault, case.platform, case.operation, times=None)

    with pytest.raises(ConnectorError):
        trial.perform()

    (found,) = sandbox.ask("GET", "faults")["faults"]
    assert found["seen"] == 1


@once_only
def test_silence_after_the_work_is_settled_without_a_second_effect(case: Case, trial: Trial, sandbox: Sandbox) -> None:
    sandbox.fault("timeout_after", case.platform, case.operation)

    with pytest.raises(OutcomeUnknown):
        trial.perform(read_s=1.5)

    (effect,) = trial.effects()
    if not isinstance(case.action.repeat, Park):
        assert trial.finish().provider_id() == effect["provider_id"]
    assert trial.effects() == [effect]


@once_and_told
def test_silence_before_the_work_is_sent_again(case: Case, trial: Trial, sandbox: Sandbox) -> None:
    sandbox.fault("timeout_before", case.platform, case.operation)

    with pytest.raises(OutcomeUnknown):
        trial.perform(read_s=1.5)

    assert trial.settle() is None
    trial.perform()
    assert len(trial.effects()) == 1


@every_case
def test_an_action_of_one_step_asks_nothing_before_its_effect(
    case: Case, trial: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Its permit to send is taken with the claim, and good for a moment; what takes time belongs into a step before.
    if case.action.multi_step:
        return
    asked: list[bool] = []
    request, open_source = Http.request, Source.__init__

    def noted(http: Http, *args: Any, effect: bool, **content: Any) -> Any:
        asked.append(effect)
        return request(http, *args, effect=effect, **content)

    def fetched(source: Source, *args: Any, **named: Any) -> None:
        asked.append(False)
        open_source(source, *args, **named)

    monkeypatch.setattr(Http, "request", noted)
    monkeypatch.setattr(Source, "__init__", fetched)

    trial.perform()

    # Twilio's SDK has a transport of its own.
    assert asked[:1] in ([], [True])


@every_case
def test_the_time_to_wait_survives(case: Case, trial: Trial, sandbox: Sandbox) -> None:
    # Meta tells it in whole minutes.
    sandbox.fault("rate_limit", case.platform, case.operation, seconds=60)

    with pytest.raises(RateLimited) as caught:
        trial.perform()

    wanted = pytest.approx(60, abs=case.wait_within_s) if case.tells_wait else None
    assert caught.value.retry_after_s == wanted
    assert trial.effects() == []


@every_case
def test_an_expired_credential_is_no_verdict_about_the_input(case: Case, trial: Trial, sandbox: Sandbox) -> None:
    sandbox.fault("auth_expired", case.platform, case.operation)

    with pytest.raises(AuthExpired):
        trial.perform()

    assert trial.effects() == []


@every_case
def test_nothing_is_sent_when_the_lease_is_too_short(case: Case, trial: Trial) -> None:
    trial.ledger.lease_s = 1.0

    with pytest.raises(NotSent):
        trial.perform()

    assert trial.effects() == []


@every_case
@pytest.mark.parametrize("fault", ["reset_after", "error_500_after", "rate_limit", "auth_expired"])
def test_no_secret_text_or_number_is_in_errors_and_logs(
    case: Case,
    trial: Trial,
    sandbox: Sandbox,
    caplog: pytest.LogCaptureFixture,
    recipient: str,
    fault: str,
) -> None:
    secrets = [value.get_secret_value() for _, value in trial.call.credential if isinstance(value, SecretStr)]
    assert secrets
    given = trial.data.model_dump()
    texts = [given[name] for name in PRIVATE if given.get(name)]
    texts += given.get("body_values", ())
    private = [*secrets, *texts, recipient.removeprefix("+")]
    caplog.set_level(logging.DEBUG)
    sandbox.fault(fault, case.platform, case.operation)

    with pytest.raises(ConnectorError) as caught:
        trial.perform()
    with contextlib.suppress(OutcomeUnknown):
        trial.settle()

    shown = f"{caught.value!r} {caught.value} {caplog.text} {trial.call.credential!r}"
    assert not [text for text in private if text in shown]
