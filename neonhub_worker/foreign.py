"""How is a message of another Celery client recorded? Under its task id, whatever it holds: none is lost."""

from __future__ import annotations

import dataclasses
import traceback
import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import structlog

from neonhub_worker import ids, requests, storable
from neonhub_worker.clock import utc_from_iso
from neonhub_worker.db import jsonb
from neonhub_worker.db.engine import transaction
from neonhub_worker.dispatch.publish import Due, publish
from neonhub_worker.errors import FieldError, InvalidInput, NeonhubError, SettingsError, TaskIdTaken, Unreachable
from neonhub_worker.ledger import acceptance

log = structlog.get_logger("neonhub.foreign")

UNADDRESSED = "unaddressed"
"""The organization that owns the failed runs of messages that named no organization we know."""

_MAX_ERROR = 2000
_MAX_NAME = 100


def record(
    *,
    task_id: str,
    action: str,
    args: Any,
    kwargs: Any,
    eta: Any = None,
    expires: Any = None,
    flaw: FieldError | None = None,
) -> uuid.UUID:
    """Accept what a message asks for, or record why it cannot be done; any number of times with one result.

    All values are as the sender wrote them: anything that JSON can hold.

    Args:
        task_id: The run gets this id; see ``ids.run_id_of_task``.
        action: ``slug.camelCase``, known or not.
        eta: ISO 8601, as Celery writes it; becomes ``at``.
        expires: ISO 8601; becomes ``expires_at``.
        flaw: Why the message cannot be taken at all, if its envelope says so already.

    Returns:
        The run's id.

    Raises:
        Unreachable: The database does not answer; nothing was recorded.
        SettingsError: There is no database; nothing was recorded.
    """
    run_id = ids.run_id_of_task(task_id)
    try:
        if flaw is not None:
            raise InvalidInput([flaw])
        return _accept(run_id, _request(action, args, kwargs, eta, expires))
    except (Unreachable, SettingsError):
        raise
    except TaskIdTaken as error:
        return _refuse(ids.run_id_of_second(run_id, [action, kwargs]), action, kwargs, error)
    except NeonhubError as error:
        return _refuse(run_id, action, kwargs, error)
    except Exception as error:
        # Not logged with its text, which may quote the message.
        place = traceback.extract_tb(error.__traceback__)[-1]
        log.error("foreign_task_unexpected", error=type(error).__name__, file=place.filename, line=place.lineno)
        return _refuse(run_id, action, kwargs, NeonhubError(f"could not be recorded: {type(error).__name__}"))


def _accept(run_id: uuid.UUID, request: requests.RunRequest) -> uuid.UUID:
    with transaction() as connection:
        (draft,) = requests.drafts(connection, [request])
        draft = dataclasses.replace(draft, id=run_id)
        (accepted,) = acceptance.accept(connection, [draft], published=True)
    if accepted.publish:
        _publish(Due(draft.id, draft.queue, draft.name, draft.connection_id))
    if accepted.id != run_id:
        log.info("known_idempotency_key", asked_id=str(run_id), run_id=str(accepted.id))
    return accepted.id


def _publish(due: Due) -> None:
    try:
        publish([due])
    except Exception as error:
        then = "published again after NEONHUB_REDISPATCH_S"
        log.warning("broker_unreachable", run_id=str(due.id), error=type(error).__name__, then=then)


def _request(action: str, args: Any, kwargs: Any, eta: Any, expires: Any) -> requests.RunRequest:
    if args:
        raise InvalidInput([FieldError("args", "must be empty; send organization_id, connection and input as kwargs")])
    if not isinstance(kwargs, Mapping):
        raise InvalidInput([FieldError("kwargs", "must be an object with organization_id, connection and input")])
    times = {
        name: _instant(field, value)
        for field, name, value in (("eta", "at", eta), ("expires", "expires_at", expires))
        if value is not None
    }
    return requests.parse({**kwargs, "action": action, **times})


def _instant(field: str, value: Any) -> datetime:
    try:
        return utc_from_iso(value)
    except (TypeError, ValueError, OverflowError):
        raise InvalidInput([FieldError(field, "must be an instant as ISO 8601 text")]) from None


def _refuse(run_id: uuid.UUID, action: str, kwargs: Any, error: NeonhubError) -> uuid.UUID:
    asked = kwargs if isinstance(kwargs, Mapping) else {}
    with transaction() as connection:
        acceptance.record_refused(
            connection,
            run_id=run_id,
            organization_id=jsonb.text(str(asked.get("organization_id"))[:_MAX_NAME]),
            fallback_organization_id=UNADDRESSED,
            name=jsonb.text(action[:_MAX_NAME]),
            input=_input(asked),
            error={"class": type(error).__name__, "code": None, "message": str(error)[:_MAX_ERROR]},
        )
    log.warning("foreign_task_refused", run_id=str(run_id), action=action[:_MAX_NAME], error=type(error).__name__)
    return run_id


def _input(asked: Mapping[str, Any]) -> dict[str, Any]:
    """What can be kept of the input."""
    found = asked.get("input")
    return found if isinstance(found, dict) and not storable.broken_rules(found) else {}
