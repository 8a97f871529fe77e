"""LinkedIn's REST API, as the connector ``linkedin`` meets it."""

from __future__ import annotations

import hmac
import re
import sqlite3
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar

from connectors.sandbox import linkedin_ads, linkedin_assets, linkedin_data, linkedin_posts
from connectors.sandbox.contract import Problem, ProblemKind
from connectors.sandbox.linkedin_data import ACCESS_LIFE_S, AD_ACCOUNT, ORGANIZATION, PERSON, SCOPES, error, refusal
from connectors.sandbox.platform import Call, Handler, Platform, Refusal, Reply

_VERSION = re.compile(r"(20\d{2})(0[1-9]|1[0-2])")
# Of each monthly version the first and last that are spoken.
_VERSIONS = range(202601, 202612)
_CODES = {"required": "MISSING_FIELD", "maxLength": "FIELD_LENGTH_TOO_LONG", "additionalProperties": "INVALID_FIELD"}


def _token(call: Call) -> Reply:
    """POST accessToken: a code, good for once, or a refresh token, whose end no use puts off."""
    fields: dict[str, Any] = call.body
    app = call.db.execute("SELECT * FROM linkedin_app").fetchone()
    known = fields["client_id"] == app["client_id"]
    if not known or not hmac.compare_digest(fields["client_secret"].encode(), app["client_secret"].encode()):
        return _oauth_error(401, "invalid_client", "Client authentication failed")
    kind, name = {"authorization_code": ("code", "code"), "refresh_token": ("refresh", "refresh_token")}.get(
        fields["grant_type"], ("", "")
    )
    if not kind:
        return _oauth_error(400, "unsupported_grant_type", "The grant type is not supported")
    row = call.db.execute(
        "SELECT * FROM linkedin_token WHERE token = ? AND kind = ? AND NOT used AND expires_at > ?",
        (fields.get(name, ""), kind, call.now),
    ).fetchone()
    if row is None:
        return _oauth_error(400, "invalid_grant", "The grant is invalid, used, expired or revoked")
    refresh, ends_at = row["token"], row["expires_at"]
    if kind == "code":
        call.db.execute("UPDATE linkedin_token SET used = 1 WHERE token = ?", (row["token"],))
        ends_at = call.now + linkedin_data.REFRESH_LIFE_S
        refresh = linkedin_data.add_token(call.db, "refresh", row["scopes"], ends_at)
    # Near the end of the refresh token access tokens live shorter too.
    life_s = min(ACCESS_LIFE_S, ends_at - call.now)
    access = linkedin_data.add_token(call.db, "access", row["scopes"], call.now + life_s)
    body = {
        "access_token": access,
        "expires_in": int(life_s),
        "refresh_token": refresh,
        "refresh_token_expires_in": int(ends_at - call.now),
        "scope": row["scopes"].replace(" ", ","),
    }
    return Reply(200, body)


def _oauth_error(status: int, code: str, text: str) -> Reply:
    return Reply(status, {"error": code, "error_description": text})


def _user_info(call: Call) -> Reply:
    linkedin_data.need(call, "openid")
    return Reply(200, {"sub": PERSON.rpartition(":")[2], "name": "Ana Poe", "locale": "en_US"})


