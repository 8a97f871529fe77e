"""Is every documented error of LinkedIn classed by what may be done next?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import responses
import time_machine

from connectors.kit.errors import (
    AuthExpired,
    ConnectorError,
    InvalidRequest,
    NotFound,
    OutcomeUnknown,
    Permission,
    RateLimited,
    Unavailable,
)
from connectors.linkedin import web
from connectors.linkedin.ads import Money
from connectors.linkedin.campaigns import CreateCampaign, SearchCampaigns, create_campaign, search_campaigns
from connectors.linkedin.content import PublishPost
from connectors.linkedin.groups import CreateCampaignGroup, create_campaign_group
from connectors.linkedin.posts import ListPosts, PostRef, get_post, list_posts
from connectors.linkedin.publishing import Published, publish_post
from connectors.linkedin.statistics import GetPostStatistics, get_post_statistics
from tests.contract.memory_ledger import MemoryLedger
from tests.unit.connectors.calls import OAUTH_TOKEN, call
from tests.unit.connectors.wire_linkedin import ADS, REST, SHARE, SHARE_PATH

POSTS = f"{REST}/posts"
SAID = "a text that must not be shown"


def detailed(code: str, field: str = "/status") -> dict[str, Any]:
    inputs = [{"code": code, "description": SAID, "input": {"inputPath": {"fieldPath": field}}}]
    return {"status": 400, "message": SAID, "errorDetails": {"inputErrors": inputs}}


# Status, body, class for an effect, class for a read; None: the same.
ERRORS: list[tuple[int, Any, type[ConnectorError], type[ConnectorError] | None]] = [
    *((400, detailed(code), InvalidRequest, None) for code in ("MISSING_FIELD", "INVALID_VALUE_FOR_FIELD")),
    *((400, detailed(code), InvalidRequest, None) for code in ("CONDITIONAL_FIELD_MISSING", "FIELD_LENGTH_TOO_LONG")),
    (400, detailed("INVALID_CAMPAIGN_CONFIGURATION"), InvalidRequest, None),
    (400, {"status": 400, "code": "MULTIPLE_VALIDATIONS_FAILED"}, InvalidRequest, None),
    (400, detailed("ENTITY_WITH_SAME_KEY_ALREADY_EXISTS"), InvalidRequest, None),
    *((status, {"status": status}, InvalidRequest, None) for status in (405, 411, 412, 413, 422)),
    *((401, {"status": 401, "serviceErrorCode": code}, AuthExpired, None) for code in (65600, 65601, 65602)),
    (403, {"status": 403, "code": "NO_PERMISSION_FOR_ACCOUNT"}, Permission, None),
    (403, {"status": 403, "message": "Not enough permissions"}, Permission, None),
    *((status, {"status": status}, NotFound, None) for status in (404, 410)),
    (409, {"status": 409, "code": "CONFLICT"}, Unavailable, None),
    (426, {"status": 426, "code": "NONEXISTENT_VERSION"}, InvalidRequest, None),
    (429, {"status": 429, "code": "TOO_MANY_REQUESTS"}, RateLimited, None),
    *((status, {"status": status}, OutcomeUnknown, Unavailable) for status in (408, 500, 502, 504)),
    (503, {"status": 503, "code": "UNDER_MAINTENANCE"}, OutcomeUnknown, Unavailable),
    (302, "", InvalidRequest, None),
]


@pytest.mark.parametrize(
    ("status", "body", "of_effect", "of_read"), ERRORS, ids=[f"{row[0]}-{place}" for place, row in enumerate(ERRORS)]
)
def test_every_documented_error(
    status: int, body: Any, of_effect: type[ConnectorError], of_read: type[ConnectorError] | None
) -> None:
    ids = {"x-li-uuid": "u1"}
    with responses.RequestsMock() as mock:
        mock.post(POSTS, status=status, json=body, headers=ids)
        mock.get(SHARE_PATH, status=status, json=body, headers=ids)
        with pytest.raises(ConnectorError) as sent:
            publish_post(call("linkedin"), PublishPost(text=SAID))
        with pytest.raises(ConnectorError) as read:
            get_post(call("linkedin"), PostRef(post_urn=SHARE))

    assert (type(sent.value), type(read.value)) == (of_effect, of_read or of_effect)
    for found in (sent.value, read.value):
        assert (found.http_status, found.request_id) == (status, "u1")
        assert SAID not in f"{found!r}"


def test_the_field_at_fault_and_its_code_are_named() -> None:
    with responses.RequestsMock() as mock:
        mock.post(f"{ADS}/adCampaignGroups", status=400, json=detailed("FIELD_LENGTH_TOO_LONG", "/name"))
        with pytest.raises(InvalidRequest, match=r"400 FIELD_LENGTH_TOO_LONG for /name$") as caught:
            create_campaign_group(call("linkedin"), CreateCampaignGroup(name="Spring"))

    assert caught.value.code == "FIELD_LENGTH_TOO_LONG"


@pytest.mark.parametrize("code", ["no code: Ana", "X" * 81, 5, None, ["A"]])
def test_a_code_that_is_none_is_not_shown(code: Any) -> None:
    with responses.RequestsMock() as mock:
        mock.post(POSTS, status=400, json={"code": code, "errorDetails": {"inputErrors": [code]}})
        with pytest.raises(InvalidRequest, match=r"LinkedIn answered 400$") as caught:
            publish_post(call("linkedin"), PublishPost(text="Hi"))

    assert caught.value.code is None


def test_a_dead_version_says_what_to_do() -> None:
    with responses.RequestsMock() as mock:
        mock.post(POSTS, status=426, json={"code": "NONEXISTENT_VERSION"})
        with pytest.raises(InvalidRequest, match="has been sunset; a newer release"):
            publish_post(call("linkedin"), PublishPost(text="Hi"))


def test_a_limit_is_over_in_a_minute_or_at_midnight_utc() -> None:
    ledger = MemoryLedger()
    waits: list[float | None] = []
    with responses.RequestsMock() as mock, time_machine.travel(datetime(2026, 11, 25, 20, tzinfo=UTC)) as clock:
        mock.post(POSTS, status=429, json={"status": 429})
        for _ in range(2):
            with pytest.raises(RateLimited) as caught:
                publish_post(call("linkedin", ledger), PublishPost(text="Hi"))
            waits.append(caught.value.retry_after_s)
            clock.shift(timedelta(minutes=1))

    assert caught.value.of == "action"
    assert waits[0] == 60.0
    assert waits[1] == pytest.approx(4 * 3600 - 60, abs=5)


@pytest.mark.parametrize("headers", [{}, {"x-restli-id": ""}, {"x-restli-id": "urn:li:person:1"}, {"x-restli-id": "7"}])
def test_a_success_that_names_no_post_leaves_the_outcome_unknown(headers: dict[str, str]) -> None:
    with responses.RequestsMock() as mock:
        mock.post(POSTS, status=201, headers=headers)
        with pytest.raises(OutcomeUnknown):
            publish_post(call("linkedin"), PublishPost(text="Hi"))


@pytest.mark.parametrize("headers", [{}, {"x-restli-id": "urn:li:x"}])
def test_a_success_that_names_no_campaign_group_leaves_the_outcome_unknown(headers: dict[str, str]) -> None:
    with responses.RequestsMock() as mock:
        mock.post(f"{ADS}/adCampaignGroups", status=201, headers=headers)
        with pytest.raises(OutcomeUnknown):
            create_campaign_group(call("linkedin"), CreateCampaignGroup(name="Spring"))


def duplicate(message: str = f"Content is a duplicate of {SHARE}") -> dict[str, Any]:
    return {**detailed("DUPLICATE_POST"), "status": 422, "message": message}


def in_doubt() -> MemoryLedger:
    ledger = MemoryLedger(settle=lambda: None)
    ledger.in_doubt.add("publish")
    ledger.sent()
    return ledger


def posted_at(moment: datetime) -> dict[str, Any]:
    return {"id": SHARE, "createdAt": int(moment.timestamp() * 1000)}


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, None),
        (200, {"id": SHARE}),
        (200, {"id": SHARE, "createdAt": "soon"}),
        # Without the right to read, LinkedIn's word has to do.
        (403, {}),
    ],
)
def test_the_duplicate_of_a_repeat_is_the_first_requests_post(status: int, body: dict[str, Any] | None) -> None:
    shown = posted_at(datetime.now(UTC)) if body is None else body
    with responses.RequestsMock() as mock:
        mock.post(POSTS, status=422, json=duplicate())
        mock.get(SHARE_PATH, status=status, json=shown)
        found = publish_post(call("linkedin", in_doubt()), PublishPost(text="Hi"))

    assert found == Published(post_urn=SHARE, url=f"https://www.linkedin.com/feed/update/{SHARE}/")


@pytest.mark.parametrize("status", [404, 410, 429, 500])
def test_a_duplicate_that_cannot_be_read_is_left_to_a_person(status: int) -> None:
    with responses.RequestsMock() as mock:
        mock.post(POSTS, status=422, json=duplicate())
        mock.get(SHARE_PATH, status=status, json={})
        with pytest.raises(OutcomeUnknown, match="look into the Page"):
            publish_post(call("linkedin", in_doubt()), PublishPost(text="Hi"))


def test_a_duplicate_that_was_there_before_is_not_ours() -> None:
    with responses.RequestsMock() as mock:
        mock.post(POSTS, status=422, json=duplicate())
        mock.get(SHARE_PATH, json=posted_at(datetime.now(UTC) - timedelta(minutes=10)))
        with pytest.raises(web.DuplicatePost):
            publish_post(call("linkedin", in_doubt()), PublishPost(text="Hi"))


def test_a_members_duplicate_is_believed_without_reading() -> None:
    with responses.RequestsMock() as mock:
        mock.post(POSTS, status=422, json=duplicate())
        found = publish_post(call("linkedin", in_doubt()), PublishPost(text="Hi", author="urn:li:person:782bbtaQ"))

    assert found.post_urn == SHARE


def test_a_duplicate_without_a_name_is_left_to_a_person() -> None:
    with responses.RequestsMock() as mock:
        mock.post(POSTS, status=422, json=duplicate("Content is a duplicate"))
        with pytest.raises(OutcomeUnknown, match="does not name it; look into"):
            publish_post(call("linkedin", in_doubt()), PublishPost(text="Hi"))


def test_a_repeat_is_the_same_byte_for_byte() -> None:
    data = PublishPost(text="Grüße (an @Ana) 🎉", mentions={"Ana": "urn:li:person:1"})
    ledger = MemoryLedger(settle=lambda: None)
    with responses.RequestsMock() as mock:
        mock.post(POSTS, status=500)
        mock.post(POSTS, status=201, headers={"x-restli-id": SHARE})
        with pytest.raises(OutcomeUnknown):
            publish_post(call("linkedin", ledger), data)
        publish_post(call("linkedin", ledger), PublishPost.model_validate(data.model_dump(mode="json")))
        first, second = (made.request.body for made in mock.calls)

    assert first == second


CAMPAIGN = CreateCampaign(
    campaign_group_id="1",
    name="Spring",
    type="TEXT_AD",
    objective="ENGAGEMENT",
    cost_type="CPC",
    unit_cost=Money(amount="1", currency="USD"),
    total_budget=Money(amount="9", currency="USD"),
    country="US",
    language="en",
    include=({"urn:li:adTargetingFacet:locations": ("urn:li:geo:1",)},),
    off_site=False,
    political="NOT_POLITICAL",
)


def test_a_key_that_exists_is_asked_for_again_if_it_may_be_ours() -> None:
    ledger = MemoryLedger()
    ledger.sent()
    with responses.RequestsMock() as mock:
        mock.post(f"{ADS}/adCampaigns", status=400, json=detailed("ENTITY_WITH_SAME_KEY_ALREADY_EXISTS"))
        with pytest.raises(InvalidRequest):
            create_campaign(call("linkedin"), CAMPAIGN)
        with pytest.raises(OutcomeUnknown):
            create_campaign(call("linkedin", ledger), CAMPAIGN)


@pytest.mark.parametrize(
    "body", [{}, [], "no", {"elements": {}}, {"elements": None}, {"elements": [5, {}], "metadata": 7}]
)
def test_strange_lists_are_no_crash(body: Any) -> None:
    known = isinstance(body, dict) and isinstance(body.get("elements"), list)
    for url, ask in (
        (POSTS, lambda: list_posts(call("linkedin"), ListPosts()).posts),
        (f"{ADS}/adCampaigns", lambda: search_campaigns(call("linkedin"), SearchCampaigns()).campaigns),
        (
            f"{REST}/organizationalEntityShareStatistics",
            lambda: get_post_statistics(call("linkedin"), GetPostStatistics(post_urns=(SHARE,))).posts[1:],
        ),
    ):
        with responses.RequestsMock() as mock:
            mock.get(url, json=body)
            if known:
                assert ask() == ()
                continue
            with pytest.raises(Unavailable):
                ask()


def test_a_list_that_never_ends_is_given_up() -> None:
    with responses.RequestsMock() as mock:
        mock.get(f"{ADS}/adCampaigns", json={"elements": [], "metadata": {"nextPageToken": "more"}})
        with pytest.raises(Unavailable, match="more than 20 pages"):
            search_campaigns(call("linkedin"), SearchCampaigns())

        assert len(mock.calls) == 20


def test_every_request_names_the_version_and_carries_the_token() -> None:
    with responses.RequestsMock() as mock:
        mock.get(SHARE_PATH, json={"id": SHARE})
        get_post(call("linkedin"), PostRef(post_urn=SHARE))
        headers = mock.calls[0].request.headers

    assert headers["LinkedIn-Version"] == web.VERSION
    assert headers["X-Restli-Protocol-Version"] == "2.0.0"
    assert headers["Authorization"] == f"Bearer {OAUTH_TOKEN}"
