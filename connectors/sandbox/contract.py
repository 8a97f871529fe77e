"""What does a platform accept? Its contract (OpenAPI 3.1), loaded once and compiled."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from importlib import resources
from typing import Any
from urllib.parse import unquote, urlsplit

from connectors.sandbox import bodies
from connectors.sandbox.brackets import BracketShape
from connectors.sandbox.shapes import Schema, Shape, Violation

_METHODS = ("get", "post", "put", "patch", "delete", "head")
_PLACEHOLDER = re.compile(r"\{([^}]+)\}")


class ProblemKind(StrEnum):
    """Why a request does not fit the contract."""

    UNKNOWN_PATH = "unknown_path"
    METHOD = "method"
    PATH = "path"
    QUERY = "query"
    HEADER = "header"
    CONTENT_TYPE = "content_type"
    MALFORMED_BODY = "malformed_body"
    BODY = "body"


class Problem(Exception):
    """A request that does not fit the contract; the platform puts it in its own words.

    Args:
        kind: What is wrong.
        operation: The operation that was matched, when there was one.
        violations: The details, for ``path``, ``query``, ``header`` and ``body``.
        content_type: The request's media type, "" when it named none.
    """

    def __init__(
        self,
        kind: ProblemKind,
        *,
        operation: Operation | None = None,
        violations: Iterable[Violation] = (),
        content_type: str = "",
    ) -> None:
        super().__init__(kind.value)
        self.kind = kind
        self.operation = operation
        self.violations = tuple(violations)
        self.content_type = content_type

    def has(self, field_name: str, rule: str | None = None) -> bool:
        """Is there a violation of this field (and this rule)?"""
        return any(found.field == field_name and rule in (None, found.rule) for found in self.violations)


@dataclass(slots=True)
class Operation:
    """One operation of a contract, ready to check requests.

    Attributes:
        connector: Slug of the platform.
        id: The operationId.
        method: In upper case.
        host: Host name, perhaps with ``{placeholders}``.
        path: Path template, with the server's own path in front.
        security: Security scheme name to scopes; None when anyone may ask.
        bodies: Media type to shape; a media type may end in ``/*``.
        body_required: The body may not be left out.
        body_is_query: The query may also come as a form in the body.
    """

    connector: str
    id: str
    method: str
    host: str
    path: str
    security: dict[str, list[str]] | None
    path_shape: Shape
    query_shape: Shape
    header_shape: Shape | None = None
    bodies: dict[str, Shape | None] = field(default_factory=dict)
    body_required: bool = False
    body_is_query: bool = False

    def read_path(self, values: Mapping[str, str]) -> dict[str, str]:
        """The decoded path values.

        Raises:
            Problem: a value does not fit.
        """
        found = {name: unquote(value) for name, value in values.items()}
        self._check(ProblemKind.PATH, self.path_shape, found)
        return found

    def read_query(self, raw: bytes) -> dict[str, Any]:
        """The query as typed values.

        Raises:
            Problem: malformed, unknown, missing or unfitting.
        """
        try:
            query = self.query_shape.from_text(bodies.read_form(raw) if raw else [])
        except bodies.MalformedError:
            raise Problem(ProblemKind.QUERY, operation=self) from None
        self._check(ProblemKind.QUERY, self.query_shape, query)
        return query

    def read_posted_query(self, query: bytes, raw: bytes, content_type: str) -> dict[str, Any]:
        """The query and the form in the body, taken together.

        Raises:
            Problem: the body is no form, or as for ``read_query``.
        """
        if raw:
            self._shape_for(bodies.media_type(content_type))
        return self.read_query(b"&".join(part for part in (query, raw) if part))

    def read_headers(self, headers: Mapping[str, str]) -> None:
        """Check the headers that the contract names.

        Raises:
            Problem: one is missing or does not fit.
        """
        if self.header_shape is not None:
            self._check(ProblemKind.HEADER, self.header_shape, self.header_shape.from_text([*headers.items()]))

    def read_body(self, raw: bytes, content_type: str) -> Any:
        """The body: a typed value for JSON and forms, bytes for other media types, None when there is none.

        Raises:
            Problem: wrong media type, unreadable, or not fitting the schema.
        """
        if not raw and not self.body_required:
            return None
        kind = bodies.media_type(content_type)
        shape = self._shape_for(kind)
        value = self._decode(raw, kind, content_type, shape)
        if shape is not None and not isinstance(value, bytes):
            self._check(ProblemKind.BODY, shape, _without_bytes(value) if kind == bodies.MULTIPART else value)
        return value

    def _shape_for(self, kind: str) -> Shape | None:
        for name in (kind, f"{kind.partition('/')[0]}/*", "*/*"):
            if name in self.bodies:
                return self.bodies[name]
        raise Problem(ProblemKind.CONTENT_TYPE, operation=self, content_type=kind)

    def _decode(self, raw: bytes, kind: str, content_type: str, shape: Shape | None) -> Any:
        try:
            if kind == bodies.JSON or kind.endswith("+json"):
                return bodies.read_json(raw)
            if kind == bodies.FORM and shape is not None:
                return shape.from_text(bodies.read_form(raw))
            if kind == bodies.MULTIPART and shape is not None:
                return shape.from_text(bodies.read_multipart(raw, content_type))
        except bodies.MalformedError:
            raise Problem(ProblemKind.MALFORMED_BODY, operation=self, content_type=kind) from None
        return raw

    def _check(self, kind: ProblemKind, shape: Shape, value: Any) -> None:
        violations = shape.violations(value)
        if violations:
            raise Problem(kind, operation=self, violations=violations)


