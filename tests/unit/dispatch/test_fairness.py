"""Who is next: organizations take turns, whatever they have waiting."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from neonhub_worker.dispatch.fairness import Lane, crowds, share

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


def lane(
    organization: str,
    ready: int,
    *,
    queue: str = "actions",
    connection: int = 1,
    priority: int = 5,
    waited_s: float = 0,
    room: int | None = None,
) -> Lane:
    since = NOW - timedelta(seconds=waited_s)
    return Lane(queue, organization, uuid.UUID(int=connection), "sms.sendSMS", priority, since, ready, room)


def test_one_organizations_campaign_does_not_delay_anothers_single_post() -> None:
    campaign, post = lane("big", 128, waited_s=600), lane("small", 1, connection=2)
    assert share([campaign, post], [], window=10, kept=0) == [9, 1]
    on_its_way = [("actions", "big", uuid.UUID(int=1), 9)]
    assert share([campaign, post], on_its_way, window=10, kept=0) == [0, 1]


def test_the_room_is_shared_equally_and_none_of_it_is_wasted() -> None:
    lanes = [lane("a", 100), lane("b", 3, connection=2), lane("c", 100, connection=3)]
    assert share(lanes, [], window=21, kept=0) == [9, 3, 9]


def test_within_an_organization_the_most_urgent_goes_first_then_the_one_that_waited_longest() -> None:
    lanes = [lane("a", 4, waited_s=60), lane("a", 4, priority=1, connection=2), lane("a", 4, waited_s=90, connection=3)]
    assert share(lanes, [], window=6, kept=0) == [0, 4, 2]


def test_a_connection_has_no_more_on_its_way_than_its_limits_let_through() -> None:
    limited = lane("a", 100, room=3)
    also = lane("a", 100, room=3, priority=9)
    free = lane("a", 100, connection=2, priority=9)
    on_its_way = [("actions", "a", uuid.UUID(int=1), 1)]
    assert share([limited, also, free], on_its_way, window=50, kept=0) == [2, 0, 47]


def test_the_last_places_are_kept_for_who_has_few() -> None:
    campaign, post = lane("big", 128, waited_s=600), lane("small", 5, connection=2)
    assert share([campaign], [], window=10, kept=3, few=2) == [7]
    on_its_way = [("actions", "big", uuid.UUID(int=1), 7)]
    assert share([campaign, post], on_its_way, window=10, kept=3, few=2) == [0, 2]


def test_a_crowd_gets_its_places_in_one_piece_and_who_has_few_gets_any() -> None:
    campaign, post = lane("big", 128, waited_s=600), lane("small", 128, connection=2)
    nearly_full = [("actions", "big", uuid.UUID(int=1), 17)]
    assert share([campaign], nearly_full, window=20, kept=0, few=2, batch=4) == [0]
    assert share([campaign], nearly_full, window=21, kept=0, few=2, batch=4) == [4]
    assert share([post], nearly_full, window=20, kept=0, few=2, batch=4) == [3]
    last = lane("big", 2)
    assert share([last], nearly_full, window=20, kept=0, few=2, batch=4) == [2], "there is no more of it to wait for"


def test_a_crowd_is_who_has_many_on_the_broker_in_one_queue_by_all_its_connections() -> None:
    taken = [(lane("a", 9), 3), (lane("a", 9, connection=2), 3), (lane("b", 9, connection=3), 4)]
    before = [("actions", "a", uuid.UUID(int=9), 1), ("bulk", "b", uuid.UUID(int=3), 1), ("bulk", "c", None, 5)]
    assert crowds(taken, before, few=4) == {("actions", "a"), ("bulk", "c")}


def test_each_queue_has_room_of_its_own() -> None:
    lanes = [lane("a", 100), lane("a", 100, queue="bulk")]
    assert share(lanes, [("actions", "a", uuid.UUID(int=1), 10)], window=10, kept=0) == [0, 10]


@given(
    st.lists(
        st.builds(
            lane,
            st.sampled_from("abc"),
            st.integers(0, 20),
            connection=st.integers(1, 4),
            priority=st.integers(0, 9),
            room=st.none() | st.integers(0, 5),
        ),
        max_size=8,
    ),
    st.integers(1, 30),
)
def test_no_lane_gives_what_it_has_not_and_the_window_is_filled_or_everything_taken(
    lanes: list[Lane], window: int
) -> None:
    counts = share(lanes, [], window=window, kept=0)
    assert all(0 <= count <= one.ready for count, one in zip(counts, lanes, strict=True))
    assert sum(counts) <= window
    unlimited = sum(one.ready for one in lanes if one.room is None)
    assert sum(counts) >= min(window, unlimited)
