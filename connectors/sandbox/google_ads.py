"""The Google Ads API, as the connector ``google_ads`` meets it. Its tokens are Google's own."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

from connectors.sandbox import google_ads_data, google_ads_failures, google_ads_mutate, google_api, google_tokens
from connectors.sandbox.contract import Contract, Problem, ProblemKind
from connectors.sandbox.google_ads_failures import Json, headers, refusal
from connectors.sandbox.google_ads_query import Query, Row, answer, camel, read
from connectors.sandbox.google_tokens import Bearer
from connectors.sandbox.platform import Call, Handler, Platform, Reply
from connectors.sandbox.shapes import Shape

_PAGE = 10_000
_MOST_OPERATIONS = 10_000
_LOOSE = {
    "mutateCampaigns": ("operations", "Campaign"),
    "mutateCampaignBudgets": ("operations", "CampaignBudget"),
}


def _rows(call: Call) -> tuple[Query, list[Json]]:
    """A query and all its rows."""
    query, customer = read(call.body["query"]), google_ads_data.customer(call)
    if customer["is_manager"] and query.asks_for("metrics"):
        raise refusal(400, "queryError", "REQUESTED_METRICS_FOR_MANAGER")
    if query.resource == "customer":
        return query, answer(query, [{"customer": google_ads_data.shown_customer(customer)}])
    if query.resource == "campaign_budget":
        return query, answer(query, google_ads_data.budgets(call, customer))
    rows = google_ads_data.campaigns(call, customer)
    if query.asks_for("metrics") or query.asks_for("segments"):
        rows = [found for row in rows for found in _with_figures(call, query, row)]
    days = [one for one in query.conditions if one.field != "segments.date"]
    return query, answer(replace(query, conditions=tuple(days)), rows)


def _with_figures(call: Call, query: Query, row: Row) -> list[Row]:
    """A campaign's row with its figures: one for each day if days are selected, else one for all of them."""
    days = call.db.execute(
        "SELECT * FROM google_ads_day WHERE campaign = ? ORDER BY day", (row["campaign"]["id"],)
    ).fetchall()
    wanted = [day for day in days if all(one.holds(day["day"]) for one in query.of("segments.date"))]
    if query.asks_for("segments"):
        return [{**row, "segments": {"date": day["day"]}, "metrics": _figures([day])} for day in wanted]
    return [{**row, "metrics": _figures(wanted)}]


def _figures(days: list[sqlite3.Row]) -> Json:
    def total(name: str) -> Any:
        return sum(day[name] for day in days)

    impressions, clicks, cost = total("impressions"), total("clicks"), total("cost_micros")
    return {
        "impressions": impressions,
        "clicks": clicks,
        "interactions": clicks,
        "cost_micros": cost,
        "conversions": float(total("conversions")),
        "all_conversions": float(total("conversions")),
        "conversions_value": 30.0 * total("conversions"),
        "ctr": clicks / impressions if impressions else 0.0,
        "average_cpc": cost / clicks if clicks else 0.0,
    }


def _mask(query: Query) -> str:
    return ",".join(".".join(map(camel, field.split("."))) for field in query.fields)


def _search(call: Call) -> Reply:
    """POST googleAds:search: pages of 10,000 rows."""
    query, rows = _rows(call)
    token = call.body.get("pageToken") or "0"
    if not token.isdecimal() or int(token) > len(rows):
        raise refusal(400, "requestError", "INVALID_PAGE_TOKEN")
    start = int(token)
    after = {"nextPageToken": str(start + _PAGE)} if start + _PAGE < len(rows) else {}
    part = rows[start : start + _PAGE]
    return Reply(200, {**({"results": part} if part else {}), "fieldMask": _mask(query), **after}, headers())


def _search_stream(call: Call) -> Reply:
    """POST googleAds:searchStream: a list of batches."""
    query, rows = _rows(call)
    shown = headers()
    batch = {"results": rows, "fieldMask": _mask(query), "requestId": shown["request-id"]}
    return Reply(200, [batch] if rows else [], shown)


def _accessible(call: Call) -> Reply:
    """GET customers:listAccessibleCustomers: those that may be used without naming a manager."""
    rows = call.db.execute("SELECT id FROM google_ads_customer WHERE owner = ? ORDER BY id", (call.principal.account,))
    return Reply(200, {"resourceNames": [f"customers/{row['id']}" for row in rows]}, headers())


