"""What becomes of the same work in the hands of Celery alone? The same broker, platform, faults and pace of kills."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import redis
import requests
from celery import Celery

from neonhub_worker.demo.watch import Sandbox
from neonhub_worker.local.broker import Broker
from neonhub_worker.local.home import Home
from tests import servers
from tests.acceptance.chaos import actions
from tests.acceptance.chaos.faults import faults
from tests.acceptance.chaos.plan import Strike, Way
from tests.servers import wait_for

SETTINGS: Mapping[str, dict[str, Any]] = {
    "default": {},
    # What the manual advises against loss. The longest call takes 15 s, so nothing is delivered again before 30 s.
    "advised": {
        "task_acks_late": True,
        "task_reject_on_worker_lost": True,
        "worker_prefetch_multiplier": 1,
        "broker_transport_options": {
            "visibility_timeout": 30,
            "unacked_restore_interval": 10,
            "unacked_restore_throttle": 1,
        },
    },
}

_CHANNEL = "C0GENERAL001"
_PROCESSES = 4
_QUIET_S = 45.0
_LONGEST_S = 240.0
_LOOK_S = 0.5


@dataclass(frozen=True)
class BareResult:
    """What the sandbox counted.

    Attributes:
        stuck: Did not happen; their messages still wait in Celery's list of unacknowledged ones.
        lost: Did not happen, and nothing is left of them.
    """

    actions: int
    kills: int
    restarts: int
    lost: int
    stuck: int
    duplicated: int


class Bare:
    """A broker and a worker, each started again as soon as it is dead.

    Args:
        environment: What the worker gets besides ours.
    """

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._home = Home.at(folder)
        self._home.prepare()
        self._broker = Broker(self._home, port=servers.free_port())
        self._environment = {**os.environ, **environment, "BARE_BROKER_URL": self._broker.url}
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self.app = Celery("bare", broker=self._broker.url, set_as_current=False)

    @contextlib.contextmanager
    def running(self) -> Iterator[redis.Redis]:
        """Both run; gives a client of the broker."""
        try:
            self._start_broker()
            self._start_worker()
            with redis.Redis.from_url(self._broker.url, socket_timeout=5) as client:
                yield client
        finally:
            self.app.close()
            for process in self._processes.values():
                # A killed worker takes its children with it.
                process.kill()
                process.wait()

    def strike(self, strike: Strike) -> None:
        """Kill one, and start it again."""
        if strike.process == "child":
            self._kill_child()
            return
        process = self._processes[strike.process]
        if strike.way is Way.KILL_AND_EMPTY:
            for place in self._home.broker.iterdir():
                shutil.rmtree(place) if place.is_dir() else place.unlink()
        process.kill()
        process.wait()
        if strike.process == "broker":
            self._start_broker()
        else:
            self._start_worker()

    def _kill_child(self) -> None:
        children: list[psutil.Process] = []

        def there() -> bool:
            children[:] = psutil.Process(self._processes["worker"].pid).children()
            return bool(children)

        try:
            wait_for(there, "a child of the worker")
        except AssertionError:  # its pool did not come back: a new worker is the best that its operator can do
            self._processes["worker"].kill()
            self._processes["worker"].wait()
            self._start_worker()
            return
        with contextlib.suppress(psutil.NoSuchProcess):
            children[0].send_signal(signal.SIGKILL)

    def _start_broker(self) -> None:
        wait_for(lambda: self._broker.configure(0), "the broker to be gone")
        self._processes["broker"] = self._popen(self._broker.command, "broker")
        wait_for(self._broker.ready, "the broker")

    def _start_worker(self) -> None:
        words = ["-A", "tests.acceptance.chaos.bare_tasks", "worker", "-c", str(_PROCESSES), "--loglevel", "WARNING"]
        self._processes["worker"] = self._popen([sys.executable, "-m", "celery", *words], "worker")

    def _popen(self, command: Sequence[str], name: str) -> subprocess.Popen[bytes]:
        with self._home.log_file(name).open("ab") as output:
            return subprocess.Popen(
                command,
                cwd=servers.ROOT,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )


def run(
    folder: Path, name: str, *, count: int, strikes: Sequence[Strike], seed: int, tell: Callable[[str], None]
) -> BareResult:
    """Try Celery with one of ``SETTINGS``; nothing of it runs afterwards."""
    folder.mkdir()
    with servers.sandbox(folder) as url:
        sandbox = Sandbox(url)
        for fault in faults(seed):
            sandbox.add_fault(fault)
        bare = Bare(folder / "home", {**_target(url), "BARE_SETTINGS": json.dumps(SETTINGS[name])})
        with bare.running() as broker:
            _ask_and_strike(bare, count, strikes, lambda text: tell(f"Celery, {name}: {text}"))
            _until_quiet(broker, sandbox)
            return _result(broker, sandbox, count, strikes)


def _target(url: str) -> dict[str, str]:
    accounts = requests.get(f"{url}/_sandbox/accounts", timeout=10).json()
    token = accounts["slack"]["credential"]["bot_token"]
    return {"BARE_URL": f"{url}/slack.com/api/chat.postMessage", "BARE_TOKEN": token}


def _ask_and_strike(bare: Bare, count: int, strikes: Sequence[Strike], tell: Callable[[str], None]) -> None:
    """Half of it at once, the others bit by bit before the blows, as with ours."""
    asked = 0
    for number, strike in enumerate([None, *strikes]):
        if strike is not None:
            time.sleep(max(0.0, strike.after_s - strike.lead_s))
        until = count // 2 + (count - count // 2) * number // len(strikes)
        for request in range(asked, until):
            bare.app.send_task("bare.post", args=[_CHANNEL, actions.mark(request)])
        asked = until
        if strike is not None:
            time.sleep(strike.lead_s)
            bare.strike(strike)
    tell(f"{count} asked, {len(strikes)} kills; waiting for the end")


def _until_quiet(broker: redis.Redis, sandbox: Sandbox) -> None:
    """Until nothing has happened for longer than a retry or a second delivery takes."""
    began = changed_at = time.monotonic()
    last: tuple[object, ...] = ()
    while time.monotonic() - changed_at < _QUIET_S and time.monotonic() - began < _LONGEST_S:
        now = (broker.llen("celery"), broker.hlen("unacked"), sandbox.last_effect())
        if now != last:
            last, changed_at = now, time.monotonic()
        time.sleep(_LOOK_S)


def _result(broker: redis.Redis, sandbox: Sandbox, count: int, strikes: Sequence[Strike]) -> BareResult:
    happened = Counter(actions.mark_of(effect) for effect in sandbox.effects(since_id=0))
    missing = [mark for mark in map(actions.mark, range(count)) if not happened[mark]]
    waiting = " ".join(map(str, [*broker.hvals("unacked"), *broker.lrange("celery", 0, -1)]))
    stuck = sum(mark in waiting for mark in missing)
    return BareResult(
        actions=count,
        kills=len(strikes),
        restarts=sum(strike.process == "broker" for strike in strikes),
        lost=len(missing) - stuck,
        stuck=stuck,
        duplicated=sum(number > 1 for number in happened.values()),
    )
