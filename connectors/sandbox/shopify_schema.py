"""How does Shopify read a GraphQL document? Checked against its schema, charged in points, answered in its envelope."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from functools import cache
from importlib import resources
from typing import Any
from urllib.parse import urlsplit

import graphql
from graphql.language import FieldNode, OperationDefinitionNode, OperationType
from graphql.validation import NoDeprecatedCustomRule

from connectors.sandbox.platform import Call

Json = dict[str, Any]
Resolver = Callable[[Call, Json], Any]

VERSION = "2026-10"
IDEMPOTENT = frozenset({"inventorySetQuantities"})
"""Mutations that take, and need, the directive ``@idempotent``."""


class Unreadable(Exception):
    """A document that is not executed; ``errors`` is what Shopify answers."""

    def __init__(self, errors: list[Json]) -> None:
        super().__init__(len(errors))
        self.errors = errors


def failure(message: str, code: str) -> graphql.GraphQLError:
    """An error of the whole document with a code of Shopify's."""
    return graphql.GraphQLError(message, extensions={"code": code})


@cache
def schema() -> graphql.GraphQLSchema:
    """Shopify's schema, whose scalars take what Shopify takes."""
    text = resources.files("connectors.specs").joinpath("shopify.graphql").read_text("utf-8")
    built = graphql.build_schema(text)
    for name, check in _SCALARS.items():
        scalar = built.type_map[name]
        assert isinstance(scalar, graphql.GraphQLScalarType)
        scalar.coerce_input_value = check
    return built


def fields() -> frozenset[str]:
    """Names of all queries and mutations."""
    built = schema()
    assert built.query_type is not None
    assert built.mutation_type is not None
    return frozenset(built.query_type.fields) | frozenset(built.mutation_type.fields)


def _number(value: Any) -> str:
    try:
        text = str(Decimal(value if isinstance(value, str) else str(value)))
    except (InvalidOperation, ValueError):
        raise graphql.GraphQLError("invalid decimal") from None
    if isinstance(value, bool):
        raise graphql.GraphQLError("invalid decimal")
    return text


def _moment(value: Any) -> str:
    try:
        parsed = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise graphql.GraphQLError("invalid date time") from None
    if parsed.tzinfo is None:
        raise graphql.GraphQLError("invalid date time: no time zone")
    return str(value)


def _address(value: Any) -> str:
    if not isinstance(value, str) or urlsplit(value).scheme not in ("http", "https"):
        raise graphql.GraphQLError("invalid url")
    return value


def _unsigned(value: Any) -> int:
    if isinstance(value, bool) or not str(value).isdecimal():
        raise graphql.GraphQLError("invalid unsigned integer")
    return int(value)


_SCALARS: Mapping[str, Callable[[Any], Any]] = {
    "Decimal": _number,
    "Money": _number,
    "DateTime": _moment,
    "URL": _address,
    "UnsignedInt64": _unsigned,
}


