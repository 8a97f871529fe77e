"""The command ``neonhub``. Every error is one line and a non-zero exit code; ``--debug`` asks for the traceback."""

from __future__ import annotations

import errno
import sys
from collections.abc import Sequence
from typing import Any

import typer

from neonhub_worker.cli import catalog, connections, consent, doctor, enqueue, runs, sandbox, schedules, stack, webhooks
from neonhub_worker.errors import InvalidInput, NeonhubError, first_line

app = typer.Typer(
    name="neonhub",
    help="Marketing actions that are never lost and never done twice.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for part in (stack, enqueue, runs, catalog, doctor):
    part.register(app)
app.add_typer(runs.app, name="runs")
app.add_typer(schedules.app, name="schedules")
app.add_typer(connections.app, name="connections")
app.add_typer(consent.app, name="consent")
app.add_typer(sandbox.app, name="sandbox")
app.add_typer(webhooks.app, name="webhooks")


# What typer raises for a command line that is wrong: the base of BadParameter, which it offers by no other name.
_WrongCall: Any = typer.BadParameter.__mro__[1]

# What a shell calls the end by Ctrl-C; typer turns one into this code.
_INTERRUPTED = 130

# PostgreSQL's codes for a table and for a column that is not there.
_SCHEMA_BEHIND = ("42P01", "42703")


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command.

    Returns:
        Its exit code: 0 done, 1 could not be done, 2 called wrongly, 130 interrupted.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    debug = "--debug" in arguments
    arguments = [argument for argument in arguments if argument != "--debug"]
    if debug:
        from neonhub_worker.telemetry import logging as log_shape

        log_shape.configure()
    else:
        _quiet()
    try:
        code = app(arguments, standalone_mode=False, prog_name="neonhub")
        sys.stdout.flush()
    except (KeyboardInterrupt, typer.Abort):
        code = _INTERRUPTED
    except Exception as error:
        if not _follows_ctrl_c(error):
            if debug:
                raise
            return _explain(error)
        code = _INTERRUPTED
    if code == _INTERRUPTED:
        print("interrupted", file=sys.stderr)
    return code if isinstance(code, int) else 0


def _follows_ctrl_c(error: BaseException | None) -> bool:
    """Whether it only came up while something that Ctrl-C broke off was tidied up, such as half a query."""
    if error is None or isinstance(error, KeyboardInterrupt):
        return error is not None
    return _follows_ctrl_c(error.__cause__) or _follows_ctrl_c(error.__context__)


def _quiet() -> None:
    """A command prints its result and nothing of what the library logs."""
    import logging

    import structlog

    logging.getLogger().addHandler(logging.NullHandler())
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))


def _explain(error: Exception) -> int:
    if isinstance(error, _WrongCall):
        return _called_wrongly(error)
    if isinstance(error, InvalidInput):
        lines = "\n".join(f"  {found}" for found in error.errors)
        return _fail(f"refused, nothing was accepted:\n{lines}" if len(error.errors) > 1 else f"refused: {error}")
    if isinstance(error, NeonhubError):
        return _fail(str(error))
    if isinstance(error, OSError):
        return _fail(_os_reason(error))
    if getattr(getattr(error, "orig", None), "sqlstate", None) in _SCHEMA_BEHIND:
        return _fail("the database's schema is not the one this program needs; `neonhub migrate` brings it up to date")
    # The first line only: the others of a database's error repeat the statement and its values.
    return _fail(f"unexpected {type(error).__name__}: {first_line(error)}; run it again with --debug to see where")


def _called_wrongly(error: Any) -> int:
    path, text = error.ctx.command_path, error.format_message()
    if text == error.ctx.get_help():  # a group without a command
        print(text, file=sys.stderr)
        return 2
    said = " ".join(text.split()).rstrip(".")
    return _fail(f"{said[0].lower()}{said[1:]} (`{path} --help` shows how it is called)", 2)


def _os_reason(error: OSError) -> str:
    place = f" ({error.filename})" if error.filename else ""
    hint = {errno.ENOSPC: "; free some space and run it again", errno.EACCES: "; check who owns it"}.get(
        error.errno or 0, ""
    )
    return f"{(error.strerror or str(error)).lower()}{place}{hint}"


def _fail(text: str, code: int = 1) -> int:
    print(f"error: {text}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
