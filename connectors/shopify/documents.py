"""What does the connector ask Shopify? Each GraphQL document of the contract, by its operation's name."""

from __future__ import annotations

import re
from importlib import resources

_FILE = "shopify-operations.graphql"
_OPERATION = re.compile(r"^(?:query|mutation) (\w+)", re.MULTILINE)


def _documents() -> dict[str, str]:
    text = resources.files("connectors.specs").joinpath(_FILE).read_text("utf-8")
    text = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    starts = [*_OPERATION.finditer(text)]
    ends = [*(found.start() for found in starts[1:]), len(text)]
    return {found[1]: text[found.start() : end].strip() for found, end in zip(starts, ends, strict=True)}


DOCUMENTS = _documents()
