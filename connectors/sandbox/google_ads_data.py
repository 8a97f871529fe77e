"""What does Google Ads hold? Accounts, some of them below a manager, with campaigns, budgets and figures by day."""

from __future__ import annotations

import json
import sqlite3
from datetime import UTC, datetime, timedelta
from functools import cache

from connectors.sandbox import google_tokens
from connectors.sandbox.contract import Contract
from connectors.sandbox.google_ads_failures import Json, refusal
from connectors.sandbox.google_ads_query import Row, snake
from connectors.sandbox.platform import Call
from connectors.sandbox.shapes import Shape

OWNER = "ads@sandbox.example"
SCOPE = "https://www.googleapis.com/auth/adwords"
CLIENT, MANAGER, MANAGED, CLOSED, FOREIGN = "1234567890", "5550001111", "2345678901", "3456789012", "9998887776"
PORTFOLIO = "777"

TABLES = (
    google_tokens.TABLES
    + """
CREATE TABLE IF NOT EXISTS google_ads_customer (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    owner TEXT,
    manager TEXT,
    is_manager INTEGER NOT NULL,
    status TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS google_ads_object (
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    customer TEXT NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    content TEXT NOT NULL,
    removed INTEGER NOT NULL DEFAULT 0,
    visible_at REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS google_ads_object_by_name ON google_ads_object (customer, kind, name);
CREATE TABLE IF NOT EXISTS google_ads_day (
    campaign INTEGER NOT NULL,
    day TEXT NOT NULL,
    impressions INTEGER NOT NULL,
    clicks INTEGER NOT NULL,
    cost_micros INTEGER NOT NULL,
    conversions REAL NOT NULL,
    PRIMARY KEY (campaign, day)
) WITHOUT ROWID;
"""
)

_FIRST = 21_000_000_000
_EU = "DOES_NOT_CONTAIN_EU_POLITICAL_ADVERTISING"
_DAYS = 14


@cache
def contract() -> Contract:
    """The contract, for the rules below the first level."""
    return Contract("google_ads")


@cache
def shape(component: str) -> Shape:
    """A compiled schema of the contract."""
    return contract().shape(component)


def seed(db: sqlite3.Connection, *, now: float) -> None:
    """An account with a campaign that has figures and two that share a budget, a manager with an account below it."""
    customers = [
        (CLIENT, "Sandbox Shoes", OWNER, None, 0, "ENABLED"),
        (MANAGER, "Sandbox Agency", OWNER, None, 1, "ENABLED"),
        (MANAGED, "Sandbox Bikes", None, MANAGER, 0, "ENABLED"),
        (CLOSED, "Sandbox Closed", OWNER, None, 0, "CANCELED"),
        (FOREIGN, "Somebody Else", None, None, 0, "ENABLED"),
    ]
    db.executemany("INSERT INTO google_ads_customer VALUES (?, ?, ?, ?, ?, ?)", customers)
    own = insert(db, CLIENT, "campaignBudgets", _budget("Evergreen budget", shared=False), visible_at=now)
    evergreen = insert(db, CLIENT, "campaigns", _campaign("Evergreen", own), visible_at=now)
    shared = insert(db, CLIENT, "campaignBudgets", _budget("Shared budget", shared=True), visible_at=now)
    for name in ("Shared A", "Shared B"):
        insert(db, CLIENT, "campaigns", _campaign(name, shared), visible_at=now)
    first = datetime.fromtimestamp(now, UTC).date() - timedelta(days=_DAYS)
    rows = [
        (evergreen, str(first + timedelta(days=day)), 1000 + 10 * day, 50 + day, 20_000_000 + 1_000_000 * day, 2.5)
        for day in range(_DAYS)
    ]
    db.executemany("INSERT INTO google_ads_day VALUES (?, ?, ?, ?, ?, ?)", rows)
    google_tokens.grant(db, OWNER, [SCOPE], now=now)


def _budget(name: str, *, shared: bool) -> Json:
    return {"name": name, "amountMicros": "50000000", "deliveryMethod": "STANDARD", "explicitlyShared": shared}


def _campaign(name: str, budget: int) -> Json:
    return {
        "name": name,
        "status": "PAUSED",
        "advertisingChannelType": "SEARCH",
        "campaignBudget": f"customers/{CLIENT}/campaignBudgets/{budget}",
        "containsEuPoliticalAdvertising": _EU,
        "maximizeConversions": {},
    }


def customer(call: Call) -> sqlite3.Row:
    """The account that a request is about.

    Raises:
        Refusal: Whoever asks may not use it, or not without naming its manager.
    """
    found = call.db.execute("SELECT * FROM google_ads_customer WHERE id = ?", (call.path["customerId"],)).fetchone()
    through = call.headers.get("login-customer-id")
    direct = found is not None and found["owner"] == call.principal.account
    managed = found is not None and found["manager"] is not None and found["manager"] == through
    if not direct and not managed:
        raise refusal(403, "authorizationError", "USER_PERMISSION_DENIED")
    if through is not None and through != found["id"] and not managed:
        raise refusal(403, "authorizationError", "INVALID_LOGIN_CUSTOMER_ID_SERVING_CUSTOMER_ID_COMBINATION")
    if found["status"] != "ENABLED":
        raise refusal(403, "authorizationError", "CUSTOMER_NOT_ENABLED")
    row: sqlite3.Row = found
    return row


