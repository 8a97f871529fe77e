"""What the tests of faults ask for: a database, a broker and a sandbox that all cells of a file share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from neonhub_worker.db.engine import transaction
from neonhub_worker.ledger import guard
from neonhub_worker.settings import SHORTEST_LEASE_S
from tests.conftest import forget_settings
from tests.integration import workers
from tests.integration.conftest import ledger, link, sandbox, sandbox_folder, sandbox_server
from tests.integration.workers import Place

__all__ = ["ledger", "link", "place", "sandbox", "sandbox_folder", "sandbox_server"]


@pytest.fixture(scope="module")
def place(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Where runs are performed, with the shortest lease there is."""
    with workers.place(postgres_url, tmp_path_factory.mktemp("faults")) as made, pytest.MonkeyPatch.context() as patch:
        patch.setenv("NEONHUB_LEASE_S", str(SHORTEST_LEASE_S))
        forget_settings()
        mark()
        yield made


def mark() -> None:
    """As if a beat had run here before: on a new database the first who claims marks it, and others wait for that."""
    with transaction() as connection:
        guard.look(connection)
