"""Is a service account's assertion (RFC 7523) genuine?"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

_AUDIENCES = ("https://oauth2.googleapis.com/token", "https://accounts.google.com/o/oauth2/token")
_SKEW_S = 300
_LONGEST_S = 3600
_CLAIMS = frozenset({"iss", "scope", "aud", "iat", "exp", "sub"})


class Refused(Exception):
    """Google does not take it; the text says why."""

    def __init__(self, description: str, *, error: str = "invalid_grant") -> None:
        super().__init__(description)
        self.error = error


def claims(assertion: str, key_file: Mapping[str, str], *, now: float) -> dict[str, Any]:
    """What a genuine assertion of the owner of the key file claims: ``iss``, ``scope`` and perhaps ``sub``.

    Raises:
        Refused: It is not genuine, not for Google, too long, too early or too late.
    """
    try:
        head, told, signature = (_decoded(part) for part in assertion.split("."))
        header, found = json.loads(head), json.loads(told)
    except (ValueError, binascii.Error):
        raise Refused("Invalid JWT: Failed parsing the JWT") from None
    if not isinstance(header, dict) or not isinstance(found, dict) or header.get("alg") != "RS256":
        raise Refused("Invalid JWT: Only RS256 is supported")
    if found.get("iss") != key_file["client_email"]:
        raise Refused("Invalid grant: account not found")
    if header.get("kid", key_file["private_key_id"]) != key_file["private_key_id"]:
        raise Refused("Invalid JWT Signature.")
    _verify(assertion.rpartition(".")[0], signature, key_file["private_key"])
    _check(found, now)
    return found


def _decoded(part: str) -> bytes:
    return base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)


def _verify(signed: str, signature: bytes, pem: str) -> None:
    key = load_pem_private_key(pem.encode(), password=None)
    if not isinstance(key, RSAPrivateKey):
        raise TypeError("the seeded key is no RSA key")
    try:
        key.public_key().verify(signature, signed.encode(), PKCS1v15(), SHA256())
    except InvalidSignature:
        raise Refused("Invalid JWT Signature.") from None


def _check(found: Mapping[str, Any], now: float) -> None:
    if found.keys() - _CLAIMS or not isinstance(found.get("sub", ""), str):
        raise Refused("Invalid JWT: unknown or malformed claims")
    if found.get("aud") not in _AUDIENCES:
        raise Refused("Invalid JWT: Failed audience check.")
    issued_s, ends_s = found.get("iat"), found.get("exp")
    if not isinstance(issued_s, int) or not isinstance(ends_s, int):
        raise Refused("Invalid JWT: iat and exp must be numbers")
    short_lived = ends_s - issued_s <= _LONGEST_S and issued_s <= now + _SKEW_S and ends_s >= now - _SKEW_S
    if not short_lived:
        text = "Token must be a short-lived token (60 minutes) and in a reasonable timeframe."
        raise Refused(f"Invalid JWT: {text} Check your iat and exp values in the JWT claim.")
    if not isinstance(found.get("scope"), str) or not found["scope"].strip():
        raise Refused("Empty or missing scope not allowed.", error="invalid_scope")
