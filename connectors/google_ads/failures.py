"""What does a failure of Google Ads mean? By its error codes, of which several may come at once: the gravest decides.

https://developers.google.com/google-ads/api/docs/get-started/handle-errors
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from connectors.dialects.google_errors import Rules
from connectors.kit.errors import (
    AuthExpired,
    ConnectorError,
    GrantDead,
    InvalidRequest,
    NotFound,
    OutcomeUnknown,
    Permission,
    PolicyRejected,
    RateLimited,
    Unavailable,
)

TAKEN = frozenset(
    {
        "campaignError.DUPLICATE_CAMPAIGN_NAME",
        "campaignBudgetError.DUPLICATE_NAME",
        "mutateError.RESOURCE_ALREADY_EXISTS",
    }
)
"""A name that another campaign or budget of the account has."""

_NAME = re.compile(r"[A-Za-z][A-Za-z_]{0,79}")
_DELAY = re.compile(r"(\d{1,6}(?:\.\d{1,9})?)s")

# An error's key, or key and value: the value decides where it is named here.
_CODES: dict[type[ConnectorError], str] = {
    AuthExpired: """authenticationError.OAUTH_TOKEN_EXPIRED authenticationError.OAUTH_TOKEN_INVALID
        authenticationError.OAUTH_TOKEN_HEADER_INVALID authenticationError.AUTHENTICATION_ERROR
        authenticationError.GOOGLE_ACCOUNT_AUTHENTICATION_FAILED""",
    GrantDead: """authenticationError.OAUTH_TOKEN_REVOKED authenticationError.OAUTH_TOKEN_DISABLED
        authenticationError.GOOGLE_ACCOUNT_DELETED""",
    Permission: """authenticationError authorizationError operationAccessDeniedError headerError
        quotaError.ACCESS_PROHIBITED requestError.CLOUD_PROJECT_NOT_FOUND
        requestError.LOGIN_CUSTOMER_ID_PARAMETER_MISSING requestError.DEVELOPER_TOKEN_PARAMETER_MISSING""",
    PolicyRejected: """policyFindingError policyViolationError
        authorizationError.ACTION_NOT_PERMITTED_FOR_SUSPENDED_ACCOUNT""",
    NotFound: """mutateError.RESOURCE_NOT_FOUND requestError.RESOURCE_NOT_FOUND
        campaignBudgetError.CAMPAIGN_BUDGET_REMOVED authenticationError.CUSTOMER_NOT_FOUND""",
    RateLimited: "quotaError",
    # Nothing was written: another change was under way.
    Unavailable: "databaseError.CONCURRENT_MODIFICATION ABORTED",
    OutcomeUnknown: "internalError",
    InvalidRequest: """requestError fieldError fieldMaskError rangeError dateError stringLengthError stringFormatError
        queryError mutateError campaignError campaignBudgetError biddingError biddingStrategyError databaseError
        resourceCountLimitExceededError contextError operatorError nullError enumError idError urlFieldError
        collectionSizeError distinctError newResourceCreationError resourceAccessDeniedError settingError
        ALREADY_EXISTS""",
}


class _Kinds(dict[str, type[ConnectorError]]):
    """By full name; one that is not listed is of its key's class."""

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name) or super().__contains__(str(name).partition(".")[0])

    def __missing__(self, name: str) -> type[ConnectorError]:
        key, dot, _ = name.partition(".")
        if not dot:
            raise KeyError(name)
        return self[key]


_KINDS = _Kinds({name: kind for kind, names in _CODES.items() for name in names.split()})
_GRAVITY: tuple[type[ConnectorError], ...] = (
    OutcomeUnknown,
    GrantDead,
    AuthExpired,
    RateLimited,
    Unavailable,
    Permission,
    PolicyRejected,
    NotFound,
    InvalidRequest,
)

_HINTS = {
    "authenticationError.NOT_ADS_USER": "the Google account has no Google Ads account",
    "authenticationError.TWO_STEP_VERIFICATION_NOT_ENROLLED": "the Google account needs 2-step verification",
    "authorizationError.USER_PERMISSION_DENIED": "set login_customer_id if access runs through a manager account",
    "authorizationError.CUSTOMER_NOT_ENABLED": "the account is not set up yet, or closed",
    "authorizationError.CLOUD_PROJECT_NOT_APPROVED_FOR_PRODUCTION": "the app's Cloud project has test access only",
    "fieldError.REQUIRED": "a required field is missing",
    "requestError.UNSUPPORTED_VERSION": "this version of the API is gone; update",
    "requestError.CANNOT_BE_EXECUTED_BY_MANAGER_ACCOUNT": "a manager account holds no campaigns",
}


def errors_of(said: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The errors in the details of a status, the gravest first."""
    rows = [
        one
        for detail in _objects(said.get("details"))
        if str(detail.get("@type")).endswith(".errors.GoogleAdsFailure")
        for one in _objects(detail.get("errors"))
    ]
    return sorted(rows, key=lambda one: _GRAVITY.index(_kind(code_of(one))))


def code_of(one: Mapping[str, Any]) -> tuple[str, str] | None:
    """An error's key and value, such as campaignError and DUPLICATE_CAMPAIGN_NAME; None if it has none."""
    code = one.get("errorCode")
    for key, value in code.items() if isinstance(code, dict) else ():
        if isinstance(key, str) and isinstance(value, str) and _NAME.fullmatch(key) and _NAME.fullmatch(value):
            return key, value
    return None


def names_of(said: Mapping[str, Any]) -> Iterator[str]:
    """What decides about a status: the full names of its errors, such as campaignError.DUPLICATE_CAMPAIGN_NAME."""
    return (".".join(code) for code in map(code_of, errors_of(said)) if code is not None)


def place_of(one: Mapping[str, Any]) -> str:
    """The field that an error is about, such as mutate_operations[1].campaign_operation.create.name."""
    location = one.get("location")
    elements = _objects(location.get("fieldPathElements")) if isinstance(location, dict) else []
    return ".".join(filter(None, map(_element, elements)))


def operation_of(one: Mapping[str, Any]) -> int | None:
    """Which of several operations an error is about."""
    location = one.get("location")
    for element in _objects(location.get("fieldPathElements")) if isinstance(location, dict) else []:
        # Zero is left out in JSON, as everywhere with Google.
        if element.get("fieldName") in ("operations", "mutate_operations"):
            index = element.get("index", 0)
            return index if isinstance(index, int) else None
    return None


def delay_s(errors: Iterable[Mapping[str, Any]]) -> float | None:
    """Seconds that the errors ask to wait; None if they do not say."""
    found = []
    for one in errors:
        details = one.get("details")
        quota = details.get("quotaErrorDetails") if isinstance(details, dict) else None
        text = quota.get("retryDelay") if isinstance(quota, dict) else None
        match = _DELAY.fullmatch(text) if isinstance(text, str) else None
        if match is not None:
            found.append(float(match[1]))
    return max(found, default=None)


def _kind(code: tuple[str, str] | None) -> type[ConnectorError]:
    try:
        return _KINDS[".".join(code or ())]
    except KeyError:
        return InvalidRequest


def _element(one: Mapping[str, Any]) -> str:
    name, index = one.get("fieldName"), one.get("index")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        return ""
    return f"{name}[{index}]" if isinstance(index, int) else name


def _objects(value: Any) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


RULES = replace(Rules.of(hints=_HINTS, own_names=names_of), kinds=_KINDS)
