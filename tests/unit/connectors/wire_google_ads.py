"""One request of every Google Ads action as Google documents it, and an answer to it."""

from __future__ import annotations

from typing import Any

from connectors.google_ads.search import SELECT
from tests.unit.connectors.calls import ADS_ACCOUNT
from tests.unit.connectors.wire import JSON, KEY, Sent, asked

API = "https://googleads.googleapis.com/v26/"
HERE = f"customers/{ADS_ACCOUNT}"
CAMPAIGN, BUDGET = f"{HERE}/campaigns/21", f"{HERE}/campaignBudgets/13"
NAME = f"Spring 2026 [nh:{KEY}]"
ROW = {"campaign": {"resourceName": CAMPAIGN, "id": "21"}, "campaignBudget": {"resourceName": BUDGET, "id": "13"}}
MADE = {
    "mutateOperationResponses": [
        {"campaignBudgetResult": {"resourceName": BUDGET}},
        {"campaignResult": {"resourceName": CAMPAIGN}},
    ]
}
DONE = {"results": [{"resourceName": CAMPAIGN}]}
NEW = {
    "name": "Spring 2026",
    "daily_budget_micros": 50_000_000,
    "bidding": {"strategy": "MAXIMIZE_CONVERSIONS"},
    "contains_eu_political_advertising": False,
    "start_date": "2026-12-01",
    "end_date": "2026-12-31",
}
FIGURES = (
    "metrics.impressions, metrics.clicks, metrics.cost_micros, metrics.conversions, metrics.conversions_value,"
    " metrics.ctr, metrics.average_cpc"
)


def told(path: str, **body: Any) -> Sent:
    return Sent("POST", f"{API}{path}", JSON, body, [])


def query(text: str, **more: Any) -> Sent:
    return told(f"{HERE}/googleAds:search", query=text, **more)


def changed(kind: str, update: dict[str, Any], mask: str, *, partial: bool = False) -> Sent:
    operation = {"update": update, "updateMask": mask}
    return told(f"{HERE}/{kind}:mutate", operations=[operation], partialFailure=partial)


def created(*, validate_only: bool = False, budget: dict[str, Any] | None = None, **campaign: Any) -> Sent:
    fields = {
        "resourceName": f"{HERE}/campaigns/-2",
        "name": NAME,
        "status": "PAUSED",
        "advertisingChannelType": "SEARCH",
        "campaignBudget": f"{HERE}/campaignBudgets/-1",
        "containsEuPoliticalAdvertising": "DOES_NOT_CONTAIN_EU_POLITICAL_ADVERTISING",
        "maximizeConversions": {},
        "networkSettings": {"targetGoogleSearch": True, "targetSearchNetwork": True, "targetContentNetwork": False},
        "startDateTime": "2026-12-01 00:00:00",
        "endDateTime": "2026-12-31 23:59:59",
        **campaign,
    }
    money = {
        "resourceName": f"{HERE}/campaignBudgets/-1",
        "name": f"{NAME} budget",
        **(budget or {"amountMicros": "50000000"}),
        "deliveryMethod": "STANDARD",
        "explicitlyShared": False,
    }
    given = {name: value for name, value in fields.items() if value is not None}
    operations = [{"campaignBudgetOperation": {"create": money}}, {"campaignOperation": {"create": given}}]
    return told(
        f"{HERE}/googleAds:mutate", mutateOperations=operations, partialFailure=False, validateOnly=validate_only
    )


Bid = tuple[dict[str, Any], dict[str, Any], str]
BIDS: list[Bid] = [
    (
        {"strategy": "MAXIMIZE_CONVERSIONS", "target_cpa_micros": 8_000_000},
        {"maximizeConversions": {"targetCpaMicros": "8000000"}},
        "maximizeConversions.targetCpaMicros",
    ),
    ({"strategy": "MAXIMIZE_CONVERSIONS"}, {"maximizeConversions": {}}, "maximizeConversions.targetCpaMicros"),
    (
        {"strategy": "MAXIMIZE_CONVERSION_VALUE", "target_roas": 3.5},
        {"maximizeConversionValue": {"targetRoas": 3.5}},
        "maximizeConversionValue.targetRoas",
    ),
    (
        {"strategy": "TARGET_SPEND", "cpc_bid_ceiling_micros": 1_500_000},
        {"targetSpend": {"cpcBidCeilingMicros": "1500000"}},
        "targetSpend.cpcBidCeilingMicros",
    ),
    (
        {
            "strategy": "TARGET_IMPRESSION_SHARE",
            "location": "TOP_OF_PAGE",
            "location_fraction_micros": 650_000,
            "cpc_bid_ceiling_micros": 1_500_000,
        },
        {
            "targetImpressionShare": {
                "location": "TOP_OF_PAGE",
                "locationFractionMicros": "650000",
                "cpcBidCeilingMicros": "1500000",
            }
        },
        (
            "targetImpressionShare.location,targetImpressionShare.locationFractionMicros,"
            "targetImpressionShare.cpcBidCeilingMicros"
        ),
    ),
    ({"strategy": "MANUAL_CPC"}, {"manualCpc": {}}, "manualCpc.enhancedCpcEnabled"),
    (
        {"strategy": "PORTFOLIO", "bidding_strategy_id": "777"},
        {"biddingStrategy": f"{HERE}/biddingStrategies/777"},
        "biddingStrategy",
    ),
]

Row = tuple[str, dict[str, Any], list[Sent], list[dict[str, Any]]]

