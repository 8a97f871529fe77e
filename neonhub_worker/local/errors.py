"""What can go wrong with the embedded stack?"""

from __future__ import annotations

from neonhub_worker.errors import NeonhubError


class StackError(NeonhubError):
    """The embedded stack could not be started or stopped; what had been started was stopped again."""
