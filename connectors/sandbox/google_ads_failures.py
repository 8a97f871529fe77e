"""How does Google Ads say no? A GoogleAdsFailure: all errors of a request, each with its code and its place."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any

from connectors.sandbox.platform import Refusal, Reply

Json = dict[str, Any]

VERSION = "v26"
_TYPE = f"type.googleapis.com/google.ads.googleads.{VERSION}.errors.GoogleAdsFailure"
_STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
}


class Broken(Exception):
    """One operation that breaks a rule.

    Args:
        key: Of the error code, such as ``campaignError``.
        value: Such as ``DUPLICATE_CAMPAIGN_NAME``.
        path: Names of the fields down to the one at fault, below the operation.
    """

    def __init__(self, key: str, value: str, *path: str) -> None:
        super().__init__(f"{key}: {value}")
        self.key, self.value, self.path = key, value, path

    def shown(self, *before: Json) -> Json:
        """The error as the API shows it; ``before`` are the elements above the operation's own."""
        elements = [*before, *({"fieldName": name} for name in self.path)]
        return {
            "errorCode": {self.key: self.value},
            "message": "The operation breaks a rule.",
            "trigger": {"stringValue": ""},
            **({"location": {"fieldPathElements": elements}} if elements else {}),
        }


def request_id() -> str:
    """A name for one request."""
    return secrets.token_urlsafe(16)


def status(code: int, errors: Sequence[Json]) -> Json:
    """The status object that holds a failure."""
    failure = {"@type": _TYPE, "errors": [*errors], "requestId": request_id()}
    return {
        "code": code,
        "message": "Request contains an invalid argument." if code == 400 else "The request failed.",
        "status": _STATUSES[code],
        "details": [failure],
    }


def reply(code: int, errors: Sequence[Json]) -> Reply:
    """A failed request."""
    return Reply(code, {"error": status(code, errors)}, headers())


def refusal(code: int, key: str, value: str, *path: str) -> Refusal:
    """One error, to be raised."""
    return Refusal(reply(code, [Broken(key, value, *path).shown()]))


def limited(retry_after_s: int | None) -> Reply:
    """429 of the short-term bucket; with None it does not say how long to wait."""
    details = {"rateScope": "ACCOUNT", "rateName": "Requests per second"}
    if retry_after_s is not None:
        details["retryDelay"] = f"{retry_after_s}s"
    error = Broken("quotaError", "RESOURCE_TEMPORARILY_EXHAUSTED").shown()
    return reply(429, [{**error, "details": {"quotaErrorDetails": details}}])


def headers() -> dict[str, str]:
    """Of every answer."""
    return {"request-id": request_id()}
