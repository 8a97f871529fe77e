"""How is Discord's HTTP API called? One version, two ways to sign in, and what its codes mean."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

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

HOST = "discord.com"
VERSION = "v10"
UNKNOWN_MESSAGE, UNKNOWN_EVENT, UNKNOWN_WEBHOOK = "10008", "10070", "10015"
ALREADY_CROSSPOSTED, EVENT_IS_OVER = "40033", "180000"

# Discord asks every client to name itself like this, and may turn others away (reference, "User Agent").
_USER_AGENT = "DiscordBot (https://github.com/neonhub/neonhub-worker, 0.1.0)"
_WEBHOOK_URL = re.compile(
    r"https://(?:(?:ptb|canary)\.)?discord(?:app)?\.com/api/(?:v\d+/)?webhooks/([0-9]{1,20})/([\w-]{1,200})"
)

_CODES: dict[type[ConnectorError], str] = {
    AuthExpired: "40001 50014 50025 50027 10015",
    Permission: "20012 40007 50001 50005 50013 50026 50278 160002 160005 400001",
    RecipientOptedOut: "50007",
    NotFound: "10003 10004 10008 10070",
    InvalidRequest: """40005 40033 40058 40067 50006 50008 50024 50035 50068 50083 50091 50109 180000 220001""",
    PolicyRejected: "20009 200000 200001 240000",
    RateLimited: "20016 20022 20028 20029 30038 30046 40003 40062",
    # Switched off for a time, or an index that is not ready: Discord says that it did nothing.
    Unavailable: "40004 40006 110000",
    # Overloaded: the request may have been taken up before.
    OutcomeUnknown: "130000",
}
_OF_CODE = {code: kind for kind, codes in _CODES.items() for code in codes.split()}
_OF_STATUS: dict[int, type[ConnectorError]] = {
    401: AuthExpired,
    403: Permission,
    404: NotFound,
    429: RateLimited,
}
# Seconds to wait where Discord names the limit but not the time: a place among the events, an edit of an old message,
# a new conversation.
_WAITS_S = {"30038": 3600.0, "30046": 600.0, "40003": 600.0}
_HINTS = {
    "10015": "the webhook was deleted; add the connection again with a new one",
    "30038": "a server holds at most 100 events that are not over",
    "40058": "a forum takes threads, not messages",
    "50001": "let the bot see the channel",
    "50007": "the person takes no direct messages from this bot",
    "50013": "give the bot the permission in the server's settings",
    "50027": "the webhook's token is wrong; add the connection again",
    "220001": "a forum's webhook needs thread_name or thread_id",
}
_FIELD = re.compile(r"[A-Za-z0-9_]{1,40}")


class DiscordCredential(BaseModel):
    """How to sign in: a bot's token, a webhook's address, or both."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    bot_token: Secret | None = Field(default=None, description="The bot's token, from the developer portal.")
    webhook_url: Secret | None = Field(
        default=None, description="https://discord.com/api/webhooks/..., from the channel's settings: Integrations."
    )

    @field_validator("webhook_url")
    @classmethod
    def _is_a_webhook(cls, url: Secret | None) -> Secret | None:
        if url is not None and not _WEBHOOK_URL.fullmatch(url.get_secret_value()):
            raise ValueError("must be https://discord.com/api/webhooks/ID/TOKEN")
        return url

    @model_validator(mode="after")
    def _one_way_to_sign_in(self) -> DiscordCredential:
        if self.bot_token is None and self.webhook_url is None:
            raise ValueError("needs bot_token, webhook_url or both")
        return self

    def webhook(self) -> tuple[str, str]:
        """The webhook's id and token.

        Raises:
            Permission: The connection has no webhook.
        """
        found = self.webhook_url and _WEBHOOK_URL.fullmatch(self.webhook_url.get_secret_value())
        if not found:
            raise Permission("the connection has no webhook_url; nothing was sent")
        return found[1], found[2]


def ask(
    call: Call,
    method: str,
    path: str,
    *,
    effect: bool,
    body: Mapping[str, Any] | None = None,
    params: Mapping[str, Any] | None = None,
    needs: tuple[str, ...] = (),
) -> dict[str, Any]:
    """Make a request as the bot; fields and parameters that are None are left out.

    Args:
        path: Below the version, such as ``channels/{id}/messages``.
        effect: Whether it may change something.
        needs: What the answer must hold to be understood.

    Returns:
        The answer; empty if Discord said that it is done without a body.

    Raises:
        ConnectorError: It did not work; the class says what may be done next.
    """
    answer = _send(call, method, path, effect=effect, body=body, params=params, headers=_authorization(call))
    return _object(answer, path, effect=effect, needs=needs)


def ask_webhook(
    call: Call,
    method: str,
    path: str = "",
    *,
    effect: bool,
    body: Mapping[str, Any] | None = None,
    params: Mapping[str, Any] | None = None,
    needs: tuple[str, ...] = (),
) -> dict[str, Any]:
    """Make a request below the connection's webhook, whose address is its whole credential; otherwise as ``ask``."""
    hook_id, token = call.credential_as(DiscordCredential).webhook()
    answer = _send(call, method, f"webhooks/{hook_id}/{token}{path}", effect=effect, body=body, params=params)
    return _object(answer, "webhooks", effect=effect, needs=needs)


