"""TikTok API for Business v1.3, as the connector ``tiktok`` meets it."""

from __future__ import annotations

import hmac
import sqlite3
from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar

from connectors.sandbox import tiktok_ads, tiktok_data, tiktok_files, tiktok_reports
from connectors.sandbox.contract import Problem, ProblemKind
from connectors.sandbox.platform import Call, Handler, Platform, Refusal, Reply
from connectors.sandbox.tiktok_data import refusal, reply

_TEST_HOST = "sandbox-ads.tiktok.com"
_NO_PAGE = Reply(404, "404 page not found", content_type="text/plain")
_SHAPE, _NO_TOKEN, _WRONG_TOKEN, _EXPIRED, _USED_CODE, _WRONG_APP = 40002, 40104, 40105, 40102, 40110, 40001
_LIMITED, _FAILED = 40100, 50000


def _check_app(call: Call, given: Mapping[str, Any]) -> sqlite3.Row:
    account = tiktok_data.account(call.db)
    right = hmac.compare_digest(str(given["secret"]).encode(), account["secret"].encode())
    if given["app_id"] != account["app_id"] or not right:
        raise refusal(_WRONG_APP, "app_id or secret is wrong")
    return account


def _exchange(call: Call) -> Reply:
    """POST oauth2/access_token: a code works once, for an hour."""
    account = _check_app(call, call.body)
    row = call.db.execute("SELECT * FROM tiktok_code WHERE code = ?", (call.body["auth_code"],)).fetchone()
    if row is None or row["used"] or call.now >= row["at"] + tiktok_data.CODE_LIFE_S:
        raise refusal(_USED_CODE, "Auth_code is used or expired")
    call.db.execute("UPDATE tiktok_code SET used = 1 WHERE code = ?", (row["code"],))
    token = tiktok_data.add_token(call.db)
    return reply({"access_token": token, "advertiser_ids": [account["advertiser_id"]], "scope": [4, 220]})


def _revoke(call: Call) -> Reply:
    """POST oauth2/revoke_token."""
    _check_app(call, call.body)
    call.db.execute("UPDATE tiktok_token SET revoked = 1 WHERE token = ?", (call.body["access_token"],))
    return reply()


def _advertisers(call: Call) -> Reply:
    """GET oauth2/advertiser/get."""
    account = _check_app(call, call.query)
    return reply({"list": [{"advertiser_id": account["advertiser_id"], "advertiser_name": "Sandbox"}]})


def _advertiser(call: Call) -> Reply:
    """GET advertiser/info."""
    for one in call.query["advertiser_ids"]:
        tiktok_data.check_advertiser(call, {"advertiser_id": one})
    known = {"name": "Sandbox", "currency": "USD", "timezone": "Etc/GMT", "status": "STATUS_ENABLE", "country": "US"}
    return reply({"list": [{"advertiser_id": call.principal["advertiser_id"], **known, "balance": 1000.0}]})


