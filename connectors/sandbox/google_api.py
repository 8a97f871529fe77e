"""How does a Google JSON API answer when it says no? One error body for all its platforms.

What it says about tokens is in ``google_tokens``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from connectors.sandbox.contract import Problem, ProblemKind
from connectors.sandbox.platform import Refusal, Reply

_STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ABORTED",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
}
_REASONS = {
    400: "badRequest",
    401: "authError",
    403: "forbidden",
    404: "notFound",
    409: "conflict",
    429: "rateLimitExceeded",
    500: "backendError",
    503: "backendError",
}


def error(
    status: int,
    message: str,
    *,
    reason: str | None = None,
    canonical: str | None = None,
    domain: str = "global",
    location: str | None = None,
    details: Sequence[Mapping[str, Any]] = (),
    headers: Mapping[str, str] | None = None,
) -> Reply:
    """Google's error body. Wording ours; clients decide by reason and status.

    Args:
        reason: Of ``errors[0]``; the usual one of the status if left out.
        canonical: Its ``status``; the usual one of the HTTP status if left out.
        location: Which parameter it is about.
        details: Typed details, such as ``RetryInfo``.
    """
    first = {"message": message, "domain": domain, "reason": reason or _REASONS[status]}
    if location is not None:
        first |= {"location": location, "locationType": "parameter"}
    said: dict[str, Any] = {
        "code": status,
        "message": message,
        "errors": [first],
        "status": canonical or _STATUSES[status],
    }
    if details:
        said["details"] = list(details)
    return Reply(status, {"error": said}, headers or {})


def refusal(
    status: int,
    message: str,
    *,
    reason: str | None = None,
    canonical: str | None = None,
    domain: str = "global",
    location: str | None = None,
) -> Refusal:
    """The same, to be raised."""
    return Refusal(error(status, message, reason=reason, canonical=canonical, domain=domain, location=location))


def not_found(message: str = "Requested entity was not found.") -> Refusal:
    """404: an id that names nothing, or nothing of ours."""
    return refusal(404, message)


def limited(retry_after_s: int | None, *, reason: str = "rateLimitExceeded") -> Reply:
    """429 with ``RetryInfo``, unless it is not told how long to wait; Google sends no ``Retry-After``."""
    wait = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": f"{retry_after_s}s"}
    details = [] if retry_after_s is None else [wait]
    return error(429, "Quota exceeded for quota metric 'Queries'.", reason=reason, details=details)


def failure(status: int) -> Reply:
    """Google's own 500, and the page of its front end for 503."""
    if status == 500:
        return error(500, "Internal error encountered.")
    return page(status)


def page(status: int) -> Reply:
    """What the front end answers, which knows no JSON."""
    text = f"<!DOCTYPE html>\n<html lang=en><title>Error {status}</title><p><b>{status}.</b> That's an error."
    return Reply(status, text, content_type="text/html")


def unfit(problem: Problem) -> Reply:
    """A request that does not fit the contract."""
    match problem.kind:
        case ProblemKind.UNKNOWN_PATH | ProblemKind.METHOD:
            return page(404)
        case ProblemKind.CONTENT_TYPE:
            return error(400, f"Unsupported content with type: {problem.content_type}", reason="badContent")
        case ProblemKind.MALFORMED_BODY:
            return error(400, "Invalid JSON payload received. Unexpected token.", reason="parseError")
        case _:
            return _violations(problem)


def _violations(problem: Problem) -> Reply:
    named = [
        (".".join(filter(None, (found.field, found.inside))), _described(found.rule)) for found in problem.violations
    ]
    fields = [{"field": name, "description": text} for name, text in dict.fromkeys(named)]
    details = [{"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": fields}]
    first = named[0] if named else ("", "Invalid value")
    reason = "required" if first[1] == _described("required") else "invalidArgument"
    location = first[0] or None
    return error(400, f"{first[1]} at '{first[0]}'", reason=reason, location=location, details=details)


def _described(rule: str) -> str:
    return {"additionalProperties": "Cannot find field", "required": "Missing field"}.get(rule, "Invalid value")
