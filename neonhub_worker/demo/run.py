"""``neonhub demo``: send a real campaign through the sandbox, kill a worker in the middle, count what happened."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import signal
import sysconfig
import time
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path

import neonhub_worker
from neonhub_worker import clock
from neonhub_worker import settings as settings_module
from neonhub_worker.consent import opt_outs
from neonhub_worker.db import engine as engine_module
from neonhub_worker.demo import campaign as campaigns
from neonhub_worker.demo import display, report, watch
from neonhub_worker.demo.campaign import Campaign
from neonhub_worker.demo.report import Report
from neonhub_worker.errors import FieldError, InvalidInput
from neonhub_worker.ledger.states import FINAL, RunState
from neonhub_worker.local import stack
from neonhub_worker.requests import RunRequest

_EXAMPLE = Path("examples") / "spring-launch"
_BATCHES = 6
_KILL_AT = 0.25
_STUCK_S = 180.0
_POLL_S = 0.1

FAULTS = (
    # A platform is never as fast as a simulator; a worker can then be killed in the middle of something.
    {"kind": "latency", "seconds": 0.2, "times": 400},
    # What real platforms do: the work is done and the answer is an error, or none; or they ask to slow down.
    {"kind": "error_500_after", "times": 2, "after": 20},
    {"kind": "reset_after", "times": 1, "after": 60},
    {"kind": "rate_limit", "times": 3, "after": 90, "seconds": 2},
)


def run_demo(
    home: Path,
    folder: Path | None,
    *,
    keep: bool,
    messages: int | None = None,
    kill: bool = True,
    as_json: bool = False,
) -> int:
    """Run the demo from start to end.

    Args:
        home: Folder of the embedded stack; a stack that runs there is used and left running.
        folder: Campaign folder; None for the example.
        keep: Leave the stack up.
        messages: Use only this many contacts.
        kill: Kill a worker in the middle.

    Returns:
        0 if nothing was lost and nothing done twice, else 1.

    Raises:
        InvalidInput: The campaign folder is wrong.
        StackError: The stack cannot be started.
    """
    campaign = campaigns.load(folder or _example(), limit=messages)
    with display.Display() as shown, _stack(home, shown, keep=keep) as info:
        result = _send(home, campaign, watch.Sandbox(info.urls["sandbox"]), shown, kill=kill)
    if as_json:
        print(json.dumps({**dataclasses.asdict(result), "clean": result.clean}, indent=2))  # noqa: T201
    else:
        display.print_report(result)
    if keep:
        for name in ("flower", "sandbox"):
            print(f"{name:8} {info.urls[name]}")  # noqa: T201
        print(f"stack    {home / 'stack.json'}; `neonhub down` stops it")  # noqa: T201
    return 0 if result.clean else 1


def _example() -> Path:
    """The example campaign: in this folder, in the checkout, or where the package was installed."""
    checkout = Path(neonhub_worker.__file__).parent.parent
    installed = Path(sysconfig.get_path("data")) / "share" / "neonhub-worker"
    for place in (Path.cwd(), checkout, installed):
        if (place / _EXAMPLE / "campaign.yaml").is_file():
            return place / _EXAMPLE
    raise InvalidInput([FieldError("folder", "the example campaign is not installed; name a campaign folder")])


@contextlib.contextmanager
def _stack(home: Path, shown: display.Display, *, keep: bool) -> Iterator[stack.StackInfo]:
    was_up = stack.info(home) is not None and any(one.alive for one in stack.processes(home))
    info = stack.up(home, detach=True, on_progress=shown.say)
    settings_module.settings.cache_clear()
    engine_module.engine.cache_clear()
    try:
        yield info
    finally:
        if not (keep or was_up):
            shown.say("stopping the stack")
            stack.down(home, on_progress=lambda _: None)


def _send(home: Path, campaign: Campaign, sandbox: watch.Sandbox, shown: display.Display, *, kill: bool) -> Report:
    began = time.monotonic()
    since_id = sandbox.last_effect()
    _prepare(campaign, sandbox)
    requests = campaigns.requests(campaign, occasion=uuid.uuid4().hex, now=clock.now())
    victim = _Victim(home, shown) if kill else None
    with _bad_day(sandbox):
        run_ids = _enqueue(requests, shown)
        _watch(home, run_ids, shown, victim)
    result = report.judge(watch.results(run_ids), sandbox.effects(since_id=since_id), left_out=_by_reason(campaign))
    extra = {
        "workers_killed": int(victim is not None and victim.killed),
        "seconds": round(time.monotonic() - began, 1),
    }
    return dataclasses.replace(result, extra=extra)


def _prepare(campaign: Campaign, sandbox: watch.Sandbox) -> None:
    """Opt-outs that we know of, and two that only the platform knows of."""
    for address in campaign.opted_out:
        watch.patiently(
            lambda address=address: opt_outs.record(  # type: ignore[misc]
                campaign.file.organization, "sms", address, opted_out=True, source="contacts file"
            )
        )
    for contact in campaign.contacts[3:5]:
        sandbox.opt_out("sms", contact.phone)


@contextlib.contextmanager
def _bad_day(sandbox: watch.Sandbox) -> Iterator[None]:
    """The platform has its faults meanwhile, and none of them afterwards."""
    fault_ids = [sandbox.add_fault({"connector": "sms", "operation": "sendSMS", **fault}) for fault in FAULTS]
    try:
        yield
    finally:
        for fault_id in fault_ids:
            sandbox.remove_fault(fault_id)


def _enqueue(requests: Sequence[RunRequest], shown: display.Display) -> list[uuid.UUID]:
    """In a few batches; one that was not answered is asked again under the same keys, which accepts nothing twice."""
    size = max(1, -(-len(requests) // _BATCHES))
    run_ids: list[uuid.UUID] = []
    for start in range(0, len(requests), size):
        batch = requests[start : start + size]
        run_ids += watch.patiently(lambda batch=batch: neonhub_worker.enqueue_many(batch))  # type: ignore[misc]
    shown.say(f"{len(run_ids)} messages accepted")
    return run_ids


def _watch(home: Path, run_ids: Sequence[uuid.UUID], shown: display.Display, victim: _Victim | None) -> None:
    """Until every run has ended or is parked, or nothing has changed for three minutes."""
    last: tuple[dict[RunState, int], int] = ({}, 0)
    changed_at = time.monotonic()
    while time.monotonic() - changed_at < _STUCK_S:
        now = watch.states(run_ids)
        if now != last:
            last, changed_at = now, time.monotonic()
        counts, in_doubt = now
        done = sum(counts.get(state, 0) for state in (*FINAL, RunState.PARKED))
        if victim is not None and done >= _KILL_AT * len(run_ids):
            victim.kill()
        restarts = sum(one.restarts for one in stack.processes(home))
        shown.progress(counts, len(run_ids), in_doubt=in_doubt, restarts=restarts)
        if done == len(run_ids):
            return
        time.sleep(_POLL_S)
    shown.say("nothing has changed for three minutes; `neonhub runs list` shows what is left")


class _Victim:
    """The worker that is killed, once."""

    def __init__(self, home: Path, shown: display.Display) -> None:
        self._home = home
        self._shown = shown
        self.killed = False

    def kill(self) -> None:
        """SIGKILL to the first worker, unless it was done before."""
        workers = [one for one in stack.processes(self._home) if one.name.startswith("actions") and one.alive]
        if self.killed or not workers:
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(workers[0].pid, signal.SIGKILL)
            self.killed = True
            self._shown.say(f"killed worker {workers[0].name} (pid {workers[0].pid}) with SIGKILL, mid-send")


def _by_reason(campaign: Campaign) -> dict[str, int]:
    reasons: dict[str, int] = {}
    for refusal in campaign.refused:
        reasons[refusal.reason] = reasons.get(refusal.reason, 0) + 1
    return reasons