def rows(call: Call, path: str, *, params: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
    """Read a list as the bot.

    Raises:
        ConnectorError: Discord did not answer with a list.
    """
    answer = _send(call, "GET", path, effect=False, params=params, headers=_authorization(call))
    found = _json(answer)
    if answer.status_code != 200 or not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise error_of(answer, path, effect=False)
    return found


@contextmanager
def reading(*, effect: bool = False) -> Iterator[None]:
    """Inside, an answer that is not built as Discord documents it becomes an error of ours.

    Raises:
        OutcomeUnknown: It was the answer to an effect.
        Unavailable: It was not.
    """
    try:
        yield
    except (LookupError, TypeError, AttributeError, ValueError) as error:
        kind = OutcomeUnknown if effect else Unavailable
        raise kind(f"Discord's answer is not readable ({type(error).__name__})", http_status=200) from None


def _send(
    call: Call,
    method: str,
    path: str,
    *,
    effect: bool,
    body: Mapping[str, Any] | None = None,
    params: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> requests.Response:
    sent = {"User-Agent": _USER_AGENT, **(headers or {})}
    content = None
    if body is not None:
        sent["Content-Type"] = "application/json; charset=utf-8"
        content = json.dumps(_given(body), ensure_ascii=False).encode()
    url = f"https://{HOST}/api/{VERSION}/{path}"
    texts = {name: str(value).lower() if isinstance(value, bool) else value for name, value in _given(params).items()}
    return call.http.request(method, url, effect=effect, params=texts, data=content, headers=sent)


def _authorization(call: Call) -> dict[str, str]:
    token = call.credential_as(DiscordCredential).bot_token
    if token is None:
        raise Permission("the connection has no bot_token, only a webhook; nothing was sent")
    return {"Authorization": f"Bot {token.get_secret_value()}"}


def _given(fields: Mapping[str, Any] | None) -> dict[str, Any]:
    return {name: value for name, value in (fields or {}).items() if value is not None}


def _object(answer: requests.Response, path: str, *, effect: bool, needs: tuple[str, ...]) -> dict[str, Any]:
    if answer.status_code == 204 and not needs:
        return {}
    found = _json(answer)
    if answer.status_code == 200 and isinstance(found, dict) and all(name in found for name in needs):
        return found
    raise error_of(answer, path, effect=effect)


def error_of(answer: requests.Response, path: str, *, effect: bool) -> ConnectorError:
    """Class an answer that is no success: by Discord's code if it is known, else by the HTTP status.

    Args:
        path: What was asked, for people; only its words are shown, no id and no token.
        effect: Whether the request may have changed something; then a failure of Discord leaves the outcome unknown.
    """
    found = _json(answer)
    body = found if isinstance(found, dict) else {}
    number, status = body.get("code"), answer.status_code
    code = str(number) if isinstance(number, int) and not isinstance(number, bool) else None
    kind = _kind(status, code, effect=effect)
    what = " ".join(word for word in path.split("/") if word.isascii() and word.replace("-", "").isalpha())
    said = " ".join(filter(None, (f"code {code}" if code else f"status {status}", _field_at_fault(body.get("errors")))))
    hint = _HINTS.get(code or "")
    message = f"{what}: Discord answered {said}" + (f" ({hint})" if hint else "")
    request_id = answer.headers.get("CF-Ray")
    if not issubclass(kind, RateLimited):
        return kind(message, code=code, http_status=status, request_id=request_id)
    wait_s = _seconds(body.get("retry_after"))
    wait_s = retry_after_s(answer.headers) if wait_s is None else wait_s
    wait_s = _WAITS_S.get(code or "") if wait_s is None else wait_s
    return RateLimited(
        message, retry_after_s=wait_s, of=_limited(body, path), code=code, http_status=status, request_id=request_id
    )


def _kind(status: int, code: str | None, *, effect: bool) -> type[ConnectorError]:
    unclear: type[ConnectorError] = OutcomeUnknown if effect else Unavailable
    if status == 429:
        return RateLimited
    known = _OF_CODE.get(code or "")
    if known is not None:
        return unclear if known is OutcomeUnknown else known
    if 300 <= status < 500 and status != 408:
        return _OF_STATUS.get(status, InvalidRequest)
    return unclear


def _limited(body: Mapping[str, Any], path: str) -> Literal["connection", "action", "target"]:
    """What a 429 holds back. Without Discord's own body it comes from the edge, which holds back the whole address."""
    if body.get("global") is True or "message" not in body:
        return "connection"
    return "target" if path.startswith("channels/") else "action"


def _field_at_fault(errors: Any) -> str | None:
    """The first field that 50035 names, with its rule; Discord nests them by field and place in a list."""
    path: list[str] = []
    while isinstance(errors, dict) and errors and "_errors" not in errors and len(path) < 8:
        name, errors = next(iter(errors.items()))
        path.append(name if _FIELD.fullmatch(name) else "?")
    first = errors.get("_errors") if isinstance(errors, dict) else None
    rule = first[0].get("code") if isinstance(first, list) and first and isinstance(first[0], dict) else None
    shown = rule if isinstance(rule, str) and _FIELD.fullmatch(rule) else ""
    return f"at {'.'.join(path)} {shown}".rstrip() if path else None


def _seconds(value: Any) -> float | None:
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 <= value < float("inf"):
        return None
    return float(value)


def _json(answer: requests.Response) -> Any:
    try:
        return answer.json()
    except ValueError:
        return None