def _without_bytes(value: Any) -> Any:
    """The value with uploaded bytes as empty text, because no JSON Schema describes bytes."""
    if isinstance(value, dict):
        return {name: _without_bytes(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_without_bytes(part) for part in value]
    return "" if isinstance(value, bytes) else value


class Contract:
    """All operations of one platform.

    Args:
        slug: The connector's slug, which names its file in ``connectors.specs``.
    """

    def __init__(self, slug: str) -> None:
        text = resources.files("connectors.specs").joinpath(f"{slug}.json").read_text("utf-8")
        self._spec: dict[str, Any] = json.loads(text)
        self.slug = slug
        self.components: dict[str, Any] = self._spec.get("components", {})
        self.operations = [*self._operations()]

    def shape(self, component: str) -> Shape:
        """The compiled schema of one named component."""
        return Shape({"$ref": f"#/components/schemas/{component}"}, self.components)

    def _operations(self) -> Iterable[Operation]:
        for path, item in self._spec["paths"].items():
            for method in _METHODS:
                if method in item:
                    servers = item[method].get("servers") or item.get("servers") or self._spec["servers"]
                    for server in servers:
                        yield self._operation(path, method, item, urlsplit(server["url"]))

    def _operation(self, path: str, method: str, item: Mapping[str, Any], server: Any) -> Operation:
        source = item[method]
        parameters = [self._parameter(found) for found in [*item.get("parameters", []), *source.get("parameters", [])]]
        security = source.get("security", self._spec.get("security", []))
        body = source.get("requestBody", {})
        return Operation(
            connector=self.slug,
            id=source["operationId"],
            method=method.upper(),
            host=server.netloc,
            path=server.path.rstrip("/") + path,
            security=_alternatives(security),
            path_shape=self._parameters_shape(parameters, "path", strict=False),
            query_shape=self._parameters_shape(parameters, "query", strict=True),
            header_shape=self._parameters_shape(parameters, "header", strict=False)
            if any(found["in"] == "header" for found in parameters)
            else None,
            bodies={
                kind: self._content_shape(content) if "schema" in content else None
                for kind, content in body.get("content", {}).items()
            },
            body_required=body.get("required", False),
        )

    def _content_shape(self, content: Mapping[str, Any]) -> Shape:
        kind = BracketShape if any(map(_in_brackets, content.get("encoding", {}).values())) else Shape
        return kind(content["schema"], self.components)

    def _parameter(self, found: Mapping[str, Any]) -> Mapping[str, Any]:
        if "$ref" not in found:
            return found
        target: Mapping[str, Any] = self.components["parameters"][found["$ref"].rpartition("/")[2]]
        return target

    def _parameters_shape(self, parameters: list[Mapping[str, Any]], place: str, *, strict: bool) -> Shape:
        here = {
            (one["name"].lower() if place == "header" else one["name"]): one for one in parameters if one["in"] == place
        }
        schema: Schema = {
            "type": "object",
            "properties": {name: _schema(one) for name, one in here.items()},
            "required": [name for name, one in here.items() if one.get("required")],
        }
        if strict:
            schema["additionalProperties"] = False
        if any(map(_in_brackets, here.values())):
            return BracketShape(schema, self.components)
        commas = frozenset(name for name, one in here.items() if one.get("explode") is False)
        shape = Shape(schema, self.components, comma_lists=commas)
        return shape.with_json_text() if any("content" in one for one in here.values()) else shape


def _alternatives(security: list[dict[str, list[str]]]) -> dict[str, list[str]] | None:
    """Each scheme with all the scopes of which one is enough; a contract may name a scheme once per scope."""
    found: dict[str, list[str]] = {}
    for one in security:
        for name, scopes in one.items():
            found[name] = [*found.get(name, ()), *scopes]
    return found or None


def _schema(parameter: Mapping[str, Any]) -> Schema:
    """A parameter's schema; one that has a content instead holds JSON as its text."""
    content: Mapping[str, Any] = parameter.get("content", {}).get("application/json", {})
    found: Schema = parameter.get("schema", content.get("schema", {}))
    return found


def _in_brackets(described: Mapping[str, Any]) -> bool:
    return described.get("style") == "deepObject"


def path_pattern(template: str) -> re.Pattern[str]:
    """A pattern that matches the raw (still percent-encoded) paths of a template; groups are numbered."""
    literal = [re.escape(part) for part in _PLACEHOLDER.split(template)[::2]]
    return re.compile("([^/]+?)".join(literal))


def placeholders(template: str) -> tuple[str, ...]:
    """The names of a template's placeholders, in order."""
    return tuple(_PLACEHOLDER.findall(template))
