"""Who asks for the actions? One who was not answered asks again, with the same idempotency keys."""

from __future__ import annotations

import threading
import uuid

import neonhub_worker
from neonhub_worker import Unreachable
from tests.acceptance.chaos import actions

_AGAIN_S = 0.2


class Producer:
    """Asks, in its own thread's time, for request after request.

    Attributes:
        accepted: The run of each mark.
        asked_again: How often a batch was not answered.
    """

    def __init__(self) -> None:
        self.accepted: dict[str, uuid.UUID] = {}
        self.asked_again = 0
        self._next = 0
        self._stop = threading.Event()

    def ask(self, count: int) -> None:
        """Have the next so many requests accepted, all in one transaction."""
        numbers = range(self._next, self._next + count)
        self._next += count
        requests = [actions.request(number) for number in numbers]
        while not self._stop.is_set():
            try:
                run_ids = neonhub_worker.enqueue_many(requests)
            except Unreachable:
                self.asked_again += 1
                self._stop.wait(_AGAIN_S)
            else:
                self.accepted |= zip(map(actions.mark, numbers), run_ids, strict=True)
                return

    def stop(self) -> None:
        """Ask no more."""
        self._stop.set()
