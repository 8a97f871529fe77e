"""What must be in the database before the workers start? Run as its own process at each ``up``."""

from __future__ import annotations

import os
import sys

from neonhub_worker.errors import NeonhubError


def main() -> int:
    """Bring the schema up to date and create the demo organization.

    Returns:
        The exit code.
    """
    from neonhub_worker.db import migrate
    from neonhub_worker.local import seed

    database_url = os.environ["NEONHUB_DATABASE_URL"]
    try:
        migrate.upgrade(database_url, finish=True)  # all processes of a stack are of one version
        seed.seed_demo(
            database_url, os.environ["NEONHUB_SANDBOX_URL"], webhooks_url=os.environ.get("NEONHUB_WEBHOOKS_URL")
        )
    except NeonhubError as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201 (the command's answer)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
