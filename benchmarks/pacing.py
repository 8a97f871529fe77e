"""Is a limit never exceeded, and used up?"""

from __future__ import annotations

import time
from collections.abc import Iterator

from stage import Stage, Verdict, enqueue_all, most_in, rate, sms

from neonhub_worker.dispatch import limits


def pacing(stage: Stage, *, seconds: int) -> Iterator[Verdict]:
    """One connection at a time, as fast as its limit allows."""
    yield _measure(stage, "10/s", seconds=seconds, least=0.95)
    yield _measure(stage, "1/s", seconds=seconds, least=0.9)
    yield _measure(stage, "100/min", seconds=max(seconds, 130), least=0.95)
    stage.fault(connector="sms", kind="latency", seconds=0.4, probability=0.2, seed=1)
    yield _measure(stage, "10/s", seconds=seconds, least=0.9, note=", every fifth call takes 0.4 s")
    stage.heal()


def _measure(stage: Stage, limit: str, *, seconds: int, least: float, note: str = "") -> Verdict:
    pace = limits.parse(limit)
    organization_id = f"pace-{pace.count}-{pace.per_s:g}-{'slow' if note else 'fast'}"
    stage.connect(organization_id, "sms", limit=limit)
    count = int(seconds * pace.count / pace.per_s)
    stage.tell(f"{count} messages at {limit}{note}")
    since_id = stage.last_id()
    enqueue_all(sms(organization_id, "sms", f"{organization_id} {number}", number) for number in range(count))
    while stage.waiting(organization_id):
        time.sleep(0.2)
    at = [one.at for one in stage.effects(since_id=since_id) if one.text.startswith(organization_id)]
    assert len(at) == count, f"{count} messages, {len(at)} effects"
    most = most_in(at, pace.per_s)
    reached = rate(at, pace.count) * pace.per_s / pace.count
    return Verdict(
        f"a connection limited to {limit}{note}",
        f"at most {limit}, at least {least:.0%}",
        most <= pace.count and reached >= least,
        {"most": most, "share": reached, "per_s": reached * pace.count / pace.per_s, "messages": count},
    )
