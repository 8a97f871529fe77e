"""What happens to an effect in doubt is what its repeat policy says, and nothing else."""

from __future__ import annotations

import pytest

from connectors.kit.action import RepeatPolicy, Resend, ResendWithKey
from connectors.kit.errors import Postpone
from neonhub_worker.performing.doubt import Undecidable, settle_doubt
from tests.unit.performing.actions import NOW, POLICIES, SETTLE_AFTER_S, Post, Posted, action, ago, call, look_up

MAY_BE_SENT = None
FOUND = Posted(id="P7")


def settle(repeat: RepeatPolicy[Post, Posted], *, first_s: float = 100.0, last_s: float = 100.0) -> object:
    """Settle an effect that was first sent, and may last have been sent, so many seconds ago."""
    return settle_doubt(action(repeat), call(), Post(), first_sent_at=ago(first_s), sent_by=ago(last_s), now=NOW)


def test_what_may_be_repeated_is_sent_again() -> None:
    assert settle(Resend()) is MAY_BE_SENT


def test_a_key_that_the_platform_still_remembers_is_sent_again() -> None:
    assert settle(ResendWithKey("header Key", window_s=101.0)) is MAY_BE_SENT
    assert settle(ResendWithKey("header Key", window_s=None), first_s=10**8) is MAY_BE_SENT


def test_a_key_that_the_platform_has_forgotten_is_not() -> None:
    with pytest.raises(Undecidable, match="remembers a key for 99 s"):
        settle(ResendWithKey("header Key", window_s=99.0))


def test_what_the_platform_shows_was_sent() -> None:
    assert settle(look_up(lambda call, data: FOUND), last_s=0) == FOUND


def test_what_the_platform_does_not_show_is_sent_once_it_would_have_been_shown() -> None:
    assert settle(POLICIES["look up"], last_s=SETTLE_AFTER_S) is MAY_BE_SENT


@pytest.mark.parametrize("last_s", [SETTLE_AFTER_S - 1, 0.0, -5.0])
def test_until_then_it_is_waited_for(last_s: float) -> None:
    with pytest.raises(Postpone) as postponed:
        settle(POLICIES["look up"], last_s=last_s)
    assert postponed.value.delay_s == SETTLE_AFTER_S - last_s


def test_what_nothing_tells_is_left_to_a_person() -> None:
    with pytest.raises(Undecidable, match="nothing tells"):
        settle(POLICIES["park"])
