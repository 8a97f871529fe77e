"""What time is it? The only place in the connectors that asks, and how far other clocks may be from the answer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

SKEW = timedelta(seconds=150)
"""Between any two of the database's clock, this machine's and a platform's: two minutes, and cut-off fractions.

Too small would miss what was sent, and send it twice.
"""


def now() -> datetime:
    """The current instant of this machine, aware, in UTC."""
    return datetime.now(UTC)
