"""How is Stripe's API called? Read, set, remove; and create, which happens once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal, NoReturn
from urllib.parse import urlencode

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr

from connectors.kit import clock
from connectors.kit.action import ResendWithKey
from connectors.kit.errors import AuthExpired, ConnectorError, OutcomeUnknown, Refused, Unavailable
from connectors.kit.fields import Secret
from connectors.stripe import forms
from connectors.stripe.answers import Answer

if TYPE_CHECKING:
    from datetime import datetime

    from connectors.kit.call import Call

HOST = "api.stripe.com"
MARK = "neonhub_effect"
"""Name of the metadata that carries the effect key, to find what was created by."""

# Stripe keeps a key for at least 24 hours; four of them cover clocks, and a request that is long on its way.
ONCE = ResendWithKey("header Idempotency-Key", window_s=20 * 3600.0)
"""The repeat policy of everything that ``create`` creates."""

_MOST_PAGES = 20
_PAGE = 100
_KEYS = {"sk_live_": "live", "rk_live_": "live", "sk_test_": "test", "rk_test_": "test"}

Find = Callable[[], "dict[str, Any] | None"]


def _of_known_kind(secret: SecretStr) -> SecretStr:
    if not secret.get_secret_value().startswith(tuple(_KEYS)):
        raise ValueError("must be a secret or restricted key: sk_live_..., rk_live_..., sk_test_... or rk_test_...")
    return secret


class StripeCredential(BaseModel):
    """An account's secret or restricted key."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    secret_key: Annotated[Secret, AfterValidator(_of_known_kind)] = Field(
        description="sk_live_..., rk_live_..., sk_test_... or rk_test_..."
    )
    webhook_secret: Secret | None = Field(
        default=None, description="whsec_..., of the webhook endpoint; proves its events."
    )


class StripeSettings(BaseModel):
    """Whether money is meant."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    mode: Literal["test", "live"] = Field(default="test", description="What the key must be for; live moves money.")


def get(call: Call, path: str, *, needs: tuple[str, ...] = ("id",), **params: Any) -> dict[str, Any]:
    """Read one thing; arguments that are None are left out.

    Raises:
        ConnectorError: Stripe did not answer with it.
    """
    response = call.http.get(_url(path), params=dict(forms.pairs(params)), headers=_headers(call))
    return Answer(response, _what(path), effect=False).content(needs=needs)


def listed(call: Call, path: str, **params: Any) -> Iterator[dict[str, Any]]:
    """The items of all pages of a list, newest first.

    Raises:
        Unavailable: There are more pages than may be read.
        ConnectorError: Stripe did not answer with a list.
    """
    after: str | None = None
    for _ in range(_MOST_PAGES):
        page = get(call, path, needs=("data", "has_more"), limit=_PAGE, starting_after=after, **params)
        yield from page["data"]
        if not page["has_more"]:
            return
        after = page["data"][-1]["id"]
    raise Unavailable(f"{_what(path)} has more than {_MOST_PAGES} pages; the answer may be on a later one")


def change(call: Call, path: str, fields: Mapping[str, Any], *, needs: tuple[str, ...] = ("id",)) -> dict[str, Any]:
    """Set values; twice is the same as once.

    Raises:
        ConnectorError: Stripe did not do it, or perhaps did.
    """
    return _post(call, path, fields).content(needs=needs)


def delete(call: Call, path: str) -> None:
    """Remove something.

    Raises:
        ConnectorError: Stripe did not do it, or perhaps did.
    """
    response = call.http.request("DELETE", _url(path), effect=True, headers=_headers(call))
    Answer(response, _what(path), effect=True).content(needs=("deleted",))


def create(
    call: Call, path: str, fields: Mapping[str, Any], *, find: Find, needs: tuple[str, ...] = ("id",)
) -> dict[str, Any]:
    """Create something, once: the effect key is the idempotency key, and is kept in the metadata.

    To a repeat Stripe gives its first answer again. Where it has none to give, ``find`` is asked: the first answer was
    a failure of Stripe's own, or the repeat was refused before Stripe looked for the key.

    Args:
        find: What was created, if Stripe shows it.

    Raises:
        OutcomeUnknown: It may have been created.
        ConnectorError: It was not.
    """
    metadata = {**(fields.get("metadata") or {}), MARK: call.key}
    answer = _post(call, path, {**fields, "metadata": metadata}, key=call.key)
    try:
        return answer.content(needs=needs)
    except ConnectorError as error:
        repeat_was_refused = isinstance(error, Refused) and call.first_sent_at is not None and not answer.replayed
        if not (answer.keeps_failing or repeat_was_refused):
            raise
        return _found(find, error)


def _found(find: Find, error: ConnectorError) -> dict[str, Any]:
    try:
        found = find()
    except ConnectorError as failed:
        _give_up(error, f"and it could not be looked up: {failed}")
    if found is None:
        _give_up(error, "which says nothing about the first request; what it may have created is not shown")
    return found


def _give_up(error: ConnectorError, why: str) -> NoReturn:
    text = f"{error}, {why}"
    raise OutcomeUnknown(text, code=error.code, http_status=error.http_status, request_id=error.request_id) from None


def find_marked(call: Call, path: str, **params: Any) -> dict[str, Any] | None:
    """The item of a list that carries the effect key."""
    return next((one for one in listed(call, path, **params) if effect_id(one) == call.key), None)


def since_sent(call: Call) -> dict[str, datetime]:
    """The ``created`` of everything that this effect may have created."""
    return {"gte": (call.first_sent_at or clock.now()) - clock.SKEW}


def effect_id(one: Mapping[str, Any]) -> str | None:
    """The effect key that an object carries; None if it carries none of ours."""
    found = (one.get("metadata") or {}).get(MARK)
    return found if isinstance(found, str) else None


def _post(call: Call, path: str, fields: Mapping[str, Any], *, key: str | None = None) -> Answer:
    headers = {**_headers(call), "Content-Type": "application/x-www-form-urlencoded"}
    if key is not None:
        headers["Idempotency-Key"] = key
    content = urlencode(forms.pairs(fields)).encode()
    response = call.http.request("POST", _url(path), effect=True, data=content, headers=headers)
    return Answer(response, _what(path), effect=True)


def _headers(call: Call) -> dict[str, str]:
    secret = call.credential_as(StripeCredential).secret_key.get_secret_value()
    mode, meant = next(mode for prefix, mode in _KEYS.items() if secret.startswith(prefix)), _mode(call)
    if mode != meant:
        raise AuthExpired(f"the connection is for {meant} mode, and its key for {mode} mode; nothing was sent")
    return {"Authorization": f"Bearer {secret}", "Stripe-Version": call.connector.api_version}


def _mode(call: Call) -> str:
    return call.settings_as(StripeSettings).mode


def _url(path: str) -> str:
    return f"https://{HOST}/v1/{path}"


def _what(path: str) -> str:
    """A path without its ids."""
    return path.replace("checkout/sessions", "checkout sessions").partition("/")[0].replace("_", " ")
