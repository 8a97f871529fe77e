"""Twilio's REST API: its SDK over our HTTP, and what its error codes mean."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator
from twilio.base.exceptions import TwilioException  # type: ignore[import-untyped]
from twilio.http.http_client import TwilioHttpClient  # type: ignore[import-untyped]
from twilio.http.response import Response as TwilioResponse  # type: ignore[import-untyped]
from twilio.rest import Client  # type: ignore[import-untyped]

from connectors.kit.errors import (
    AuthExpired,
    ConnectorError,
    InvalidRequest,
    NotFound,
    OutcomeUnknown,
    Permission,
    PolicyRejected,
    RateLimited,
    RecipientOptedOut,
    Unavailable,
)
from connectors.kit.fields import Secret
from connectors.kit.http import retry_after_s

if TYPE_CHECKING:
    import requests

    from connectors.kit.call import Call
    from connectors.kit.http import Http

HOSTS = ("api.twilio.com", "accounts.twilio.com", "messaging.twilio.com", "content.twilio.com", "oauth.twilio.com")

_ANSWERED: dict[type[ConnectorError], tuple[int, ...]] = {
    InvalidRequest: (
        *(21211, 21212, 21602, 21603, 21604, 21612, 21614, 21617, 21703),
        *(30409, 35111, 35114, 35115, 35117, 35118, 90007),
    ),
    Permission: (20008, 21408, 21606, 21608),
    NotFound: (20404, 21705),
    RecipientOptedOut: (21610,),
    RateLimited: (20429, 21611),
    AuthExpired: (20003,),
}
_REPORTED: dict[type[ConnectorError], tuple[int, ...]] = {
    RateLimited: (30001, 63018),
    Permission: (30002,),
    Unavailable: (30003, 30008, 30036),
    PolicyRejected: (30004, 30007, 30034, 63016, 63049),
    InvalidRequest: (30005, 30006, 63024),
}
_OF_CODE = {code: kind for kind, codes in _ANSWERED.items() for code in codes}
_OF_REPORTED_CODE = {code: kind for kind, codes in _REPORTED.items() for code in codes}
_OF_STATUS: dict[int, type[ConnectorError]] = {401: AuthExpired, 403: Permission, 404: NotFound, 429: RateLimited}
# Twilio lets a From queue run for ten hours before it refuses; it drains at one message a second or slower.
_FULL_QUEUE, _FULL_QUEUE_RETRY_S = 21611, 600.0


class TwilioCredential(BaseModel):
    """How to sign in: an API key (preferred: it can be revoked alone) or the account's auth token."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    account_sid: str = Field(pattern=r"^AC[0-9a-fA-F]{32}$", description="The account, AC...")
    auth_token: Secret | None = Field(default=None, description="The account's auth token; also proves its webhooks.")
    api_key_sid: str | None = Field(default=None, pattern=r"^SK[0-9a-fA-F]{32}$", description="An API key, SK...")
    api_key_secret: Secret | None = Field(default=None, description="The API key's secret.")

    @model_validator(mode="after")
    def _one_way_to_sign_in(self) -> TwilioCredential:
        if (self.api_key_sid is None) != (self.api_key_secret is None):
            raise ValueError("api_key_sid and api_key_secret belong together")
        if self.auth_token is None and self.api_key_sid is None:
            raise ValueError("needs auth_token, or api_key_sid and api_key_secret")
        return self

    def basic_auth(self) -> tuple[str, str]:
        """User and password of each request."""
        if self.api_key_sid is not None and self.api_key_secret is not None:
            return self.api_key_sid, self.api_key_secret.get_secret_value()
        assert self.auth_token is not None
        return self.account_sid, self.auth_token.get_secret_value()


class _Transport(TwilioHttpClient):  # type: ignore[misc]
    """The SDK's requests over our HTTP: explicit timeouts, no repeats, no URLs in logs, errors with their headers."""

    def __init__(self, http: Http) -> None:
        super().__init__(pool_connections=False)
        self._http = http

    def request(
        self,
        method: str,
        url: str,
        params: Mapping[str, Any] | None = None,
        data: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,
        allow_redirects: bool = False,
    ) -> TwilioResponse:
        """Send one request; the SDK's ``timeout`` and ``allow_redirects`` are ours to decide."""
        effect = method.upper() != "GET"
        answer = self._http.request(
            method.upper(), url, effect=effect, params=params, data=data, headers=headers, auth=auth
        )
        if answer.status_code >= 300:
            raise error_of(answer, effect=effect)
        if answer.status_code != 204 and not isinstance(_json(answer), dict):
            raise _unclear(effect)("Twilio's answer is not readable", http_status=answer.status_code)
        return TwilioResponse(answer.status_code, answer.text, answer.headers)


def client(call: Call) -> Any:
    """The SDK's client for one call."""
    credential = call.credential_as(TwilioCredential)
    user, password = credential.basic_auth()
    # Left out, the SDK would let TWILIO_EDGE and TWILIO_REGION choose another host.
    environment = {"TWILIO_EDGE": "", "TWILIO_REGION": ""}
    return Client(user, password, credential.account_sid, http_client=_Transport(call.http), environment=environment)


@contextmanager
def speaking(*, effect: bool) -> Iterator[None]:
    """Inside, an answer that the SDK cannot read becomes an error of ours.

    Raises:
        OutcomeUnknown: It was the answer to an effect.
        Unavailable: It was not.
    """
    try:
        yield
    except (TwilioException, ValueError, KeyError, TypeError, AttributeError) as error:
        raise _unclear(effect)(f"Twilio's answer is not readable ({type(error).__name__})") from None


def error_of(answer: requests.Response, *, effect: bool) -> ConnectorError:
    """Class an answer: by Twilio's code if it is known, else by the HTTP status.

    Args:
        effect: Whether the request may have changed something; then a server error leaves the outcome unknown.
    """
    code = _code(answer)
    status = answer.status_code
    unclear = status >= 500 or status == 408
    kind = _OF_CODE.get(code or 0) or _OF_STATUS.get(status) or (_unclear(effect) if unclear else InvalidRequest)
    request_id = answer.headers.get("Twilio-Request-Id")
    text = None if code is None else str(code)
    message = f"Twilio answered {status}" + (f", see https://www.twilio.com/docs/errors/{code}" if code else "")
    if issubclass(kind, RateLimited):
        wait_s = retry_after_s(answer.headers)
        if wait_s is None and code == _FULL_QUEUE:
            wait_s = _FULL_QUEUE_RETRY_S
        return RateLimited(message, retry_after_s=wait_s, code=text, http_status=status, request_id=request_id)
    return kind(message, code=text, http_status=status, request_id=request_id)


def reported_class(code: int | None) -> str | None:
    """What a code means that a message got later, when a carrier or handset refused it; its error class's name."""
    kind = _OF_REPORTED_CODE.get(code or 0) or _OF_CODE.get(code or 0)
    return None if kind is None else kind.__name__


def _unclear(effect: bool) -> type[ConnectorError]:
    return OutcomeUnknown if effect else Unavailable


def _code(answer: requests.Response) -> int | None:
    body = _json(answer)
    code = body.get("code") if isinstance(body, dict) else None
    return code if isinstance(code, int) else None


def _json(answer: requests.Response) -> Any:
    try:
        return json.loads(answer.text)
    except ValueError:
        return None
