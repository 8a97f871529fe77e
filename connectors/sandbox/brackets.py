"""How does a form say what is inside what? By brackets in the names: ``items[0][price]=p``, read by the schema."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from connectors.sandbox.bodies import MalformedError, Pairs
from connectors.sandbox.shapes import Schema, Shape, cast_text, resolved

_NAME = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
_PART = re.compile(r"\[([^\[\]]*)\]")
_SCALARS = ("integer", "number", "boolean")


class BracketShape(Shape):
    """A schema for forms and queries whose names carry brackets.

    Args:
        schema: A JSON Schema, which may point into ``#/components/schemas``.
        components: The contract's components.
    """

    def __init__(self, schema: Schema, components: Mapping[str, Any]) -> None:
        super().__init__(schema, components)
        self._schema = schema
        self._components = components

    def from_text(self, pairs: Pairs) -> dict[str, Any]:
        """The pairs as one object of the schema's types; what cannot be cast stays text, so ``violations`` finds it.

        Raises:
            MalformedError: Brackets that do not pair up, or one name given twice.
        """
        found: dict[str, Any] = self._typed(_tree(pairs), self._schema)
        return found

    def _typed(self, value: Any, schema: Schema) -> Any:
        branches = self._branches(schema)
        if isinstance(value, str):
            return self._scalar(value, branches)
        for branch in branches:
            if branch.get("type") == "array":
                items = branch.get("items", {})
                return [self._typed(value[key], items) for key in sorted(value, key=_position)]
        known: dict[str, Schema] = {}
        others: Schema = {}
        for branch in branches:
            known |= branch.get("properties", {})
            extra = branch.get("additionalProperties")
            others = extra if isinstance(extra, dict) else others
        return {name: self._typed(part, known.get(name, others)) for name, part in value.items()}

    def _scalar(self, text: str, branches: list[Schema]) -> Any:
        kinds = [branch.get("type") for branch in branches]
        for kind in _SCALARS:
            if kind in kinds and not isinstance(value := cast_text(text, kind), str):
                return value
        return text

    def _branches(self, schema: Schema) -> list[Schema]:
        """The schemas that a value may fit: itself, or what it chooses from."""
        whole = resolved(schema, self._components)
        parts = [found for part in whole.get("anyOf", []) for found in self._branches(part)]
        return [whole, *parts] if "type" in whole or "properties" in whole else parts


def _tree(pairs: Pairs) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for name, value in pairs:
        matched = _NAME.fullmatch(name)
        if matched is None:
            raise MalformedError(f"brackets do not pair up in {name}")
        node, path = tree, [matched[1], *_PART.findall(matched[2])]
        for part in path[:-1]:
            node = node.setdefault(part or str(len(node)), {})
            if not isinstance(node, dict):
                raise MalformedError(f"{name} is both a value and an object")
        last = path[-1] or str(len(node))
        if last in node:
            raise MalformedError(f"{name} is given twice")
        node[last] = value
    return tree


def _position(key: str) -> tuple[bool, int, str]:
    return (not key.isdecimal(), int(key) if key.isdecimal() else 0, key)
