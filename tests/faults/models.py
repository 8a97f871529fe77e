"""A platform of the simplest kind, its four actions, and a worker that takes one step at a time."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import cast

from sqlalchemy import Connection

from connectors.kit.action import Action, Input, LookUp, Output, Park, RepeatPolicy, Resend, ResendWithKey, Retry
from connectors.kit.call import Call
from connectors.kit.errors import InvalidRequest, NotSent, OutcomeUnknown, RateLimited, Unavailable
from neonhub_worker.ledger import steps
from neonhub_worker.ledger.leases import Claimed, Outcome
from neonhub_worker.ledger.states import IN_DOUBT, EffectState
from neonhub_worker.performing import doubt, outcomes
from neonhub_worker.performing.doubt import Undecidable
from neonhub_worker.performing.run_ledger import LEASE_TOO_SHORT

SETTLE_AFTER_S = timedelta(minutes=1).total_seconds()


class Wish(Input):
    """What a run wants: that its own effect happens."""

    run_id: uuid.UUID


class Made(Output):
    """What the platform made."""

    id: str

    def provider_id(self) -> str:
        return self.id


class Way(StrEnum):
    """What becomes of a request."""

    ANSWERED = "done and answered"
    ANSWER_LOST = "done, and the answer lost"
    REQUEST_LOST = "lost on its way there"
    BROKEN = "done, and then a mistake of ours"
    REFUSED = "refused"
    RATE_LIMITED = "refused for now"
    NOT_SENT = "never sent"


DOES_IT = (Way.ANSWERED, Way.ANSWER_LOST, Way.BROKEN)


class Platform:
    """Counts effects; shows and keys them if the action says so."""

    def __init__(self) -> None:
        self.effects: dict[uuid.UUID, list[str]] = {}
        self.answers = True

    def do(self, run_id: uuid.UUID, *, once: bool) -> Made:
        made = self.effects.setdefault(run_id, [])
        if not (once and made):
            made.append(uuid.uuid4().hex)
        return Made(id=made[0])

    def find(self, call: Call, wish: Wish) -> Made | None:
        if not self.answers:
            raise Unavailable("the platform does not answer")
        made = self.effects.get(wish.run_id)
        return Made(id=made[0]) if made else None

    def count(self, run_id: uuid.UUID) -> int:
        return len(self.effects.get(run_id, ()))

    def action(self, policy: type) -> Action[Input, Output]:
        """An action with this repeat policy."""
        repeats: dict[type, RepeatPolicy[Wish, Made]] = {
            Resend: Resend(),
            ResendWithKey: ResendWithKey(key="the run's id", window_s=None),
            LookUp: LookUp(self.find, settle_after_s=SETTLE_AFTER_S),
            Park: Park(reason="it has neither key nor list"),
        }
        made = Action(
            slug="model",
            name=policy.__name__,
            input=Wish,
            output=Made,
            perform=_perform,
            repeat=repeats[policy],
            why="A model.",
            effect=True,
            retry=Retry(max_retries=2),
        )
        return cast("Action[Input, Output]", made)


def _perform(call: Call, wish: Wish) -> Made:
    raise NotImplementedError("the model's worker sends by itself")


@dataclass(eq=False)
class Attempt:
    """One attempt, as ``performing.attempt`` goes through it, but step by step.

    Attributes:
        may_send: It decided to send and has not yet.
        outcome: How it ended; None while it goes on.
        lease_over: Its own clock says that its lease has run out.
    """

    claimed: Claimed
    action: Action[Input, Output]
    platform: Platform
    may_send: bool = False
    outcome: Outcome | None = None
    lease_over: bool = False
    in_doubt: bool = field(init=False)

    def __post_init__(self) -> None:
        self.in_doubt = self.claimed.effect_before in IN_DOUBT

    def decide(self, connection: Connection) -> bool:
        """Settle what is in doubt and find out whether to send; False if the lease was lost meanwhile."""
        try:
            return self._decide(connection)
        except Exception as error:
            self._fail(error)
        return True

    def _decide(self, connection: Connection) -> bool:
        claimed = self.claimed
        was_in_doubt = self.in_doubt
        if was_in_doubt:
            assert claimed.first_sent_at is not None
            assert claimed.sent_by is not None
            found = doubt.settle_doubt(
                self.action,
                cast("Call", None),
                Wish(run_id=claimed.id),
                first_sent_at=claimed.first_sent_at,
                sent_by=claimed.sent_by,
                now=claimed.now,
            )
            if found is not None:
                self.outcome = outcomes.succeeded(claimed, found)
                return True
            self.in_doubt = doubt.repeat_leaves_doubt(self.action)
        self.outcome = outcomes.refused_before_sending(claimed)
        if self.outcome is not None:
            if self.in_doubt:
                self.outcome = None
                raise Undecidable("only sending again would tell")
            return True
        self.may_send = True
        return not was_in_doubt or steps.write(
            connection, claimed.id, "send", fence=claimed.fence, state=EffectState.SENDING, effect=True
        )

    def send(self, way: Way) -> None:
        """Make the request, unless the lease is over."""
        self.may_send = False
        try:
            self.outcome = outcomes.succeeded(self.claimed, self._request(way))
        except Exception as error:
            self._fail(error)

    def _request(self, way: Way) -> Made:
        if self.lease_over:
            raise NotSent("the lease would end before the platform could answer", code=LEASE_TOO_SHORT)
        if way is Way.NOT_SENT:
            raise NotSent("no connection")
        if way is Way.REQUEST_LOST:
            raise OutcomeUnknown("no answer")
        repeat = self.action.repeat
        replayed = isinstance(repeat, ResendWithKey) and self.platform.count(self.claimed.id)
        if way is Way.RATE_LIMITED:
            raise RateLimited("too many requests", retry_after_s=60)
        if way is Way.REFUSED and not replayed:
            raise InvalidRequest("no", http_status=400)
        # A value that is set twice is set once.
        made = self.platform.do(self.claimed.id, once=isinstance(repeat, (Resend, ResendWithKey)))
        if way is Way.ANSWER_LOST:
            raise OutcomeUnknown("no answer")
        if way is Way.BROKEN:
            raise RuntimeError
        return made

    def break_off(self) -> None:
        """End before anything could be tried."""
        self.outcome = outcomes.cannot_begin(self.claimed, "UnknownConnection", "its connection is disabled")

    def _fail(self, error: Exception) -> None:
        self.outcome = outcomes.of_error(self.claimed, self.action, error, in_doubt=self.in_doubt)
