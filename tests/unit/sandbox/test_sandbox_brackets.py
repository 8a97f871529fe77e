"""Names with brackets become objects and lists of the schema's types."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.sandbox.bodies import MalformedError
from connectors.sandbox.brackets import BracketShape
from connectors.sandbox.shapes import Violation

SHAPE = BracketShape(
    {
        "type": "object",
        "properties": {
            "items": {"type": "array", "items": {"$ref": "#/components/schemas/Item"}},
            "tags": {"type": "array", "items": {"type": "string"}},
            "metadata": {
                "anyOf": [
                    {"type": "string", "enum": [""]},
                    {"type": "object", "additionalProperties": {"type": "string"}},
                ]
            },
            "created": {"anyOf": [{"type": "object", "properties": {"gte": {"type": "integer"}}}, {"type": "integer"}]},
            "active": {"type": "boolean"},
        },
        "additionalProperties": False,
    },
    {
        "schemas": {
            "Item": {
                "type": "object",
                "properties": {
                    "price": {"type": "string"},
                    "quantity": {"type": "integer"},
                    "share": {"type": "number"},
                },
                "required": ["price"],
                "additionalProperties": False,
            }
        }
    },
)


@pytest.mark.parametrize(
    ("pairs", "value"),
    [
        ([("items[0][price]", "7"), ("items[0][quantity]", "2")], {"items": [{"price": "7", "quantity": 2}]}),
        ([("items[10][price]", "b"), ("items[2][price]", "a")], {"items": [{"price": "a"}, {"price": "b"}]}),
        ([("items[0][price]", "a"), ("items[0][share]", "0.5")], {"items": [{"price": "a", "share": 0.5}]}),
        ([("tags[]", "1"), ("tags[]", "2")], {"tags": ["1", "2"]}),
        ([("metadata[run]", "7"), ("metadata[ok]", "true")], {"metadata": {"run": "7", "ok": "true"}}),
        ([("metadata", "")], {"metadata": ""}),
        ([("created[gte]", "5")], {"created": {"gte": 5}}),
        ([("created", "5"), ("active", "false")], {"created": 5, "active": False}),
    ],
)
def test_brackets_say_what_is_inside_what(pairs: list[tuple[str, str]], value: Any) -> None:
    assert SHAPE.from_text(pairs) == value
    assert SHAPE.violations(value) == []


def test_what_does_not_fit_is_found_where_it_is() -> None:
    value = SHAPE.from_text([("items[0][price]", "a"), ("items[0][quantity]", "two"), ("colour[a]", "red")])
    assert set(SHAPE.violations(value)) == {
        Violation("items", "type", "0.quantity"),
        Violation("colour", "additionalProperties"),
    }


@pytest.mark.parametrize(
    "pairs",
    [
        [("items[0", "a")],
        [("items]0[", "a")],
        [("active", "true"), ("active", "false")],
        [("created", "5"), ("created[gte]", "5")],
        [("created[gte]", "5"), ("created", "5")],
    ],
)
def test_names_that_contradict_each_other_are_malformed(pairs: list[tuple[str, str]]) -> None:
    with pytest.raises(MalformedError):
        SHAPE.from_text(pairs)
