"""How does Meta's Graph API answer when it says no? One error body for all its platforms."""

from __future__ import annotations

import hashlib
import hmac
import json
import math
import secrets
from collections.abc import Mapping, Sequence

from connectors.sandbox.contract import Problem, ProblemKind
from connectors.sandbox.platform import Call, Refusal, Reply

BUSINESS = "102030405060708"
"""The business that the usage headers speak of."""


def new_id(prefix: str = "") -> str:
    """A new id of the graph: digits."""
    return prefix + str(secrets.randbelow(9 * 10**14) + 10**14)


def error(
    code: int,
    message: str,
    *,
    status: int = 400,
    subcode: int | None = None,
    kind: str = "OAuthException",
    details: str | None = None,
    blame: Sequence[str] = (),
    is_transient: bool | None = None,
    headers: Mapping[str, str] | None = None,
) -> Reply:
    """Meta's error body. Wording ours; clients decide by code and subcode.

    Args:
        kind: Its ``type``.
        details: WhatsApp says more in ``error_data``.
        blame: There the Marketing API names the fields at fault.
    """
    data: dict[str, object] | None = None
    if details is not None:
        data = {"messaging_product": "whatsapp", "details": details}
    elif blame:
        data = {"blame_field_specs": [[name] for name in blame]}
    fields = {
        "message": f"(#{code}) {message}",
        "type": kind,
        "code": code,
        "error_subcode": subcode,
        "is_transient": is_transient,
        "error_data": data,
        "fbtrace_id": "A" + secrets.token_urlsafe(16),
    }
    body = {"error": {name: value for name, value in fields.items() if value is not None}}
    return Reply(status, body, headers or {})


def refusal(
    code: int, message: str, *, status: int = 400, subcode: int | None = None, details: str | None = None
) -> Refusal:
    """The same, to be raised."""
    return Refusal(error(code, message, status=status, subcode=subcode, details=details))


def no_such_node() -> Refusal:
    """An id that names nothing, or nothing of ours."""
    message = "Unsupported request. Object with this ID does not exist or cannot be loaded"
    return Refusal(error(100, message, subcode=33, kind="GraphMethodException"))


def expired() -> Reply:
    """A token that was valid once."""
    return error(190, "Error validating access token: Session has expired", status=401, subcode=463)


def limited(code: int, message: str, *, use: str, retry_after_s: int | None) -> Reply:
    """Too many requests: no ``Retry-After``, but minutes in the usage header.

    Args:
        use: What is limited, such as ``instagram``.
        retry_after_s: Seconds until requests are taken again, told in whole minutes; None: not told.
    """
    minutes = 0 if retry_after_s is None else math.ceil(retry_after_s / 60)
    counted = {"type": use, "call_count": 100, "total_cputime": 25, "total_time": 25}
    usage = {BUSINESS: [{**counted, "estimated_time_to_regain_access": minutes}]}
    return error(code, message, status=429, headers={"X-Business-Use-Case-Usage": json.dumps(usage)})


def failure(status: int) -> Reply:
    """Meta's own 500 or 503."""
    if status == 503:
        return error(2, "Service temporarily unavailable", status=503, is_transient=True)
    return error(1, "An unknown error occurred", status=500)


def unfit(problem: Problem) -> Reply:
    """A request that does not fit the contract."""
    match problem.kind:
        case ProblemKind.UNKNOWN_PATH | ProblemKind.METHOD:
            return error(2500, "Unknown path components or unsupported method", kind="GraphMethodException")
        case ProblemKind.PATH:
            return no_such_node().reply
        case ProblemKind.CONTENT_TYPE | ProblemKind.MALFORMED_BODY:
            return error(100, "The request body is not what its content type says")
        case _:
            named = (".".join(filter(None, (found.field, found.inside))) for found in problem.violations)
            return error(100, "Invalid parameter", details=", ".join(dict.fromkeys(named)))


def bearer(headers: Mapping[str, str]) -> str | None:
    """The token of a request; None if there is none."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.strip() else None


def check_proof(call: Call, token: str, app_secret: str) -> None:
    """An app that requires it takes requests only with the proof that its own server made them.

    Raises:
        Refusal: The proof is missing or wrong.
    """
    given = dict(pair.partition("=")[::2] for pair in call.raw_query.decode("latin-1").split("&")).get(
        "appsecret_proof"
    )
    if given is None:
        raise refusal(100, "API calls from the server require an appsecret_proof argument")
    wanted = hmac.new(app_secret.encode(), token.encode(), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(given, wanted):
        raise refusal(100, "Invalid appsecret_proof provided in the API argument")
