"""What can go wrong with the embedded stack?"""

from __future__ import annotations

from pathlib import Path

from neonhub_worker.errors import NeonhubError


class StackError(NeonhubError):
    """The embedded stack could not be started or stopped; what had been started was stopped again."""

    @classmethod
    def of_system(cls, error: OSError, place: Path) -> StackError:
        """What the operating system refused, and where: in ``place`` if it does not say."""
        return cls(f"{(error.strerror or str(error)).lower()}: {error.filename or place}")
