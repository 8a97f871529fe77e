"""How is Slack's Web API called? One method, one list of pages, and what its error names mean."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from pydantic import AliasChoices, Field, model_validator

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
from connectors.kit.fields import Secret
from connectors.kit.http import retry_after_s
from connectors.kit.oauth import OAuth, OAuthCredential

if TYPE_CHECKING:
    import requests

    from connectors.kit.call import Call
    from connectors.kit.media import MediaBody

HOSTS = ("slack.com", "files.slack.com")
_MOST_PAGES = 20

_NAMES: dict[type[ConnectorError], str] = {
    AuthExpired: """token_expired invalid_auth not_authed token_revoked account_inactive two_factor_setup_required
        org_login_required invalid_token bad_token""",
    Permission: """missing_scope no_permission not_allowed_token_type access_denied accesslimited app_access_restricted
        not_in_channel ekm_access_denied
        enterprise_is_restricted team_added_to_org cant_update_message cant_delete_message edit_window_closed
        posting_to_channel_denied as_user_not_supported messages_tab_disabled file_uploads_disabled
        metadata_must_be_sent_from_app""",
    NotFound: """channel_not_found message_not_found file_not_found file_deleted user_not_found thread_not_found
        team_not_found is_archived invalid_scheduled_message_id invalid_channel""",
    InvalidRequest: """no_text msg_too_long msg_blocks_too_long too_many_attachments invalid_blocks
        invalid_blocks_format invalid_metadata_format invalid_metadata_schema metadata_too_large
        markdown_text_conflict attachment_payload_limit_exceeded invalid_arguments invalid_arg_name
        invalid_array_arg invalid_charset invalid_form_data invalid_post_type missing_post_type missing_argument
        invalid_cursor invalid_limit invalid_types invalid_time time_in_past time_too_far cannot_reply_to_message
        block_mismatch unknown_method method_deprecated deprecated_endpoint file_type_not_allowed
        file_upload_size_restricted""",
    PolicyRejected: "blocked_file_type",
    RateLimited: "ratelimited rate_limited message_limit_exceeded restricted_too_many storage_limit_reached",
    # Slack says of the first four that a part may have succeeded; the other two speak of an earlier request of ours.
    OutcomeUnknown: """internal_error fatal_error service_unavailable file_update_failed
        duplicate_message_not_found duplicate_channel_not_found""",
    # The request was cut short on its way, or Slack says that nothing changed.
    Unavailable: "request_timeout update_failed",
}
_OF_NAME = {name: kind for kind, names in _NAMES.items() for name in names.split()}
# Families that grow.
_OF_PATTERN: tuple[tuple[re.Pattern[str], type[ConnectorError]], ...] = (
    (re.compile(r"restricted_action(_\w+)?"), Permission),
    (re.compile(r"slack_connect_\w+_blocked"), PolicyRejected),
)
# Seconds to wait where Slack names the limit but not the time.
_WAITS_S = {
    "rate_limited": 1.0,
    "restricted_too_many": 60.0,
    "message_limit_exceeded": 3600.0,
    "storage_limit_reached": 3600.0,
}
_HINTS = {"not_in_channel": "invite the app to the channel", "is_archived": "the channel is archived"}


class SlackCredential(OAuthCredential):
    """A bot's token, or the app's identity and the pair of tokens that token rotation replaces."""

    client_id: str = Field(default="", description="Client ID of the app, under Basic Information.")
    access_token: Secret | None = Field(
        default=None,
        validation_alias=AliasChoices("bot_token", "access_token"),
        description="The bot's token: xoxb-..., or xoxe.xoxb-... with token rotation.",
    )
    signing_secret: Secret | None = Field(default=None, description="The app's signing secret; proves its events.")

    @model_validator(mode="after")
    def _speaks_for_something(self) -> SlackCredential:
        if self.access_token is None and (not self.client_id or self.client_secret is None):
            raise ValueError("needs bot_token, or client_id and client_secret")
        if self.refresh_token is not None and (not self.client_id or self.client_secret is None):
            raise ValueError("a refresh_token needs client_id and client_secret")
        return self


OAUTH = OAuth(
    authorize_url="https://slack.com/oauth/v2/authorize",
    token_url="https://slack.com/api/oauth.v2.access",  # noqa: S106
    scopes=(
        "chat:write",
        "channels:read",
        "groups:read",
        "im:read",
        "mpim:read",
        "channels:history",
        "groups:history",
        "im:history",
        "mpim:history",
        "channels:join",
        "im:write",
        "files:write",
        "files:read",
    ),
    basic=True,
    pkce=False,
    scope_separator=",",
    loopback=False,
    errors={
        "invalid_refresh_token": GrantDead,
        "token_revoked": GrantDead,
        "account_inactive": GrantDead,
        "invalid_code": GrantDead,
        "code_already_used": GrantDead,
        "invalid_client_id": Permission,
        "bad_client_secret": Permission,
        "oauth_authorization_url_mismatch": Permission,
        "bad_redirect_uri": InvalidRequest,
        "invalid_grant_type": InvalidRequest,
        "ratelimited": RateLimited,
        "rate_limited": RateLimited,
        "internal_error": Unavailable,
        "fatal_error": Unavailable,
        "service_unavailable": Unavailable,
        "request_timeout": Unavailable,
    },
)
"""Only an app with token rotation has a refresh token, which each renewal replaces; other tokens do not end.

