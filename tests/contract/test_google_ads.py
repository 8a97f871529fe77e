"""What does each Google Ads action do in the account? Asked of the sandbox."""

from __future__ import annotations

import uuid
from datetime import date
from typing import Any

import pytest

from connectors.google_ads.campaigns import CreatedCampaign
from connectors.google_ads.changes import AdjustedBudget, CampaignStatuses
from connectors.google_ads.metrics import MetricsReport
from connectors.google_ads.platform import Account, Customers
from connectors.google_ads.search import Campaign, CampaignPage
from connectors.kit.errors import AuthExpired, InvalidRequest, NotFound, OutcomeUnknown, Permission
from connectors.kit.oauth import OAuthCredential
from connectors.registry import action, connector
from tests.contract.conftest import Performer, Sandbox
from tests.contract.memory_ledger import MemoryLedger

CREATE = action("google_ads.createCampaign")
BIDDING = {"strategy": "MAXIMIZE_CONVERSIONS"}


def wanted(**changes: Any) -> dict[str, Any]:
    given = {"name": f"Spring {uuid.uuid4().hex}", "daily_budget_micros": 50_000_000, "bidding": BIDDING}
    return {**given, "contains_eu_political_advertising": False, **changes}


@pytest.fixture
def campaign(performer: Performer) -> CreatedCampaign:
    made = performer.do("google_ads.createCampaign", **wanted())
    assert isinstance(made, CreatedCampaign)
    return made


def shown(performer: Performer, campaign_id: str) -> Campaign:
    found = performer.do("google_ads.getCampaign", campaign_id=campaign_id)
    assert isinstance(found, Campaign)
    return found


def test_a_campaign_is_made_paused_with_a_budget_of_its_own_and_carries_the_run(
    performer: Performer, sandbox: Sandbox
) -> None:
    ledger, mark = MemoryLedger(), sandbox.mark()
    given = wanted(name="50% [off]_'Ana'", start_date="2099-12-01", end_date="2099-12-31")
    made = performer.perform(CREATE, performer.call("google_ads", ledger), CREATE.input.model_validate(given))
    assert isinstance(made, CreatedCampaign)
    assert (made.name, made.effect_id) == (f"50% [off]_'Ana' [nh:{ledger.key}]", ledger.key)
    found = shown(performer, made.id)
    assert (found.status, found.daily_budget_micros, found.budget_shared) == ("PAUSED", 50_000_000, False)
    assert (found.start_date_time, found.end_date_time) == ("2099-12-01 00:00:00", "2099-12-31 23:59:59")
    assert (found.bidding_strategy_type, found.budget_id) == ("MAXIMIZE_CONVERSIONS", made.budget_id)
    assert (found.effect_id, found.budget_campaigns) == (ledger.key, 1)
    (effect,) = sandbox.effects(mark)
    assert (effect["action"], effect["provider_id"], effect["text"]) == ("createCampaign", made.id, made.name)


def test_a_campaign_with_a_total_budget_ends(performer: Performer) -> None:
    money = {"daily_budget_micros": None, "total_budget_micros": 90_000_000, "end_date": "2099-12-31"}
    made = performer.do("google_ads.createCampaign", **wanted(**money))
    assert isinstance(made, CreatedCampaign)
    found = shown(performer, made.id)
    assert (found.daily_budget_micros, found.total_budget_micros) == (None, 90_000_000)
    with pytest.raises(InvalidRequest, match="total budget"):
        performer.do("google_ads.adjustBudget", campaign_id=made.id, daily_budget_micros=1_000_000)


def test_two_runs_with_the_same_content_are_two_campaigns(performer: Performer) -> None:
    given = wanted()
    first, second = (performer.do("google_ads.createCampaign", **given) for _ in range(2))
    assert first.provider_id() != second.provider_id()


