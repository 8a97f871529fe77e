"""What does Facebook tell unasked? Who wrote to the Page, that our answers are out, and what its ads are held up by.

See https://developers.facebook.com/docs/graph-api/webhooks/reference/page.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from connectors.dialects import meta_webhooks
from connectors.dialects.meta_webhooks import AnyEvent, MetaWebhooks


class FacebookWebhooks(MetaWebhooks):
    """Webhooks of Pages and ad accounts; one app gets both at one address."""

    secret: ClassVar[str] = "client_secret"  # noqa: S105 (a field's name; Meta calls it the app's secret)
    objects: ClassVar[tuple[str, ...]] = ("page", "ad_account")

    def events(self, entry: dict[str, Any]) -> Iterator[AnyEvent]:
        """Messages to the Page; its feed, its leads and what its ads are held up by go by name."""
        yield from meta_webhooks.direct_messages(entry)
        for name, value in meta_webhooks.changes(entry):
            yield meta_webhooks.other(entry, name, value)
