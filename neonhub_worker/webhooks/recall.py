"""What does a platform hold for people who want nothing more? It is taken back there, however we learned of the wish.

Twilio does not cancel a scheduled message for a STOP: https://www.twilio.com/docs/messaging/features/message-scheduling.
"""

from __future__ import annotations

import structlog
from sqlalchemy import Connection, text

from neonhub_worker import requests
from neonhub_worker.errors import InvalidInput
from neonhub_worker.ledger import acceptance
from neonhub_worker.requests import RunRequest

log = structlog.get_logger("neonhub.webhooks")

_AT_ONCE = 100

_HELD = text(
    """
    select r.id, r.organization_id, r.provider_id, c.name as connection
    from opt_out o
         join run r on r.organization_id = o.organization_id and r.channel = o.channel and r.recipient = o.address
         join connection c on c.id = r.connection_id
    where r.recipient is not null and r.state = 'succeeded' and r.name = 'sms.scheduleSMS'
          and r.provider_id is not null and c.state = 'active'
          and cast(r.input ->> 'send_at' as timestamptz) > clock_timestamp()
          and not exists (select 1 from run asked where asked.organization_id = r.organization_id
                          and asked.name = 'sms.cancelScheduled' and asked.idempotency_key = 'opt-out:' || r.id)
    order by r.id limit :limit
    """
)


def take_back(connection: Connection) -> int:
    """Ask the platform to cancel every message that it holds for someone who has opted out, each by a run of its own.

    Returns:
        How many were asked for; those that were asked for before are left out.
    """
    count = 0
    for row in connection.execute(_HELD, {"limit": _AT_ONCE}).all():
        wanted = RunRequest(
            action="sms.cancelScheduled",
            organization_id=row.organization_id,
            connection=row.connection,
            input={"sid": row.provider_id},
            idempotency_key=f"opt-out:{row.id}",
            priority=0,
        )
        try:
            acceptance.accept(connection, requests.drafts(connection, [wanted]), published=False)
        except InvalidInput as error:
            log.error("cannot_take_back", run_id=str(row.id), reason=str(error))
        else:
            count += 1
    return count