def test_a_repeat_creates_nothing_and_finds_what_the_first_request_created(
    performer: Performer, sandbox: Sandbox
) -> None:
    ledger, data = MemoryLedger(), CREATE.input.model_validate(wanted())
    first = performer.perform(CREATE, performer.call("google_ads", ledger), data)
    mark = sandbox.mark()
    assert performer.perform(CREATE, performer.call("google_ads", ledger), data) == first
    assert sandbox.effects(mark) == []


def test_a_read_back_finds_a_campaign_that_was_removed_meanwhile_and_no_other_runs(performer: Performer) -> None:
    ledger, data = MemoryLedger(), CREATE.input.model_validate(wanted())
    call = performer.call("google_ads", ledger)
    assert performer.look_up(CREATE, call, data) is None
    made = performer.perform(CREATE, call, data)
    performer.do("google_ads.removeCampaign", campaign_id=made.provider_id())
    assert performer.look_up(CREATE, call, data) == made
    assert performer.look_up(CREATE, performer.call("google_ads", MemoryLedger()), data) is None


def test_a_dry_run_creates_nothing_and_names_what_is_wrong(performer: Performer, sandbox: Sandbox) -> None:
    mark, given = sandbox.mark(), wanted()
    performer.do("google_ads.validateCampaign", **given)
    with pytest.raises(InvalidRequest, match=r"CANNOT_SET_DATE_TO_PAST at mutate_operations\[1\].*start_date_time"):
        performer.do("google_ads.validateCampaign", **given, start_date="2020-01-01")
    with pytest.raises(InvalidRequest, match="NON_MULTIPLE_OF_MINIMUM_CURRENCY_UNIT"):
        performer.do("google_ads.validateCampaign", **{**given, "daily_budget_micros": 50_000_001})
    assert sandbox.effects(mark) == []
    found = performer.do("google_ads.searchCampaigns", name_contains=given["name"])
    assert isinstance(found, CampaignPage)
    assert found.campaigns == ()


def test_a_campaign_is_enabled_paused_and_removed_for_good(performer: Performer, campaign: CreatedCampaign) -> None:
    for name, status in (("enable", "ENABLED"), ("pause", "PAUSED"), ("pause", "PAUSED"), ("remove", "REMOVED")):
        performer.do(f"google_ads.{name}Campaign", campaign_id=campaign.id)
        assert shown(performer, campaign.id).status == status
    performer.do("google_ads.removeCampaign", campaign_id=campaign.id)
    with pytest.raises(Permission, match="OPERATION_NOT_PERMITTED_FOR_REMOVED_RESOURCE"):
        performer.do("google_ads.enableCampaign", campaign_id=campaign.id)
    for name in ("pauseCampaign", "removeCampaign"):
        with pytest.raises(NotFound, match="RESOURCE_NOT_FOUND"):
            performer.do(f"google_ads.{name}", campaign_id="7")
    with pytest.raises(NotFound):
        performer.do("google_ads.getCampaign", campaign_id="7")


def test_many_are_changed_and_one_that_is_refused_does_not_hold_them_up(
    performer: Performer, sandbox: Sandbox, campaign: CreatedCampaign
) -> None:
    mark = sandbox.mark()
    both = [{"campaign_id": "7", "status": "PAUSED"}, {"campaign_id": campaign.id, "status": "ENABLED"}]
    found = performer.do("google_ads.setCampaignStatuses", campaigns=both)
    assert isinstance(found, CampaignStatuses)
    assert found.changed == (campaign.id,)
    assert [(one.campaign_id, one.code) for one in found.refused] == [("7", "mutateError.RESOURCE_NOT_FOUND")]
    assert [one["provider_id"] for one in sandbox.effects(mark)] == [campaign.id]
    with pytest.raises(InvalidRequest, match="none of the campaigns"):
        performer.do("google_ads.setCampaignStatuses", campaigns=both[:1])


