"""The ad account of the sandbox's LinkedIn is as strict as LinkedIn's, and counts what it is asked to do."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from tests.unit.sandbox.process import Box, linkedin_code, running


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    with running(tmp_path_factory.mktemp("sandbox")) as found:
        yield found


def campaign(box: Box, **more: Any) -> dict[str, Any]:
    money = {"amount": "50", "currencyCode": "USD"}
    return {
        "account": "urn:li:sponsoredAccount:512345678",
        "campaignGroup": f"urn:li:sponsoredCampaignGroup:{box.linkedin['campaign_group']}",
        "name": "Spring, (new)",
        "type": "TEXT_AD",
        "costType": "CPM",
        "unitCost": money,
        "dailyBudget": money,
        "locale": {"country": "US", "language": "en"},
        "targetingCriteria": {"include": {"and": [{"or": {"urn:li:adTargetingFacet:locations": ["urn:li:geo:1"]}}]}},
        "status": "PAUSED",
        "offsiteDeliveryEnabled": False,
        "politicalIntent": "NOT_POLITICAL",
        **more,
    }


ADS = "rest/adAccounts/512345678/adCampaigns"


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({"politicalIntent": None}, (400, "MISSING_FIELD")),
        ({"offsiteDeliveryEnabled": None}, (400, "MISSING_FIELD")),
        ({"dailyBudget": None}, (400, "INVALID_VALUE_FOR_FIELD")),
        ({"unitCost": {"amount": 12.5, "currencyCode": "USD"}}, (400, "INVALID_VALUE_FOR_FIELD")),
        ({"campaignGroup": "urn:li:sponsoredCampaignGroup:1"}, (400, "INVALID_VALUE_FOR_FIELD")),
        ({"campaignGroup": "urn:li:sponsoredCampaignGroup:601234568"}, (400, "INVALID_CAMPAIGN_CONFIGURATION")),
        ({"type": "SPONSORED_UPDATES"}, (400, "CONDITIONAL_FIELD_MISSING")),
        ({"colour": "red"}, (400, "INVALID_FIELD")),
    ],
)
def test_a_campaign_that_linkedin_refuses_is_refused_in_its_words(
    box: Box, more: dict[str, Any], error: tuple[int, str]
) -> None:
    wanted = {name: value for name, value in campaign(box, **more).items() if value is not None}
    assert linkedin_code(box.linked("POST", ADS, json=wanted)) == error


def test_a_campaign_lives_from_draft_to_deletion(box: Box) -> None:
    before = box.last_effect()
    key = box.linked("POST", ADS, json=campaign(box)).headers["x-restli-id"]
    draft = box.linked("POST", ADS, json=campaign(box, status="DRAFT")).headers["x-restli-id"]
    set_it = {"X-RestLi-Method": "PARTIAL_UPDATE"}

    def patch(name: str, **fields: Any) -> int:
        return box.linked("POST", f"{ADS}/{name}", json={"patch": {"$set": fields}}, headers=set_it).status_code

    assert [patch(key, status="ACTIVE"), patch(key, dailyBudget={"amount": "75"}), patch(key, id=7)] == [204, 204, 400]
    assert box.linked("GET", f"{ADS}/{key}").json()["servingStatuses"] == ["RUNNABLE"]
    assert box.linked("DELETE", f"{ADS}/{key}").status_code == 400
    assert [patch(key, status="PENDING_DELETION"), patch(key, status="ACTIVE")] == [204, 400]
    assert [patch(draft, status="PENDING_DELETION"), box.linked("DELETE", f"{ADS}/{draft}").status_code] == [400, 204]
    assert box.linked("GET", f"{ADS}/{draft}").status_code == 404
    assert [one["action"] for one in box.effects("linkedin", since_id=before)] == [
        "createCampaign",
        "createCampaign",
        "activateCampaign",
        "adjustBudget",
        "deleteCampaign",
        "deleteCampaign",
    ]


def test_a_search_is_read_in_restlis_syntax(box: Box) -> None:
    name = f"Spring, (new) {uuid.uuid4().hex}"
    for _ in range(3):
        assert box.linked("POST", ADS, json=campaign(box, name=name)).ok

    def found(search: str, more: str = "") -> dict[str, Any]:
        answer: dict[str, Any] = box.linked("GET", f"{ADS}?q=search&search={search}{more}").json()
        return answer

    wanted = f"(name:(values:List({quote(name, safe='')})))"
    first = found(wanted, "&pageSize=2")
    token = first["metadata"]["nextPageToken"]
    second = found(wanted, f"&pageSize=2&pageToken={token}")
    assert [len(first["elements"]), len(second["elements"])] == [2, 1]
    assert second["metadata"] == {}
    assert found("(name:(values:List(x)),status:(values:List(PAUSED)))")["elements"] == []
    assert found("(name:List(x))")["status"] == 400
    assert found("(name:(values:x))")["status"] == 400
