"""What time is it? The only place in the connectors that asks."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> datetime:
    """The current instant of this machine, aware, in UTC."""
    return datetime.now(UTC)
