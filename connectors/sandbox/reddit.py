"""Reddit's Ads and Data APIs, as the connector ``reddit`` meets them."""

from __future__ import annotations

import base64
import binascii
import hmac
import re
import sqlite3
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar

from connectors.sandbox import reddit_ads, reddit_data, reddit_media, reddit_posts
from connectors.sandbox.contract import Problem, ProblemKind
from connectors.sandbox.platform import Call, Handler, Platform, Refusal, Reply
from connectors.sandbox.reddit_data import (
    ACCESS_LIFE_S,
    AD_ACCOUNT,
    PROFILE_ID,
    SCOPES,
    USERNAME,
    ads_error,
    data_error,
    is_ads,
)

_AGENT = re.compile(r"[^:\s]+:[^:\s]+:v?[\w.]+ \(by /u/[\w-]+\)")
_STORAGE = "putMediaBytes"


def _token(call: Call) -> Reply:
    """POST access_token: a code, good for once, or a refresh token, which stays as it is."""
    form: dict[str, Any] = call.body
    kind, name = {"authorization_code": ("code", "code"), "refresh_token": ("refresh", "refresh_token")}.get(
        form["grant_type"], ("", "")
    )
    if not kind:
        return Reply(400, {"error": "unsupported_grant_type"})
    row = call.db.execute(
        "SELECT * FROM reddit_token WHERE token = ? AND kind = ? AND NOT gone", (form.get(name, ""), kind)
    ).fetchone()
    if row is None and kind == "code":
        # So it is: a wrong code comes with 200.
        return Reply(200, {"error": "invalid_grant"})
    if row is None:
        return Reply(400, {"error": "invalid_grant"})
    body = {
        "access_token": reddit_data.add_token(call.db, "access", row["scopes"], call.now + ACCESS_LIFE_S),
        "token_type": "bearer",
        "expires_in": ACCESS_LIFE_S,
        "scope": row["scopes"],
    }
    if kind == "code":
        call.db.execute("UPDATE reddit_token SET gone = 1 WHERE token = ?", (row["token"],))
        body["refresh_token"] = reddit_data.add_token(call.db, "refresh", row["scopes"], None)
    return Reply(200, body)


def _identity(call: Call) -> Reply:
    return Reply(200, {"id": PROFILE_ID.removeprefix("t2_"), "name": USERNAME, "total_karma": 42})