class TikTok(Platform):
    """TikTok: campaigns, ad groups and ads, manual and Smart+; files, budgets and reports."""

    slug: ClassVar[str] = "tiktok"
    tables: ClassVar[str] = tiktok_data.TABLES
    operations: ClassVar[Mapping[str, Handler]] = {
        "createCampaign": partial(tiktok_ads.create_campaign, smart=False),
        "updateCampaign": partial(tiktok_ads.update_campaign, smart=False),
        "updateCampaignStatus": partial(tiktok_ads.switch, level="campaign", smart=False),
        "listCampaigns": partial(tiktok_ads.listing, level="campaign", smart=False),
        "createAdGroup": partial(tiktok_ads.create_adgroup, smart=False),
        "updateAdGroup": tiktok_ads.update_adgroup,
        "adjustBudget": tiktok_ads.adjust_budgets,
        "updateAdGroupStatus": partial(tiktok_ads.switch, level="adgroup", smart=False),
        "listAdGroups": partial(tiktok_ads.listing, level="adgroup", smart=False),
        "createAd": tiktok_ads.create_ads,
        "turnOffAd": partial(tiktok_ads.switch, level="ad", smart=False),
        "listAds": partial(tiktok_ads.listing, level="ad", smart=False),
        "createSmartPlusCampaign": partial(tiktok_ads.create_campaign, smart=True),
        "updateSmartPlusCampaign": partial(tiktok_ads.update_campaign, smart=True),
        "updateSmartPlusCampaignStatus": partial(tiktok_ads.switch, level="campaign", smart=True),
        "listSmartPlusCampaigns": partial(tiktok_ads.listing, level="campaign", smart=True),
        "createSmartPlusAdGroup": partial(tiktok_ads.create_adgroup, smart=True),
        "updateSmartPlusAdGroupStatus": partial(tiktok_ads.switch, level="adgroup", smart=True),
        "listSmartPlusAdGroups": partial(tiktok_ads.listing, level="adgroup", smart=True),
        "createSmartPlusAd": tiktok_ads.create_smart_ad,
        "updateSmartPlusAdStatus": partial(tiktok_ads.switch, level="ad", smart=True),
        "listSmartPlusAds": partial(tiktok_ads.listing, level="ad", smart=True),
        "uploadAdVideo": partial(tiktok_files.upload, kind="video"),
        "uploadAdImage": partial(tiktok_files.upload, kind="image"),
        "searchAdVideos": partial(tiktok_files.search, kind="video"),
        "searchAdImages": partial(tiktok_files.search, kind="image"),
        "getAdVideos": tiktok_files.videos,
        "getReport": tiktok_reports.report,
        "createReportTask": tiktok_reports.begin,
        "checkReportTask": tiktok_reports.check,
        "getAdvertiserInfo": _advertiser,
        "listAuthorizedAdvertisers": _advertisers,
        "exchangeAuthCode": _exchange,
        "revokeToken": _revoke,
    }

    def seed(self, db: sqlite3.Connection, *, now: float) -> None:
        """One advertiser, who has agreed to the app."""
        tiktok_data.seed(db, now=now)

    def describe(self, db: sqlite3.Connection) -> dict[str, Any]:
        """The account, in the shape a connection wants, and a code to exchange."""
        account = tiktok_data.account(db)
        token = db.execute("SELECT token FROM tiktok_token WHERE revoked = 0 LIMIT 1").fetchone()["token"]
        code = db.execute("SELECT code FROM tiktok_code ORDER BY used LIMIT 1").fetchone()["code"]
        app = {"client_id": account["app_id"], "client_secret": account["secret"]}
        return {
            "account": account["advertiser_id"],
            "credential": {**app, "access_token": token},
            "settings": {"advertiser_id": account["advertiser_id"]},
            "auth_code": code,
        }

    def authenticate(self, call: Call) -> sqlite3.Row | None:
        """A token that was not revoked, in TikTok's own header."""
        if call.operation.host == _TEST_HOST and "SmartPlus" in call.operation.id:
            raise Refusal(_NO_PAGE)
        if call.operation.security is None:
            return None
        token = call.headers.get("access-token", "")
        if not token:
            raise refusal(_NO_TOKEN, "Access token is empty")
        row = call.db.execute("SELECT * FROM tiktok_token WHERE token = ?", (token,)).fetchone()
        if row is None:
            raise refusal(_WRONG_TOKEN, "Access token is incorrect or has been revoked")
        if row["revoked"]:
            raise refusal(_EXPIRED, "Access token has expired")
        return tiktok_data.account(call.db)

    def refuse(self, problem: Problem) -> Reply:
        """A page for what is no path, else the envelope with the field at fault."""
        match problem.kind:
            case ProblemKind.UNKNOWN_PATH:
                return _NO_PAGE
            case ProblemKind.METHOD:
                return Reply(405, "405 method not allowed", content_type="text/plain")
            case _:
                named = [".".join(filter(None, (one.field, one.inside))) for one in problem.violations]
                return reply(code=_SHAPE, message=f"{', '.join(named) or 'body'}: invalid, unknown or missing")

    def rate_limited(self, *, retry_after_s: int | None) -> Reply:
        """40100; TikTok never says how long to wait."""
        return reply(code=_LIMITED, message="Too many requests. Please retry in some time")

    def server_error(self, status: int) -> Reply:
        """TikTok's 500 or 503."""
        return reply(code=_FAILED, message="Internal service error", status=status)

    def auth_expired(self) -> Reply:
        """40102."""
        return reply(code=_EXPIRED, message="Access token has expired")
