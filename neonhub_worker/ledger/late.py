"""What is said of a request that left after its lease had ended? That it may have been one too many."""

from __future__ import annotations

import uuid

from sqlalchemy import Connection, text

SENT_LATE = "sent_late"
"""What the timeline calls it; the run's state does not change by it."""

_TELL = text(
    """
    insert into run_event (run_id, at, move, state, fence)
    select id, clock_timestamp(), :move, state, :fence
    from run where id = :id and (fence <> :fence or state <> 'running')
    for update
    """
)


def tell(connection: Connection, run_id: uuid.UUID, *, fence: int) -> None:
    """Put on a run's timeline that this attempt sent after it had lost the run.

    An attempt that still holds the run has done no harm: nobody was told meanwhile that nothing was sent.
    """
    connection.execute(_TELL, {"id": run_id, "fence": fence, "move": SENT_LATE})
