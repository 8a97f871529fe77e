"""How is X's API called? With the account's token, and with field names that X has renamed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import Field

from connectors.kit.errors import OutcomeUnknown, Permission, Unavailable
from connectors.kit.fields import Secret
from connectors.kit.oauth import OAuthCredential
from connectors.x.errors import error_of, names_parameter

if TYPE_CHECKING:
    import requests

    from connectors.kit.call import Call

HOST = "api.x.com"


class XCredential(OAuthCredential):
    """An app's identity, and the tokens of the account that agreed to it."""

    app_token: Secret | None = Field(
        default=None, description="The app's own bearer token; only getUsage needs it, nothing is posted with it."
    )


@dataclass(frozen=True)
class _Names:
    """What the fields of a post are called when they are asked for.

    Attributes:
        parameter: The query parameter that lists them.
        fields: Our word to X's field.
        expansions: Our word to X's expansion, for what is no field under these names.
    """

    parameter: str
    fields: Mapping[str, str]
    expansions: Mapping[str, str]


_SAME = {name: name for name in ("created_at", "entities", "attachments", "public_metrics", "non_public_metrics")}
# X renamed posts in its specification 2.167 of August 2026; its servers and its guides follow one by one.
_TWEETS = _Names(
    "tweet.fields",
    {**_SAME, "author_id": "author_id", "references": "referenced_tweets", "note": "note_tweet"},
    {},
)
_POSTS = _Names(
    "post.fields", {**_SAME, "note": "note_post"}, {"author_id": "author_id", "references": "referenced_posts"}
)
_spoken = [_TWEETS, _POSTS]
"""The names that worked last come first."""


def get(
    call: Call,
    path: str,
    *,
    params: Mapping[str, Any] | None = None,
    fields: tuple[str, ...] = (),
    as_app: bool = False,
    needs: tuple[str, ...] = ("data",),
) -> dict[str, Any]:
    """Read; parameters that are None are left out.

    Args:
        path: Below the host, such as ``/2/users/me``.
        fields: Fields of posts, in our words.
        as_app: With the app's token in place of the account's.
        needs: What the answer must hold to be understood.

    Raises:
        ConnectorError: X did not answer with what was asked for; the class says what may be done next.
    """
    headers = _app_bearer(call) if as_app else call.credential_as(XCredential).bearer()
    first, second = _spoken
    for names in (first, second):
        asked = _given({**(params or {}), **_asked(names, fields)})
        answer = call.http.get(_url(path), params=asked, headers=headers)
        if not fields or answer.status_code != 400 or not names_parameter(answer, names.parameter):
            break
        # This server knows the other names; from now on they come first.
        _spoken[:] = [second, first]
    return _body(answer, path, effect=False, needs=needs)


def post(
    call: Call,
    path: str,
    body: Mapping[str, Any] | None = None,
    *,
    effect: bool,
    content: tuple[bytes, str] | None = None,
    needs: tuple[str, ...] = ("data",),
) -> dict[str, Any]:
    """Create something; fields that are None are left out.

    Args:
        effect: Whether a repeat would do harm.
        content: A body that is no JSON, and its content type.
        needs: What the answer must hold to be understood.

    Raises:
        ConnectorError: X did not answer that it is done; the class says what may be done next.
    """
    headers = dict(call.credential_as(XCredential).bearer())
    data: bytes | None = None
    if content is not None:
        data, headers["Content-Type"] = content
    elif body is not None:
        data = json.dumps(_given(body), ensure_ascii=False).encode()
        headers["Content-Type"] = "application/json; charset=utf-8"
    answer = call.http.request("POST", _url(path), effect=effect, data=data, headers=headers)
    return _body(answer, path, effect=effect, needs=needs)


def delete(call: Call, path: str) -> dict[str, Any]:
    """Delete something.

    Raises:
        ConnectorError: X did not answer that it is done.
    """
    headers = call.credential_as(XCredential).bearer()
    return _body(
        call.http.request("DELETE", _url(path), effect=True, headers=headers), path, effect=True, needs=("data",)
    )


@contextmanager
def reading(*, effect: bool = False) -> Iterator[None]:
    """Inside, an answer that is not built as X documents it becomes an error of ours.

    Raises:
        OutcomeUnknown: It was the answer to an effect.
        Unavailable: It was not.
    """
    try:
        yield
    except (LookupError, TypeError, AttributeError, ValueError) as error:
        kind = OutcomeUnknown if effect else Unavailable
        raise kind(f"X's answer is not readable ({type(error).__name__})", http_status=200) from None


def _url(path: str) -> str:
    return f"https://{HOST}{path}"


def _app_bearer(call: Call) -> dict[str, str]:
    token = call.credential_as(XCredential).app_token
    if token is None:
        raise Permission("the connection has no app_token; X tells usage to the app alone. Nothing was asked")
    return {"Authorization": f"Bearer {token.get_secret_value()}"}


def _asked(names: _Names, fields: tuple[str, ...]) -> dict[str, str | None]:
    expansions = [names.expansions[field] for field in fields if field in names.expansions]
    listed = [names.fields[field] for field in fields if field in names.fields]
    return {names.parameter: ",".join(listed) or None, "expansions": ",".join(expansions) or None}


def _given(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _body(answer: requests.Response, path: str, *, effect: bool, needs: tuple[str, ...]) -> dict[str, Any]:
    try:
        found = answer.json()
    except (ValueError, RecursionError):
        found = None
    done = answer.status_code in (200, 201) and isinstance(found, dict) and all(name in found for name in needs)
    if done:
        checked: dict[str, Any] = found
        return checked
    # Ids in the path may name a person: only its words are shown.
    what = " ".join(word for word in path.split("/") if word.replace("_", "").isalpha())
    raise error_of(answer, what, effect=effect)
