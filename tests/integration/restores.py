"""Databases that are backed up and put back: the whole data directory, or one database as a dump would."""

from __future__ import annotations

import contextlib
import shutil
import signal
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.engine import make_url

from neonhub_worker.db import engine as db
from neonhub_worker.db import migrate
from neonhub_worker.local.home import Home
from neonhub_worker.local.postgres import Postgres
from tests import servers
from tests.conftest import forget_settings


class Server:
    """A Postgres of a test's own, whose data directory can be saved and put back.

    Args:
        changes: Settings of postgresql.conf.
    """

    def __init__(self, folder: Path, **changes: str) -> None:
        self.home = Home.at(folder)
        self.home.prepare()
        self.changes = changes
        self._postgres = Postgres(self.home, port=servers.free_port())
        self._running = contextlib.ExitStack()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return self._postgres.url

    def start(self) -> None:
        self._process = self._running.enter_context(servers.serving(self._postgres, self.home, **self.changes))

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """SIGINT is a clean stop; SIGQUIT and SIGKILL are not, and the next start has to recover."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(30)
            self._process = None
        self._running.close()

    def saved(self) -> Path:
        """A cold copy of the data directory, as a volume snapshot is."""
        self.stop()
        copy = self.home.path / f"saved-{uuid.uuid4().hex}"
        shutil.copytree(self.home.pgdata, copy)
        self.start()
        return copy

    def put_back(self, copy: Path) -> None:
        """Let the data directory be what it was."""
        self.stop()
        shutil.rmtree(self.home.pgdata)
        self.bring_in(copy)
        self.start()

    def bring_in(self, copy: Path) -> None:
        """Put a copy in the place of a data directory that is not there."""
        shutil.copytree(copy, self.home.pgdata)
        for place in (self.home.pgdata, *self.home.pgdata.rglob("*")):
            self._postgres.account.own(place)


@contextlib.contextmanager
def server(**changes: str) -> Iterator[Server]:
    """A running server whose database ``neonhub`` is migrated."""
    with tempfile.TemporaryDirectory(prefix="neonhub-test-") as folder:
        made = Server(Path(folder), **changes)
        made.start()
        try:
            migrate.upgrade(made.url)
            yield made
        finally:
            made.stop()


class Standby(Server):
    """A server that follows another one."""

    def wait_caught_up(self, primary: Server) -> None:
        """Wait until it holds all that the other one has committed."""
        with psycopg.connect(primary.url) as connection:
            row = connection.execute("select pg_current_wal_flush_lsn()::text").fetchone()
        with psycopg.connect(self.url, autocommit=True) as connection:
            query = "select pg_last_wal_replay_lsn() >= %s::pg_lsn"
            servers.wait_for(lambda: connection.execute(query, row).fetchone() == (True,), "the standby")

    def cut_off(self) -> None:
        """Let nothing reach it any more."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute("alter system set primary_conninfo = ''")
            connection.execute("select pg_reload_conf()")
            query = "select count(*) from pg_stat_wal_receiver"
            servers.wait_for(lambda: connection.execute(query).fetchone() == (0,), "the standby's receiver to stop")

    def promote(self) -> None:
        """Let it take over: from now on it can be written to."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute("select pg_promote()")


@contextlib.contextmanager
def standby(primary: Server) -> Iterator[Standby]:
    """A running standby of a server."""
    with tempfile.TemporaryDirectory(prefix="neonhub-test-") as folder:
        made = Standby(Path(folder), **primary.changes)
        shutil.copytree(primary.home.path / "secrets", made.home.path / "secrets", dirs_exist_ok=True)
        saved = primary.saved()
        (saved / "standby.signal").touch()
        with (saved / "postgresql.auto.conf").open("a") as settings:
            settings.write(f"primary_conninfo = '{primary.url}'\n")
        made.bring_in(saved)
        made.start()
        try:
            yield made
        finally:
            made.stop()


def use(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this process, and those it starts, work on this database."""
    monkeypatch.setenv("NEONHUB_DATABASE_URL", url)
    forget_settings()


def copied(url: str) -> str:
    """A copy of a database under another name, as a restored dump is; its URL."""
    db.engine().dispose()
    name = f"copy_{uuid.uuid4().hex}"
    source = make_url(url)
    with _admin(url) as admin:
        # Beat's listening connection.
        query = "select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = %s"
        admin.execute(query, [source.database])
        admin.execute(f"create database {name} template {source.database}".encode())
    return source.set(database=name).render_as_string(hide_password=False)


def dropped(url: str) -> None:
    db.engine().dispose()
    with _admin(url) as admin:
        admin.execute(f"drop database {make_url(url).database} with (force)".encode())


def _admin(url: str) -> psycopg.Connection:
    other = make_url(url).set(drivername="postgresql", database="postgres")
    return psycopg.connect(other.render_as_string(hide_password=False), autocommit=True)
