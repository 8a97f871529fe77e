"""X: posts, media, metrics and direct messages of one account, with its consent."""

from __future__ import annotations

from connectors.x import account, direct, media, metrics, posts, reading
from connectors.x.platform import X, XSettings

__all__ = ["X", "XSettings", "account", "direct", "media", "metrics", "posts", "reading"]
