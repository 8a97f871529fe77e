"""Google's OAuth2, shared by all connectors that speak to a Google API: a person's consent, or a service account.

https://developers.google.com/identity/protocols/oauth2
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator

from connectors.kit import clock
from connectors.kit.errors import ConnectorError, GrantDead
from connectors.kit.oauth import C, OAuth, OAuthCredential, granted, token_answer

if TYPE_CHECKING:
    from connectors.kit.http import Http

HOST = "oauth2.googleapis.com"
"""Belongs to the hosts of every connector that uses ``GoogleOAuth``."""

TOKEN_URL = f"https://{HOST}/token"
AUTHORIZE_URL = "https://accounts.google.com/o/oauth2/v2/auth"

_JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_ASSERTED_S = 3600
"""The longest that Google lets an assertion live."""


def _rsa(pem: str) -> RSAPrivateKey:
    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ValueError("must be the private_key of Google's key file, an RSA key in PEM without password") from None
    if not isinstance(key, RSAPrivateKey):
        raise ValueError("must be an RSA key")
    return key


def _readable(pem: SecretStr) -> SecretStr:
    _rsa(pem.get_secret_value())
    return pem


class ServiceAccount(BaseModel):
    """The key file of a service account as Google's console hands it out; what is not needed of it is dropped.

    Its ``token_uri`` is not followed: assertions go to Google's token endpoint and nowhere else.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    client_email: str = Field(min_length=3, pattern=r"^\S+@\S+$", description="Who the service account is.")
    private_key_id: str = Field(min_length=1, description="Which of its keys this is.")
    private_key: Annotated[SecretStr, AfterValidator(_readable)] = Field(description="The RSA key, in PEM.")

    def assertion(self, scopes: tuple[str, ...], subject: str | None) -> str:
        """A signed claim to a token (RFC 7523), which lives for an hour."""
        issued_s = int(clock.now().timestamp())
        claims = {
            "iss": self.client_email,
            "scope": " ".join(scopes),
            "aud": TOKEN_URL,
            "iat": issued_s,
            "exp": issued_s + _ASSERTED_S,
            **({} if subject is None else {"sub": subject}),
        }
        head = {"alg": "RS256", "typ": "JWT", "kid": self.private_key_id}
        signed = f"{_part(head)}.{_part(claims)}"
        key = _rsa(self.private_key.get_secret_value())
        return f"{signed}.{_base64url(key.sign(signed.encode(), PKCS1v15(), hashes.SHA256()))}"


class GoogleCredential(OAuthCredential):
    """Either an app's identity with a person's consent, or a service account.

    Attributes:
        subject: On whose behalf a service account acts, by domain-wide delegation in a Workspace domain.
    """

    client_id: str = Field(default="", description="OAuth client id, which ends in .apps.googleusercontent.com.")
    service_account: ServiceAccount | None = Field(
        default=None, description="A service account's key file, instead of the client and its consent."
    )
    subject: str | None = Field(
        default=None, pattern=r"^\S+@\S+$", description="User that the service account acts for; mostly left out."
    )

    @model_validator(mode="after")
    def _one_of_both(self) -> GoogleCredential:
        if self.service_account is None:
            if not self.client_id or self.client_secret is None:
                raise ValueError("needs client_id and client_secret, or service_account")
            if self.subject is not None:
                raise ValueError("subject goes with service_account only")
        elif self.refresh_token is not None:
            raise ValueError("a service account has no refresh_token; leave one of them out")
        return self


@dataclass(frozen=True, kw_only=True)
class GoogleOAuth(OAuth):
    """Google's consent, refresh and service-account grants; its refresh tokens are not rotated.

    Without ``access_type=offline`` a consent brings no refresh token, and without ``prompt=consent`` a second one
    brings none. Scopes that were granted to other connectors are not included: a grant that holds Gmail's dies with
    its owner's next change of password.
    """

    authorize_url: str | None = AUTHORIZE_URL
    token_url: str = TOKEN_URL
    authorize_params: Mapping[str, str] = field(default_factory=lambda: {"access_type": "offline", "prompt": "consent"})

    def refresh(self, http: Http, credential: C) -> C:
        """Fetch a new access token, by the refresh token or by the service account's key.

        Raises:
            GrantDead: A person has to agree again, or to look at the service account, its key and this machine's clock.
            ConnectorError: It did not work this time.
        """
        if not isinstance(credential, GoogleCredential) or credential.service_account is None:
            return super().refresh(http, credential)
        form = {
            "grant_type": _JWT_GRANT,
            "assertion": credential.service_account.assertion(self.scopes, credential.subject),
        }
        try:
            body = token_answer(http.request("POST", self.token_url, effect=False, data=form))
        except GrantDead as dead:
            raise _unsigned(dead) from None
        return granted(credential, body)

    def renews(self, credential: OAuthCredential) -> bool:
        """Whether there is a refresh token or a key to sign with."""
        own = isinstance(credential, GoogleCredential) and credential.service_account is not None
        return own or super().renews(credential)


def _unsigned(dead: ConnectorError) -> GrantDead:
    text = "the assertion was refused: is the service account or its key deleted, or is this machine's clock wrong?"
    return GrantDead(f"{dead}; {text}", code=dead.code, http_status=dead.http_status)


def _part(value: Mapping[str, Any]) -> str:
    return _base64url(json.dumps(value, separators=(",", ":")).encode())


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
