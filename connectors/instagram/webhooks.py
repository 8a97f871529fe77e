"""What does Instagram tell unasked? Who wrote, and that our own answers are out.

See https://developers.facebook.com/docs/instagram-platform/webhooks.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from connectors.dialects import meta_webhooks
from connectors.dialects.meta_webhooks import AnyEvent, MetaWebhooks


class InstagramWebhooks(MetaWebhooks):
    """Webhooks of professional accounts."""

    objects: ClassVar[tuple[str, ...]] = ("instagram",)

    def events(self, entry: dict[str, Any]) -> Iterator[AnyEvent]:
        """Direct messages; comments and mentions by name."""
        yield from meta_webhooks.direct_messages(entry)
        for name, value in meta_webhooks.changes(entry):
            yield meta_webhooks.other(entry, name, value)