class Document:
    """One document, found to fit the schema.

    Args:
        text: GraphQL.
        variables: As sent.
        name: Which of its operations is meant.

    Attributes:
        field: Name of its first root field.
        deprecated: Whether it uses what Shopify is going to remove.

    Raises:
        Unreadable: It does not fit.
    """

    def __init__(self, text: str, variables: Json, name: str | None) -> None:
        try:
            self.ast = graphql.parse(text)
        except graphql.GraphQLError as error:
            raise Unreadable([{"message": error.message, "locations": _locations(error)}]) from None
        found = graphql.get_operation_ast(self.ast, name)
        if found is None:
            raise Unreadable([{"message": f"No operation named {name!r}"}])
        broken = graphql.validate(schema(), self.ast)
        if broken:
            raise Unreadable([_static(error) for error in broken])
        self.operation: OperationDefinitionNode = found
        self.variables = variables
        self._name = name
        roots = [node for node in found.selection_set.selections if isinstance(node, FieldNode)]
        self.field = roots[0].name.value if roots else ""
        for node in roots:
            _check_directive(node)
        self.deprecated = bool(graphql.validate(schema(), self.ast, [NoDeprecatedCustomRule]))

    @property
    def is_mutation(self) -> bool:
        """Whether it may change something."""
        return self.operation.operation is OperationType.MUTATION

    def execute(self, call: Call) -> tuple[Json | None, list[Json]]:
        """Its data and its errors.

        Raises:
            Unreadable: Its variables do not fit.
        """
        done = graphql.execute_sync(
            schema(), self.ast, context_value=call, variable_values=self.variables, operation_name=self._name
        )
        errors = done.errors or []
        if done.data is None and errors and all(error.path is None for error in errors):
            raise Unreadable([{**_static(error), "extensions": {"code": "INVALID_VARIABLE"}} for error in errors])
        return done.data, [_raised(error) for error in errors]

    def cost(self) -> int:
        """The points that it may cost: 10 for a mutation, 1 for each object, lists by their size."""
        roots = self.operation.selection_set.selections
        points = sum(self._points(node) for node in roots) + (10 if self.is_mutation else 0)
        return max(1, round(points + _product_points(self.variables.get("input")) * (self.field == "productSet")))

    def _points(self, node: Any) -> float:
        if node.selection_set is None:
            return 0.0
        inner = sum(self._points(one) for one in node.selection_set.selections)
        if not isinstance(node, FieldNode):
            return inner
        first = self._first(node)
        # The longer a list, the less each of its objects costs.
        return 1.0 + inner if first is None else 2.0 + (1.0 + inner) * max(1, first.bit_length())

    def _first(self, node: FieldNode) -> int | None:
        for argument in node.arguments or ():
            if argument.name.value in ("first", "last"):
                value = graphql.value_from_ast_untyped(argument.value, self.variables)
                return value if isinstance(value, int) else None
        return None


def _product_points(given: Any) -> float:
    if not isinstance(given, dict):
        return 0.0

    def count(name: str) -> int:
        value = given.get(name)
        return len(value) if isinstance(value, list) else 0

    return 0.2 * count("variants") + 0.4 * count("metafields") + 1.9 * count("files")


def _check_directive(node: FieldNode) -> None:
    has = any(one.name.value == "idempotent" for one in node.directives or ())
    if has != (node.name.value in IDEMPOTENT):
        said = "is required on" if not has else "is not supported on"
        message = f"The @idempotent directive {said} {node.name.value}"
        raise Unreadable([{"message": message, "path": [node.name.value], "extensions": {"code": "BAD_REQUEST"}}])


def idempotency_key(info: graphql.GraphQLResolveInfo[Any]) -> str | None:
    """The key of the field's directive; None if it has none."""
    directive = schema().get_directive("idempotent")
    assert directive is not None
    for node in info.field_nodes:
        found = graphql.get_directive_values(directive, node, info.variable_values)
        if found:
            return str(found["key"])
    return None


def _locations(error: graphql.GraphQLError) -> list[Json]:
    return [{"line": at.line, "column": at.column} for at in error.locations or []]


def _static(error: graphql.GraphQLError) -> Json:
    code = "undefinedField" if error.message.startswith("Cannot query field") else "argumentLiteralsIncompatible"
    return {"message": error.message, "locations": _locations(error), "extensions": {"code": code}}


def _raised(error: graphql.GraphQLError) -> Json:
    if error.original_error is not None and not isinstance(error.original_error, graphql.GraphQLError):
        raise error.original_error
    found: Json = json.loads(json.dumps(error.formatted))
    return found


def bind(resolvers: Mapping[str, Resolver]) -> None:
    """Let these answer the fields of the schema.

    Raises:
        ValueError: They are not exactly the queries and mutations of the schema.
    """
    if set(resolvers) != fields():
        raise ValueError(f"shopify: resolvers and schema differ in {', '.join(sorted(set(resolvers) ^ fields()))}")
    built = schema()
    for kind in (built.query_type, built.mutation_type):
        assert kind is not None
        for name, field in kind.fields.items():
            field.resolve = _resolving(resolvers[name])


def _resolving(resolver: Resolver) -> Callable[..., Any]:
    def resolve(_root: Any, info: graphql.GraphQLResolveInfo[Any], **arguments: Any) -> Any:
        key = idempotency_key(info)
        return resolver(info.context, arguments if key is None else {**arguments, "@key": key})

    return resolve
