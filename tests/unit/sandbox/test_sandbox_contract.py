"""Requests are read as the contract says: forms and queries become typed values, and what does not fit is named."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any
from urllib.parse import urlencode

import pytest

from connectors.sandbox import bodies
from connectors.sandbox.contract import Contract, Operation, Problem, ProblemKind
from connectors.sandbox.platforms import PLATFORMS
from connectors.sandbox.shapes import Shape, Violation

SLUGS = [platform.slug for platform in PLATFORMS]


def examples() -> list[Any]:
    found = []
    for slug in SLUGS:
        spec = json.loads(resources.files("connectors.specs").joinpath(f"{slug}.json").read_text())
        for item in spec["paths"].values():
            for source in item.values():
                content = source.get("requestBody", {}).get("content", {}) if isinstance(source, dict) else {}
                for media_type, body in content.items():
                    for name, example in body.get("examples", {}).items():
                        label = f"{slug}-{source['operationId']}-{name}"
                        found.append(pytest.param(slug, source["operationId"], media_type, example["value"], id=label))
    return found


def operation(slug: str, operation_id: str) -> Operation:
    return next(found for found in Contract(slug).operations if found.id == operation_id)


@pytest.mark.parametrize(("slug", "operation_id", "media_type", "value"), examples())
def test_every_example_of_a_contract_is_accepted(slug: str, operation_id: str, media_type: str, value: Any) -> None:
    found = operation(slug, operation_id)
    if media_type == bodies.JSON:
        raw = json.dumps(value).encode()
    elif media_type == bodies.FORM:
        raw = urlencode(value, doseq=True).encode()
    else:
        raw, value = b"\x00bytes", b"\x00bytes"
    assert found.read_body(raw, f"{media_type}; charset=utf-8") == value


@pytest.mark.parametrize("slug", SLUGS)
def test_every_operation_of_a_contract_is_played(slug: str) -> None:
    platform = next(found for found in PLATFORMS if found.slug == slug)
    assert set(platform.operations) == {found.id for found in Contract(slug).operations}


SHAPE = Shape(
    {
        "type": "object",
        "properties": {
            "text": {"type": "string", "maxLength": 5},
            "count": {"type": ["integer", "null"]},
            "price": {"type": "number"},
            "loud": {"type": "boolean"},
            "tags": {"type": "array", "items": {"type": "integer"}},
            "ids": {"type": "array", "items": {"type": "string"}},
            "part": {"$ref": "#/components/schemas/Part"},
        },
        "required": ["text"],
        "additionalProperties": False,
        "anyOf": [{"required": ["count"]}, {"required": ["price"]}],
        "dependentRequired": {"loud": ["tags"]},
    },
    {"schemas": {"Part": {"type": "object", "properties": {"n": {"type": "integer"}}, "additionalProperties": False}}},
    comma_lists=frozenset({"ids"}),
)


def test_text_is_cast_to_the_types_of_the_schema() -> None:
    pairs = [
        ("text", "7"),
        ("count", "-3"),
        ("price", "1.5"),
        ("loud", "True"),
        ("tags", "1"),
        ("tags", "2"),
        ("ids", "a,b"),
    ]
    value = SHAPE.from_text([*pairs])
    assert value == {"text": "7", "count": -3, "price": 1.5, "loud": True, "tags": [1, 2], "ids": ["a", "b"]}
    assert SHAPE.violations(value) == []


def test_text_that_cannot_be_cast_and_keys_that_repeat_are_found() -> None:
    value = SHAPE.from_text([("text", "a"), ("text", "b"), ("count", "three"), ("tags", "x")])
    assert {(found.field, found.rule) for found in SHAPE.violations(value)} == {
        ("text", "type"),
        ("count", "type"),
        ("tags", "type"),
    }


def test_objects_in_forms_are_json_where_the_platform_says_so() -> None:
    shape = SHAPE.with_json_text()
    assert shape.from_text([("part", '{"n":1}'), ("tags", "[1,2]")]) == {"part": {"n": 1}, "tags": [1, 2]}
    assert SHAPE.from_text([("tags", "1")]) == {"tags": [1]}


@pytest.mark.parametrize(
    ("value", "violation"),
    [
        ({"count": 1}, Violation("text", "required")),
        ({"text": "a"}, Violation("count|price", "anyOf")),
        ({"text": "a", "count": 1, "x": 1}, Violation("x", "additionalProperties")),
        ({"text": "123456", "count": 1}, Violation("text", "maxLength")),
        ({"text": "a", "count": 1, "loud": True}, Violation("tags", "dependentRequired")),
        ({"text": "a", "count": 1, "part": {"m": 1}}, Violation("part", "additionalProperties", "m")),
        ({"text": "a", "count": 1, "tags": [1, "x"]}, Violation("tags", "type", "1")),
        ([], Violation("", "type")),
    ],
)
def test_each_violation_names_its_field_and_rule(value: Any, violation: Violation) -> None:
    assert violation in SHAPE.violations(value)


@pytest.mark.parametrize(
    ("raw", "content_type", "kind"),
    [
        (b"To=%2B1", "application/json", ProblemKind.CONTENT_TYPE),
        (b"To=%2B1", "", ProblemKind.CONTENT_TYPE),
        (b"To=%FF", "application/x-www-form-urlencoded", ProblemKind.MALFORMED_BODY),
        (b"no form", "application/x-www-form-urlencoded", ProblemKind.MALFORMED_BODY),
        (b"", "application/x-www-form-urlencoded", ProblemKind.BODY),
    ],
)
def test_a_body_that_cannot_be_read_is_a_problem_of_its_kind(raw: bytes, content_type: str, kind: ProblemKind) -> None:
    with pytest.raises(Problem) as caught:
        operation("sms", "sendSMS").read_body(raw, content_type)
    assert caught.value.kind is kind


def test_query_names_may_hold_signs() -> None:
    query = operation("sms", "listMessages").read_query(b"DateSent%3E=2026-11-24&PageSize=20")
    assert query == {"DateSent>": "2026-11-24", "PageSize": 20}


@pytest.mark.parametrize("raw", [b"{", b"\xff", b'{"x": NaN}', b'"\\ud800"', b'"\xed\xa0\x80"', b"[" * 100_000])
def test_what_is_not_json_is_malformed(raw: bytes) -> None:
    with pytest.raises(bodies.MalformedError):
        bodies.read_json(raw)


def test_escaped_pairs_are_whole_characters() -> None:
    assert bodies.read_json(b'"\\ud83d\\ude00"') == "\U0001f600"


def test_a_multipart_form_keeps_files_as_bytes() -> None:
    raw = (
        b'--b\r\nContent-Disposition: form-data; name="title"\r\n\r\nPlan\r\n'
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\n'
        b"Content-Type: application/octet-stream\r\n\r\n\x00\xff\r\n\r\n--b--\r\n"
    )
    assert bodies.read_multipart(raw, "multipart/form-data; boundary=b") == [
        ("title", "Plan"),
        ("file", b"\x00\xff\r\n"),
    ]
    with pytest.raises(bodies.MalformedError):
        bodies.read_multipart(b"x", "multipart/form-data")


@pytest.mark.parametrize(
    ("filtering", "violation"),
    [
        ('{"campaign_ids": ["1"], "campaign_name": "Spring"}', None),
        ('{"campaign_ids": "1"}', Violation("filtering", "type", "campaign_ids")),
        ('{"colour": "red"}', Violation("filtering", "additionalProperties", "colour")),
        ("Spring", Violation("filtering", "type")),
    ],
)
def test_a_query_parameter_with_a_content_is_read_as_json(filtering: str, violation: Violation | None) -> None:
    found = operation("tiktok", "listCampaigns")
    query = urlencode({"advertiser_id": "7", "fields": '["campaign_id"]', "filtering": filtering}).encode()

    if violation is None:
        read = found.read_query(query)
        assert read["fields"] == ["campaign_id"]
        assert read["filtering"] == json.loads(filtering)
        return
    with pytest.raises(Problem) as caught:
        found.read_query(query)
    assert caught.value.violations == (violation,)


@pytest.mark.parametrize("slug", SLUGS)
def test_every_schema_of_a_contract_can_be_compiled(slug: str) -> None:
    for operation in Contract(slug).operations:
        shapes = [operation.path_shape, operation.query_shape, operation.header_shape, *operation.bodies.values()]
        assert all(shape.validator for shape in shapes if shape is not None)