class Reddit(Platform):
    """Reddit: posts, files, campaigns, ad groups, ads, reports."""

    slug: ClassVar[str] = "reddit"
    tables: ClassVar[str] = reddit_data.TABLES
    operations: ClassVar[Mapping[str, Handler]] = {
        "createCampaign": reddit_ads.create_campaign,
        "listCampaigns": reddit_ads.list_campaigns,
        "getCampaign": reddit_ads.get_campaign,
        "updateCampaign": reddit_ads.update_campaign,
        "createAdGroup": reddit_ads.create_ad_group,
        "listAdGroups": reddit_ads.list_ad_groups,
        "getAdGroup": reddit_ads.get_ad_group,
        "updateAdGroup": reddit_ads.update_ad_group,
        "createAd": reddit_ads.create_ad,
        "listAds": reddit_ads.list_ads,
        "updateAd": reddit_ads.update_ad,
        "getReport": reddit_ads.report,
        "listFundingInstruments": reddit_ads.funding,
        "listPixels": reddit_ads.pixels,
        "createAdPostJob": reddit_ads.begin_job,
        "getAdPostJob": reddit_ads.get_job,
        "getAdsMe": reddit_ads.me,
        "submitPost": reddit_posts.submit,
        "getPostInfo": reddit_posts.info,
        "deletePost": reddit_posts.delete,
        "editPost": reddit_posts.edit,
        "listMySubmissions": reddit_posts.submitted,
        "getIdentity": _identity,
        "getPostRequirements": reddit_posts.requirements,
        "listLinkFlairs": reddit_posts.flairs,
        "leaseMediaUpload": reddit_media.lease,
        _STORAGE: reddit_media.receive,
        "exchangeToken": _token,
    }

    def seed(self, db: sqlite3.Connection, *, now: float) -> None:
        """An app, and the tokens of one account with an ad account."""
        reddit_data.seed(db, now=now)

    def describe(self, db: sqlite3.Connection) -> dict[str, Any]:
        """The account in the shape a connection wants, its subreddits, and what else can be tried."""
        app = db.execute("SELECT * FROM reddit_app").fetchone()

        def newest(kind: str, *, full: bool = True) -> sqlite3.Row | None:
            row: sqlite3.Row | None = db.execute(
                "SELECT * FROM reddit_token WHERE kind = ? AND (scopes = ?) = ? AND NOT gone"
                " ORDER BY expires_at DESC LIMIT 1",
                (kind, SCOPES, full),
            ).fetchone()
            return row

        def credential(access: sqlite3.Row | None) -> dict[str, Any]:
            refresh = newest("refresh")
            assert access is not None
            assert refresh is not None
            return {
                "client_id": app["client_id"],
                "client_secret": app["client_secret"],
                "username": USERNAME,
                "access_token": access["token"],
                "expires_at": datetime.fromtimestamp(access["expires_at"], UTC).isoformat(),
                "refresh_token": refresh["token"],
            }

        code = newest("code")
        return {
            "account": USERNAME,
            "credential": credential(newest("access")),
            "settings": {"ad_account_id": AD_ACCOUNT, "profile_id": PROFILE_ID},
            "subreddits": [*reddit_data.COMMUNITIES],
            "flair": reddit_data.COMMUNITIES["flaired"].flair,
            "funding_instrument": reddit_data.FUNDING,
            "pixel": reddit_data.PIXEL,
            "ads_only_credential": credential(newest("access", full=False)),
            "code": None if code is None else code["token"],
        }

    def authenticate(self, call: Call) -> sqlite3.Row | None:
        """A user agent that says who asks; then the app's own secret, or a living token with the right scope."""
        if call.operation.id == _STORAGE:
            return None
        if _AGENT.fullmatch(call.headers.get("user-agent", "")) is None:
            raise Refusal(self.rate_limited(retry_after_s=None))
        if call.operation.id == "exchangeToken":
            _check_app(call)
            return None
        scheme, _, token = call.headers.get("authorization", "").partition(" ")
        row: sqlite3.Row | None = call.db.execute(
            "SELECT * FROM reddit_token WHERE token = ? AND kind = 'access'", (token.strip(),)
        ).fetchone()
        if scheme.lower() != "bearer" or row is None or row["expires_at"] <= call.now:
            raise Refusal(ads_error(401, "Unauthorized") if is_ads(call) else self.auth_expired())
        needed = next(iter((call.operation.security or {}).get("reddit", [])), None)
        if needed is not None and needed not in row["scopes"].split():
            raise Refusal(_forbidden(call, needed))
        return row

    def refuse(self, problem: Problem) -> Reply:
        """The error body of the API that was meant."""
        ads = problem.operation is None or problem.operation.host.startswith("ads-api.")
        match problem.kind:
            case ProblemKind.UNKNOWN_PATH:
                return ads_error(404, "Not found") if ads else data_error(404, "Not Found")
            case ProblemKind.METHOD:
                return ads_error(405, "Method not allowed") if ads else data_error(405, "Method Not Allowed")
            case _ if problem.operation is not None and problem.operation.id == "submitPost":
                return _unfit_post(problem)
            case _ if ads:
                fields = {".".join(filter(None, (one.field, one.inside))): one.rule for one in problem.violations}
                return ads_error(400, "Invalid data", fields)
            case _:
                return data_error(400, "Bad Request", reason="BAD_REQUEST")

    def rate_limited(self, *, retry_after_s: int | None) -> Reply:
        """429; the Data API tells the seconds in one header, the Ads API in another."""
        if retry_after_s is None:
            return data_error(429, "Too Many Requests")
        headers = {
            "x-ratelimit-remaining": "0.0",
            "x-ratelimit-reset": str(retry_after_s),
            "RateLimit": f'"ads-campaign-management-write";r=0;t={retry_after_s}',
            "RateLimit-Policy": '"ads-campaign-management-write";q=200;w=60',
        }
        return Reply(429, {"message": "Too Many Requests", "error": 429}, headers)

    def server_error(self, status: int) -> Reply:
        """Reddit's outages answer with a page, not with JSON."""
        return Reply(status, f"<!doctype html><title>reddit.com: {status}</title>", content_type="text/html")

    def auth_expired(self) -> Reply:
        """401 with ``invalid_token``."""
        challenge = 'Bearer realm="reddit", error="invalid_token"'
        return Reply(401, {"message": "Unauthorized", "error": 401}, {"www-authenticate": challenge})


def _check_app(call: Call) -> None:
    app = call.db.execute("SELECT * FROM reddit_app").fetchone()
    scheme, _, value = call.headers.get("authorization", "").partition(" ")
    try:
        user, _, secret = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        user, secret = "", ""
    fits = user == app["client_id"] and hmac.compare_digest(secret.encode(), app["client_secret"].encode())
    if scheme.lower() != "basic" or not fits:
        raise Refusal(Reply(401, {"message": "Unauthorized", "error": 401}))


def _forbidden(call: Call, scope: str) -> Reply:
    if is_ads(call):
        return ads_error(403, f"The token lacks the scope {scope}")
    challenge = f'Bearer realm="reddit", error="insufficient_scope", scope="{scope}"'
    return Reply(403, {"message": "Forbidden", "error": 403}, {"www-authenticate": challenge})


def _unfit_post(problem: Problem) -> Reply:
    """What is wrong with a post comes with 200."""
    for field, rule, code in (
        ("title", "maxLength", "TOO_LONG"),
        ("text", "maxLength", "TOO_LONG"),
        ("title", None, "NO_TEXT"),
        ("url", "required", "NO_URL"),
        ("url", None, "BAD_URL"),
        ("sr", None, "SUBREDDIT_REQUIRED"),
    ):
        if problem.has(field, rule):
            return Reply(200, {"json": {"errors": [[code, "check this field", field]]}})
    field = problem.violations[0].field if problem.violations else ""
    return Reply(200, {"json": {"errors": [["INVALID_OPTION", "that option is not valid", field]]}})
