"""What do all lists of campaigns, ad groups and ads share?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import Field

from connectors.kit.action import Input
from connectors.kit.call import Call
from connectors.tiktok import web


class Listing(Input):
    """Which of the advertiser's objects."""

    smart_plus: bool = Field(default=False, description="Smart+ ones; TikTok lists them apart from manual ones.")
    include_deleted: bool = Field(default=False, description="Whether deleted ones are listed too.")

    def with_deleted(self) -> dict[str, Any]:
        """The filter for deleted ones."""
        return {"primary_status": "STATUS_ALL"} if self.include_deleted else {}

    def rows(self, call: Call, kind: str, filtering: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """The rows of all pages.

        Args:
            kind: ``campaign``, ``adgroup`` or ``ad``.
            filtering: What to look for; fields that are None are left out.
        """
        given = {name: value for name, value in filtering.items() if value is not None}
        path = f"smart_plus/{kind}/get" if self.smart_plus else f"{kind}/get"
        return web.listed(call, path, filtering=given or None)