class GoogleAds(Platform):
    """Google Ads: campaigns, budgets, queries."""

    slug: ClassVar[str] = "google_ads"
    tables: ClassVar[str] = google_ads_data.TABLES
    operations: ClassVar[Mapping[str, Handler]] = {
        "createCampaign": google_ads_mutate.mutate_all,
        "mutateCampaigns": google_ads_mutate.mutate_campaigns,
        "mutateCampaignBudgets": google_ads_mutate.mutate_budgets,
        "searchCampaigns": _search,
        "getCampaignMetrics": _search_stream,
        "listAccessibleCustomers": _accessible,
    }

    def widen(self, contract: Contract) -> None:
        """Leave what each operation needs to the work, which names the field at fault as Google does."""
        loose = {
            "MutateOperation": _choice(
                {
                    **{name: {"type": "object"} for name in _others(contract)},
                    "campaignOperation": _operation("Campaign"),
                    "campaignBudgetOperation": _operation("CampaignBudget"),
                }
            )
        }
        for operation in contract.operations:
            if operation.id in _LOOSE:
                field, component = _LOOSE[operation.id]
                operation.bodies = {
                    "application/json": Shape(_request(field, _operation(component)), contract.components)
                }
            elif operation.id == "createCampaign":
                shape = Shape(_request("mutateOperations", loose["MutateOperation"]), contract.components)
                operation.bodies = {"application/json": shape}

    def seed(self, db: sqlite3.Connection, *, now: float) -> None:
        """Accounts of one person, campaigns, and figures of two weeks."""
        google_ads_data.seed(db, now=now)

    def describe(self, db: sqlite3.Connection) -> dict[str, Any]:
        """The account in the shape a connection wants, its campaigns, and the other accounts."""
        rows = db.execute("SELECT n, name FROM google_ads_object WHERE kind = 'campaigns' ORDER BY n LIMIT 3")
        return {
            "account": google_ads_data.CLIENT,
            "credential": google_tokens.credential(db, google_ads_data.OWNER),
            "settings": {"customer_id": google_ads_data.CLIENT},
            "campaigns": {row["name"]: str(row["n"]) for row in rows},
            "manager": google_ads_data.MANAGER,
            "managed": google_ads_data.MANAGED,
            "closed": google_ads_data.CLOSED,
            "foreign": google_ads_data.FOREIGN,
            "portfolio": google_ads_data.PORTFOLIO,
        }

    def authenticate(self, call: Call) -> Bearer:
        """A token with the scope of the API."""
        return google_tokens.bearer(call, google_ads_data.SCOPE)

    def refuse(self, problem: Problem) -> Reply:
        """Google's page for an unknown address, a failure for what Google Ads itself checks, else Google's own 400."""
        if problem.has("pageSize", "additionalProperties"):
            return refusal(400, "requestError", "PAGE_SIZE_NOT_SUPPORTED").reply
        if problem.kind is ProblemKind.PATH:
            return refusal(400, "requestError", "INVALID_CUSTOMER_ID").reply
        if problem.kind is ProblemKind.HEADER:
            return refusal(400, "headerError", "INVALID_LOGIN_CUSTOMER_ID").reply
        if any(one.rule == "maxItems" for one in problem.violations):
            return refusal(400, "requestError", "TOO_MANY_MUTATE_OPERATIONS").reply
        return google_api.unfit(problem)

    def rate_limited(self, *, retry_after_s: int | None) -> Reply:
        """429 with the quota's delay."""
        return google_ads_failures.limited(retry_after_s)

    def server_error(self, status: int) -> Reply:
        """500 with an ``internalError``, and the page of Google's front end for 503."""
        if status == 500:
            return refusal(500, "internalError", "INTERNAL_ERROR").reply
        return google_api.page(status)

    def auth_expired(self) -> Reply:
        """401 with ``OAUTH_TOKEN_EXPIRED``."""
        return refusal(401, "authenticationError", "OAUTH_TOKEN_EXPIRED").reply


def _others(contract: Contract) -> list[str]:
    """Operations on resources that the contract names and the sandbox does not play."""
    known: list[str] = [*contract.components["schemas"]["MutateOperation"]["properties"]]
    return [name for name in known if name not in ("campaignOperation", "campaignBudgetOperation")]


def _choice(properties: Json) -> Json:
    return {
        "type": "object",
        "minProperties": 1,
        "maxProperties": 1,
        "properties": properties,
        "additionalProperties": False,
    }


def _operation(component: str) -> Json:
    resource = {"$ref": f"#/components/schemas/{component}"}
    text = {"type": "string"}
    properties = {"create": resource, "update": resource, "remove": text, "updateMask": text}
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _request(field: str, item: Json) -> Json:
    flag = {"type": "boolean"}
    return {
        "type": "object",
        "required": [field],
        "additionalProperties": False,
        "properties": {
            field: {"type": "array", "minItems": 1, "maxItems": _MOST_OPERATIONS, "items": item},
            "partialFailure": flag,
            "validateOnly": flag,
            "responseContentType": {"enum": ["UNSPECIFIED", "RESOURCE_NAME_ONLY", "MUTABLE_RESOURCE"]},
        },
    }
