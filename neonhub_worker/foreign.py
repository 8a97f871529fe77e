"""How is a message of another Celery client recorded? Under its task id, whatever it holds: none is lost."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import structlog

from neonhub_worker import ids, requests
from neonhub_worker.clock import utc_from_iso
from neonhub_worker.db.engine import transaction
from neonhub_worker.dispatch.publish import Due, publish
from neonhub_worker.errors import FieldError, InvalidInput, NeonhubError, Unreachable
from neonhub_worker.ledger import runs

log = structlog.get_logger("neonhub.foreign")

UNADDRESSED = "unaddressed"
"""The organization that owns the failed runs of messages that named no organization we know."""


def record(
    *,
    task_id: str,
    action: str,
    args: Sequence[Any],
    kwargs: Any,
    eta: str | None = None,
    expires: str | None = None,
) -> uuid.UUID:
    """Accept what a message asks for, or record why it cannot be done; any number of times with one result.

    Args:
        task_id: The run gets this id; see ``ids.run_id_of_task``.
        action: ``slug.camelCase``, known or not.
        eta: ISO 8601, as Celery writes it; becomes ``at``.
        expires: ISO 8601; becomes ``expires_at``.

    Returns:
        The run's id.

    Raises:
        Unreachable: The database does not answer; nothing was recorded.
    """
    run_id = ids.run_id_of_task(task_id)
    try:
        request = _request(action, args, kwargs, eta, expires)
        with transaction() as connection:
            (draft,) = requests.drafts(connection, [request])
            draft = dataclasses.replace(draft, id=run_id)
            (accepted,) = runs.accept(connection, [draft], published=True)
    except Unreachable:
        raise
    except NeonhubError as error:
        _record_refusal(run_id, action, kwargs, error)
        return run_id
    if accepted.new and accepted.due:
        publish([Due(draft.id, draft.queue, draft.name, draft.connection_id)])
    if accepted.id != run_id:
        log.info("known_idempotency_key", task_id=task_id, run_id=str(accepted.id))
    return accepted.id


def _request(
    action: str, args: Sequence[Any], kwargs: Any, eta: str | None, expires: str | None
) -> requests.RunRequest:
    if args:
        raise InvalidInput([FieldError("args", "must be empty; send organization_id, connection and input as kwargs")])
    if not isinstance(kwargs, Mapping):
        raise InvalidInput([FieldError("kwargs", "must be an object with organization_id, connection and input")])
    times: dict[str, datetime] = {}
    for field, value in (("at", eta), ("expires_at", expires)):
        if value is not None:
            times[field] = utc_from_iso(value)
    return requests.parse({**kwargs, "action": action, **times})


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _record_refusal(run_id: uuid.UUID, action: str, kwargs: Any, error: NeonhubError) -> None:
    asked = kwargs if isinstance(kwargs, Mapping) else {}
    with transaction() as connection:
        runs.record_refused(
            connection,
            run_id=run_id,
            organization_id=str(asked.get("organization_id")),
            fallback_organization_id=UNADDRESSED,
            name=action,
            input=_object(asked.get("input")),
            error={"class": type(error).__name__, "code": None, "message": str(error)},
        )
    log.warning("foreign_task_refused", run_id=str(run_id), action=action, error=type(error).__name__)
