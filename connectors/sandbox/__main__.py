"""``python -m connectors.sandbox --state DIR``: serve the sandbox until SIGTERM."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from connectors.sandbox.serving import PortTakenError, serve
from connectors.sandbox.store import StateUnusableError


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve; returns the exit code: 0 after SIGTERM, 1 when it could not start."""
    parser = argparse.ArgumentParser(prog="python -m connectors.sandbox", description="Plays the platforms, strictly.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=0, help="port; 0 takes a free one (default: %(default)s)")
    parser.add_argument("--state", type=Path, required=True, metavar="DIR", help="directory that keeps the state")
    parser.add_argument("--port-file", type=Path, metavar="PATH", help="write the port here once listening")
    options = parser.parse_args(arguments)
    # uvicorn stops in order and then raises the signal again: without this the exit would look like a crash.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        serve(options.state, host=options.host, port=options.port, port_file=options.port_file)
    except (PortTakenError, StateUnusableError) as error:
        print(f"sandbox: {error}", file=sys.stderr)  # noqa: T201
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
