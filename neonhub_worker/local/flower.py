"""How is Flower started? Read-only, and never beyond this machine without a password.

``python -m neonhub_worker.local.flower``, as the Procfile has it. Flower is a live view: acting on runs is what
``neonhub runs`` is for, because only the ledger knows what may be repeated.
"""

from __future__ import annotations

import ipaddress
import os
import sys
from collections.abc import Mapping

COLUMNS = "name,uuid,state,retries,received,started,runtime,worker"


class FlowerNotSafe(Exception):
    """Flower would be open to other machines without a password."""


def command(environment: Mapping[str, str]) -> tuple[list[str], dict[str, str]]:
    """What to execute.

    Args:
        environment: ``FLOWER_ADDRESS`` (127.0.0.1), ``PORT`` (5555) and ``FLOWER_BASIC_AUTH`` (``user:password``).

    Returns:
        The arguments after the interpreter, and the variables to add to the environment. The password stays in the
        environment, where ``ps`` does not show it.

    Raises:
        FlowerNotSafe: The address is not a loopback one and there is no password.
    """
    address = environment.get("FLOWER_ADDRESS", "127.0.0.1")
    open_to_others = not _is_loopback(address)
    if open_to_others and ":" not in environment.get("FLOWER_BASIC_AUTH", ""):
        raise FlowerNotSafe(
            f"Flower would listen on {address} without a password; set FLOWER_BASIC_AUTH=user:password, "
            "or leave FLOWER_ADDRESS at 127.0.0.1"
        )
    arguments = ["-m", "celery", "-A", "neonhub_worker.app", "flower", f"--address={address}"]
    arguments += [f"--port={environment.get('PORT', '5555')}", "--read_only=True", f"--tasks_columns={COLUMNS}"]
    added = {} if open_to_others or environment.get("FLOWER_BASIC_AUTH") else {"FLOWER_UNAUTHENTICATED_API": "true"}
    return arguments, added


def _is_loopback(address: str) -> bool:
    if address == "localhost":
        return True
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def main() -> int:
    """Become Flower, or say why not and return 1."""
    try:
        arguments, added = command(os.environ)
    except FlowerNotSafe as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201 (the command's answer)
        return 1
    return os.execve(sys.executable, [sys.executable, *arguments], {**os.environ, **added})  # noqa: S606 (no shell wanted)


if __name__ == "__main__":
    sys.exit(main())
