"""YouTube: videos, their times, thumbnails and playlists, and how they did, of one channel."""

from __future__ import annotations

from connectors.youtube import analytics, lists, playlists, uploading, videos
from connectors.youtube.platform import YOUTUBE

__all__ = ["YOUTUBE", "analytics", "lists", "playlists", "uploading", "videos"]
