"""Which processes does the Procfile name, and with what arguments? No shell: words, variables and nothing else."""

from __future__ import annotations

import re
import shlex
import site
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import neonhub_worker
from neonhub_worker.local.errors import StackError

_LINE = re.compile(r"([A-Za-z0-9_-]+):\s*(.+)")
_VARIABLE = re.compile(r"\$(?:(?P<plain>[A-Za-z_]\w*)|\{(?P<braced>[A-Za-z_]\w*)(?::-(?P<default>[^}]*))?\})")
_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)=(.*)", re.DOTALL)
_SHELL_WORDS = {"&&", "||", "|", ";", "&", ">", ">>", "<"}


@dataclass(frozen=True)
class Line:
    """One line of a Procfile."""

    name: str
    text: str

    @property
    def uses_port(self) -> bool:
        """Whether the process is told which port to listen on."""
        return any(found["plain"] == "PORT" or found["braced"] == "PORT" for found in _VARIABLE.finditer(self.text))

    @property
    def says_ready(self) -> bool:
        """Whether the process creates the file ``NEONHUB_READY_FILE``: Celery's workers and beat do."""
        words = shlex.split(self.text)
        return any(Path(word).name == "celery" for word in words) and bool({"worker", "beat"} & set(words))

    def command(self, environment: Mapping[str, str]) -> tuple[list[str], dict[str, str]]:
        """The argument list and the variables that the line itself sets.

        ``$NAME``, ``${NAME}`` and ``${NAME:-default}`` are replaced; a variable that is not set is empty.
        """
        words = [_expand(word, environment) for word in shlex.split(self.text)]
        own: dict[str, str] = {}
        while words and (found := _ASSIGNMENT.fullmatch(words[0])):
            own[found[1]] = found[2]
            words.pop(0)
        return words, own


def _expand(word: str, environment: Mapping[str, str]) -> str:
    def value(found: re.Match[str]) -> str:
        return environment.get(found["plain"] or found["braced"]) or found["default"] or ""

    return _VARIABLE.sub(value, word)


def parse(text: str) -> list[Line]:
    """Read a Procfile: ``name: command`` lines; empty lines and those that begin with ``#`` are skipped.

    Raises:
        StackError: A line is not of that form, names a process twice, or needs a shell.
    """
    lines: dict[str, Line] = {}
    for number, raw in enumerate(text.splitlines(), start=1):
        stripped = raw.strip()
        if not stripped or stripped.startswith("#"):
            continue
        found = _LINE.fullmatch(stripped)
        if found is None:
            raise StackError(f"Procfile line {number} is not `name: command`")
        line = Line(found[1], found[2])
        if line.name in lines:
            raise StackError(f"Procfile line {number} names the process {line.name} a second time")
        _check(line, number)
        lines[line.name] = line
    return list(lines.values())


def _check(line: Line, number: int) -> None:
    try:
        words = shlex.split(line.text)
    except ValueError as error:
        raise StackError(f"Procfile line {number}: {str(error).lower()}") from None
    if needs := _SHELL_WORDS & set(words):
        raise StackError(f"Procfile line {number}: {sorted(needs)[0]} needs a shell; write one plain command")


def load(place: Path) -> str:
    """The text of a Procfile, known to be right.

    Raises:
        StackError: It cannot be read or is wrong.
    """
    try:
        text = place.read_text()
    except OSError as error:
        raise StackError(f"cannot read {place}: {(error.strerror or str(error)).lower()}") from None
    parse(text)
    return text


def find() -> Path:
    """The Procfile of this installation: beside celeryconfig.py in a checkout, else where pip puts data files.

    Raises:
        StackError: There is none.
    """
    checkout = Path(neonhub_worker.__file__).parent.parent
    places = [checkout / "Procfile"] if (checkout / "celeryconfig.py").is_file() else []
    for base in (sysconfig.get_path("data"), site.getuserbase()):
        places.append(Path(base) / "share" / "neonhub-worker" / "Procfile")
    for place in places:
        if place.is_file():
            return place
    raise StackError(f"no Procfile found, looked in {', '.join(map(str, places))}; install neonhub-worker again")
