"""Facebook's part of the Graph API, as the connector ``facebook`` meets it: ads, and one Page."""

from __future__ import annotations

import hmac
import sqlite3
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar
from urllib.parse import parse_qs

from connectors.sandbox import facebook_ads, facebook_data, facebook_insights, facebook_pages, meta_graph
from connectors.sandbox.contract import Problem, ProblemKind
from connectors.sandbox.platform import Call, Handler, Platform, Refusal, Reply

_OF_PAGE = frozenset({"createPost", "createPagePhoto", "listPagePosts", "listScheduledPosts"})
_EITHER = frozenset({"getNode", "updateNode", "deleteNode", "getInsights", "debugToken"})


def _node(call: Call) -> Reply:
    """GET a node: the Page, an object of the ad account, a report or a post."""
    node_id, account = call.path["node_id"], call.principal
    if node_id == account["page_id"]:
        token = call.db.execute("SELECT token FROM facebook_token WHERE kind = 'page'").fetchone()["token"]
        known = {"id": node_id, "name": "Sandbox Page", "access_token": token}
        return Reply(200, facebook_data.shown(known, facebook_data.wanted(call, "name")))
    return _first(call, facebook_ads.node, facebook_insights.report, facebook_pages.node)


def _update(call: Call) -> Reply:
    """POST a node."""
    return _first(call, facebook_ads.update, facebook_pages.update)


def _delete(call: Call) -> Reply:
    """DELETE a node."""
    return _first(call, facebook_ads.delete, facebook_pages.delete)


def _first(call: Call, *tries: Callable[[Call, str], Reply | None]) -> Reply:
    for found in (one(call, call.path["node_id"]) for one in tries):
        if found is not None:
            return found
    raise meta_graph.no_such_node()


def _exchange(call: Call) -> Reply:
    """GET access_token: a living token against a new one that lives 60 days; the old one stays."""
    account = facebook_data.account(call.db)
    query = call.query
    if query["client_id"] != account["app_id"]:
        raise meta_graph.refusal(101, "Error validating application", status=400)
    if not hmac.compare_digest(query["client_secret"].encode(), account["app_secret"].encode()):
        raise meta_graph.refusal(1, "Error validating client secret")
    if query.get("grant_type") != "fb_exchange_token":
        raise meta_graph.refusal(100, "Unsupported grant_type, or a code that was used already", subcode=36009)
    row = facebook_data.token_row(call.db, query.get("fb_exchange_token"))
    if row is None or (row["expires_at"] is not None and row["expires_at"] <= call.now):
        raise Refusal(meta_graph.expired())
    token = facebook_data.add_token(call.db, "user", now=call.now, life_s=facebook_data.LONG_LIFE_S)
    life_s = facebook_data.LONG_LIFE_S
    return Reply(200, {"access_token": token, "token_type": "bearer", "expires_in": life_s})


def _debug(call: Call) -> Reply:
    """GET debug_token: what a token is."""
    row = facebook_data.token_row(call.db, call.query["input_token"])
    valid = row is not None and (row["expires_at"] is None or row["expires_at"] > call.now)
    ends = 0 if row is None or row["expires_at"] is None else int(row["expires_at"])
    facts = {"app_id": call.principal["app_id"], "is_valid": valid, "expires_at": ends, "scopes": ["ads_management"]}
    return Reply(200, {"data": facts})


