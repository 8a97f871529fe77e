"""How is Discord's HTTP API called? One version, two ways to sign in, and what its codes mean."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from urllib3.filepost import encode_multipart_formdata

from connectors.discord.errors import body_of, error_of
from connectors.discord.files import Part
from connectors.kit.errors import (
    OutcomeUnknown,
    Permission,
    Unavailable,
)
from connectors.kit.fields import Secret

if TYPE_CHECKING:
    import requests

    from connectors.kit.call import Call

HOST = "discord.com"
VERSION = "v10"
# Discord asks every client to name itself like this, and may turn others away (reference, "User Agent").
_USER_AGENT = "DiscordBot (https://github.com/neonhub/neonhub-worker, 0.1.0)"
_WEBHOOK_URL = re.compile(
    r"https://(?:(?:ptb|canary)\.)?discord(?:app)?\.com/api/(?:v\d+/)?webhooks/([0-9]{1,20})/([\w-]{1,200})"
)


class DiscordCredential(BaseModel):
    """How to sign in: a bot's token, a webhook's address, or both."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    bot_token: Secret | None = Field(default=None, description="The bot's token, from the developer portal.")
    webhook_url: Secret | None = Field(
        default=None, description="https://discord.com/api/webhooks/..., from the channel's settings: Integrations."
    )
    public_key: str | None = Field(
        default=None,
        pattern=r"^[0-9a-fA-F]{64}$",
        description="The app's public key, from General Information; proves what Discord tells.",
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
    parts: Sequence[Part] = (),
    needs: tuple[str, ...] = (),
) -> dict[str, Any]:
    """Make a request as the bot; fields and parameters that are None are left out.

    Args:
        path: Below the version, such as ``channels/{id}/messages``.
        effect: Whether it may change something.
        parts: Files that go with the body.
        needs: What the answer must hold to be understood.

    Returns:
        The answer; empty if Discord said that it is done without a body.

    Raises:
        ConnectorError: It did not work; the class says what may be done next.
    """
    headers = _authorization(call)
    answer = _send(call, method, path, effect=effect, body=body, params=params, parts=parts, headers=headers)
    return _object(answer, path, effect=effect, needs=needs)


def ask_webhook(
    call: Call,
    method: str,
    path: str = "",
    *,
    effect: bool,
    body: Mapping[str, Any] | None = None,
    params: Mapping[str, Any] | None = None,
    parts: Sequence[Part] = (),
    needs: tuple[str, ...] = (),
) -> dict[str, Any]:
    """Make a request below the connection's webhook, whose address is its whole credential; otherwise as ``ask``."""
    hook_id, token = call.credential_as(DiscordCredential).webhook()
    address = f"webhooks/{hook_id}/{token}{path}"
    answer = _send(call, method, address, effect=effect, body=body, params=params, parts=parts)
    return _object(answer, "webhooks", effect=effect, needs=needs)


def rows(call: Call, path: str, *, params: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
    """Read a list as the bot.

    Raises:
        ConnectorError: Discord did not answer with a list.
    """
    answer = _send(call, "GET", path, effect=False, params=params, headers=_authorization(call))
    found = body_of(answer)
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
    parts: Sequence[Part] = (),
    headers: Mapping[str, str] | None = None,
) -> requests.Response:
    sent = {"User-Agent": _USER_AGENT, **(headers or {})}
    content = None
    if body is not None:
        content, sent["Content-Type"] = _encoded(_given(body), parts)
    url = f"https://{HOST}/api/{VERSION}/{path}"
    texts = {name: str(value).lower() if isinstance(value, bool) else value for name, value in _given(params).items()}
    return call.http.request(method, url, effect=effect, params=texts, data=content, headers=sent)


def _encoded(body: Mapping[str, Any], parts: Sequence[Part]) -> tuple[bytes, str]:
    """A body and its content type: JSON, or a form with the JSON and the files that it describes."""
    if not parts:
        return json.dumps(body, ensure_ascii=False).encode(), "application/json; charset=utf-8"
    described = [
        _given({"id": str(place), "filename": part.name, "description": part.description})
        for place, part in enumerate(parts)
    ]
    form: dict[str, Any] = {
        "payload_json": json.dumps({**body, "attachments": described}, ensure_ascii=False),
        **{f"files[{place}]": (part.name, part.content, part.media_type) for place, part in enumerate(parts)},
    }
    return encode_multipart_formdata(form)


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
    found = body_of(answer)
    if answer.status_code == 200 and isinstance(found, dict) and all(name in found for name in needs):
        return found
    raise error_of(answer, path, effect=effect)
