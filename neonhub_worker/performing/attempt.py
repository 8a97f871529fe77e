"""How is one claimed run carried out? It ends in an outcome, unless the run or the database was lost meanwhile."""

from __future__ import annotations

import uuid
from contextlib import suppress
from dataclasses import dataclass, replace

import structlog
from sqlalchemy.exc import SQLAlchemyError

from connectors import registry
from connectors.kit.action import Action, Input, JsonValue, Output
from connectors.kit.call import Call
from connectors.kit.errors import AlreadyDone, AuthExpired, NotSent
from neonhub_worker import faults
from neonhub_worker.db.engine import transaction
from neonhub_worker.dispatch.gates import Report
from neonhub_worker.dispatch.permits import Slot
from neonhub_worker.errors import Unreachable
from neonhub_worker.ledger import late, steps
from neonhub_worker.ledger.leases import Claimed, Outcome
from neonhub_worker.ledger.states import IN_DOUBT
from neonhub_worker.performing import doubt, health, outcomes, tokens
from neonhub_worker.performing.doubt import Undecidable, settle_doubt
from neonhub_worker.performing.run_ledger import LeaseLost, PostgresRunLedger
from neonhub_worker.settings import settings
from neonhub_worker.vault.connections import Opened

log = structlog.get_logger("neonhub.performing")


@dataclass(frozen=True)
class Ended:
    """How an attempt ended, and what it says about the connection.

    Attributes:
        refused: The connection and the version of its credential that the platform refused; it may take a renewed one.
    """

    outcome: Outcome
    report: Report | None = None
    refused: tuple[uuid.UUID, int] | None = None


class Attempt:
    """One attempt at one run.

    Args:
        opened: The run's connection with its credential.
        deadline: ``clock.elapsed_clock()`` at which the lease ends.
        slot: When its permit may be used; None if nothing limits it.
    """

    def __init__(self, claimed: Claimed, opened: Opened, *, deadline: float, slot: Slot | None) -> None:
        self._claimed = claimed
        self._opened = opened
        self._action: Action[Input, Output] = registry.action(claimed.name)
        self._data = self._action.input.model_validate(claimed.input)
        self._repeat_leaves_doubt = doubt.repeat_leaves_doubt(self._action)
        self._ledger = PostgresRunLedger(
            claimed,
            deadline=deadline,
            slot=slot,
            pace=self._action.pace,
            settle_effect=self._settle_step,
            repeat_leaves_doubt=self._repeat_leaves_doubt,
            provider_id_of=self._provider_id,
        )
        connector = registry.connector(self._action.slug)
        self._call = Call(
            connector,
            ledger=self._ledger,
            credential=connector.credential.model_validate(opened.credential),
            settings=connector.settings.model_validate(opened.settings),
            sandbox_url=settings().sandbox_url,
        )
        self._in_doubt = claimed.effect_before in IN_DOUBT
        self._settled: str | None = None

    def run(self) -> Ended:
        """Settle what is in doubt, then send.

        Raises:
            LeaseLost: Another worker took over; this attempt must write nothing.
        """
        failure: Exception | None = None
        refused: tuple[uuid.UUID, int] | None = None
        try:
            outcome = self._settle() or self._send()
        except Unreachable:
            # Not recorded, but known: settling waits for the database, which comes back before the lease ends or not.
            outcome = outcomes.database_away(self._claimed, in_doubt=self._in_doubt or self._ledger.has_written)
        except (LeaseLost, SQLAlchemyError) as error:
            self._own_up(error.__context__)
            raise
        except AlreadyDone as done:
            outcome = outcomes.already_done(self._claimed, done.provider_id)
        except Exception as error:
            failure = error
            if isinstance(error, AuthExpired) and tokens.may_renew(self._opened):
                outcome = outcomes.token_refused(self._claimed, self._action, error, in_doubt=self._in_doubt)
                refused = (self._opened.id, self._opened.version)
            else:
                outcome = outcomes.of_error(self._claimed, self._action, error, in_doubt=self._in_doubt)
        self._own_up(failure)
        faults.point("send.answered")
        if self._settled is not None:
            outcome = replace(outcome, detail={**(outcome.detail or outcome.error or {}), "settled": self._settled})
        sent_s = self._ledger.sent_s(effect=self._action.effect)
        outcome = replace(outcome, sent_s=sent_s, healthy=health.works(failure, answered=self._call.http.answered))
        report = None if refused else health.report(self._claimed, outcome, failure)
        return Ended(outcome, report, refused)

    def _own_up(self, failure: BaseException | None) -> None:
        """Say so if a request left too late; others may have looked for it in vain and sent it again."""
        if not self._ledger.sent_late or isinstance(failure, NotSent):
            return
        log.error("sent_late", run_id=str(self._claimed.id), attempt=self._claimed.fence)
        with suppress(Unreachable), transaction() as connection:
            late.tell(connection, self._claimed.id, fence=self._claimed.fence)

    def _settle(self) -> Outcome | None:
        if not self._in_doubt:
            return self._refused()
        claimed = self._claimed
        assert claimed.first_sent_at is not None
        assert claimed.sent_by is not None
        with transaction() as connection:
            if steps.has_parked_twin(connection, claimed.id):
                raise Undecidable("a parked run has the same content; settle that one first, then this one")
        found = settle_doubt(
            self._action,
            self._call,
            self._data,
            first_sent_at=claimed.first_sent_at,
            sent_by=claimed.sent_by,
            now=claimed.now,
        )
        faults.point("doubt.answered")
        if found is not None:
            return outcomes.succeeded(claimed, found, how="read-back: it was sent")
        self._settled = doubt.NOT_SENT[type(self._action.repeat)]
        self._in_doubt = self._repeat_leaves_doubt
        refused = self._refused() or outcomes.out_of_retries(claimed, self._settled)
        if refused is None:
            assert claimed.effect is not None
            # It came in to find out and has no permit yet.
            self._ledger.begin_effect(claimed.effect)
        elif self._repeat_leaves_doubt:
            raise Undecidable("it must not be sent any more, and only sending again would tell whether it was")
        return refused

    def _refused(self) -> Outcome | None:
        """Why it must not be sent any more; a run of several steps that has sent something goes on to its end."""
        refused = outcomes.refused_before_sending(self._claimed) if self._action.effect else None
        return None if refused is not None and outcomes.has_sent(self._claimed) else refused

    def _send(self) -> Outcome:
        self._ledger.wait_for_slot()
        return outcomes.succeeded(self._claimed, self._action.perform(self._call, self._data))

    def _provider_id(self, result: JsonValue) -> str | None:
        return self._action.output.model_validate(result).provider_id()

    def _settle_step(self, step: steps.Step) -> JsonValue | None:
        assert step.first_sent_at is not None
        assert step.sent_by is not None
        found = settle_doubt(
            self._action,
            self._call,
            self._data,
            first_sent_at=step.first_sent_at,
            sent_by=step.sent_by,
            now=step.now,
        )
        faults.point("doubt.answered")
        return None if found is None else found.model_dump(mode="json")
