"""Bad input for every action: refused before any call, with the field and the rule, never with the value."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from connectors import registry
from connectors.kit.connector import AnyAction
from neonhub_worker.requests import field_errors

ACTIONS = [action for connector in registry.CONNECTORS for action in connector.actions.values()]
each_action = pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.full_name)

_NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
_MARK = "Qx7"


def wrong_values(action: AnyAction) -> Iterator[tuple[str, str, Any]]:
    """Each field, the rule it breaks, and a value that breaks it, by the input's own schema."""
    schema = action.input.model_json_schema()
    for field, told in schema.get("properties", {}).items():
        for one in _choices(told, schema):
            yield from ((field, rule, value) for rule, value in _wrong(one))


def _choices(told: dict[str, Any], schema: dict[str, Any]) -> list[dict[str, Any]]:
    """A field that takes one kind of value only; of those that take several no value is wrong for sure."""
    if "$ref" in told:
        return _choices(schema["$defs"][told["$ref"].rpartition("/")[2]], schema)
    if "anyOf" in told or "oneOf" in told:
        kinds = [one for one in told.get("anyOf") or told["oneOf"] if one.get("type") != "null"]
        return _choices(kinds[0], schema) if len(kinds) == 1 else []
    return [told]


def _wrong(told: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    if "enum" in told or "const" in told:
        yield "choice", f"{_MARK}no-such-choice"
        return
    kind = told.get("type")
    if kind == "string":
        yield "type", {_MARK: _MARK}
    elif kind is not None:
        yield "type", f"{_MARK}one"
    if "maxLength" in told:
        yield "too long", _MARK + "x" * told["maxLength"]
    if "maxItems" in told:
        yield "too many", [f"{_MARK}{number}" for number in range(told["maxItems"] + 1)]
    beyond = {"maximum": 1, "exclusiveMaximum": 0, "minimum": -1, "exclusiveMinimum": 0}
    yield from ((bound, told[bound] + by) for bound, by in beyond.items() if bound in told)


@each_action
def test_a_wrong_value_is_refused_with_its_field_and_never_shown(action: AnyAction) -> None:
    for field, rule, value in wrong_values(action):
        with pytest.raises(ValidationError) as caught:
            action.input.accept({field: value}, now=_NOW)
        errors = [error for error in field_errors(caught.value) if error.field.split(".")[0] == field]
        assert errors, f"{field}, {rule}: not named"
        shown = f"{caught.value} {' '.join(str(error) for error in errors)}"
        assert _MARK not in shown, f"{field}, {rule}: the value is shown"


@each_action
def test_what_is_missing_and_what_does_not_exist_is_named(action: AnyAction) -> None:
    with pytest.raises(ValidationError) as caught:
        action.input.accept({"no_such_field": _MARK}, now=_NOW)
    named = {error.field for error in field_errors(caught.value)}
    assert named >= {"no_such_field", *action.input.model_json_schema().get("required", ())}
    assert _MARK not in str(caught.value)
