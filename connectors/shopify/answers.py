"""What does an answer of Shopify mean? By status, by the codes of errors and of user errors; never by their text.

An answer has three layers, and each may say no: the HTTP status, the errors of the whole document, and the user errors
of the mutation. The last two come with status 200.
"""

from __future__ import annotations

from collections.abc import Iterable
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
    423: PolicyRejected,
    429: RateLimited,
}

_NAMES: dict[type[ConnectorError], str] = {
    RateLimited: "THROTTLED LIMIT_REACHED OPERATION_IN_PROGRESS",
    Permission: "ACCESS_DENIED",
    PolicyRejected: "SHOP_INACTIVE PRODUCT_SUSPENDED MAX_APP_DISCOUNTS",
    NotFound: """NOT_FOUND PRODUCT_DOES_NOT_EXIST PRODUCT_VARIANT_DOES_NOT_EXIST OPTION_DOES_NOT_EXIST
        OPTION_VALUE_DOES_NOT_EXIST NO_SUCH_FILE""",
    # A part may have been done; of a key in use, that it is our own earlier request.
    OutcomeUnknown: """INTERNAL_SERVER_ERROR INTERNAL_ERROR GENERIC_ERROR JOB_ERROR INTERNAL_FILE_SERVER_ERROR TIMEOUT
        IDEMPOTENCY_CONCURRENT_REQUEST""",
    # The earlier request with this key failed, and this one was not begun.
    Unavailable: "IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED",
    InvalidRequest: "MAX_COST_EXCEEDED",
}
_OF_NAME = {name: kind for kind, names in _NAMES.items() for name in names.split()}
# Of several errors the gravest decides: what may have been done before what was refused.
_GRAVITY: tuple[type[ConnectorError], ...] = (
    OutcomeUnknown,
    RateLimited,
    Unavailable,
    AuthExpired,
    Permission,
    PolicyRejected,
    NotFound,
    InvalidRequest,
)


class Answer:
    """One answer, read.

    Args:
        response: As it came.
        what: Name of the operation, for people.
        effect: Whether it may have changed something.
    """

    def __init__(self, response: requests.Response, what: str, *, effect: bool) -> None:
        self._response = response
        self._what = what
        self._unclear: type[ConnectorError] = OutcomeUnknown if effect else Unavailable
        self.status = response.status_code
        self.body = json_object(response)

    def payload(self, field: str) -> dict[str, Any]:
        """What the operation's only field holds, with no user errors in it.

        Args:
            field: Name of that field, such as ``productSet``.

        Raises:
            ConnectorError: Shopify did not say yes; the class says what may be done next.
        """
        found = self.value(field)
        if not isinstance(found, dict):
            raise self._error(self._unclear, "nothing that can be understood")
        said = found.get("userErrors")
        if isinstance(said, list) and said:
            raise self._refusal(said)
        return found

    def value(self, field: str) -> Any:
        """What the operation's only field holds; None is a value too.

        Raises:
            ConnectorError: There is no such field in the answer.
        """
        if self.status != 200:
            raise self._of_status()
        if self.body is None:
            raise self._error(self._unclear, "nothing that can be understood")
        data = self.body.get("data")
        # An error below a field that has a value (a part that may not be read) does not undo the mutation.
        if isinstance(data, dict) and data.get(field) is not None:
            return data[field]
        errors = self.body.get("errors")
        if errors:
            raise self._document_error(errors)
        if isinstance(data, dict) and field in data:
            return data[field]
        raise self._error(self._unclear, "nothing that can be understood")

    def _of_status(self) -> ConnectorError:
        kind = self._unclear
        if 400 <= self.status < 500 and self.status != 408:
            kind = _OF_STATUS.get(self.status, InvalidRequest)
        return self._error(kind, f"status {self.status}", wait_s=retry_after_s(self._response.headers))

    def _document_error(self, errors: Any) -> ConnectorError:
        rows = [one for one in errors if isinstance(one, dict)] if isinstance(errors, list) else []
        codes = [_text((one.get("extensions") or {}).get("code")) if _plain(one) else None for one in rows]
        kinds = [self._kind_of_document(code) for code in codes] or [self._unclear]
        kind, code = _gravest(zip(kinds, codes or [None], strict=True))
        return self._error(kind, code or "errors in the document", code=code, wait_s=self._wait_s())

    def _kind_of_document(self, code: str | None) -> type[ConnectorError]:
        if code in _OF_NAME:
            return self._own(_OF_NAME[code])
        # GraphQL: an answer without data was never begun. Its own checks name their codes like fields.
        begun = self.body is not None and "data" in self.body
        return (
            InvalidRequest if not begun and (code is None or not code.isupper() or "INVALID" in code) else self._unclear
        )

    def _refusal(self, said: list[Any]) -> ConnectorError:
        rows = [one for one in said if isinstance(one, dict)]
        if not rows:
            return self._error(self._unclear, "user errors that cannot be understood")
        codes = [_text(one.get("code")) for one in rows]
        kinds = [self._own(_OF_NAME.get(code or "", InvalidRequest)) for code in codes]
        kind, code = _gravest(zip(kinds, codes, strict=True))
        fields = [".".join(map(str, one["field"])) for one in rows if isinstance(one.get("field"), list)]
        hint = f" ({', '.join(dict.fromkeys(fields))})" if fields else ""
        return self._error(kind, f"{code or 'user errors'}{hint}", code=code)

    def _own(self, kind: type[ConnectorError]) -> type[ConnectorError]:
        return self._unclear if kind is OutcomeUnknown else kind

    def _wait_s(self) -> float | None:
        """Seconds until the bucket holds what the document costs; None if the answer does not tell."""
        try:
            cost = (self.body or {})["extensions"]["cost"]
            status = cost["throttleStatus"]
            missing = float(cost["requestedQueryCost"]) - float(status["currentlyAvailable"])
            return max(0.0, missing / float(status["restoreRate"]))
        except (KeyError, TypeError, ValueError, ZeroDivisionError):
            return None

    def _error(
        self, kind: type[ConnectorError], said: str, *, code: str | None = None, wait_s: float | None = None
    ) -> ConnectorError:
        # The messages are left out: they may repeat what a person typed.
        text = f"{self._what}: Shopify answered {said}"
        request_id = self._response.headers.get("X-Request-Id")
        if kind is RateLimited:
            return RateLimited(text, retry_after_s=wait_s, code=code, http_status=self.status, request_id=request_id)
        return kind(text, code=code, http_status=self.status, request_id=request_id)


def json_object(response: requests.Response) -> dict[str, Any] | None:
    """The answer's JSON object; None if it is none."""
    try:
        body = response.json()
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def _gravest(found: Iterable[tuple[type[ConnectorError], str | None]]) -> tuple[type[ConnectorError], str | None]:
    return min(found, key=lambda pair: _GRAVITY.index(pair[0]))


def _plain(one: dict[str, Any]) -> bool:
    return isinstance(one.get("extensions") or {}, dict)


def _text(code: Any) -> str | None:
    return code if isinstance(code, str) else None
