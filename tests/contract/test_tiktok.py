"""What does each TikTok action do at TikTok? Asked of the sandbox."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from connectors.kit.action import Output
from connectors.kit.errors import (
    AuthExpired,
    InvalidRequest,
    NotFound,
    OutcomeUnknown,
    Postpone,
    RateLimited,
    Unavailable,
)
from connectors.registry import action, connector
from connectors.tiktok.accounts import Advertiser, AdvertiserList
from connectors.tiktok.adgroups import AdGroup, AdGroupList
from connectors.tiktok.ads import Ad, AdList
from connectors.tiktok.campaigns import Campaign, CampaignList, request_id
from connectors.tiktok.files import Uploaded, Video
from connectors.tiktok.platform import Made
from connectors.tiktok.reports import Report, ReportFile
from connectors.tiktok.web import TikTokCredential
from tests import servers
from tests.contract.cases.tiktok import IMAGE, VIDEO, ad, adgroup, campaign, smart_ad, smart_campaign, text
from tests.contract.conftest import Performer, Sandbox
from tests.contract.memory_ledger import MemoryLedger


def perform(performer: Performer, name: str, ledger: MemoryLedger, /, **given: Any) -> Output:
    wanted = action(f"tiktok.{name}")
    return performer.perform(wanted, performer.call("tiktok", ledger), wanted.input.model_validate(given))


def campaign_of(performer: Performer, campaign_id: str | None, *, smart_plus: bool = False) -> Campaign:
    listed = performer.do("tiktok.listCampaigns", campaign_ids=[campaign_id], smart_plus=smart_plus)
    assert isinstance(listed, CampaignList)
    (found,) = listed.campaigns
    return found


def adgroup_of(performer: Performer, adgroup_id: str | None) -> AdGroup:
    listed = performer.do("tiktok.listAdGroups", adgroup_ids=[adgroup_id])
    assert isinstance(listed, AdGroupList)
    (found,) = listed.adgroups
    return found


def ad_of(performer: Performer, ad_id: str | None, *, smart_plus: bool = False) -> Ad:
    listed = performer.do("tiktok.listAds", smart_plus=smart_plus, include_deleted=True)
    assert isinstance(listed, AdList)
    return next(one for one in listed.ads if one.id == ad_id)


@pytest.mark.parametrize("smart_plus", [False, True])
def test_what_spends_money_is_created_switched_off_and_carries_the_runs_mark(
    performer: Performer, sandbox: Sandbox, smart_plus: bool
) -> None:
    ledger, mark = MemoryLedger(), sandbox.mark()
    given = (smart_campaign if smart_plus else campaign)(performer, "")
    name = "createSmartCampaign" if smart_plus else "createCampaign"

    made = perform(performer, name, ledger, **given)

    assert isinstance(made, Made)
    assert made.name == f"{given['name']} nh-{ledger.key}"
    (effect,) = sandbox.effects(mark)
    assert (effect["action"], effect["key"], effect["text"]) == (name, ledger.key, made.name)
    found = campaign_of(performer, made.id, smart_plus=smart_plus)
    assert (found.name, found.operation_status) == (made.name, "DISABLE")
    assert found.budget_major == (60.5 if smart_plus else 60)


def test_manual_and_smart_campaigns_are_listed_apart(performer: Performer) -> None:
    made = performer.do("tiktok.createSmartCampaign", **smart_campaign(performer, ""))

    listed = performer.do("tiktok.listCampaigns", campaign_ids=[made.provider_id()])

    assert isinstance(listed, CampaignList)
    assert listed.campaigns == ()


def test_a_campaign_is_budgeted_switched_on_and_deleted(performer: Performer) -> None:
    campaign_id = performer.do("tiktok.createCampaign", **campaign(performer, "")).provider_id()
    performer.do("tiktok.adjustCampaignBudget", campaign_id=campaign_id, budget_major="80.25")
    performer.do("tiktok.setCampaignStatus", campaign_ids=[campaign_id], status="ENABLE")
    found = campaign_of(performer, campaign_id)
    assert (found.budget_major, found.operation_status) == (80.25, "ENABLE")
    performer.do("tiktok.setCampaignStatus", campaign_ids=[campaign_id], status="DELETE")
    listed = performer.do("tiktok.listCampaigns", campaign_ids=[campaign_id])
    assert isinstance(listed, CampaignList)
    assert listed.campaigns == ()
    with pytest.raises(NotFound):
        performer.do("tiktok.adjustCampaignBudget", campaign_id=campaign_id, budget_major=90)


def test_ad_groups_are_budgeted_together_and_changed(performer: Performer, sandbox: Sandbox) -> None:
    given = adgroup(performer, "")
    ids = [performer.do("tiktok.createAdGroup", **{**given, "name": text()}).provider_id() for _ in range(2)]
    mark = sandbox.mark()
    performer.do("tiktok.adjustBudget", budgets=[{"adgroup_id": one, "budget_major": 33} for one in ids])
    assert [one["provider_id"] for one in sandbox.effects(mark)] == ids
    performer.do("tiktok.updateAdGroup", adgroup_id=ids[0], end_at="2027-01-31T12:00:00+01:00")
    found = adgroup_of(performer, ids[0])
    assert (found.budget_major, found.operation_status) == (33, "DISABLE")
    assert found.end_at is not None
    assert found.end_at.isoformat() == "2027-01-31T11:00:00+00:00"
    performer.do("tiktok.adjustBudget", budgets=[{"adgroup_id": ids[0], "budget_major": 44}], from_tomorrow=True)
    assert adgroup_of(performer, ids[0]).budget_major == 33


def test_an_ad_is_created_off_switched_on_and_turned_off(performer: Performer) -> None:
    made = performer.do("tiktok.createAd", **ad(performer, ""))
    ad_id = made.provider_id()
    assert ad_of(performer, ad_id).operation_status == "DISABLE"
    performer.do("tiktok.setAdStatus", ad_ids=[ad_id], status="ENABLE")
    assert ad_of(performer, ad_id).operation_status == "ENABLE"
    performer.do("tiktok.turnOffAd", ad_ids=[ad_id])
    assert ad_of(performer, ad_id).operation_status == "DISABLE"
    performer.do("tiktok.setAdStatus", ad_ids=[ad_id], status="DELETE")
    assert ad_of(performer, ad_id).secondary_status == "AD_STATUS_DELETE"


def test_a_smart_ad_takes_one_change_in_five_seconds(performer: Performer, sandbox: Sandbox) -> None:
    ad_id = performer.do("tiktok.createSmartAd", **smart_ad(performer, "")).provider_id()
    performer.do("tiktok.setAdStatus", ad_ids=[ad_id], status="ENABLE", smart_plus=True)

    with pytest.raises(RateLimited) as caught:
        performer.do("tiktok.turnOffAd", ad_ids=[ad_id], smart_plus=True)

    assert (caught.value.retry_after_s, caught.value.of) == (5, "run")
    sandbox.ask("POST", "clock", json={"advance_s": 6})
    performer.do("tiktok.turnOffAd", ad_ids=[ad_id], smart_plus=True)
    assert ad_of(performer, ad_id, smart_plus=True).operation_status == "DISABLE"


def test_a_repeat_of_a_manual_campaign_is_refused_by_its_name_and_finds_the_first(
    performer: Performer, sandbox: Sandbox
) -> None:
    ledger, given, mark = MemoryLedger(), campaign(performer, ""), sandbox.mark()
    first = perform(performer, "createCampaign", ledger, **given)

    assert perform(performer, "createCampaign", ledger, **given) == first
    assert len(sandbox.effects(mark)) == 1


def test_tiktok_forgets_a_request_id_so_a_late_repeat_is_looked_for_by_name(
    performer: Performer, sandbox: Sandbox
) -> None:
    ledger, given, mark = MemoryLedger(), smart_campaign(performer, ""), sandbox.mark()
    sandbox.fault("reset_after", "tiktok", "createSmartPlusCampaign")
    with pytest.raises(OutcomeUnknown):
        perform(performer, "createSmartCampaign", ledger, **given)
    with pytest.raises(OutcomeUnknown, match="code 40050"):
        perform(performer, "createSmartCampaign", ledger, **given)
    wanted = action("tiktok.createSmartCampaign")
    found = performer.look_up(wanted, performer.call("tiktok", ledger), wanted.input.model_validate(given))
    (effect,) = sandbox.effects(mark)
    assert found is not None
    assert found.provider_id() == effect["provider_id"]


def test_a_request_id_follows_from_the_run_and_fits_in_64_bits(performer: Performer) -> None:
    ledger = MemoryLedger()
    first = request_id(performer.call("tiktok", ledger))
    assert first == request_id(performer.call("tiktok", ledger))
    assert first != request_id(performer.call("tiktok"))
    assert 0 < int(first) < 2**63


def test_a_late_list_hides_what_was_created_only_for_a_while(performer: Performer, sandbox: Sandbox) -> None:
    ledger, given = MemoryLedger(), campaign(performer, "")
    sandbox.fault("delayed_visibility", "tiktok", "createCampaign", seconds=10)
    sandbox.fault("reset_after", "tiktok", "createCampaign")
    with pytest.raises(OutcomeUnknown):
        perform(performer, "createCampaign", ledger, **given)
    wanted = action("tiktok.createCampaign")
    data = wanted.input.model_validate(given)
    assert performer.look_up(wanted, performer.call("tiktok", ledger), data) is None
    sandbox.ask("POST", "clock", json={"advance_s": 11})
    assert performer.look_up(wanted, performer.call("tiktok", ledger), data) is not None


def test_two_ads_with_the_mark_of_one_run_are_for_a_person(performer: Performer) -> None:
    ledger, given = MemoryLedger(), ad(performer, "")
    for _ in range(2):
        perform(performer, "createAd", ledger, **given)
    wanted = action("tiktok.createAd")

    with pytest.raises(OutcomeUnknown, match="ambiguous: 2 objects carry this run's mark"):
        performer.look_up(wanted, performer.call("tiktok", ledger), wanted.input.model_validate(given))


def test_a_video_is_waited_for_without_holding_a_worker(performer: Performer, sandbox: Sandbox) -> None:
    ledger, mark = MemoryLedger(), sandbox.mark()
    with pytest.raises(Postpone, match="waiting for ready"):
        perform(performer, "uploadVideo", ledger, video_url=VIDEO)
    (effect,) = sandbox.effects(mark)
    waiting = performer.do("tiktok.getVideo", video_id=effect["provider_id"])
    assert isinstance(waiting, Video)
    assert not waiting.ready
    given = {**ad(performer, ""), "video_id": effect["provider_id"]}
    sandbox.ask("POST", "clock", json={"advance_s": 4})

    made = perform(performer, "uploadVideo", ledger, video_url=VIDEO)

    assert isinstance(made, Uploaded)
    assert (made.file_id, made.file_name) == (effect["provider_id"], f"file-nh-{ledger.key}")
    assert len([one for one in sandbox.effects(mark) if one["key"] == ledger.key]) == 1
    ready = performer.do("tiktok.getVideo", video_id=made.file_id)
    assert isinstance(ready, Video)
    assert (ready.ready, ready.width, ready.height, ready.duration_s) == (True, 1080, 1920, 15)
    assert performer.do("tiktok.createAd", **given).provider_id()


def test_an_ad_with_a_video_that_is_still_worked_on_is_tried_again_later(performer: Performer) -> None:
    given = ad(performer, "")
    ledger = MemoryLedger()
    with pytest.raises(Postpone):
        perform(performer, "uploadVideo", ledger, video_url=VIDEO)
    fresh = ledger.results["upload"]
    assert isinstance(fresh, dict)

    with pytest.raises(Unavailable, match="still being worked on"):
        performer.do("tiktok.createAd", **{**given, "video_id": fresh["file_id"]})


def test_a_file_that_cannot_be_loaded_is_refused(performer: Performer, sandbox: Sandbox) -> None:
    mark = sandbox.mark()
    with pytest.raises(InvalidRequest):
        performer.do("tiktok.uploadImage", image_url="https://cdn.invalid/a.jpg")
    assert sandbox.effects(mark) == []
    assert performer.do("tiktok.uploadImage", image_url=IMAGE).provider_id()


def test_ads_are_measured_at_once_and_as_a_file(performer: Performer, sandbox: Sandbox) -> None:
    campaign_id = performer.do("tiktok.createCampaign", **campaign(performer, "")).provider_id()
    found = performer.do(
        "tiktok.getReport",
        dimensions=["campaign_id", "stat_time_day"],
        metrics=["spend", "cost_per_conversion", "campaign_name"],
        start_date="2026-11-01",
        end_date="2026-11-03",
        filters=[{"field_name": "campaign_ids", "filter_type": "IN", "values": [campaign_id]}],
    )
    assert isinstance(found, Report)
    assert [row.dimensions["stat_time_day"][:10] for row in found.rows] == ["2026-11-01", "2026-11-02", "2026-11-03"]
    row = found.rows[0]
    assert row.dimensions["campaign_id"] == campaign_id
    assert row.metrics["spend"] is not None
    assert row.metrics["cost_per_conversion"] is None
    assert row.texts["campaign_name"].startswith("Spring")
    kept = performer.finished("tiktok.getReportFile", lifetime=True)
    assert isinstance(kept, ReportFile)
    assert kept.download_url.startswith("https://")


def test_the_advertiser_tells_its_currency(performer: Performer) -> None:
    account = performer.account["tiktok"]["account"]
    found = performer.do("tiktok.getAdvertiser")
    listed = performer.do("tiktok.listAdvertisers")
    assert isinstance(found, Advertiser)
    assert isinstance(listed, AdvertiserList)
    assert (found.advertiser_id, found.currency) == (account, "USD")
    assert [one.advertiser_id for one in listed.advertisers] == [account]
    assert connector("tiktok").test(performer.call("tiktok")) == f"TikTok advertiser {account}, USD"


@pytest.mark.parametrize(
    ("place", "wrong"), [("credential", {"access_token": "wrong-token"}), ("settings", {"advertiser_id": "7012"})]
)
def test_a_token_that_is_dead_or_of_another_advertiser_is_not_in_the_error(
    performer: Performer, place: str, wrong: dict[str, str]
) -> None:
    performer.account["tiktok"][place].update(wrong)

    with pytest.raises(AuthExpired) as caught:
        connector("tiktok").test(performer.call("tiktok"))
    assert "wrong-token" not in f"{caught.value!r}"


def test_a_code_brings_a_token_that_works(tmp_path: Path) -> None:
    # A sandbox of its own: a code works once, and for an hour of its clock.
    with servers.sandbox(tmp_path) as url:
        _exchange(Performer(Sandbox(url, Sandbox(url).ask("GET", "accounts"))))


def _exchange(performer: Performer) -> None:
    call = performer.call("tiktok")
    oauth = call.connector.oauth
    assert oauth is not None
    granted = oauth.exchange(
        call.http,
        call.credential_as(TikTokCredential),
        code=performer.account["tiktok"]["auth_code"],
        redirect_uri="https://app.example/back",
        verifier="v",
    )
    assert granted.access_token is not None
    performer.account["tiktok"]["credential"]["access_token"] = granted.access_token.get_secret_value()
    assert performer.do("tiktok.getAdvertiser")
