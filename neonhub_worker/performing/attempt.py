"""How is one claimed run carried out? It ends in an outcome, unless the run or the database was lost meanwhile."""

from __future__ import annotations

from sqlalchemy.exc import SQLAlchemyError

from connectors import registry
from connectors.kit.action import Action, Input, JsonValue, Output
from connectors.kit.call import Call
from connectors.kit.errors import AlreadyDone
from neonhub_worker.db.engine import transaction
from neonhub_worker.errors import Unreachable
from neonhub_worker.ledger import steps
from neonhub_worker.ledger.leases import Claimed, Outcome
from neonhub_worker.ledger.states import IN_DOUBT
from neonhub_worker.performing import outcomes
from neonhub_worker.performing.doubt import Undecidable, settle_doubt
from neonhub_worker.performing.run_ledger import LeaseLost, PostgresRunLedger, resend
from neonhub_worker.settings import settings
from neonhub_worker.vault.connections import Opened


class Attempt:
    """One attempt at one run.

    Args:
        opened: The run's connection with its credential.
        deadline: ``clock.elapsed_clock()`` at which the lease ends.
    """

    def __init__(self, claimed: Claimed, opened: Opened, *, deadline: float) -> None:
        self._claimed = claimed
        self._action: Action[Input, Output] = registry.action(claimed.name)
        self._data = self._action.input.model_validate(claimed.input)
        ledger = PostgresRunLedger(
            claimed, deadline=deadline, settle_effect=self._settle_step, provider_id_of=self._provider_id
        )
        connector = registry.connector(self._action.slug)
        self._call = Call(
            connector,
            ledger=ledger,
            credential=connector.credential.model_validate(opened.credential),
            settings=connector.settings.model_validate(opened.settings),
            sandbox_url=settings().sandbox_url,
        )
        self._in_doubt = claimed.effect_before in IN_DOUBT

    def run(self) -> Outcome:
        """Settle what is in doubt, then send.

        Raises:
            LeaseLost: Another worker took over; this attempt must write nothing.
            Unreachable: The database is away; the lease's end will bring the run back.
        """
        try:
            return self._settle() or self._send()
        except (LeaseLost, Unreachable, SQLAlchemyError):
            raise
        except AlreadyDone as done:
            return outcomes.already_done(self._claimed, done.provider_id)
        except Exception as error:
            return outcomes.of_error(self._claimed, self._action, error, in_doubt=self._in_doubt)

    def _settle(self) -> Outcome | None:
        claimed = self._claimed
        if self._in_doubt:
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
            if found is not None:
                return outcomes.succeeded(claimed, found, how="read-back: it was sent")
        refused = self._refused()
        if self._in_doubt and refused is None:
            resend(claimed)
        self._in_doubt = False
        return refused

    def _refused(self) -> Outcome | None:
        """Why it must not be sent any more; a run of several steps that has sent something goes on to its end."""
        refused = outcomes.refused_before_sending(self._claimed) if self._action.effect else None
        return None if refused is not None and outcomes.has_sent(self._claimed) else refused

    def _send(self) -> Outcome:
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
        return None if found is None else found.model_dump(mode="json")
