"""What a connector may ask of the run it works for: the kit's ``RunLedger``, over Postgres."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import cast

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from connectors.kit.action import JsonValue, Limit
from connectors.kit.call import OptOut
from connectors.kit.errors import NotDone, NotSent, OutcomeUnknown, Postpone, Refused
from neonhub_worker import clock, faults, ids
from neonhub_worker.consent import opt_outs
from neonhub_worker.db.engine import transaction
from neonhub_worker.dispatch import admission, permits
from neonhub_worker.dispatch.limits import of_json
from neonhub_worker.dispatch.permits import Slot
from neonhub_worker.ledger import leases, steps
from neonhub_worker.ledger.leases import Claimed
from neonhub_worker.ledger.states import IN_DOUBT, EffectState
from neonhub_worker.ledger.steps import QUIET_S
from neonhub_worker.performing.doubt import Undecidable
from neonhub_worker.settings import settings


class LeaseLost(Exception):
    """Another worker took the run over; this attempt must write and send nothing more."""


LEASE_TOO_SHORT = "lease_too_short"
"""The code of the NotSent of a lease that ends too soon: the run is given back and no attempt is counted."""

SLOT_MISSED = "slot_missed"
"""The code of the NotSent of a permit that was not used in time: likewise."""

TWIN_S = 3.0
"""Seconds until a run asks again that waits for another one with the same content."""

TWIN = "a run with the same content is being sent"

# Between the lease check and the socket write a few instructions run; they get this much.
_MARGIN_S = 1.0


class PostgresRunLedger:
    """The ledger of one attempt.

    Args:
        claimed: The run and its lease.
        deadline: ``clock.elapsed_clock()`` at which the lease ends, counted from before the claim was sent.
        slot: When its permit may be used; None if nothing limits it.
        pace: The limits of the effects of a run of several steps.
        settle_effect: Decides about an effect in doubt inside a run of several steps; returns its result if it
            happened, None if it may be sent (again).
        repeat_leaves_doubt: Whether it may have happened all the same when it may be sent again.
        provider_id_of: The platform's id in an effect's result: what other runs' read-backs must leave out.
    """

    def __init__(
        self,
        claimed: Claimed,
        *,
        deadline: float,
        slot: Slot | None,
        pace: Sequence[Limit],
        settle_effect: Callable[[steps.Step], JsonValue | None],
        repeat_leaves_doubt: bool,
        provider_id_of: Callable[[JsonValue], str | None],
    ) -> None:
        self._claimed = claimed
        self._deadline = deadline
        self._slot = slot
        self._turn_of = "send"
        self._pace = of_json([asdict(limit) for limit in pace])
        self._left_at: float | None = None
        self._settle_effect = settle_effect
        self._repeat_leaves_doubt = repeat_leaves_doubt
        self._provider_id_of = provider_id_of
        self._restored: steps.Step | None = None
        self.key = ids.effect_key(claimed.id, claimed.effect or "send")
        self.attempt = claimed.fence
        self.first_sent_at: datetime | None = claimed.first_sent_at

    def check_lease(self, *, needed_s: float) -> None:
        """Refuse to send when the lease could end before the answer: a frozen worker that wakes up late must not send.

        Raises:
            NotSent: Too little of the lease is left.
        """
        left_s = self._deadline - clock.elapsed_clock()
        if left_s < max(needed_s, QUIET_S) + _MARGIN_S:
            raise NotSent("the lease would end before the platform could answer", code=LEASE_TOO_SHORT)

    def keep_lease(self) -> None:
        """Renew the lease once half of it has passed; a commit.

        Raises:
            LeaseLost: Another worker took the run over.
        """
        now, lease_s = clock.elapsed_clock(), settings().lease_s
        if self._deadline - now > lease_s / 2:
            return
        with transaction() as connection:
            if not leases.renew(connection, self._claimed.id, fence=self._claimed.fence, lease_s=lease_s):
                raise LeaseLost
        # Counted from before the statement was sent: the database's lease can only end later.
        self._deadline = now + lease_s

    def before_write(self, *, needed_s: float) -> None:
        """The same once more, and whether its permit is still good.

        Raises:
            NotSent: It is not.
        """
        faults.point("send.before")
        self.check_lease(needed_s=needed_s)
        if self._slot is not None and self._left_at is None and clock.elapsed_clock() > self._slot.end:
            self._take_another_turn()
            self.check_lease(needed_s=needed_s)
        self._left_at = clock.elapsed_clock()
        faults.point("send.allowed")

    def _take_another_turn(self) -> None:
        """Change a permit whose time has passed, because preparing the request took longer, for one that is good now.

        Raises:
            NotSent: There is none now.
        """
        run_id, fence = self._claimed.id, self._claimed.fence
        with transaction() as connection:
            permits.give_back(connection, run_id, fence=fence, step=self._turn_of)
            slot = admission.admit_effect(connection, run_id, fence=fence, step=self._turn_of, limits=self._pace)
        if isinstance(slot, float):
            raise NotSent("its turn passed before it could be sent", code=SLOT_MISSED)
        self._slot = slot
        self.wait_for_slot()

    def after_write(self) -> None:
        """Note when the request left."""
        self._left_at = clock.elapsed_clock()
        faults.point("send.written")

    @property
    def sent_late(self) -> bool:
        """Whether the process froze between the last check and the write, into the quiet end of its lease or beyond."""
        return self._left_at is not None and self._left_at > self._deadline - QUIET_S

    @property
    def has_written(self) -> bool:
        """Whether a request of an effect may have left in this attempt."""
        return self._left_at is not None

    def wait_for_slot(self) -> None:
        """Wait for the moment from which on the permit may be used: at most ``permits.AHEAD_S``."""
        if self._slot is not None:
            time.sleep(max(0.0, self._slot.begin - clock.elapsed_clock()))

    def sent_s(self, *, effect: bool) -> float | None:
        """Seconds from the permit until the last request had arrived; None if none left. Asked after the answer.

        Args:
            effect: The action's writes were noted; otherwise any time until now counts.
        """
        answered_at = clock.elapsed_clock()
        left_at = self._left_at if effect else answered_at
        if self._slot is None or left_at is None:
            return None
        return min(answered_at, left_at + permits.ARRIVE_S) - self._slot.taken

    def recall(self, name: str) -> JsonValue | None:
        """The result of a finished step.

        Raises:
            Undecidable: Asked to find an effect that the ledger lost, with a step that was done anew since: it knows
                nothing of what was sent before.
        """
        step = self._read(name)
        if self._restored is not None and (step is None or step.fence > self._restored.fence):
            raise Undecidable(f"the backup that was restored does not hold the step '{name}', which could tell")
        return step.result if step is not None and step.state is EffectState.CONFIRMED else None

    def step(self, name: str, do: Callable[[], JsonValue]) -> JsonValue:
        """Run a step that may be repeated without harm, unless its result is recorded."""
        step = self._read(name)
        if step is not None and step.state is EffectState.CONFIRMED:
            return cast("JsonValue", step.result)
        result = do()
        faults.point("step.done")
        self._write(name, EffectState.CONFIRMED, effect=False, result=result)
        faults.point("step.recorded")
        return result

    def effect(self, name: str, do: Callable[[], JsonValue]) -> JsonValue:
        """Send an effect of a run of several steps: written ahead, never repeated without knowing."""
        with transaction() as connection:
            step = steps.read_effect(connection, self._claimed.id, name)
        if step is not None and step.state is EffectState.CONFIRMED:
            return cast("JsonValue", step.result)
        still_in_doubt = False
        if step is not None and step.state in IN_DOUBT:
            still_in_doubt = self._repeat_leaves_doubt
            self.first_sent_at = step.first_sent_at
            self._restored = step if step.name == steps.ANY else None
            found = self._settle_effect(step)
            self._restored = None
            if found is not None:
                self._write(name, EffectState.CONFIRMED, effect=True, result=found)
                return found
        self.begin_effect(name)
        try:
            self.wait_for_slot()
            result = do()
        except (NotDone, Refused) as error:
            # What this send did not do, an earlier one may have done.
            if not still_in_doubt:
                known = EffectState.PLANNED if isinstance(error, NotDone) else EffectState.REFUSED
                self._write(name, known, effect=True)
            raise
        except OutcomeUnknown:
            # It has left by now, if ever.
            self._write(name, EffectState.UNKNOWN, effect=True)
            raise
        faults.point("step.done")
        self._write(name, EffectState.CONFIRMED, effect=True, result=result)
        faults.point("step.recorded")
        return result

    def begin_effect(self, name: str) -> None:
        """Take a permit and write the effect ahead (once more), in one commit.

        Raises:
            LeaseLost: This attempt does not hold the run any more.
            Postpone: A limit, a closed gate or a run that would look alike makes it wait; nothing was written.
        """
        try:
            with transaction() as connection:
                slot = admission.admit_effect(
                    connection, self._claimed.id, fence=self._claimed.fence, step=name, limits=self._pace
                )
                if isinstance(slot, float):
                    raise Postpone(slot, "its turn has not come")
                self._write(name, EffectState.SENDING, effect=True, connection=connection)
        except IntegrityError:
            raise Postpone(TWIN_S, TWIN) from None
        self._slot, self._left_at, self._turn_of = slot, None, name

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

    def _write(
        self,
        name: str,
        state: EffectState,
        *,
        effect: bool,
        result: JsonValue | None = None,
        connection: Connection | None = None,
    ) -> None:
        done = effect and state is EffectState.CONFIRMED
        with transaction(connection) as opened:
            written = steps.write(
                opened,
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
