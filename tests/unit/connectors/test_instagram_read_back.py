"""What does a container tell about a post in doubt? Asked with answers that the sandbox does not give."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import responses

from connectors.instagram.direct import RespondDM, respond_dm
from connectors.instagram.insights import GetInsights, get_insights
from connectors.instagram.posts import PublishPost, publish_post
from connectors.instagram.publishing import Published
from connectors.kit.action import LookUp
from connectors.kit.errors import (
    ConnectorError,
    InvalidRequest,
    NotFound,
    OutcomeUnknown,
    Postpone,
    RateLimited,
    Unavailable,
)
from connectors.registry import action
from tests.contract.memory_ledger import MemoryLedger
from tests.unit.connectors.calls import IG_USER, PAGE, call
from tests.unit.connectors.wire_meta import ACCOUNT, CONTAINER, GRAPH, IMAGE, MEDIA, PERSON

POST = PublishPost(image_url=IMAGE, caption="Spring")
STATUS = f"{GRAPH}/{CONTAINER}"
NOT_FOUND = {"error": {"message": "gone", "type": "GraphMethodException", "code": 100, "error_subcode": 33}}
GONE = {"error": {"message": "gone", "type": "OAuthException", "code": 24, "error_subcode": 2207008}}


def shown(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S+0000")


def listed(media_id: str = MEDIA, *, ago_s: float = 0.0, caption: str | None = "Spring") -> dict[str, Any]:
    at = datetime.now(UTC) - timedelta(seconds=ago_s)
    return {"id": media_id, "timestamp": shown(at), **({} if caption is None else {"caption": caption})}


def in_doubt() -> MemoryLedger:
    """A post whose publishing was begun."""
    ledger = MemoryLedger()
    ledger.results = {"container:1": CONTAINER, "ready:1": True}
    ledger.sent()
    return ledger


def look_up(status: str, *media: dict[str, Any], ledger: MemoryLedger | None = None) -> Published | None:
    policy = action("instagram.publishPost").repeat
    assert isinstance(policy, LookUp)
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.get(STATUS, json={"id": CONTAINER, "status_code": status})
        mock.get(f"{ACCOUNT}/media", json={"data": [*media]})
        found = policy.find(call("instagram", ledger or in_doubt()), POST)
    assert found is None or isinstance(found, Published)
    return found


def test_without_a_container_nothing_can_have_been_published() -> None:
    assert look_up("PUBLISHED", listed(), ledger=MemoryLedger()) is None


def test_what_is_ready_still_was_not_published() -> None:
    assert look_up("FINISHED", listed()) is None


def test_what_is_published_is_found_by_caption_and_time() -> None:
    older = listed("18000000000000008", ago_s=600)
    other = listed("18000000000000009", caption="Summer")

    assert look_up("PUBLISHED", other, listed(caption=" Spring\n"), older) == Published(
        container_id=CONTAINER, media_id=MEDIA
    )


@pytest.mark.parametrize("media", [[], [listed(), listed("18000000000000009")], [listed(ago_s=600)]])
def test_a_published_post_that_the_list_does_not_single_out_keeps_the_containers_id(
    media: list[dict[str, Any]],
) -> None:
    found = look_up("PUBLISHED", *media)

    assert found is not None
    assert (found.media_id, found.provider_id()) == (None, CONTAINER)


def test_the_media_of_another_run_is_left_out() -> None:
    ledger = in_doubt()
    ledger.owned_by_others = {"18000000000000009"}

    found = look_up("PUBLISHED", listed(), listed("18000000000000009"), ledger=ledger)

    assert found is not None
    assert found.media_id == MEDIA


def test_the_newest_container_is_the_one_in_doubt() -> None:
    ledger = in_doubt()
    ledger.results = {"container:1": "17900000000000001", "lost:1": "expired", "container:2": CONTAINER}

    found = look_up("PUBLISHED", listed(), ledger=ledger)

    assert found is not None
    assert found.container_id == CONTAINER


def test_what_has_expired_was_not_published_unless_the_list_says_otherwise() -> None:
    assert look_up("EXPIRED") is None
    with pytest.raises(OutcomeUnknown, match="ambiguous: the container is EXPIRED, and 1 media"):
        look_up("EXPIRED", listed())


@pytest.mark.parametrize("status", ["ERROR", "IN_PROGRESS", "BRAND_NEW"])
def test_any_other_status_after_a_publishing_is_ambiguous(status: str) -> None:
    with pytest.raises(OutcomeUnknown, match=f"ambiguous: the container is {status}"):
        look_up(status)


def test_a_container_that_is_not_found_after_a_publishing_is_no_verdict() -> None:
    policy = action("instagram.publishPost").repeat
    assert isinstance(policy, LookUp)
    with responses.RequestsMock() as mock:
        mock.get(STATUS, status=400, json=NOT_FOUND)
        with pytest.raises(OutcomeUnknown, match="refused to say"):
            policy.find(call("instagram", in_doubt()), POST)


def publish_what_is_gone(
    status: dict[str, Any], *, code: int = 200, media: tuple[dict[str, Any], ...] = ()
) -> Published:
    ledger = in_doubt()
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.post(f"{ACCOUNT}/media_publish", status=400, json=GONE)
        mock.get(STATUS, status=code, json=status)
        mock.get(f"{ACCOUNT}/media", json={"data": [*media]})
        mock.post(f"{ACCOUNT}/media", status=400, json=GONE)
        return publish_post(call("instagram", ledger), POST)


def test_a_refusal_of_what_was_published_already_is_a_success() -> None:
    found = publish_what_is_gone({"id": CONTAINER, "status_code": "PUBLISHED"}, media=(listed(),))

    assert found == Published(container_id=CONTAINER, media_id=MEDIA)


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ({"id": CONTAINER, "status_code": "FINISHED"}, 200),
        ({"error": {"code": 2}}, 503),
        ({"error": {"code": 4}}, 429),
        (NOT_FOUND, 400),
    ],
)
def test_a_refusal_that_the_status_does_not_explain_makes_no_second_container(
    status: dict[str, Any], code: int
) -> None:
    with pytest.raises(OutcomeUnknown):
        publish_what_is_gone(status, code=code)


def test_a_refusal_of_what_has_expired_makes_a_new_container() -> None:
    # The new one is refused here, which shows that it was asked for.
    with pytest.raises(NotFound, match="media: Meta answered code 24/2207008"):
        publish_what_is_gone({"id": CONTAINER, "status_code": "EXPIRED"})


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ({"status_code": "IN_PROGRESS"}, Postpone),
        ({"status_code": "ERROR", "status": "Error: Media upload has failed with error code 2207026"}, InvalidRequest),
        ({"status_code": "ERROR"}, InvalidRequest),
        ({"status_code": "BRAND_NEW"}, Unavailable),
        ({}, Unavailable),
    ],
)
def test_what_is_worked_on_is_waited_for_and_what_failed_has_failed(
    status: dict[str, Any], kind: type[Exception]
) -> None:
    with responses.RequestsMock() as mock:
        mock.post(f"{ACCOUNT}/media", json={"id": CONTAINER})
        mock.get(STATUS, json={"id": CONTAINER, **status})
        with pytest.raises(kind):
            publish_post(call("instagram"), POST)


def test_a_fresh_container_that_is_not_found_yet_is_waited_for() -> None:
    with responses.RequestsMock() as mock:
        mock.post(f"{ACCOUNT}/media", json={"id": CONTAINER})
        mock.get(STATUS, status=400, json=NOT_FOUND)
        with pytest.raises(Postpone, match="ready:1"):
            publish_post(call("instagram"), POST)


def test_a_container_that_takes_too_long_gives_way_to_a_new_one() -> None:
    ledger = MemoryLedger()
    began = datetime.now(UTC) - timedelta(seconds=301)
    ledger.results = {"container:1": CONTAINER, "wait:ready:1": began.isoformat()}
    newer = "17900000000000004"
    with responses.RequestsMock() as mock:
        mock.get(STATUS, json={"id": CONTAINER, "status_code": "IN_PROGRESS"})
        mock.post(f"{ACCOUNT}/media", json={"id": newer})
        mock.get(f"{GRAPH}/{newer}", json={"id": newer, "status_code": "IN_PROGRESS"})
        with pytest.raises(Postpone, match="ready:2"):
            publish_post(call("instagram", ledger), POST)

    assert ledger.results["container:2"] == newer


def test_the_posts_of_a_day_that_are_used_up_are_waited_for_an_hour() -> None:
    used_up = {"error": {"code": 9, "error_subcode": 2207042}}
    with responses.RequestsMock() as mock:
        mock.post(f"{ACCOUNT}/media_publish", status=403, json=used_up)
        with pytest.raises(RateLimited) as caught:
            publish_post(call("instagram", in_doubt()), POST)

    assert caught.value.retry_after_s == 3600


def find_answer(*messages: dict[str, Any], ledger: MemoryLedger | None = None) -> str | None:
    policy = action("instagram.respondDM").repeat
    assert isinstance(policy, LookUp)
    with responses.RequestsMock() as mock:
        mock.get(f"{ACCOUNT}/conversations", json={"data": [{"id": "c1", "messages": {"data": [*messages]}}]})
        found = policy.find(call("instagram", ledger or in_doubt()), RespondDM(to=PERSON, text="At nine."))
    return None if found is None else found.provider_id()


def said(message_id: str, *, by: str = IG_USER, text: str = "At nine.", ago_s: float = 0.0) -> dict[str, Any]:
    at = shown(datetime.now(UTC) - timedelta(seconds=ago_s))
    return {"id": message_id, "created_time": at, "from": {"id": by}, "message": text}


def test_an_answer_is_found_among_what_others_and_we_said() -> None:
    others = [said("m2", by=PERSON), said("m3", text="At ten."), said("m4", ago_s=600), {"id": "m5"}]

    assert find_answer(*others, said("m1")) == "m1"


def test_an_answer_that_is_not_there_or_there_twice_is_for_a_person() -> None:
    with pytest.raises(OutcomeUnknown, match="look into the inbox"):
        find_answer()
    with pytest.raises(OutcomeUnknown, match="ambiguous: 2 messages"):
        find_answer(said("m1"), said("m2"))
    ledger = in_doubt()
    ledger.owned_by_others = {"m2"}
    assert find_answer(said("m1"), said("m2"), ledger=ledger) == "m1"


def test_equal_answers_to_one_person_are_never_in_flight_together() -> None:
    policy = action("instagram.respondDM").repeat
    assert isinstance(policy, LookUp)
    assert policy.alike is not None
    first, other = RespondDM(to=PERSON, text="At nine."), RespondDM(to="5550124", text="At nine.")

    assert policy.alike(first) == policy.alike(first.model_copy())
    assert policy.alike(first) != policy.alike(other)


def test_with_facebook_login_the_page_answers() -> None:
    facebook = call("instagram", login="facebook", page_id=PAGE)
    with responses.RequestsMock() as mock:
        mock.post(f"https://graph.facebook.com/v26.0/{PAGE}/messages", json={"message_id": "m1"})
        sent = respond_dm(facebook, RespondDM(to=PERSON, text="At nine."))

    assert sent.message_id == "m1"
    with pytest.raises(InvalidRequest, match="page_id"):
        respond_dm(call("instagram", login="facebook"), RespondDM(to=PERSON, text="At nine."))


@pytest.mark.parametrize("rows", [[{}], [{"name": "views", "period": "day"}], ["views"], 7])
def test_insights_that_cannot_be_read_are_asked_for_again(rows: Any) -> None:
    with responses.RequestsMock() as mock:
        mock.get(f"{GRAPH}/{MEDIA}/insights", json={"data": rows})
        with pytest.raises(ConnectorError) as caught:
            get_insights(call("instagram"), GetInsights(media_id=MEDIA))

    assert type(caught.value) is Unavailable
