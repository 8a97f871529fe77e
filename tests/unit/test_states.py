"""The table of states and moves is whole, and what is rendered from it is current."""

from __future__ import annotations

from pathlib import Path

from neonhub_worker.ledger.states import DESCRIPTION, DUE, FINAL, MOVES, RunState, document


def test_every_state_is_described_and_can_be_reached() -> None:
    reached = {move.target for move in MOVES.values()} | {RunState.SCHEDULED, RunState.QUEUED}
    assert reached == set(RunState) == set(DESCRIPTION)


def test_every_state_but_the_final_ones_can_be_left() -> None:
    left = {source for move in MOVES.values() for source in move.sources}
    assert set(RunState) - left == {RunState.SUCCEEDED}
    assert {RunState.PARKED, *DUE, RunState.RUNNING} <= left


def test_only_a_person_moves_a_run_out_of_a_final_state() -> None:
    assert {name for name, move in MOVES.items() if set(move.sources) & set(FINAL)} == {"retry"}


def test_nothing_leaves_parked_without_a_word_about_what_happened() -> None:
    assert {name for name, move in MOVES.items() if RunState.PARKED in move.sources} == {
        "settle_sent",
        "settle_not_sent",
    }


def test_the_rendered_page_is_current() -> None:
    page = Path(__file__).parents[2] / "docs" / "states.md"
    assert page.read_text() == document(), "run `make docs`"
