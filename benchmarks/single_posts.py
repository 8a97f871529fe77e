"""When does the single post of one organization start, while another one's campaign waits?"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from typing import Any

from stage import Stage, Verdict, enqueue_all, quantile, slack, sms

from neonhub_worker import enqueue

SLOW_S = 0.3
TARGET_S = 1.0

Post = Callable[[str, int], dict[str, Any]]


def single_posts(stage: Stage, *, backlog: int, posts: int) -> Iterator[Verdict]:
    """While the campaign's platform is as fast as it is, takes ``SLOW_S`` for each call, and does not answer at all."""
    stage.connect("big", "sms")
    stage.connect("small", "sms")
    stage.connect("small", "slack", "slack")
    stage.tell(f"enqueueing {backlog} messages of one organization")
    began = time.monotonic()
    enqueue_all(sms("big", "sms", f"campaign {number}", number) for number in range(backlog))
    enqueued_s = time.monotonic() - began

    def message(body: str, number: int) -> dict[str, Any]:
        return sms("small", "sms", body, number)

    def post(body: str, number: int) -> dict[str, Any]:
        return slack("small", "slack", body, number, stage.channels)

    stage.tell(f"{posts} single posts of another")
    first = _measure(stage, posts, "a single post beside a campaign", message)
    first.figures["enqueued_per_s"] = backlog / enqueued_s
    yield first
    stage.fault(connector="sms", kind="latency", seconds=SLOW_S)
    stage.tell(f"{posts} more, each call takes {SLOW_S} s")
    yield _measure(stage, posts, f"the same, each call takes {SLOW_S} s", message, latency_s=SLOW_S)
    stage.heal()
    stage.fault(connector="sms", kind="timeout_before", seconds=60)
    stage.tell(f"{posts} more, the campaign's platform does not answer")
    yield _measure(stage, posts, "the same, its platform does not answer", post, connector="slack")
    stage.heal()
    stage.call_off()


def _measure(
    stage: Stage, posts: int, question: str, post: Post, *, latency_s: float = 0.0, connector: str = "sms"
) -> Verdict:
    draw = random.Random(posts)  # noqa: S311
    waiting, since_id, began = stage.waiting("big"), stage.last_id(), time.time()
    asked: dict[str, float] = {}
    for number in range(posts):
        time.sleep(draw.uniform(0.1, 0.9))
        body = f"{question} {number}"
        asked[body] = time.time()
        enqueue(post(body, number))
    while stage.waiting("small"):
        time.sleep(0.2)
    took_s = time.time() - began
    # The sandbox notes an effect once it has waited.
    effects = stage.effects(connector, since_id=since_id)
    starts = [one.at - latency_s - asked[one.text] for one in effects if one.text in asked]
    assert len(starts) == posts, f"{posts} single posts, {len(starts)} effects"
    assert stage.waiting("big"), f"the campaign of {waiting} ended before the single posts did; give it more --backlog"
    p99 = quantile(starts, 0.99)
    return Verdict(
        question,
        f"starts within {TARGET_S:g} s at p99",
        p99 <= TARGET_S,
        {
            "p50_s": quantile(starts, 0.5),
            "p99_s": p99,
            "max_s": max(starts),
            "campaign_per_s": (len(effects) - posts) / took_s,
            "waiting": waiting,
        },
    )
