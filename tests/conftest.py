"""Fixtures that every test may ask for."""

from __future__ import annotations

import os
import signal
import tempfile
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import Engine

from neonhub_worker import settings as settings_module
from neonhub_worker.app import app
from neonhub_worker.db import engine as engine_module
from neonhub_worker.db import migrate
from neonhub_worker.db.engine import make_engine
from neonhub_worker.settings import Settings
from tests import servers

ConnectionFactory = Callable[..., uuid.UUID]


@pytest.fixture(scope="session", autouse=True)
def own_environment() -> Iterator[None]:
    """Nothing of the caller's environment reaches the tests, nor that who runs in the background hears no Ctrl-C."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    with pytest.MonkeyPatch.context() as patch:
        for name in [one for one in os.environ if one.startswith("NEONHUB_")]:
            patch.delenv(name)
        yield


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A Postgres whose database ``neonhub`` is migrated and used as a template only."""
    # Not in pytest's folder: each new pytest run shuts that one to other accounts, and Postgres never runs as root.
    with tempfile.TemporaryDirectory(prefix="neonhub-test-") as folder, servers.postgres(Path(folder)) as url:
        migrate.upgrade(url)
        yield url


@pytest.fixture(scope="session")
def broker_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One broker per test process; ``broker_url`` empties it."""
    with servers.broker(tmp_path_factory.mktemp("broker")) as url:
        yield url


@pytest.fixture
def database_url(postgres_url: str) -> Iterator[str]:
    """A migrated database of the test's own."""
    with servers.database(postgres_url) as url:
        yield url


@pytest.fixture
def broker_url(broker_server: str) -> str:
    """An empty broker."""
    import redis

    with redis.Redis.from_url(broker_server) as client:
        client.flushall()
    return broker_server


@pytest.fixture
def settings(database_url: str, broker_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """This test's settings, in force everywhere in this process and in those it starts."""
    environment = {
        "NEONHUB_HOME": str(tmp_path / "home"),
        "NEONHUB_DATABASE_URL": database_url,
        "NEONHUB_BROKER_URL": broker_url,
        "NEONHUB_VAULT_KEYS": Fernet.generate_key().decode(),
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("NEONHUB_SANDBOX_URL", raising=False)
    forget_settings()
    yield settings_module.settings()
    forget_settings()


def forget_settings() -> None:
    """Make the next use read the environment anew."""
    if engine_module.engine.cache_info().currsize:
        engine_module.engine().dispose()
    engine_module.engine.cache_clear()
    settings_module.settings.cache_clear()
    _turn_to_broker(os.environ.get("NEONHUB_BROKER_URL"))


def _turn_to_broker(url: str | None) -> None:
    """Let this process's Celery app publish where the settings say: by itself it stays with the first broker it met."""
    if url and app.configured and app.conf.broker_url != url:
        app.conf.broker_url = url
        app.amqp._producer_pool = app._pool = None


@pytest.fixture
def engine(settings: Settings) -> Iterator[Engine]:
    """An engine on this test's database."""
    made = make_engine(settings.need_database_url(), pool_size=2)
    yield made
    made.dispose()


@pytest.fixture
def organization(engine: Engine) -> str:
    """An organization."""
    from neonhub_worker.vault import organizations

    organizations.ensure("acme", "Acme")
    return "acme"


@pytest.fixture
def connection_factory(organization: str) -> ConnectionFactory:
    """Adds connections to the organization."""
    from neonhub_worker.vault import connections

    def add(
        connector: str, *, name: str | None = None, credential: dict[str, Any], settings: dict[str, Any]
    ) -> uuid.UUID:
        return connections.add(
            organization_id=organization,
            name=name or connector,
            connector=connector,
            account="test",
            credential=credential,
            settings=settings,
        )

    return add
