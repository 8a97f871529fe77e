"""Runs around a backup: those it holds, those carried out after it, and what really reached the platforms."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import requests
from sqlalchemy import text

from neonhub_worker import enqueue, get_run, schedule
from neonhub_worker.db.engine import transaction
from neonhub_worker.performing import batch
from tests.factories import TO, sms
from tests.integration.sandboxes import Sandbox


def slack_channel(sandbox: Sandbox) -> str:
    channels = requests.get(f"{sandbox.url}/_sandbox/accounts", timeout=10).json()["slack"]["channels"]
    channel = next(iter(channels.values()))
    return str(channel if isinstance(channel, str) else channel["id"])


def slack(action: str, **fields: Any) -> dict[str, Any]:
    return {"action": f"slack.{action}", "organization_id": "acme", "connection": "slack", "input": fields}


def make_now() -> datetime:
    with transaction() as connection:
        now: datetime = connection.execute(text("select clock_timestamp()")).scalar_one()
        return now


def accept_one_of_each(sandbox: Sandbox) -> dict[str, uuid.UUID]:
    """A run of each repeat policy there is, and of several steps; none is carried out."""
    channel = slack_channel(sandbox)
    return {
        "looked up by content": enqueue(sms(input={"to": TO, "body": "Doors open at nine."})),
        "looked up by key": enqueue(slack("sendMessage", channel=channel, text="Doors open at nine.")),
        "harmless": enqueue(slack("joinChannel", channel=channel)),
        "of several steps": enqueue(slack("uploadFile", channel=channel, filename="plan.txt", text="Nine.")),
        "never sent": enqueue(sms(input={"to": "+14155550124", "body": "Doors close at five."})),
    }


def schedule_once(name: str, request: dict[str, Any]) -> None:
    """A schedule that is due now and has not fired."""
    schedule(request, name=name, at=make_now())


def hurry() -> None:
    """As if the time had passed that runs, read-backs, gates and limits wait for."""
    with transaction() as connection:
        connection.execute(text("update run set run_at = now() where state in ('retrying', 'waiting')"))
        connection.execute(text("update step set sent_by = now() - interval '1 hour' where sent_by is not null"))
        connection.execute(text("update gate set closed_until = now() where closed_until > now()"))
        connection.execute(text("delete from permit"))


def open_runs(*besides: uuid.UUID) -> list[uuid.UUID]:
    with transaction() as connection:
        query = text("select id from run where finished_at is null and state <> 'parked' and not id = any(:besides)")
        return list(connection.execute(query, {"besides": list(besides)}).scalars())


def carry_out(sandbox: Sandbox, *, besides: Sequence[uuid.UUID] = ()) -> None:
    """Let workers carry out all runs there are, to their end."""
    for _ in range(12):
        left = open_runs(*besides)
        if not left:
            return
        hurry()
        batch.perform(left)
        requests.post(f"{sandbox.url}/_sandbox/clock", json={"advance_s": 2}, timeout=10).raise_for_status()
    raise AssertionError([(get_run(one).name, get_run(one).state, get_run(one).error) for one in left])


def effects(sandbox: Sandbox) -> list[tuple[str, str]]:
    """What really reached the platforms: action and text or name, sorted."""
    found = [*sandbox.effects("sms"), *sandbox.effects("slack")]
    return sorted((one["action"], str(one.get("text"))) for one in found)
