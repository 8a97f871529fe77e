"""How are secrets encrypted? Fernet; the first key of ``NEONHUB_VAULT_KEYS`` encrypts, any of them decrypts."""

from __future__ import annotations

import json
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from neonhub_worker.errors import VaultError
from neonhub_worker.settings import settings


def encrypt(secret: dict[str, Any]) -> bytes:
    """Encrypt a JSON object.

    Raises:
        VaultError: There is no key, or it is not a Fernet key.
    """
    return _fernet().encrypt(json.dumps(secret).encode())


def decrypt(token: bytes) -> dict[str, Any]:
    """Decrypt what ``encrypt`` made.

    Raises:
        VaultError: No key fits.
    """
    try:
        opened: dict[str, Any] = json.loads(_fernet().decrypt(token))
    except InvalidToken:
        raise VaultError(
            "none of NEONHUB_VAULT_KEYS fits this credential: add the key it was made with, or add the connection anew"
        ) from None
    return opened


def rotate(token: bytes) -> bytes:
    """Encrypt anew with the first key.

    Raises:
        VaultError: No key fits.
    """
    return encrypt(decrypt(token))


def _fernet() -> MultiFernet:
    keys = settings().vault_keys
    if keys is None or not keys.get_secret_value().strip():
        raise VaultError(
            "no vault key: set NEONHUB_VAULT_KEYS to a Fernet key (docs/how-to/production.md shows how to make one)"
        )
    try:
        return MultiFernet([Fernet(key.strip()) for key in keys.get_secret_value().split(",") if key.strip()])
    except ValueError:
        raise VaultError(
            "NEONHUB_VAULT_KEYS must hold Fernet keys (32 bytes in URL-safe base64), comma separated"
        ) from None
