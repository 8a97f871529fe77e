"""Is every error of a Google JSON API classed as Google documents it?"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
import requests
import time_machine

from connectors.dialects.google_errors import Rules, error_of
from connectors.kit.errors import (
    AuthExpired,
    ConnectorError,
    InvalidRequest,
    NotFound,
    OutcomeUnknown,
    Permission,
    RateLimited,
    Unavailable,
)

RULES = Rules.of()
NOON = datetime(2026, 11, 25, 20, 0, tzinfo=UTC)
"""Noon in California."""


def answer(status: int, content: bytes, headers: Mapping[str, str] | None = None) -> requests.Response:
    found = requests.Response()
    found.status_code = status
    found._content = content
    found.headers.update(headers or {})
    return found


def body(
    status: int, *, reason: str | None = None, canonical: str | None = None, details: Iterable[Any] = (), **more: Any
) -> bytes:
    said: dict[str, Any] = {"code": status, "message": "About ada@example.org", "details": list(details), **more}
    if reason is not None:
        said["errors"] = [{"message": "About ada@example.org", "domain": "global", "reason": reason}]
    if canonical is not None:
        said["status"] = canonical
    return json.dumps({"error": said}).encode()


def info(reason: Any) -> dict[str, Any]:
    return {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason}


def of(status: int, content: bytes, *, effect: bool = True, rules: Rules = RULES, **headers: str) -> ConnectorError:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return error_of(answer(status, content, named), "users.drafts.send", rules, effect=effect)


@pytest.mark.parametrize(
    ("status", "reason", "canonical", "kind"),
    [
        (400, "invalidArgument", "INVALID_ARGUMENT", InvalidRequest),
        (400, "badRequest", None, InvalidRequest),
        (400, "required", None, InvalidRequest),
        (400, None, "FAILED_PRECONDITION", InvalidRequest),
        (400, None, "OUT_OF_RANGE", InvalidRequest),
        (401, "authError", "UNAUTHENTICATED", AuthExpired),
        (401, "required", "UNAUTHENTICATED", AuthExpired),
        (401, "youtubeSignupRequired", None, AuthExpired),
        (403, "insufficientPermissions", "PERMISSION_DENIED", Permission),
        (403, "accessNotConfigured", "PERMISSION_DENIED", Permission),
        (403, "domainPolicy", None, Permission),
        (403, "forbidden", None, Permission),
        (403, "rateLimitExceeded", "PERMISSION_DENIED", RateLimited),
        (403, "userRateLimitExceeded", "PERMISSION_DENIED", RateLimited),
        (403, "dailyLimitExceeded", None, RateLimited),
        (403, "quotaExceeded", "PERMISSION_DENIED", RateLimited),
        (404, "notFound", "NOT_FOUND", NotFound),
        (409, None, "ALREADY_EXISTS", InvalidRequest),
        (409, None, "ABORTED", OutcomeUnknown),
        (429, "rateLimitExceeded", "RESOURCE_EXHAUSTED", RateLimited),
        (429, None, "RESOURCE_EXHAUSTED", RateLimited),
        (499, None, "CANCELLED", OutcomeUnknown),
        (500, "backendError", "INTERNAL", OutcomeUnknown),
        (503, "backendError", "UNAVAILABLE", OutcomeUnknown),
        (504, None, "DEADLINE_EXCEEDED", OutcomeUnknown),
        # A failure of Google's own says nothing about the request, whatever else it says.
        (500, "notFound", "NOT_FOUND", OutcomeUnknown),
        (503, "rateLimitExceeded", None, OutcomeUnknown),
        # Unknown reasons fall back on the next name, and then on the status.
        (403, "brandNew", "RESOURCE_EXHAUSTED", RateLimited),
        (403, "brandNew", "BRAND_NEW", Permission),
        (418, "brandNew", "BRAND_NEW", InvalidRequest),
    ],
)
def test_a_reason_goes_before_the_canonical_status_and_that_before_the_http_status(
    status: int, reason: str | None, canonical: str | None, kind: type[ConnectorError]
) -> None:
    content = body(status, reason=reason, canonical=canonical)

    assert type(of(status, content)) is kind
    # A read changes nothing: what is unclear there may simply be asked again.
    assert type(of(status, content, effect=False)) is (Unavailable if kind is OutcomeUnknown else kind)


def test_the_reason_of_error_info_goes_before_the_older_one() -> None:
    details = [{"@type": "type.googleapis.com/google.rpc.Help"}, info("ACCESS_TOKEN_SCOPE_INSUFFICIENT")]

    found = of(403, body(403, reason="rateLimitExceeded", canonical="PERMISSION_DENIED", details=details))

    assert type(found) is Permission
    assert found.code == "ACCESS_TOKEN_SCOPE_INSUFFICIENT"
    assert "lacks a scope" in str(found)


def test_the_apis_own_rules_go_before_the_common_ones() -> None:
    def own(error: Mapping[str, Any]) -> list[str]:
        return [str(one["errorCode"]["quotaError"]) for one in error["details"]]

    rules = Rules.of({Permission: "notFound youtubeSignupRequired", RateLimited: "TOO_MANY"}, own_names=own)

    assert type(of(404, body(404, reason="notFound"), rules=rules)) is Permission
    assert type(of(401, body(401, reason="youtubeSignupRequired"), rules=rules)) is Permission
    found = of(400, body(400, reason="badRequest", details=[{"errorCode": {"quotaError": "TOO_MANY"}}]), rules=rules)
    assert (type(found), found.code) == (RateLimited, "TOO_MANY")


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (200, OutcomeUnknown),
        (302, InvalidRequest),
        (400, InvalidRequest),
        (401, AuthExpired),
        (403, Permission),
        (404, NotFound),
        (408, OutcomeUnknown),
        (409, OutcomeUnknown),
        (413, InvalidRequest),
        (429, RateLimited),
        (502, OutcomeUnknown),
    ],
)
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html>Sorry</html>",
        b"[]",
        b"[7]",
        b"null",
        b'{"error": "invalid_token"}',
        b'{"error": {"errors": {}, "details": 7, "status": 5, "code": "x"}}',
        b'{"error": {"errors": [null, 1], "details": [[], {"@type": 1}], "status": null}}',
        b'{"error": {"errors": [{"reason": 1}], "status": "two words"}}',
        b"[" * 100_000,
        b"\xff\xfe",
    ],
)
def test_an_answer_without_a_readable_reason_is_classed_by_its_status(
    status: int, content: bytes, kind: type[ConnectorError]
) -> None:
    found = of(status, content)

    assert (type(found), found.code, found.http_status) == (kind, None, status)


def test_an_error_in_a_list_is_read() -> None:
    content = b"[" + body(404, reason="notFound") + b"]"

    assert of(404, content).code == "notFound"


def test_googles_own_words_are_left_out_for_they_may_name_a_person() -> None:
    found = of(400, body(400, reason="invalidArgument"), request_id="AbC-123", X_Other="x")

    assert str(found) == "users.drafts.send: Google answered 400 invalidArgument"
    assert "ada" not in f"{found!r}"


def delay(text: Any) -> dict[str, Any]:
    return {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": text}


@pytest.mark.parametrize(
    ("content", "headers", "wait_s"),
    [
        (body(429, details=[delay("12.5s")]), {"Retry-After": "3"}, 12.5),
        (body(429, details=[delay("30s")]), {}, 30.0),
        (body(429, details=[delay("soon"), delay(7)]), {"Retry-After": "3"}, 3.0),
        (body(429, details=[delay("999999s")]), {}, 172_800.0),
        (body(429), {"Retry-After": "7"}, 7.0),
        (body(429, message="User-rate limit exceeded.  Retry after 2026-11-25T20:15:00.500Z"), {}, 900.5),
        (
            body(429, message="User-rate limit exceeded.  Retry after 2026-11-25T20:15:00.000Z"),
            {"Date": "Wed, 25 Nov 2026 20:14:00 GMT"},
            60.0,
        ),
        (body(429, message="Retry after 2026-11-25T19:00:00Z"), {}, 0.0),
        (body(429, message="Retry after 2026-99-25T19:00:00Z"), {}, None),
        (body(429, message=7), {}, None),
        (body(403, reason="dailyLimitExceeded"), {}, 12 * 3600.0),
        (body(403, reason="quotaExceeded"), {}, 900.0),
        (body(429), {}, None),
        (b"slow down", {}, None),
    ],
)
def test_the_time_to_wait_is_googles_own_or_fits_the_limit(
    content: bytes, headers: dict[str, str], wait_s: float | None
) -> None:
    rules = Rules.of(waits_s={"quotaExceeded": 900.0}, limited="action")

    with time_machine.travel(NOON, tick=False):
        found = error_of(answer(429, content, headers), "sites.list", rules, effect=False)

    assert isinstance(found, RateLimited)
    assert (found.retry_after_s, found.of) == (wait_s, "action")


def test_a_daily_quota_ends_at_midnight_pacific_time_even_when_the_clocks_change() -> None:
    # In California clocks go back an hour on 1 November 2026.
    with time_machine.travel(datetime(2026, 11, 1, 8, 0, tzinfo=UTC), tick=False):
        found = of(403, body(403, reason="quotaExceeded"), rules=Rules.of(daily="quotaExceeded"))

    assert isinstance(found, RateLimited)
    assert found.retry_after_s == 24 * 3600.0
