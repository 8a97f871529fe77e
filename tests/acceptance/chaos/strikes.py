"""How is a process of the stack struck? Exactly the one that is meant, and with proof that it happened."""

from __future__ import annotations

import shutil
import signal
import subprocess
import threading
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import redis

from neonhub_worker import clock
from neonhub_worker.local import identity, state
from neonhub_worker.local.home import Home
from neonhub_worker.local.postgres import Postgres
from tests.acceptance.chaos.plan import GUARDS, Strike, Way
from tests.servers import wait_for

_CANARY = "chaos-canary"
_BACK_S = 60.0


@dataclass(frozen=True)
class Struck:
    """A blow that was dealt.

    Attributes:
        worker_id: Under which name the process held leases; "" if it holds none.
    """

    process: str
    way: Way
    at: datetime
    worker_id: str


class Striker:
    """Strikes the processes of one stack."""

    def __init__(self, home: Home, *, broker_url: str) -> None:
        self._home = home
        self._broker_url = broker_url
        self._postgres = Postgres(home, port=0)
        self._thaws: list[tuple[threading.Timer, state.Record]] = []
        self.struck: list[Struck] = []

    def strike(self, strike: Strike) -> None:
        """Strike once the process runs.

        Raises:
            AssertionError: It did not come back from an earlier blow, or this one did not have its effect.
        """
        if strike.process in GUARDS:
            for guard in GUARDS:
                self._running(guard)
        match strike.way:
            case Way.KILL:
                record = self._kill(strike.process)
            case Way.KILL_AND_EMPTY:
                record = self._empty_broker()
            case Way.IMMEDIATE:
                record = self._stop_postgres()
            case Way.FREEZE:
                record = self._freeze(strike.process, strike.freeze_s)
        self.struck.append(Struck(strike.process, strike.way, clock.now(), record.worker_id))

    def thaw(self) -> None:
        """Wake up what is frozen still."""
        for timer, record in self._thaws:
            timer.cancel()
            identity.send(record.pid, record.mark, signal.SIGCONT)

    def _running(self, name: str) -> state.Record:
        """The record of a process, once it runs."""
        found: list[state.Record] = []

        def runs() -> bool:
            record = state.load_record(self._home, name)
            found[:] = [record] if record is not None and record.alive else []
            return bool(found)

        wait_for(runs, f"{name} to run", timeout_s=_BACK_S)
        return found[0]

    def _kill(self, name: str) -> state.Record:
        record = self._running(name)
        while not identity.send(record.pid, record.mark, signal.SIGKILL):
            record = self._running(name)
        return record

    def _empty_broker(self) -> state.Record:
        """The broker loses all it has; a key that was there before proves it."""
        with redis.Redis.from_url(self._broker_url, socket_timeout=5) as client:
            wait_for(lambda: _answers(client), "the broker to answer", timeout_s=_BACK_S)
            client.set(_CANARY, 1)
            for place in self._home.broker.iterdir():
                shutil.rmtree(place) if place.is_dir() else place.unlink()
            record = self._kill("broker")
            wait_for(lambda: self._running("broker").pid != record.pid, "a new broker", timeout_s=_BACK_S)
            wait_for(lambda: _answers(client), "the broker to answer", timeout_s=_BACK_S)
            assert not client.exists(_CANARY), "the broker kept its data"
        return record

    def _stop_postgres(self) -> state.Record:
        record = self._running("postgres")
        # It exits without a checkpoint, and without a word to its clients.
        command = [str(self._pg_ctl()), "stop", "-m", "immediate", "-w", "-D", str(self._home.pgdata)]
        wait_for(lambda: self._asked_to_stop(command), "pg_ctl", timeout_s=_BACK_S)
        # The server removes its pid file, by which pg_ctl knows, a moment before it is gone.
        wait_for(lambda: not record.alive, "the end of Postgres", timeout_s=_BACK_S)
        return record

    def _asked_to_stop(self, command: list[str]) -> bool:
        """False while the server is still on its way up and has no pid file yet."""
        options = self._postgres.account.popen
        ran = subprocess.run(command, cwd="/", capture_output=True, check=False, **options)  # type: ignore[call-overload]
        return bool(ran.returncode == 0)

    def _pg_ctl(self) -> Path:
        return Path(self._postgres.command[0]).with_name("pg_ctl")

    def _freeze(self, name: str, seconds: float) -> state.Record:
        record = self._running(name)
        assert identity.send(record.pid, record.mark, signal.SIGSTOP), f"{name} had just ended"
        timer = threading.Timer(seconds, identity.send, (record.pid, record.mark, signal.SIGCONT))
        timer.daemon = True
        timer.start()
        self._thaws.append((timer, record))
        return record


def _answers(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False
