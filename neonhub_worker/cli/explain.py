"""Why is a run where it is? In sentences."""

from __future__ import annotations

from neonhub_worker import clock
from neonhub_worker.ledger.guard import Engaged
from neonhub_worker.ledger.late import SENT_LATE
from neonhub_worker.ledger.runs import Run
from neonhub_worker.ledger.states import DESCRIPTION, DUE, RunState
from neonhub_worker.vault.connections import Described


def sentences(run: Run, engaged: Engaged | None = None, link: Described | None = None) -> list[str]:
    """What a person asking "why?" needs to know, in order.

    Args:
        engaged: Why nothing is sent at all.
        link: The run's connection, if it has one.
    """
    said = [f"{run.name} of {run.organization_id} is {run.state}: {DESCRIPTION[run.state]}."]
    if run.error is not None:
        code = f" (code {run.error['code']})" if run.error.get("code") else ""
        said.append(f"The last attempt ended with {run.error['class']}{code}: {str(run.error['message']).rstrip('.')}.")
    said += _at_the_platform(run)
    if run.attempts:
        said.append(f"{run.attempts} attempt{'s' if run.attempts > 1 else ''} so far.")
    if run.state in DUE:
        said += [f"It waits for the restore guard: {engaged.sentence}."] if engaged else _waits(run, link)
    if run.state is RunState.RUNNING and run.lease_until is not None:
        said.append(f"Its worker holds it until {run.lease_until:%H:%M:%S} UTC; if the worker dies it is rescued then.")
    if run.cancel_requested and run.finished_at is None:
        said.append("It was asked to be cancelled and will be, if it turns out that nothing was sent.")
    late = [str(event.attempt) for event in run.timeline if event.move == SENT_LATE]
    if late:
        said.append(
            f"Attempt {', '.join(late)} was frozen and sent after it had lost the run: "
            "look at the platform whether the effect happened twice."
        )
    return said + _what_to_do(run)


def _at_the_platform(run: Run) -> list[str]:
    said = []
    if run.provider_id is not None:
        said.append(f"The platform's id of the effect is {run.provider_id}.")
    if run.delivery is not None:
        code = f" (code {run.delivery['code']})" if run.delivery["code"] else ""
        said.append(f"The platform told later that it was {run.delivery['stage']}{code}.")
    return said


def _what_to_do(run: Run) -> list[str]:
    if run.state is RunState.PARKED:
        said = f"`neonhub runs settle {run.id} --sent PROVIDER_ID`, or the same with --not-sent"
        return [f"Look at the platform, then say what happened: {said}."]
    if run.state in (RunState.FAILED, RunState.EXPIRED, RunState.CANCELLED):
        return [f"`neonhub runs retry {run.id}` tries it again."]
    return []


def _waits(run: Run, link: Described | None) -> list[str]:
    if link is None or link.state != "reauthorize":
        return [_next(run)]
    trouble = "its grant is dead" if link.trouble is None else str(link.trouble["message"]).rstrip(".")
    command = f"neonhub connections add {link.connector} --name {link.name} --org {link.organization_id}"
    return [
        f"It waits until somebody agrees again that we may act for the connection {link.name!r}: {trouble}.",
        f"`{command}` asks that person; all that waits goes on by itself then.",
    ]


def _next(run: Run) -> str:
    ahead_s = (run.run_at - clock.now()).total_seconds()
    if ahead_s > 0:
        return f"It is due at {run.run_at:%Y-%m-%d %H:%M:%S} UTC, in {ahead_s:.0f} s."
    return f"It has been due for {-ahead_s:.0f} s and waits for a free worker."