@pytest.mark.parametrize(
    ("bidding", "kind"),
    [
        ({"strategy": "MAXIMIZE_CONVERSIONS", "target_cpa_micros": 8_000_000}, "MAXIMIZE_CONVERSIONS"),
        ({"strategy": "MAXIMIZE_CONVERSION_VALUE", "target_roas": 3.5}, "MAXIMIZE_CONVERSION_VALUE"),
        ({"strategy": "TARGET_SPEND", "cpc_bid_ceiling_micros": 1_500_000}, "TARGET_SPEND"),
        ({"strategy": "MANUAL_CPC"}, "MANUAL_CPC"),
    ],
)
def test_a_campaign_bids_as_it_is_told(
    performer: Performer, campaign: CreatedCampaign, bidding: dict[str, Any], kind: str
) -> None:
    performer.do("google_ads.updateBidStrategy", campaign_id=campaign.id, bidding=bidding)
    assert shown(performer, campaign.id).bidding_strategy_type == kind


def test_a_shared_strategy_must_exist(performer: Performer, campaign: CreatedCampaign) -> None:
    shared = {"strategy": "PORTFOLIO", "bidding_strategy_id": performer.account["google_ads"]["portfolio"]}
    performer.do("google_ads.updateBidStrategy", campaign_id=campaign.id, bidding=shared)
    with pytest.raises(NotFound):
        performer.do(
            "google_ads.updateBidStrategy",
            campaign_id=campaign.id,
            bidding={**shared, "bidding_strategy_id": "1"},
        )
    with pytest.raises(InvalidRequest, match="BID_TOO_SMALL"):
        performer.do(
            "google_ads.updateBidStrategy",
            campaign_id=campaign.id,
            bidding={"strategy": "TARGET_SPEND", "cpc_bid_ceiling_micros": 1_000},
        )


def test_a_budget_is_changed_and_a_shared_one_only_on_purpose(
    performer: Performer, sandbox: Sandbox, campaign: CreatedCampaign
) -> None:
    performer.do("google_ads.adjustBudget", campaign_id=campaign.id, daily_budget_micros=60_000_000)
    assert shown(performer, campaign.id).daily_budget_micros == 60_000_000
    shared, mark = performer.account["google_ads"]["campaigns"]["Shared A"], sandbox.mark()
    with pytest.raises(InvalidRequest, match="shared by 2 campaigns"):
        performer.do("google_ads.adjustBudget", campaign_id=shared, daily_budget_micros=70_000_000)
    assert sandbox.effects(mark) == []
    changed = performer.do(
        "google_ads.adjustBudget", campaign_id=shared, daily_budget_micros=70_000_000, also_of_other_campaigns=True
    )
    assert isinstance(changed, AdjustedBudget)
    assert changed.campaigns == 2
    other = performer.account["google_ads"]["campaigns"]["Shared B"]
    assert shown(performer, other).daily_budget_micros == 70_000_000
    with pytest.raises(NotFound):
        performer.do("google_ads.adjustBudget", campaign_id="7", daily_budget_micros=70_000_000)


def test_campaigns_are_found_by_name_id_and_state(performer: Performer, campaign: CreatedCampaign) -> None:
    def ids(**given: Any) -> list[str]:
        found = performer.do("google_ads.searchCampaigns", **given)
        assert isinstance(found, CampaignPage)
        return [one.id for one in found.campaigns]

    assert ids(name=campaign.name) == [campaign.id]
    assert ids(name_contains=campaign.name[7:20]) == [campaign.id]
    assert ids(campaign_ids=[campaign.id, "7"]) == [campaign.id]
    assert ids(name=campaign.name, statuses=["ENABLED"]) == []
    # A percent sign in a name is no wildcard.
    assert ids(name_contains="Spring%") == []