class LinkedIn(Platform):
    """LinkedIn: posts, images, documents, videos, statistics, campaigns."""

    slug: ClassVar[str] = "linkedin"
    tables: ClassVar[str] = linkedin_data.TABLES
    operations: ClassVar[Mapping[str, Handler]] = {
        "publishPost": linkedin_posts.publish,
        "findPostsByAuthor": linkedin_posts.listing,
        "getPost": linkedin_posts.get,
        "updatePost": linkedin_posts.update,
        "deletePost": linkedin_posts.delete,
        "initializeImageUpload": linkedin_assets.announce_image,
        "getImage": linkedin_assets.state,
        "initializeDocumentUpload": linkedin_assets.announce_document,
        "getDocument": linkedin_assets.state,
        "videoAction": linkedin_assets.video,
        "getVideo": linkedin_assets.state,
        "putUploadBytes": linkedin_assets.receive,
        "getPostStatistics": linkedin_posts.page_statistics,
        "getMemberPostStatistics": linkedin_posts.member_statistics,
        "createCampaign": linkedin_ads.create_campaign,
        "searchCampaigns": linkedin_ads.search_campaigns,
        "getCampaign": linkedin_ads.get_campaign,
        "updateCampaign": linkedin_ads.update_campaign,
        "deleteDraftCampaign": linkedin_ads.delete_campaign,
        "createCampaignGroup": linkedin_ads.create_group,
        "searchCampaignGroups": linkedin_ads.search_groups,
        "createCreative": linkedin_ads.create_creative,
        "findCreatives": linkedin_ads.creatives,
        "getCampaignAnalytics": linkedin_ads.analytics,
        "getUserInfo": _user_info,
        "exchangeToken": _token,
    }

    def seed(self, db: sqlite3.Connection, *, now: float) -> None:
        """A Page and a member, an ad account with two groups, and tokens of one app."""
        linkedin_data.seed(db, now=now)

    def describe(self, db: sqlite3.Connection) -> dict[str, Any]:
        """The Page in the shape a connection wants, the member, and what else can be tried."""
        app = db.execute("SELECT * FROM linkedin_app").fetchone()

        def newest(kind: str, *, full: bool = True) -> sqlite3.Row | None:
            row: sqlite3.Row | None = db.execute(
                "SELECT * FROM linkedin_token WHERE kind = ? AND (scopes = ?) = ? AND NOT used"
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
                "access_token": access["token"],
                "expires_at": datetime.fromtimestamp(access["expires_at"], UTC).isoformat(),
                "refresh_token": refresh["token"],
                "refresh_expires_at": datetime.fromtimestamp(refresh["expires_at"], UTC).isoformat(),
            }

        code = newest("code")
        return {
            "account": ORGANIZATION,
            "credential": credential(newest("access")),
            "settings": {"author": ORGANIZATION, "ad_account_id": AD_ACCOUNT},
            "person": PERSON,
            "campaign_group": linkedin_data.GROUP,
            "draft_campaign_group": linkedin_data.DRAFT_GROUP,
            "limited_credential": credential(newest("access", full=False)),
            "code": None if code is None else code["token"],
        }

    def authenticate(self, call: Call) -> sqlite3.Row | None:
        """A living access token in the header."""
        if call.operation.security is None:
            return None
        scheme, _, token = call.headers.get("authorization", "").partition(" ")
        row: sqlite3.Row | None = call.db.execute(
            "SELECT * FROM linkedin_token WHERE token = ? AND kind = 'access'", (token.strip(),)
        ).fetchone()
        if scheme.lower() != "bearer" or row is None:
            raise refusal(401, "Invalid access token", code="INVALID_ACCESS_TOKEN", service_code=65600)
        if row["expires_at"] <= call.now:
            raise Refusal(self.auth_expired())
        if call.operation.path.startswith("/rest/"):
            _check_version(call)
        return row

    def refuse(self, problem: Problem) -> Reply:
        """LinkedIn's error body, with the code of each field."""
        match problem.kind:
            case ProblemKind.UNKNOWN_PATH:
                return error(404, "No virtual resource found", code="RESOURCE_NOT_FOUND")
            case ProblemKind.METHOD:
                return error(405, "The method is not allowed", code="METHOD_NOT_ALLOWED")
            case ProblemKind.CONTENT_TYPE | ProblemKind.MALFORMED_BODY:
                return error(400, "The body cannot be read", code="ILLEGAL_ARGUMENT")
            case ProblemKind.BODY:
                if problem.operation is not None and problem.operation.id == "exchangeToken":
                    return _oauth_error(400, "invalid_request", "A required parameter is missing or not known")
                return error(400, "The body does not fit", inputs=_inputs(problem))
            case _:
                named = ", ".join(found.field for found in problem.violations)
                return error(400, f"Invalid parameters: {named}", code="ILLEGAL_ARGUMENT")

    def rate_limited(self, *, retry_after_s: int | None) -> Reply:
        """429; LinkedIn never says for how long."""
        return error(429, "The throttle limit of this resource is reached", code="TOO_MANY_REQUESTS")

    def server_error(self, status: int) -> Reply:
        """LinkedIn's 500 or 503."""
        return error(status, "Internal error", code="UNDER_MAINTENANCE" if status == 503 else "INTERNAL_SERVER_ERROR")

    def auth_expired(self) -> Reply:
        """401 with service code 65602."""
        return error(401, "The token has expired", code="EXPIRED_ACCESS_TOKEN", service_code=65602)


def _check_version(call: Call) -> None:
    version = call.headers.get("linkedin-version", "")
    if not version:
        raise refusal(400, "A version must be present", code="VERSION_MISSING")
    if _VERSION.fullmatch(version) is None or int(version) not in _VERSIONS:
        raise refusal(426, f"Requested version {version} is not active", code="NONEXISTENT_VERSION")


def _inputs(problem: Problem) -> tuple[tuple[str, str], ...]:
    return tuple(
        (
            _CODES.get(found.rule, "INVALID_VALUE_FOR_FIELD"),
            "/" + "/".join(filter(None, (found.field, *found.inside.split(".")))),
        )
        for found in problem.violations
    )
