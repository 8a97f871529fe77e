"""Do connections disturb each other, when some are ill?"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from stage import Stage, Verdict, enqueue_all, most_in, rate, slack, sms

CONNECTIONS = 20
PER_S = 2
LEAST = 0.95
SETTLE_S = 5.0


def isolation(stage: Stage, *, seconds: int, backlog: int) -> Iterator[Verdict]:
    """Twenty connections, of as many organizations and of one."""
    for name, organizations in (("of 20 organizations", CONNECTIONS), ("of one organization", 1)):
        yield _measure(stage, name, organizations, seconds=seconds, backlog=backlog)


def _measure(stage: Stage, name: str, organizations: int, *, seconds: int, backlog: int) -> Verdict:
    mark = f"of{organizations}"
    well = range(CONNECTIONS - 2)
    stage.tell(
        f"{CONNECTIONS} connections {name} at {PER_S}/s: one times out, one is limited, one has {backlog} waiting"
    )
    for number in range(CONNECTIONS):
        connector = "sms" if number in well else "slack"
        stage.connect(_owner(mark, organizations, number), f"c{number}", connector, limit=f"{PER_S}/s")
    stage.fault(connector="slack", operation="sendMessage", kind="timeout_before", seconds=60)
    stage.fault(connector="slack", operation="scheduleMessage", kind="rate_limit", seconds=3)
    since_id = stage.last_id()
    each = int(2 * PER_S * (seconds + SETTLE_S))
    enqueue_all(
        sms(_owner(mark, organizations, number), f"c{number}", f"{mark}-c{number} {nth}", 100_000 * number + nth)
        for number in well
        for nth in range(backlog if number == 0 else each)
    )
    enqueue_all(_ill(stage, mark, organizations, each))
    began = time.time() + SETTLE_S
    time.sleep(SETTLE_S + seconds)
    ended = time.time()
    at: dict[str, list[float]] = defaultdict(list)
    for one in stage.effects(since_id=since_id):
        at[one.text.partition(" ")[0]].append(one.at)
    stage.heal()
    stage.call_off()
    rates = [rate([instant for instant in at[f"{mark}-c{n}"] if began <= instant < ended], PER_S) for n in well]
    most = max(most_in(instants, 1.0) for instants in at.values())
    return Verdict(
        f"{CONNECTIONS} connections {name}, three of them ill",
        f"each at most {PER_S}/s, at least {LEAST:.0%}",
        most <= PER_S and min(rates) >= LEAST * PER_S,
        {"most": most, "slowest": min(rates), "fastest": max(rates), "backlogged": rates[0]},
    )


def _owner(mark: str, organizations: int, number: int) -> str:
    return f"{mark}-{number % organizations}"


def _ill(stage: Stage, mark: str, organizations: int, count: int) -> Iterator[dict[str, Any]]:
    """One connection whose platform never answers, and one that is told to slow down."""
    silent, limited = CONNECTIONS - 2, CONNECTIONS - 1
    for nth in range(count):
        yield {
            "action": "slack.sendMessage",
            "organization_id": _owner(mark, organizations, silent),
            "connection": f"c{silent}",
            "input": {"channel": stage.channels[nth % len(stage.channels)], "text": f"{mark}-c{silent} {nth}"},
        }
        yield slack(
            _owner(mark, organizations, limited), f"c{limited}", f"{mark}-c{limited} {nth}", nth, stage.channels
        )