https://docs.slack.dev/authentication/using-token-rotation
"""


def post(
    call: Call, method: str, body: Mapping[str, Any], *, effect: bool, needs: tuple[str, ...] = ()
) -> dict[str, Any]:
    """Call a writing method; arguments that are None are left out.

    Args:
        effect: Whether it may change something.
        needs: What the answer must hold to be understood.

    Raises:
        ConnectorError: Slack did not answer ok; the class says what may be done next.
    """
    content = json.dumps(_given(body), ensure_ascii=False).encode()
    headers = {**_authorization(call), "Content-Type": "application/json; charset=utf-8"}
    answer = call.http.request("POST", _url(method), effect=effect, data=content, headers=headers)
    return _body(answer, method, effect=effect, needs=needs)


def post_form(
    call: Call, method: str, body: Mapping[str, Any], *, effect: bool, needs: tuple[str, ...] = ()
) -> dict[str, Any]:
    """Call one of the methods that take no JSON; otherwise as ``post``."""
    answer = call.http.request("POST", _url(method), effect=effect, data=_given(body), headers=_authorization(call))
    return _body(answer, method, effect=effect, needs=needs)


def get(call: Call, method: str, *, needs: tuple[str, ...] = (), **params: Any) -> dict[str, Any]:
    """Call a reading method; arguments that are None are left out.

    Raises:
        ConnectorError: Slack did not answer ok.
    """
    texts = {name: str(value).lower() if isinstance(value, bool) else value for name, value in _given(params).items()}
    return _body(
        call.http.get(_url(method), params=texts, headers=_authorization(call)), method, effect=False, needs=needs
    )


def listed(
    call: Call, method: str, key: str, *, most_pages: int = _MOST_PAGES, **params: Any
) -> Iterator[dict[str, Any]]:
    """The items of all pages of a list. A page may be short or empty and still not be the last.

    Raises:
        Unavailable: There are more pages than may be read, or Slack slowed us down after the first one.
        ConnectorError: Slack did not answer ok.
    """
    cursor: str | None = None
    for number in range(1, most_pages + 1):
        try:
            page = get(call, method, needs=(key,), cursor=cursor, **params)
        except RateLimited as limited:
            if number == 1:
                raise
            # Asked again, the list begins at its first page. Where an app may read one page a minute, waiting for the
            # limit would never end; as a failure it counts, and ends.
            text = f"{method} was slowed down on page {number}; the answer may be on it or later"
            raise Unavailable(text, code=limited.code, http_status=limited.http_status) from None
        yield from page[key]
        cursor = (page.get("response_metadata") or {}).get("next_cursor") or None
        if cursor is None:
            return
    raise Unavailable(f"{method} has more than {most_pages} pages; the answer may be on a later one")


def put_bytes(call: Call, upload_url: str, content: bytes | MediaBody, *, read_s: float | None = None) -> None:
    """Bring a file's bytes where Slack said; harmless to repeat.

    Args:
        read_s: Seconds to wait for the answer, if not the connector's own.

    Raises:
        ConnectorError: They did not arrive.
    """
    headers = {"Content-Type": "application/octet-stream"}
    answer = call.http.request("POST", upload_url, effect=False, data=content, headers=headers, read_s=read_s)
    if answer.status_code != 200:
        raise _error(answer, "upload", None, effect=False)


def _url(method: str) -> str:
    return f"https://slack.com/api/{method}"


def _authorization(call: Call) -> dict[str, str]:
    return call.credential_as(SlackCredential).bearer()


def _given(arguments: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in arguments.items() if value is not None}


def _body(answer: requests.Response, method: str, *, effect: bool, needs: tuple[str, ...] = ()) -> dict[str, Any]:
    try:
        body = answer.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise _error(answer, method, None, effect=effect)
    if answer.status_code == 200 and body.get("ok") is True and all(name in body for name in needs):
        return body
    raise _error(answer, method, body, effect=effect)


def _error(answer: requests.Response, method: str, body: dict[str, Any] | None, *, effect: bool) -> ConnectorError:
    """Class an answer: both success and failure come with 200; only throttling and outages have their own status."""
    status = answer.status_code
    name = str(body["error"]) if body is not None and "error" in body else None
    request_id = answer.headers.get("X-Slack-Req-Id")
    kind = _kind(status, name, effect=effect)
    said = name or f"status {status}"
    hint = f"needs scope {body['needed']}" if body is not None and body.get("needed") else _HINTS.get(name or "")
    message = f"{method}: Slack answered {said}" + (f" ({hint})" if hint else "")
    if issubclass(kind, RateLimited):
        wait_s = retry_after_s(answer.headers)
        wait_s = _WAITS_S.get(name or "") if wait_s is None else wait_s
        return RateLimited(
            message, retry_after_s=wait_s, of="action", code=name, http_status=status, request_id=request_id
        )
    return kind(message, code=name, http_status=status, request_id=request_id)


def _kind(status: int, name: str | None, *, effect: bool) -> type[ConnectorError]:
    unclear: type[ConnectorError] = OutcomeUnknown if effect else Unavailable
    if status == 429:
        return RateLimited
    if name is None:
        return InvalidRequest if 300 <= status < 500 and status != 408 else unclear
    families = (kind for pattern, kind in _OF_PATTERN if pattern.fullmatch(name))
    kind = _OF_NAME.get(name) or next(families, unclear if status >= 500 else InvalidRequest)
    return unclear if kind is OutcomeUnknown else kind
