"""What is stored stays stored, what fails leaves no trace, and faults are drawn the same way every time."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.sandbox import effects, faults
from connectors.sandbox.faults import Kind
from connectors.sandbox.store import StateUnusableError, Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    found = Store(tmp_path)
    found.create(effects.TABLES + faults.TABLES)
    yield found
    found.close()


def effect(db: sqlite3.Connection, connector: str = "sms") -> None:
    effects.record(db, connector=connector, action="sendSMS", provider_id="SM1", at=0.0, key="k")


def twice(store: Store) -> None:
    with store.transaction() as db:
        effect(db)
        db.execute("INSERT INTO effect (id) VALUES (1)")


def test_a_block_that_raises_leaves_no_trace(store: Store) -> None:
    with store.transaction() as db:
        effect(db)
    with pytest.raises(sqlite3.IntegrityError):
        twice(store)
    assert effects.counts(store.db) == {"sms": {"sendSMS": 1}}


def test_effects_are_listed_from_where_one_stopped(store: Store) -> None:
    with store.transaction() as db:
        for connector in ("sms", "slack", "sms"):
            effect(db, connector)
    found, last_id = effects.listing(store.db, connector="sms", since_id=0, limit=1)
    assert [row["id"] for row in found] == [1]
    assert found[0]["at"] == "1970-01-01T00:00:00+00:00"
    found, last_id = effects.listing(store.db, connector="sms", since_id=last_id, limit=None)
    assert ([row["id"] for row in found], last_id) == ([3], 3)
    assert effects.listing(store.db, connector=None, since_id=3, limit=None) == ([], 3)


def test_the_clock_only_goes_ahead_and_stays_there(tmp_path: Path) -> None:
    store = Store(tmp_path)
    before = store.now()
    assert store.advance(3600) >= before + 3600
    store.close()
    again = Store(tmp_path)
    assert again.now() >= before + 3600
    again.close()


def test_state_of_another_version_is_refused(tmp_path: Path) -> None:
    Store(tmp_path).close()
    with sqlite3.connect(tmp_path / "sandbox.sqlite3") as db:
        db.execute("PRAGMA user_version=99")
    db.close()
    with pytest.raises(StateUnusableError, match="version 99"):
        Store(tmp_path)


def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StateUnusableError, match=r"cannot use .*file/state"):
        Store(tmp_path / "file" / "state")


def draws(store: Store, n: int, operation: str = "sendSMS") -> list[Kind | None]:
    with store.transaction() as db:
        return [faults.draw(db, connector="sms", operation=operation).kind for _ in range(n)]


def test_a_fault_fires_on_its_own_requests_only(store: Store) -> None:
    with store.transaction() as db:
        faults.add(db, kind=Kind.RESET_AFTER, connector="sms", operation="sendSMS", after=1, times=1)
        faults.add(db, kind=Kind.RATE_LIMIT, connector="slack")
    assert draws(store, 2, "listMessages") == [None, None]
    assert draws(store, 3) == [None, Kind.RESET_AFTER, None]
    with store.transaction() as db:
        assert faults.any_active(db)
        assert faults.clear(db) == 2
        assert not faults.any_active(db)


def test_the_oldest_fault_that_fires_decides_and_delays_add_up(store: Store) -> None:
    with store.transaction() as db:
        faults.add(db, kind=Kind.LATENCY, seconds=1)
        faults.add(db, kind=Kind.RATE_LIMIT, times=1, seconds=7)
        faults.add(db, kind=Kind.ERROR_500_AFTER)
        faults.add(db, kind=Kind.LATENCY, seconds=2)
        faults.add(db, kind=Kind.DELAYED_VISIBILITY, seconds=5)
        first, second = (faults.draw(db, connector="sms", operation="sendSMS") for _ in range(2))
    assert (first.latency_s, first.hidden_s, first.kind, first.seconds) == (3, 5, Kind.RATE_LIMIT, 7)
    assert second.kind is Kind.ERROR_500_AFTER
    assert [fault["seen"] for fault in faults.listing(store.db)] == [2, 1, 1, 2, 2]


def test_the_same_seed_gives_the_same_draw_and_another_one_another(store: Store) -> None:
    found = []
    for seed in (1, 1, 2):
        with store.transaction() as db:
            faults.clear(db)
            faults.add(db, kind=Kind.RESET_BEFORE, probability=0.5, seed=seed)
        found.append(draws(store, 40))
    assert found[0] == found[1] != found[2]
    assert 10 < found[0].count(Kind.RESET_BEFORE) < 30