class Facebook(Platform):
    """Facebook: campaigns, ad sets, ads, creatives, images, insights; posts of a Page."""

    slug: ClassVar[str] = "facebook"
    tables: ClassVar[str] = facebook_data.TABLES
    operations: ClassVar[Mapping[str, Handler]] = {
        "createCampaign": facebook_ads.create_campaign,
        "listCampaigns": facebook_ads.campaigns,
        "listCampaignsByLabel": facebook_ads.campaigns_by_label,
        "createAdSet": facebook_ads.create_adset,
        "listAdSets": facebook_ads.adsets,
        "createAd": facebook_ads.create_ad,
        "listAds": facebook_ads.ads,
        "createAdCreative": facebook_ads.create_creative,
        "uploadAdImage": facebook_ads.upload_image,
        "createPost": facebook_pages.create_post,
        "listPagePosts": facebook_pages.feed,
        "listScheduledPosts": facebook_pages.scheduled,
        "createPagePhoto": facebook_pages.create_photo,
        "getNode": _node,
        "updateNode": _update,
        "deleteNode": _delete,
        "getInsights": facebook_insights.insights,
        "createInsightsReport": facebook_insights.begin_report,
        "exchangeToken": _exchange,
        "debugToken": _debug,
    }

    def seed(self, db: sqlite3.Connection, *, now: float) -> None:
        """One ad account and one Page; the app requires the proof of its secret."""
        facebook_data.seed(db, now=now)

    def describe(self, db: sqlite3.Connection) -> dict[str, Any]:
        """The account, in the shape a connection wants, and the Page's own token."""
        account = facebook_data.account(db)

        def newest(kind: str) -> sqlite3.Row:
            query = "SELECT * FROM facebook_token WHERE kind = ? ORDER BY expires_at DESC LIMIT 1"
            row: sqlite3.Row = db.execute(query, (kind,)).fetchone()
            return row

        user = newest("user")
        return {
            "account": account["ad_account_id"],
            "credential": {
                "client_id": account["app_id"],
                "client_secret": account["app_secret"],
                "access_token": user["token"],
                "expires_at": datetime.fromtimestamp(user["expires_at"], UTC).isoformat(),
            },
            "settings": {"ad_account_id": account["ad_account_id"], "page_id": account["page_id"]},
            "page_access_token": newest("page")["token"],
            "short_lived_token": newest("short")["token"],
        }

    def recognizes(self, headers: Mapping[str, str], raw_query: bytes, db: sqlite3.Connection) -> bool:
        """By the token or the app: Meta's platforms share a host and their paths."""
        if facebook_data.token_row(db, meta_graph.bearer(headers)) is not None:
            return True
        app = parse_qs(raw_query.decode("latin-1")).get("client_id", [""])[0]
        return bool(app == facebook_data.account(db)["app_id"])

    def authenticate(self, call: Call) -> sqlite3.Row | None:
        """A living token of the right kind, with the proof that the app's own server uses it."""
        if call.operation.security is None:
            return None
        token = meta_graph.bearer(call.headers)
        row = facebook_data.token_row(call.db, token)
        if row is None or token is None:
            raise Refusal(meta_graph.error(190, "Invalid OAuth access token", status=401, subcode=467))
        if row["expires_at"] is not None and row["expires_at"] <= call.now:
            raise Refusal(meta_graph.expired())
        account = facebook_data.account(call.db)
        if call.operation.id != "debugToken":
            meta_graph.check_proof(call, token, account["app_secret"])
        _check_kind(call.operation.id, row["kind"])
        return account

    def refuse(self, problem: Problem) -> Reply:
        """Meta's error body with the code that fits, and the fields at fault."""
        if problem.kind in (ProblemKind.BODY, ProblemKind.QUERY) and problem.violations:
            named = dict.fromkeys(found.field or "body" for found in problem.violations)
            return meta_graph.error(100, "Invalid parameter", blame=[*named])
        return meta_graph.unfit(problem)

    def rate_limited(self, *, retry_after_s: int | None) -> Reply:
        """80004, with the minutes to wait in the usage header."""
        message = "There have been too many calls to this ad account"
        return meta_graph.limited(80004, message, use="ads_management", retry_after_s=retry_after_s)

    def server_error(self, status: int) -> Reply:
        """Meta's 500 or 503."""
        return meta_graph.failure(status)

    def auth_expired(self) -> Reply:
        """401 with code 190, subcode 463."""
        return meta_graph.expired()


def _check_kind(operation: str, kind: str) -> None:
    """A Page acts with its own token, and ads are no business of it."""
    if operation in _OF_PAGE and kind != "page":
        raise meta_graph.refusal(210, "A page access token is required to request this resource", status=403)
    if operation not in _OF_PAGE | _EITHER and kind == "page":
        raise meta_graph.refusal(294, "Managing ads needs a token with ads_management", status=403)
