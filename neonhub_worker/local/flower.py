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
        environment: ``FLOWER_ADDRESS`` (127.0.0.1), ``PORT`` (5555) and ``FLOWER_BASIC_AUTH`` (``user:password``, or
            several with commas between). Empty ones count as not set.

    Returns:
        The arguments after the interpreter, and the variables to add to the environment. The password stays in the
        environment, where ``ps`` does not show it.

    Raises:
        FlowerNotSafe: The address is not a loopback one and there is no password, or one that is empty.
    """
    address = environment.get("FLOWER_ADDRESS") or "127.0.0.1"
    accounts = environment.get("FLOWER_BASIC_AUTH")
    if accounts and not all(_has_password(one) for one in accounts.split(",")):
        raise FlowerNotSafe("FLOWER_BASIC_AUTH is not user:password; neither of the two may be empty")
    if not accounts and not _is_loopback(address):
        raise FlowerNotSafe(
            f"Flower would listen on {address} without a password; set FLOWER_BASIC_AUTH=user:password, "
            "or leave FLOWER_ADDRESS at 127.0.0.1"
        )
    arguments = ["-m", "celery", "-A", "neonhub_worker.app", "flower", f"--address={address}"]
    arguments += [f"--port={environment.get('PORT') or '5555'}", "--read_only=True", f"--tasks_columns={COLUMNS}"]
    return arguments, {} if accounts else {"FLOWER_UNAUTHENTICATED_API": "true"}


def _has_password(account: str) -> bool:
    user, _, password = account.strip().partition(":")
    return bool(user and password)


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
