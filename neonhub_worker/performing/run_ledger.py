"""What a connector may ask of the run it works for: the kit's ``RunLedger``, over Postgres."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime
from typing import cast

from connectors.kit.action import JsonValue
from connectors.kit.call import OptOut
from connectors.kit.errors import NotDone, NotSent, Refused
from neonhub_worker import clock, ids
from neonhub_worker.consent import opt_outs
from neonhub_worker.db.engine import transaction
from neonhub_worker.ledger import steps
from neonhub_worker.ledger.leases import Claimed
from neonhub_worker.ledger.states import IN_DOUBT, EffectState


class LeaseLost(Exception):
    """Another worker took the run over; this attempt must write and send nothing more."""


LEASE_TOO_SHORT = "lease_too_short"
"""The code of the NotSent that ``check_lease`` raises: the run is given back at once and no attempt is counted."""

# Between the lease check and the socket write a few instructions run; they get this much.
_MARGIN_S = 1.0


class PostgresRunLedger:
    """The ledger of one attempt.

    Args:
        claimed: The run and its lease.
        deadline: ``clock.elapsed_clock()`` at which the lease ends, counted from before the claim was sent.
        settle_effect: Decides about an effect in doubt inside a run of several steps; returns its result if it
            happened, None if it certainly did not.
        provider_id_of: The platform's id in an effect's result: what other runs' read-backs must leave out.
    """

    def __init__(
        self,
        claimed: Claimed,
        *,
        deadline: float,
        settle_effect: Callable[[steps.Step], JsonValue | None],
        provider_id_of: Callable[[JsonValue], str | None],
    ) -> None:
        self._claimed = claimed
        self._deadline = deadline
        self._settle_effect = settle_effect
        self._provider_id_of = provider_id_of
        self.key = ids.effect_key(claimed.id, claimed.effect or "send")
        self.attempt = claimed.fence
        self.first_sent_at: datetime | None = claimed.first_sent_at

    def check_lease(self, *, needed_s: float) -> None:
        """Refuse to send when the lease could end before the answer: a frozen worker that wakes up late must not send.

        Raises:
            NotSent: Too little of the lease is left.
        """
        left_s = self._deadline - clock.elapsed_clock()
        if left_s < needed_s + _MARGIN_S:
            raise NotSent("the lease would end before the platform could answer", code=LEASE_TOO_SHORT)

    def recall(self, name: str) -> JsonValue | None:
        """The result of a finished step."""
        step = self._read(name)
        return step.result if step is not None and step.state is EffectState.CONFIRMED else None

    def step(self, name: str, do: Callable[[], JsonValue]) -> JsonValue:
        """Run a step that may be repeated without harm, unless its result is recorded."""
        step = self._read(name)
        if step is not None and step.state is EffectState.CONFIRMED:
            return cast("JsonValue", step.result)
        result = do()
        self._write(name, EffectState.CONFIRMED, effect=False, result=result)
        return result

    def effect(self, name: str, do: Callable[[], JsonValue]) -> JsonValue:
        """Send an effect of a run of several steps: written ahead, never repeated without knowing."""
        step = self._read(name)
        if step is not None and step.state is EffectState.CONFIRMED:
            return cast("JsonValue", step.result)
        if step is not None and step.state in IN_DOUBT:
            self.first_sent_at = step.first_sent_at
            found = self._settle_effect(step)
            if found is not None:
                self._write(name, EffectState.CONFIRMED, effect=True, result=found)
                return found
        self._write(name, EffectState.SENDING, effect=True)
        try:
            result = do()
        except (NotDone, Refused) as error:
            known = EffectState.PLANNED if isinstance(error, NotDone) else EffectState.REFUSED
            self._write(name, known, effect=True)
            raise
        self._write(name, EffectState.CONFIRMED, effect=True, result=result)
        return result

    def taken(self, provider_ids: Collection[str]) -> set[str]:
        """Which of these provider ids belong to other runs of this connection."""
        connection_id = self._claimed.connection_id
        if connection_id is None or not provider_ids:
            return set()
        with transaction() as connection:
            return steps.taken(connection, connection_id, provider_ids, besides=self._claimed.id)

    def opt_out(self, channel: str, address: str) -> OptOut | None:
        """Whether a person has opted out, as far as this organization knows."""
        found = opt_outs.status(self._claimed.organization_id, channel, address)
        return None if found is None else OptOut(since_at=found.since_at, source=found.source)

    def record_consent(self, channel: str, address: str, *, opted_out: bool, source: str) -> None:
        """Record what a platform told us about a person's consent."""
        opt_outs.record(self._claimed.organization_id, channel, address, opted_out=opted_out, source=source)

    def _read(self, name: str) -> steps.Step | None:
        with transaction() as connection:
            return steps.read(connection, self._claimed.id, name)

    def _write(self, name: str, state: EffectState, *, effect: bool, result: JsonValue | None = None) -> None:
        done = effect and state is EffectState.CONFIRMED
        with transaction() as connection:
            written = steps.write(
                connection,
                self._claimed.id,
                name,
                fence=self._claimed.fence,
                state=state,
                effect=effect,
                result=result,
                provider_id=self._provider_id_of(result) if done else None,
            )
        if not written:
            raise LeaseLost


def resend(claimed: Claimed) -> None:
    """Write ahead once more before a send that follows a read-back which found nothing.

    Raises:
        LeaseLost: This attempt does not hold the run any more.
    """
    assert claimed.effect is not None
    with transaction() as connection:
        written = steps.write(
            connection, claimed.id, claimed.effect, fence=claimed.fence, state=EffectState.SENDING, effect=True
        )
    if not written:
        raise LeaseLost