def insert(db: sqlite3.Connection, customer_id: str, kind: str, content: Json, *, visible_at: float) -> int:
    """Keep a resource; returns its id."""
    cursor = db.execute(
        "INSERT INTO google_ads_object (n, customer, kind, name, content, visible_at)"
        " VALUES ((SELECT coalesce(max(n), ?) + 1 FROM google_ads_object), ?, ?, ?, ?, ?)",
        (_FIRST, customer_id, kind, content["name"], json.dumps(content), visible_at),
    )
    assert cursor.lastrowid is not None
    return cursor.lastrowid


def find(call: Call, kind: str, resource_name: str) -> sqlite3.Row | None:
    """A resource of the request's account, removed ones too."""
    before, _, number = resource_name.rpartition("/")
    if before != f"customers/{call.path['customerId']}/{kind}" or not number.isdecimal():
        return None
    row: sqlite3.Row | None = call.db.execute(
        "SELECT * FROM google_ads_object WHERE customer = ? AND kind = ? AND n = ?",
        (call.path["customerId"], kind, int(number)),
    ).fetchone()
    return row


def is_taken(call: Call, kind: str, name: str, *, besides: int | None = None) -> bool:
    """Whether another resource of the kind, that is not removed, has this name."""
    return (
        call.db.execute(
            "SELECT 1 FROM google_ads_object WHERE customer = ? AND kind = ? AND name = ? AND NOT removed"
            " AND n IS NOT ?",
            (call.path["customerId"], kind, name, besides),
        ).fetchone()
        is not None
    )


def users(db: sqlite3.Connection, customer_id: str, budget: str) -> int:
    """How many campaigns use a budget."""
    rows = db.execute(
        "SELECT content FROM google_ads_object WHERE customer = ? AND kind = 'campaigns' AND NOT removed",
        (customer_id,),
    )
    return sum(json.loads(row["content"])["campaignBudget"] == budget for row in rows)


def budgets(call: Call, customer_row: sqlite3.Row) -> list[Row]:
    """All budgets, in the words of queries."""
    return [
        {"campaign_budget": _shown_budget(call, row), "customer": shown_customer(customer_row)}
        for row in _objects(call, "campaignBudgets")
    ]


def campaigns(call: Call, customer_row: sqlite3.Row) -> list[Row]:
    """All campaigns that a search shows, each with its budget, in the words of queries."""
    known = {_resource(row): _shown_budget(call, row) for row in _objects(call, "campaignBudgets", hidden=True)}
    return [
        {
            "campaign": (shown := _shown_campaign(row)),
            "campaign_budget": known.get(str(shown["campaign_budget"]), {"resource_name": ""}),
            "customer": shown_customer(customer_row),
        }
        for row in _objects(call, "campaigns")
    ]


def _objects(call: Call, kind: str, *, hidden: bool = False) -> list[sqlite3.Row]:
    return call.db.execute(
        "SELECT * FROM google_ads_object WHERE customer = ? AND kind = ? AND (? OR visible_at <= ?) ORDER BY n",
        (call.path["customerId"], kind, hidden, call.now),
    ).fetchall()


def _resource(row: sqlite3.Row) -> str:
    return f"customers/{row['customer']}/{row['kind']}/{row['n']}"


def _shown(row: sqlite3.Row) -> Json:
    plain = {snake(name): value for name, value in json.loads(row["content"]).items()}
    return {**plain, "id": row["n"], "resource_name": _resource(row)}


def _shown_campaign(row: sqlite3.Row) -> Json:
    found = _shown(row)
    bidding = next((name for name in BIDDING if snake(name) in found), "")
    serving = {"ENABLED": "SERVING", "PAUSED": "SUSPENDED"}.get(found["status"], "NONE")
    kind = "MAXIMIZE_CONVERSIONS" if bidding == "biddingStrategy" else snake(bidding).upper()
    return {
        **found,
        "status": "REMOVED" if row["removed"] else found["status"],
        "serving_status": "NONE" if row["removed"] else serving,
        "bidding_strategy_type": kind,
    }


def _shown_budget(call: Call, row: sqlite3.Row) -> Json:
    found = _shown(row)
    amounts: Json = {name: int(found[name]) for name in ("amount_micros", "total_amount_micros") if name in found}
    return {
        **found,
        **amounts,
        "status": "REMOVED" if row["removed"] else "ENABLED",
        "period": found.get("period", "DAILY"),
        "reference_count": users(call.db, row["customer"], _resource(row)),
    }


def shown_customer(row: sqlite3.Row) -> Json:
    """An account, in the words of queries."""
    return {
        "id": int(row["id"]),
        "resource_name": f"customers/{row['id']}",
        "descriptive_name": row["name"],
        "currency_code": "EUR",
        "time_zone": "Europe/Berlin",
        "manager": bool(row["is_manager"]),
        "test_account": True,
        "status": row["status"],
    }


BIDDING = (
    "biddingStrategy",
    "manualCpc",
    "manualCpm",
    "manualCpv",
    "maximizeConversions",
    "maximizeConversionValue",
    "targetCpa",
    "targetImpressionShare",
    "targetRoas",
    "targetSpend",
    "percentCpc",
    "commission",
    "manualCpa",
    "targetCpm",
    "fixedCpm",
    "targetCpv",
    "targetCpc",
)
"""The fields of a campaign of which exactly one is set."""
