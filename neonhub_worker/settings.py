"""What can be configured? One frozen model, read once from the environment and from the embedded stack's files.

Every setting is an environment variable with the prefix ``NEONHUB_``. The database, broker, sandbox and vault keys are
found in ``NEONHUB_HOME`` by themselves while the embedded stack of ``neonhub up`` is there.
"""

from __future__ import annotations

import functools
import json
import re
from pathlib import Path
from typing import Any

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from neonhub_worker.errors import SettingsError

_FROM_STACK = (
    ("database_url", "database"),
    ("broker_url", "broker"),
    ("sandbox_url", "sandbox"),
    ("webhooks_url", "webhooks"),
)

VAULT_KEY_FILE = "secrets/vault.key"

SHORTEST_LEASE_S = 25.0
"""A call takes up to 20 s. A run whose lease could end before the answer is given back unsent, and so each time."""


class Settings(BaseSettings):
    """The settings of one process."""

    model_config = SettingsConfigDict(env_prefix="NEONHUB_", env_ignore_empty=True, frozen=True, extra="ignore")

    home: Path = Field(Path(".neonhub"), description="Folder of the embedded stack's state.")
    database_url: str | None = Field(None, description="postgresql://user:password@host:port/name")
    broker_url: str | None = Field(None, description="redis://:password@host:port/0 or amqp://...")
    sandbox_url: str | None = Field(
        None,
        description="Base URL of the sandbox. When set, every platform call goes there instead of to the platform.",
    )
    webhooks_url: str | None = Field(
        None, description="Base URL, without /webhooks, under which platforms reach `neonhub webhooks serve`."
    )
    vault_keys: SecretStr | None = Field(None, description="Fernet keys, comma separated; the first one encrypts.")
    lease_s: float = Field(
        30.0, ge=SHORTEST_LEASE_S, le=600, description="Seconds a worker may hold a run before it is rescued."
    )
    redispatch_s: float = Field(
        10.0, ge=1, le=600, description="Seconds after which a published but unclaimed run is published again."
    )
    worker_threads: int = Field(16, ge=1, le=200, description="Sends in flight at once in one worker process.")
    database_pool: int = Field(8, ge=1, le=100, description="Database connections of one process.")
    retention_days: int = Field(
        90, ge=0, le=36_500, description="Days for which finished runs and past occurrences are kept; 0 keeps them all."
    )

    @field_validator("database_url")
    @classmethod
    def _use_psycopg(cls, url: str | None) -> str | None:
        if url is None:
            return None
        scheme, separator, rest = url.partition("://")
        if not separator or scheme not in {"postgresql", "postgres", "postgresql+psycopg"}:
            raise ValueError("must start with postgresql://")
        return f"postgresql+psycopg://{rest}"

    @field_validator("webhooks_url")
    @classmethod
    def _is_address(cls, url: str | None) -> str | None:
        if url is None:
            return None
        if not re.fullmatch(r"https?://[^\s/?#@]+(/[^\s?#]*)?", url):
            raise ValueError("must be an http or https address without user name, query and fragment")
        return url.rstrip("/")

    @field_validator("retention_days")
    @classmethod
    def _outlast_a_day(cls, days: int) -> int:
        if days == 1:
            raise ValueError("must be at least 2, for limits and read-backs look back one day; 0 keeps everything")
        return days

    def need_database_url(self) -> str:
        """The database URL.

        Raises:
            SettingsError: None is set and no embedded stack runs in ``home``.
        """
        if self.database_url is None:
            raise SettingsError(
                "no database: set NEONHUB_DATABASE_URL, or start the embedded one with `neonhub up` "
                f"(looked for a stack in {self.home})"
            )
        return self.database_url

    def need_broker_url(self) -> str:
        """The broker URL.

        Raises:
            SettingsError: None is set and no embedded stack runs in ``home``.
        """
        if self.broker_url is None:
            raise SettingsError(
                "no broker: set NEONHUB_BROKER_URL, or start the embedded one with `neonhub up` "
                f"(looked for a stack in {self.home})"
            )
        return self.broker_url


def _stack_urls(home: Path) -> dict[str, str]:
    """The URLs that a running embedded stack has written down; empty if there is none."""
    try:
        stack = json.loads((home / "stack.json").read_text())
    except (OSError, ValueError):
        return {}
    urls: dict[str, str] = stack.get("urls", {})
    return urls


def load(**overrides: Any) -> Settings:
    """Read the settings anew.

    Args:
        **overrides: Settings by name that win over the environment.

    Raises:
        SettingsError: A value is wrong; names every wrong variable.
    """
    try:
        found = Settings(**overrides)
        urls = _stack_urls(found.home)
        missing = {
            field: urls[key]
            for field, key in _FROM_STACK
            if getattr(found, field) is None and key in urls and found.database_url is None
        }
        if found.vault_keys is None and (key_file := found.home / VAULT_KEY_FILE).is_file():
            missing["vault_keys"] = key_file.read_text().strip()
        return Settings(**{**overrides, **missing}) if missing else found
    except ValidationError as error:
        found_wrong = [(str(e["loc"][0]), e["msg"]) for e in error.errors(include_input=False)]
        lines = [f"NEONHUB_{name.upper()}: {rule.removeprefix('Value error, ')}" for name, rule in found_wrong]
        raise SettingsError("; ".join(lines)) from None


@functools.lru_cache(maxsize=1)
def settings() -> Settings:
    """This process's settings, read at the first call."""
    return load()
