"""How does Google Ads read a query? Its own language: SELECT fields FROM a resource WHERE conditions."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from connectors.sandbox.google_ads_failures import Json, refusal

_CLAUSES = re.compile(
    r"\s*SELECT\s+(?P<select>.+?)\s+FROM\s+(?P<resource>\w+)(?:\s+WHERE\s+(?P<where>.+?))?"
    r"(?:\s+ORDER\s+BY\s+(?P<order>[\w.]+(?:\s+(?:ASC|DESC))?))?(?:\s+LIMIT\s+(?P<limit>\d+))?"
    r"(?:\s+PARAMETERS\s+.+)?\s*",
    re.IGNORECASE | re.DOTALL,
)
_TOKEN = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|[\w.]+|!=|>=|<=|[=<>(),]|\S")
_OPERATORS = frozenset({"=", "!=", ">", ">=", "<", "<=", "IN", "NOT IN", "LIKE", "NOT LIKE", "BETWEEN"})

_FIELDS: Mapping[str, str] = {
    "campaign": """id name resource_name status serving_status primary_status advertising_channel_type
        advertising_channel_sub_type bidding_strategy_type campaign_budget start_date_time end_date_time
        final_url_suffix tracking_url_template contains_eu_political_advertising""",
    "campaign_budget": """id name resource_name status amount_micros total_amount_micros delivery_method
        explicitly_shared reference_count period""",
    "customer": "id resource_name descriptive_name currency_code time_zone manager test_account status",
    "metrics": """impressions clicks cost_micros conversions conversions_value ctr average_cpc all_conversions
        interactions""",
    "segments": "date",
}
_SELECTABLE = {
    "campaign": frozenset(_FIELDS),
    "campaign_budget": frozenset({"campaign_budget", "customer"}),
    "customer": frozenset({"customer", "metrics", "segments"}),
}


@dataclass(frozen=True)
class Condition:
    """One condition: a field, an operator, and what it is compared with."""

    field: str
    operator: str
    values: tuple[str, ...]

    def holds(self, has: Any) -> bool:
        """Whether a value fits."""
        text = _text(has)
        match self.operator:
            case "IN" | "=":
                return text in self.values
            case "NOT IN" | "!=":
                return text not in self.values
            case "LIKE" | "NOT LIKE":
                return bool(_like(self.values[0]).fullmatch(text)) == (self.operator == "LIKE")
            case "BETWEEN":
                return _key(self.values[0]) <= _key(text) <= _key(self.values[1])
            case ">" | "<":
                return (_key(text) > _key(self.values[0])) == (self.operator == ">") and text != self.values[0]
            case _:
                return (_key(text) >= _key(self.values[0])) == (self.operator == ">=") or text == self.values[0]


@dataclass(frozen=True)
class Query:
    """A query, found to be one."""

    fields: tuple[str, ...]
    resource: str
    conditions: tuple[Condition, ...]
    order: str | None
    descending: bool
    limit: int | None

    def asks_for(self, group: str) -> bool:
        """Whether fields of a resource, the metrics or the segments are selected."""
        return any(one.startswith(f"{group}.") for one in self.fields)

    def of(self, field: str) -> list[Condition]:
        """The conditions on a field."""
        return [one for one in self.conditions if one.field == field]


def read(text: str) -> Query:
    """A query.

    Raises:
        Refusal: 400 with a ``queryError``.
    """
    if not re.match(r"\s*SELECT\b", text, re.IGNORECASE):
        raise refusal(400, "queryError", "EXPECTED_SELECT")
    clauses = _CLAUSES.fullmatch(text)
    if clauses is None:
        value = "EXPECTED_FROM" if not re.search(r"\bFROM\b", text, re.IGNORECASE) else "UNEXPECTED_INPUT"
        raise refusal(400, "queryError", value)
    resource = clauses["resource"]
    if resource not in _SELECTABLE:
        raise refusal(400, "queryError", "BAD_RESOURCE_TYPE_IN_FROM_CLAUSE")
    fields = tuple(one.strip() for one in clauses["select"].split(","))
    order, _, direction = (clauses["order"] or "").partition(" ")
    conditions = tuple(_conditions(clauses["where"] or ""))
    for name in (*fields, *(one.field for one in conditions), *([order] if order else [])):
        _check(name, resource)
    if order and order not in fields:
        raise refusal(400, "queryError", "EXPECTED_REFERENCED_FIELD_IN_SELECT_CLAUSE")
    limit = None if clauses["limit"] is None else int(clauses["limit"])
    if limit == 0:
        raise refusal(400, "queryError", "LIMIT_VALUE_TOO_LOW")
    return Query(fields, resource, conditions, order or None, direction.strip().upper() == "DESC", limit)


def _check(name: str, resource: str) -> None:
    group, _, field = name.partition(".")
    if field not in _FIELDS.get(group, "").split():
        raise refusal(400, "queryError", "UNRECOGNIZED_FIELD")
    if group not in _SELECTABLE[resource]:
        raise refusal(400, "queryError", "PROHIBITED_RESOURCE_TYPE_IN_SELECT_CLAUSE")


def _conditions(text: str) -> Iterator[Condition]:
    tokens = _TOKEN.findall(text)
    while tokens:
        field, operator = tokens.pop(0), _operator(tokens)
        yield Condition(field, operator, _values(tokens, operator))
        if tokens and tokens.pop(0).upper() != "AND":
            raise refusal(400, "queryError", "EXPECTED_AND")


def _operator(tokens: list[str]) -> str:
    found = tokens.pop(0).upper() if tokens else ""
    if found == "NOT" and tokens:
        found = f"NOT {tokens.pop(0).upper()}"
    if found not in _OPERATORS:
        raise refusal(400, "queryError", "BAD_OPERATOR")
    return found


def _values(tokens: list[str], operator: str) -> tuple[str, ...]:
    if operator.endswith("IN"):
        if "(" not in tokens[:1] or ")" not in tokens:
            raise refusal(400, "queryError", "EXPECTED_LIST")
        end = tokens.index(")")
        found = [one for one in tokens[1:end] if one != ","]
        del tokens[: end + 1]
        if not found:
            raise refusal(400, "queryError", "PROHIBITED_EMPTY_LIST_IN_CONDITION")
        return tuple(map(_unquoted, found))
    if operator == "BETWEEN":
        if len(tokens) < 3 or tokens[1].upper() != "AND":
            raise refusal(400, "queryError", "EXPECTED_VALUE_WITH_BETWEEN_OPERATOR")
        found = [tokens[0], tokens[2]]
        del tokens[:3]
        return tuple(map(_unquoted, found))
    if not tokens:
        raise refusal(400, "queryError", "UNEXPECTED_END_OF_QUERY")
    return (_unquoted(tokens.pop(0)),)


def _unquoted(token: str) -> str:
    if token[0] in "'\"":
        if len(token) < 2 or token[-1] != token[0]:
            raise refusal(400, "queryError", "STRING_NOT_TERMINATED")
        return re.sub(r"\\(.)", r"\1", token[1:-1])
    if not re.fullmatch(r"[\w.]+", token):
        raise refusal(400, "queryError", "BAD_SYMBOL")
    return token


def _like(pattern: str) -> re.Pattern[str]:
    parts = re.findall(r"\[.\]|%|_|[^%_\[]|\[", pattern, re.DOTALL)
    wild = {"%": ".*", "_": "."}
    return re.compile("".join(wild.get(one) or re.escape(one[1] if len(one) == 3 else one) for one in parts), re.DOTALL)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)


def _key(text: str) -> tuple[int, float, str]:
    """Numbers by size, everything else by its letters."""
    try:
        return (0, float(text), "")
    except ValueError:
        return (1, 0.0, text)


Row = dict[str, Json]


def answer(query: Query, rows: list[Row]) -> list[Json]:
    """The rows that fit, with what was selected: camelCase, and nothing that is empty or zero."""
    fitting = [row for row in rows if all(one.holds(_value(row, one.field)) for one in query.conditions)]
    if query.order is not None:
        key: Callable[[Row], Any] = lambda row: _key(_text(_value(row, str(query.order))))  # noqa: E731
        fitting.sort(key=key, reverse=query.descending)
    return [_shown(query, row) for row in fitting[: query.limit]]


def _value(row: Row, field: str) -> Any:
    group, _, name = field.partition(".")
    return row.get(group, {}).get(name)


def _shown(query: Query, row: Row) -> Json:
    found: Json = {}
    for field in query.fields:
        group, _, name = field.partition(".")
        value = _value(row, field)
        target = found.setdefault(camel(group), {})
        if group in ("campaign", "campaign_budget", "customer"):
            target["resourceName"] = row[group]["resource_name"]
        if value not in (None, "", 0, False, 0.0):
            target[camel(name)] = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    return found


def camel(name: str) -> str:
    """A name as it is written in JSON."""
    first, *rest = name.split("_")
    return first + "".join(one.capitalize() for one in rest)


def snake(name: str) -> str:
    """A name as it is written in queries."""
    return re.sub(r"(?<!^)([A-Z])", lambda found: f"_{found[1].lower()}", name)