WIRE: list[Row] = [
    ("google_ads.createCampaign", NEW, [created()], [MADE]),
    (
        "google_ads.createCampaign",
        {
            **NEW,
            "channel": "DISPLAY",
            "daily_budget_micros": None,
            "total_budget_micros": 90_000_000,
            "contains_eu_political_advertising": True,
            "start_date": None,
            "final_url_suffix": "utm_source=ads",
            "bidding": {"strategy": "TARGET_SPEND", "cpc_bid_ceiling_micros": 1_500_000},
        },
        [
            created(
                budget={"totalAmountMicros": "90000000", "period": "CUSTOM_PERIOD"},
                advertisingChannelType="DISPLAY",
                containsEuPoliticalAdvertising="CONTAINS_EU_POLITICAL_ADVERTISING",
                maximizeConversions=None,
                targetSpend={"cpcBidCeilingMicros": "1500000"},
                networkSettings={
                    "targetGoogleSearch": False,
                    "targetSearchNetwork": False,
                    "targetContentNetwork": True,
                },
                startDateTime=None,
                finalUrlSuffix="utm_source=ads",
            )
        ],
        [MADE],
    ),
    (
        "google_ads.createCampaign",
        {**NEW, "channel": "PERFORMANCE_MAX"},
        [created(advertisingChannelType="PERFORMANCE_MAX", networkSettings=None)],
        [MADE],
    ),
    ("google_ads.validateCampaign", NEW, [created(validate_only=True)], [{}]),
    (
        "google_ads.pauseCampaign",
        {"campaign_id": "21"},
        [changed("campaigns", {"resourceName": CAMPAIGN, "status": "PAUSED"}, "status")],
        [DONE],
    ),
    (
        "google_ads.enableCampaign",
        {"campaign_id": "21"},
        [changed("campaigns", {"resourceName": CAMPAIGN, "status": "ENABLED"}, "status")],
        [DONE],
    ),
    (
        "google_ads.removeCampaign",
        {"campaign_id": "21"},
        [told(f"{HERE}/campaigns:mutate", operations=[{"remove": CAMPAIGN}], partialFailure=False)],
        [DONE],
    ),
    (
        "google_ads.setCampaignStatuses",
        {"campaigns": [{"campaign_id": "21", "status": "PAUSED"}]},
        [changed("campaigns", {"resourceName": CAMPAIGN, "status": "PAUSED"}, "status", partial=True)],
        [DONE],
    ),
    *(
        (
            "google_ads.updateBidStrategy",
            {"campaign_id": "21", "bidding": given},
            [changed("campaigns", {"resourceName": CAMPAIGN, **update}, mask)],
            [DONE],
        )
        for given, update, mask in BIDS
    ),
    (
        "google_ads.adjustBudget",
        {"campaign_id": "21", "daily_budget_micros": 60_000_000},
        [
            query(f"{SELECT} WHERE campaign.id = 21"),
            changed("campaignBudgets", {"resourceName": BUDGET, "amountMicros": "60000000"}, "amountMicros"),
        ],
        [{"results": [ROW]}, {"results": [{"resourceName": BUDGET}]}],
    ),
    (
        "google_ads.getCampaign",
        {"campaign_id": "21"},
        [query(f"{SELECT} WHERE campaign.id = 21")],
        [{"results": [ROW]}],
    ),
    (
        "google_ads.searchCampaigns",
        {
            "name": r"Ana's \ sale",
            "name_contains": "50% [new]_",
            "campaign_ids": ["21", "22"],
            "statuses": ["PAUSED"],
            "page_token": "t1",
        },
        [
            query(
                f"{SELECT} WHERE campaign.status IN ('PAUSED') AND campaign.name = 'Ana\\'s \\\\ sale'"
                " AND campaign.name LIKE '%50[%] [[]new[]][_]%' AND campaign.id IN (21, 22) ORDER BY campaign.id",
                pageToken="t1",
            )
        ],
        [{}],
    ),
    (
        "google_ads.getCampaignMetrics",
        {"since": "2026-11-15", "until": "2026-11-21", "campaign_ids": ["21"], "by_day": True},
        [
            told(
                f"{HERE}/googleAds:searchStream",
                query=f"SELECT campaign.id, campaign.name, segments.date, {FIGURES} FROM campaign WHERE segments.date"
                " BETWEEN '2026-11-15' AND '2026-11-21' AND campaign.id IN (21) ORDER BY segments.date",
            )
        ],
        [[]],  # type: ignore[list-item]
    ),
    (
        "google_ads.getCampaignMetrics",
        {"since": "2026-11-15", "until": "2026-11-21"},
        [
            told(
                f"{HERE}/googleAds:searchStream",
                query=f"SELECT campaign.id, campaign.name, {FIGURES} FROM campaign WHERE segments.date"
                " BETWEEN '2026-11-15' AND '2026-11-21'",
            )
        ],
        [[]],  # type: ignore[list-item]
    ),
    (
        "google_ads.getAccount",
        {},
        [
            query(
                "SELECT customer.id, customer.descriptive_name, customer.currency_code, customer.time_zone,"
                " customer.manager, customer.test_account FROM customer"
            )
        ],
        [{"results": [{"customer": {"id": ADS_ACCOUNT}}]}],
    ),
    (
        "google_ads.listAccessibleCustomers",
        {},
        [asked(f"{API}customers:listAccessibleCustomers")],
        [{"resourceNames": [HERE]}],
    ),
]
