"""What does an answer of Stripe mean? By its status, its type and its code; never by its text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connectors.kit.errors import (
    AuthExpired,
    ConnectorError,
    InvalidRequest,
    NotFound,
    OutcomeUnknown,
    Permission,
    PolicyRejected,
    RateLimited,
    Refused,
    Unavailable,
)
from connectors.kit.http import retry_after_s

if TYPE_CHECKING:
    import requests

_OF_STATUS: dict[int, type[ConnectorError]] = {
    401: AuthExpired,
    402: PolicyRejected,
    403: Permission,
    404: NotFound,
    409: Unavailable,
    429: RateLimited,
}
# Where the code says more than the status. A key in use is our own earlier request, which is not over yet.
_OF_CODE: dict[str, type[ConnectorError]] = {
    "api_key_expired": AuthExpired,
    "idempotency_key_in_use": OutcomeUnknown,
    "lock_timeout": RateLimited,
    "rate_limit": RateLimited,
    "resource_missing": NotFound,
}


class Answer:
    """One answer, read.

    Args:
        response: As it came.
        what: What was asked for, for people.
        effect: Whether the request may have changed something.

    Attributes:
        body: The JSON object, or None if it is none.
        replayed: Whether it is the answer to an earlier request with the same idempotency key.
    """

    def __init__(self, response: requests.Response, what: str, *, effect: bool) -> None:
        self._response = response
        self._what = what
        self._effect = effect
        self.status = response.status_code
        self.body = _json(response)
        self.replayed = response.headers.get("Idempotent-Replayed") == "true"

    @property
    def keeps_failing(self) -> bool:
        """Whether Stripe has stored a failure of its own with the key, and will only ever repeat it."""
        return self.status >= 500 and (self.replayed or self._should_retry == "false")

    def content(self, *, needs: tuple[str, ...]) -> dict[str, Any]:
        """What was asked for.

        Args:
            needs: What it must hold to be understood.

        Raises:
            ConnectorError: Stripe did not say yes; the class says what may be done next.
        """
        if self.status == 200 and self.body is not None and all(name in self.body for name in needs):
            return self.body
        raise self.error()

    def error(self) -> ConnectorError:
        """What Stripe said instead of yes. Its message is left out: it may repeat what a person typed."""
        said = self.body.get("error") if self.body is not None else None
        found: dict[str, Any] = said if isinstance(said, dict) else {}
        code = found.get("code") or found.get("type")
        hints = [str(found[name]) for name in ("decline_code", "param") if found.get(name)]
        hint = f" ({', '.join(hints)})" if hints else ""
        text = f"{self._what}: Stripe answered {code or f'status {self.status}'}{hint}"
        if self.replayed:
            text += "; it repeats its first answer to this run's key for a day, only a new run asks anew"
        kind = self._kind(str(code))
        request_id = self._response.headers.get("Request-Id")
        if issubclass(kind, RateLimited):
            wait_s = retry_after_s(self._response.headers)
            return RateLimited(text, retry_after_s=wait_s, code=code, http_status=self.status, request_id=request_id)
        return kind(text, code=code, http_status=self.status, request_id=request_id)

    def _kind(self, code: str) -> type[ConnectorError]:
        unclear: type[ConnectorError] = OutcomeUnknown if self._effect else Unavailable
        if self.status < 300 or self.status >= 500 or self.status in (408, 424):
            return unclear
        kind = _OF_CODE.get(code) or _OF_STATUS.get(self.status, InvalidRequest)
        if issubclass(kind, Refused) and self._should_retry == "true":
            return Unavailable
        return unclear if kind is OutcomeUnknown else kind

    @property
    def _should_retry(self) -> str | None:
        return self._response.headers.get("Stripe-Should-Retry")


def _json(response: requests.Response) -> dict[str, Any] | None:
    try:
        body = response.json()
    except ValueError:
        return None
    return body if isinstance(body, dict) else None