def test_figures_come_by_day_and_in_all(performer: Performer) -> None:
    evergreen = performer.account["google_ads"]["campaigns"]["Evergreen"]
    given = {"campaign_ids": [evergreen], "since": "2020-01-01", "until": "2099-12-31"}
    by_day = performer.do("google_ads.getCampaignMetrics", **given, by_day=True)
    in_all = performer.do("google_ads.getCampaignMetrics", **given)
    assert isinstance(by_day, MetricsReport)
    assert isinstance(in_all, MetricsReport)
    (total,) = in_all.rows
    assert len(by_day.rows) == 14
    assert all(isinstance(one.day, date) for one in by_day.rows)
    assert (total.day, total.clicks) == (None, sum(one.clicks for one in by_day.rows))
    assert total.cost_micros == sum(one.cost_micros for one in by_day.rows) > 0
    assert 0 < total.ctr < 1
    day = by_day.rows[3].day
    one_day = performer.do("google_ads.getCampaignMetrics", **{**given, "since": day, "until": day}, by_day=True)
    assert isinstance(one_day, MetricsReport)
    assert one_day.rows == by_day.rows[3:4]


def test_an_account_below_a_manager_is_reached_through_it(performer: Performer) -> None:
    account = performer.account["google_ads"]
    account["settings"] = {"customer_id": account["managed"]}
    with pytest.raises(Permission, match=r"USER_PERMISSION_DENIED .*login_customer_id"):
        performer.do("google_ads.searchCampaigns")
    dashed = f"{account['manager'][:3]}-{account['manager'][3:6]}-{account['manager'][6:]}"
    account["settings"] = {"customer_id": account["managed"], "login_customer_id": dashed}
    found = performer.do("google_ads.getAccount")
    assert isinstance(found, Account)
    assert (found.id, found.name, found.manager) == (account["managed"], "Sandbox Bikes", False)
    performer.do("google_ads.createCampaign", **wanted())


@pytest.mark.parametrize(
    ("which", "kind", "code"),
    [
        ("foreign", Permission, "USER_PERMISSION_DENIED"),
        ("closed", Permission, "CUSTOMER_NOT_ENABLED"),
        ("manager", InvalidRequest, "CANNOT_BE_EXECUTED_BY_MANAGER_ACCOUNT"),
    ],
)
def test_an_account_that_holds_no_campaigns_of_ours_is_told(
    performer: Performer, which: str, kind: type[Exception], code: str
) -> None:
    account = performer.account["google_ads"]
    account["settings"] = {"customer_id": account[which]}
    with pytest.raises(kind, match=code):
        performer.do("google_ads.createCampaign", **wanted())


def test_the_accounts_are_listed_and_the_check_names_the_connections(performer: Performer) -> None:
    account = performer.account["google_ads"]
    listed = performer.do("google_ads.listAccessibleCustomers")
    assert isinstance(listed, Customers)
    assert set(listed.customer_ids) == {account["account"], account["manager"], account["closed"]}
    check = connector("google_ads").test(performer.call("google_ads"))
    assert check == "Google Ads test account Sandbox Shoes, in EUR, Europe/Berlin"


def test_a_token_is_renewed_at_googles_endpoint(performer: Performer) -> None:
    oauth, call = connector("google_ads").oauth, performer.call("google_ads")
    assert oauth is not None
    renewed = oauth.refresh(call.http, call.credential_as(OAuthCredential))
    assert renewed.access_token is not None
    credential = performer.account["google_ads"]["credential"]
    credential["access_token"] = renewed.access_token.get_secret_value()
    performer.do("google_ads.getAccount")
    credential["access_token"] = "ya29.none"
    with pytest.raises(AuthExpired):
        performer.do("google_ads.getAccount")


def test_several_campaigns_with_one_key_are_left_to_a_person(performer: Performer) -> None:
    ledger = MemoryLedger()
    for number in range(2):
        performer.do("google_ads.createCampaign", **wanted(name=f"Copy {number} [nh:{ledger.key}]"))
    with pytest.raises(OutcomeUnknown, match="several campaigns"):
        performer.look_up(CREATE, performer.call("google_ads", ledger), CREATE.input.model_validate(wanted()))
