"""Does a value fit its schema? Compiled when asked for first; texts of forms and queries are cast to its types."""

from __future__ import annotations

import copy
import functools
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jsonschema_rs

from connectors.sandbox.bodies import Pairs

Schema = dict[str, Any]
Cast = Callable[[str], Any]

_INTEGER = re.compile(r"-?\d{1,18}")
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}


@dataclass(frozen=True, slots=True)
class Violation:
    """One way in which a value does not fit.

    Attributes:
        field: The field at fault; for ``anyOf`` over required fields, their names joined by ``|``.
        rule: The JSON Schema keyword, such as ``required``, ``maxLength`` or ``additionalProperties``.
        inside: The rest of the path below the field, joined by dots.
    """

    field: str
    rule: str
    inside: str = ""


class Shape:
    """A compiled schema.

    Args:
        schema: A JSON Schema, which may point into ``#/components/schemas``.
        components: The contract's components.
        comma_lists: Names of array fields whose text form is one comma-separated value.
    """

    def __init__(
        self,
        schema: Schema,
        components: Mapping[str, Any],
        *,
        comma_lists: frozenset[str] = frozenset(),
    ) -> None:
        self._whole = {**schema, "components": components}
        self._json_text = False
        self._comma_lists = comma_lists
        self._types = {name: _type_of(part, components) for name, part in _properties(schema, components).items()}

    @functools.cached_property
    def validator(self) -> jsonschema_rs.Validator:
        """Compiled when it is asked for first: of hundreds of operations a client needs a few."""
        return jsonschema_rs.validator_for(self._whole, validate_formats=True, offline=True)

    def violations(self, value: Any) -> list[Violation]:
        """Everything that is wrong with ``value``; empty when it fits."""
        if self.validator.is_valid(value):
            return []
        return [found for error in self.validator.iter_errors(value) for found in _violations(error)]

    def with_json_text(self) -> Shape:
        """The same schema for text in which objects and arrays are JSON-encoded strings."""
        other = copy.copy(self)
        other._json_text = True
        return other

    def from_text(self, pairs: Pairs) -> dict[str, Any]:
        """Name and value pairs as an object of this shape's types.

        A value that cannot be cast stays text, and a repeated key that is no array becomes a list, so that
        ``violations`` finds them.
        """
        found: dict[str, Any] = {}
        for name, value in pairs:
            kind = self._types.get(name, ("string", "string"))
            if kind[0] == "array" and not self._json_text:
                parts = value.split(",") if name in self._comma_lists else [value]
                found.setdefault(name, []).extend(cast_text(part, kind[1]) for part in parts)
            elif name in found:
                found[name] = [found[name], value]
            else:
                found[name] = cast_text(value, kind[0])
        return found


def _properties(schema: Schema, components: Mapping[str, Any]) -> dict[str, Schema]:
    schema = resolved(schema, components)
    found: dict[str, Schema] = {}
    for part in schema.get("allOf", []):
        found |= _properties(part, components)
    found |= schema.get("properties", {})
    return found


def resolved(schema: Schema, components: Mapping[str, Any]) -> Schema:
    """The schema that a ``$ref`` points to, with what is said beside it."""
    while "$ref" in schema:
        target: Schema = components["schemas"][schema["$ref"].rpartition("/")[2]]
        schema = {**target, **{key: value for key, value in schema.items() if key != "$ref"}}
    return schema


def _type_of(schema: Schema, components: Mapping[str, Any]) -> tuple[str, str]:
    schema = resolved(schema, components)
    items = resolved(schema.get("items", {}), components)
    return _main_type(schema), _main_type(items)


def _main_type(schema: Schema) -> str:
    kind = schema.get("type", "string")
    return kind if isinstance(kind, str) else next((name for name in kind if name != "null"), "string")


def cast_text(text: Any, kind: str) -> Any:
    """A text as a value of a schema's type; what does not fit stays text."""
    if not isinstance(text, str) or kind == "string":
        return text
    return _CASTS[kind](text) if kind in _CASTS else text


def _number(text: str) -> Any:
    try:
        return float(text)
    except ValueError:
        return text


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


_CASTS: dict[str, Cast] = {
    "integer": lambda text: int(text) if _INTEGER.fullmatch(text) else text,
    "number": _number,
    "boolean": lambda text: _BOOLEANS.get(text.lower(), text),
    "object": _json,
    "array": _json,
}


def _violations(error: jsonschema_rs.ValidationError) -> list[Violation]:
    kind = error.kind
    path = [str(part) for part in error.instance_path]
    field, inside = (path[0] if path else ""), ".".join(path[1:])
    if isinstance(kind, jsonschema_rs.ValidationErrorKind.AdditionalProperties):
        names = kind.unexpected
        if path:
            return [Violation(field, kind.name, ".".join([*path[1:], name])) for name in names]
        return [Violation(name, kind.name) for name in names]
    if isinstance(kind, jsonschema_rs.ValidationErrorKind.Required):
        rule = "dependentRequired" if "dependentRequired" in error.schema_path else "required"
        name = _required_name(kind)
        return [Violation(field, rule, ".".join([*path[1:], name])) if path else Violation(name, rule)]
    if isinstance(kind, jsonschema_rs.ValidationErrorKind.AnyOf) and not path:
        inner = [part.kind for branch in kind.context for part in branch]
        names = [_required_name(part) for part in inner if isinstance(part, jsonschema_rs.ValidationErrorKind.Required)]
        return [Violation("|".join(dict.fromkeys(names)), "anyOf")]
    return [Violation(field, kind.name, inside)]


def _required_name(kind: jsonschema_rs.ValidationErrorKind.Required) -> str:
    return str(kind.property)
