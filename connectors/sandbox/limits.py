"""How many requests a second does a platform take? Off until switched on; one second's worth may come at once."""

from __future__ import annotations

import sqlite3
import time
from dataclasses import dataclass


@dataclass(slots=True)
class _Bucket:
    per_second: float
    tokens: float
    filled_at: float


class Limits:
    """Token buckets by connector, kept in memory; the rates themselves are on disk."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._buckets: dict[str, _Bucket] = {}
        for row in db.execute("SELECT connector, per_second FROM rate"):
            self._buckets[row["connector"]] = self._full(row["per_second"])

    def set(self, db: sqlite3.Connection, connector: str, per_second: float | None) -> None:
        """Switch a limit on, change it, or (None) off; in the caller's transaction."""
        if per_second is None:
            db.execute("DELETE FROM rate WHERE connector = ?", (connector,))
            self._buckets.pop(connector, None)
        else:
            db.execute("INSERT OR REPLACE INTO rate VALUES (?, ?)", (connector, per_second))
            self._buckets[connector] = self._full(per_second)

    def listing(self) -> dict[str, float]:
        """The limits in force, in requests per second."""
        return {connector: bucket.per_second for connector, bucket in self._buckets.items()}

    def take(self, connector: str) -> float:
        """Use up one request; returns 0, or the seconds until one is allowed again."""
        bucket = self._buckets.get(connector)
        if bucket is None:
            return 0.0
        now = time.monotonic()
        room = max(1.0, bucket.per_second)
        bucket.tokens = min(room, bucket.tokens + (now - bucket.filled_at) * bucket.per_second)
        bucket.filled_at = now
        if bucket.tokens >= 1.0:
            bucket.tokens -= 1.0
            return 0.0
        return (1.0 - bucket.tokens) / bucket.per_second

    def _full(self, per_second: float) -> _Bucket:
        return _Bucket(per_second, max(1.0, per_second), time.monotonic())
