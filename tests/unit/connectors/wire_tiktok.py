"""Requests of TikTok's actions as it documents them, and an answer to each."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from typing import Any

from connectors.sandbox.bodies import MULTIPART
from tests.unit.connectors.calls import ADVERTISER
from tests.unit.connectors.wire import AT, HERE, JSON, KEY, Sent, asked

API = "https://business-api.tiktok.com/open_api/v1.3"
CAMPAIGN, GROUP, AD, VIDEO, IMAGE = "1800000000000000001", "1800000000000000002", "1800000000000000003", "v100", "ad-1"
NAME = f"Spring & more nh-{KEY}"
BEGIN, END = (moment.strftime("%Y-%m-%d %H:%M:%S") for moment in (AT, AT + timedelta(days=7)))
REQUEST = str(int(hashlib.sha256(KEY.encode()).hexdigest()[:15], 16))
OWN, PAGED = ("advertiser_id", ADVERTISER), (("page", "1"), ("page_size", "1000"))
TERMS = {
    "name": "Spring & more",
    "campaign_id": CAMPAIGN,
    "location_ids": ["2921044"],
    "age_groups": ["AGE_18_24"],
    "gender": "GENDER_FEMALE",
    "languages": ["de"],
    "start_at": HERE,
}


def ok(data: Any = None) -> dict[str, Any]:
    return {"code": 0, "message": "OK", "request_id": "R1", "data": {} if data is None else data}


def told(path: str, /, **fields: Any) -> Sent:
    return Sent("POST", f"{API}/{path}/", JSON, {"advertiser_id": ADVERTISER, **fields}, [])


def read(path: str, *pairs: tuple[str, str]) -> Sent:
    return asked(f"{API}/{path}/", OWN, *pairs)


def listed(path: str, **filtering: Any) -> Sent:
    return read(path, *PAGED, *((("filtering", json.dumps(filtering)),) if filtering else ()))


def brought(path: str, **fields: str) -> Sent:
    return Sent("POST", f"{API}/{path}/", MULTIPART, [*{"advertiser_id": ADVERTISER, **fields}.items()], [])


NOTHING = ok({"list": [], "page_info": {"page": 1, "page_size": 1000, "total_number": 0, "total_page": 0}})
MADE = ok({"campaign_id": CAMPAIGN, "campaign_name": NAME})
MADE_GROUP = ok({"adgroup_id": GROUP})
OFF = {"operation_status": "DISABLE"}

WIRE: list[tuple[str, dict[str, Any], list[Sent], list[dict[str, Any]]]] = [
    (
        "tiktok.createCampaign",
        {"name": "Spring & more", "objective": "TRAFFIC", "daily_budget_major": "50.50"},
        [
            told(
                "campaign/create",
                **OFF,
                campaign_name=NAME,
                objective_type="TRAFFIC",
                budget_mode="BUDGET_MODE_DAY",
                budget=50.5,
            )
        ],
        [MADE],
    ),
    (
        "tiktok.createCampaign",
        {
            "name": "Spring & more",
            "objective": "APP_PROMOTION",
            "app_promotion_type": "APP_INSTALL",
            "special_industries": ["HOUSING"],
        },
        [
            told(
                "campaign/create",
                **OFF,
                campaign_name=NAME,
                objective_type="APP_PROMOTION",
                budget_mode="BUDGET_MODE_INFINITE",
                app_promotion_type="APP_INSTALL",
                special_industries=["HOUSING"],
            )
        ],
        [MADE],
    ),
    (
        "tiktok.createSmartCampaign",
        {"name": "Spring & more", "objective": "WEB_CONVERSIONS", "total_budget_major": 700},
        [
            told(
                "smart_plus/campaign/create",
                **OFF,
                campaign_name=NAME,
                objective_type="WEB_CONVERSIONS",
                budget_mode="BUDGET_MODE_TOTAL",
                budget=700.0,
                budget_optimize_on=True,
                sales_destination="WEBSITE",
                request_id=REQUEST,
            )
        ],
        [MADE],
    ),
    (
        "tiktok.createSmartCampaign",
        {"name": "Spring & more", "objective": "LEAD_GENERATION"},
        [
            told(
                "smart_plus/campaign/create",
                **OFF,
                campaign_name=NAME,
                objective_type="LEAD_GENERATION",
                budget_optimize_on=False,
                request_id=REQUEST,
            )
        ],
        [MADE],
    ),
    (
        "tiktok.listCampaigns",
        {"name_contains": "Spring", "include_deleted": True},
        [listed("campaign/get", campaign_name="Spring", primary_status="STATUS_ALL")],
        [NOTHING],
    ),
    ("tiktok.listCampaigns", {"smart_plus": True}, [listed("smart_plus/campaign/get")], [NOTHING]),
    (
        "tiktok.adjustCampaignBudget",
        {"campaign_id": CAMPAIGN, "budget_major": "80.25"},
        [told("campaign/update", campaign_id=CAMPAIGN, budget=80.25)],
        [ok()],
    ),
    (
        "tiktok.adjustCampaignBudget",
        {"campaign_id": CAMPAIGN, "budget_major": "80", "smart_plus": True},
        [told("smart_plus/campaign/update", campaign_id=CAMPAIGN, budget=80.0)],
        [ok()],
    ),
    (
        "tiktok.setCampaignStatus",
        {"campaign_ids": [CAMPAIGN], "status": "DELETE", "smart_plus": True},
        [told("smart_plus/campaign/status/update", campaign_ids=[CAMPAIGN], operation_status="DELETE")],
        [ok()],
    ),
    (
        "tiktok.createAdGroup",
        {
            **TERMS,
            "billing_event": "OCPM",
            "optimization_goal": "CONVERT",
            "pixel_id": "42",
            "optimization_event": "SHOPPING",
            "total_budget_major": "700",
            "end_at": (AT + timedelta(days=7)).isoformat(),
            "conversion_bid_price_major": "4.20",
            "placements": ["PLACEMENT_TIKTOK"],
            "promotion_type": "WEBSITE",
            "fast_pacing": True,
        },
        [
            told(
                "adgroup/create",
                **OFF,
                adgroup_name=NAME,
                campaign_id=CAMPAIGN,
                billing_event="OCPM",
                optimization_goal="CONVERT",
                pixel_id="42",
                optimization_event="SHOPPING",
                budget_mode="BUDGET_MODE_TOTAL",
                budget=700.0,
                schedule_type="SCHEDULE_START_END",
                schedule_start_time=BEGIN,
                schedule_end_time=END,
                bid_type="BID_TYPE_CUSTOM",
                conversion_bid_price=4.2,
                location_ids=["2921044"],
                age_groups=["AGE_18_24"],
                gender="GENDER_FEMALE",
                languages=["de"],
                placement_type="PLACEMENT_TYPE_NORMAL",
                placements=["PLACEMENT_TIKTOK"],
                promotion_type="WEBSITE",
                pacing="PACING_MODE_FAST",
            )
        ],
        [MADE_GROUP],
    ),
    (
        "tiktok.createSmartAdGroup",
        {**TERMS, "billing_event": "CPC", "optimization_goal": "CLICK", "promotion_type": "WEBSITE"},
        [
            told(
                "smart_plus/adgroup/create",
                **OFF,
                adgroup_name=NAME,
                campaign_id=CAMPAIGN,
                billing_event="CPC",
                optimization_goal="CLICK",
                schedule_type="SCHEDULE_FROM_NOW",
                schedule_start_time=BEGIN,
                bid_type="BID_TYPE_NO_BID",
                targeting_spec={
                    "location_ids": ["2921044"],
                    "age_groups": ["AGE_18_24"],
                    "gender": "GENDER_FEMALE",
                    "languages": ["de"],
                },
                promotion_type="WEBSITE",
                request_id=REQUEST,
            )
        ],
        [MADE_GROUP],
    ),
    (
        "tiktok.updateAdGroup",
        {"adgroup_id": GROUP, "end_at": HERE, "bid_price_major": "0.35"},
        [told("adgroup/update", adgroup_id=GROUP, schedule_end_time=BEGIN, bid_price=0.35)],
        [ok()],
    ),
    (
        "tiktok.listAdGroups",
        {"campaign_ids": [CAMPAIGN], "adgroup_ids": [GROUP]},
        [listed("adgroup/get", campaign_ids=[CAMPAIGN], adgroup_ids=[GROUP])],
        [NOTHING],
    ),
    (
        "tiktok.adjustBudget",
        {"budgets": [{"adgroup_id": GROUP, "budget_major": "30"}]},
        [told("adgroup/budget/update", budget=[{"adgroup_id": GROUP, "budget": 30.0}])],
        [ok()],
    ),
    (
        "tiktok.adjustBudget",
        {"budgets": [{"adgroup_id": GROUP, "budget_major": "30"}], "from_tomorrow": True},
        [told("adgroup/budget/update", scheduled_budget=[{"adgroup_id": GROUP, "scheduled_budget": 30.0}])],
        [ok()],
    ),
    (
        "tiktok.setAdGroupStatus",
        {"adgroup_ids": [GROUP], "status": "ENABLE"},
        [told("adgroup/status/update", adgroup_ids=[GROUP], operation_status="ENABLE")],
        [ok()],
    ),
    (
        "tiktok.createAd",
        {
            "name": "Spring & more",
            "adgroup_id": GROUP,
            "video_id": VIDEO,
            "image_ids": [IMAGE],
            "ad_text": "Grüße & more",
            "call_to_action": "SHOP_NOW",
            "landing_page_url": "https://example.com/spring",
            "identity": {"identity_type": "CUSTOMIZED_USER", "identity_id": "77"},
            "display_name": "Spring Ltd",
            "made_by_ai": True,
        },
        [
            told(
                "ad/create",
                adgroup_id=GROUP,
                creatives=[
                    {
                        **OFF,
                        "ad_name": NAME,
                        "ad_format": "SINGLE_VIDEO",
                        "video_id": VIDEO,
                        "image_ids": [IMAGE],
                        "ad_text": "Grüße & more",
                        "call_to_action": "SHOP_NOW",
                        "landing_page_url": "https://example.com/spring",
                        "identity_type": "CUSTOMIZED_USER",
                        "identity_id": "77",
                        "display_name": "Spring Ltd",
                        "aigc_disclosure_type": "SELF_DISCLOSURE",
                    }
                ],
            )
        ],
        [ok({"ad_ids": [AD]})],
    ),
    (
        "tiktok.createAd",
        {"name": "Spring & more", "adgroup_id": GROUP, "image_ids": [IMAGE, IMAGE], "ad_text": "Two"},
        [
            told(
                "ad/create",
                adgroup_id=GROUP,
                creatives=[
                    {
                        **OFF,
                        "ad_name": NAME,
                        "ad_format": "CAROUSEL_ADS",
                        "image_ids": [IMAGE, IMAGE],
                        "ad_text": "Two",
                    }
                ],
            )
        ],
        [ok({"ad_ids": [AD]})],
    ),
    (
        "tiktok.createSmartAd",
        {
            "name": "Spring & more",
            "adgroup_id": GROUP,
            "creatives": [{"video_id": VIDEO, "cover": IMAGE}, {"tiktok_item_id": "99"}],
            "ad_texts": ["One", "Two"],
            "calls_to_action": ["SHOP_NOW"],
            "landing_page_url": "https://example.com/spring",
        },
        [
            told(
                "smart_plus/ad/create",
                **OFF,
                ad_name=NAME,
                adgroup_id=GROUP,
                creative_list=[
                    {
                        "creative_info": {
                            "ad_format": "SINGLE_VIDEO",
                            "video_info": {"video_id": VIDEO},
                            "image_info": [{"web_uri": IMAGE}],
                        }
                    },
                    {"creative_info": {"ad_format": "SINGLE_VIDEO", "tiktok_item_id": "99"}},
                ],
                ad_text_list=[{"ad_text": "One"}, {"ad_text": "Two"}],
                call_to_action_list=[{"call_to_action": "SHOP_NOW"}],
                landing_page_url_list=[{"landing_page_url": "https://example.com/spring"}],
            )
        ],
        [ok({"smart_plus_ad_id": AD})],
    ),
    ("tiktok.listAds", {"adgroup_ids": [GROUP]}, [listed("ad/get", adgroup_ids=[GROUP])], [NOTHING]),
    (
        "tiktok.turnOffAd",
        {"ad_ids": [AD]},
        [told("ad/status/update", ad_ids=[AD], operation_status="DISABLE")],
        [ok()],
    ),
    (
        "tiktok.setAdStatus",
        {"ad_ids": [AD], "status": "ENABLE", "smart_plus": True},
        [told("smart_plus/ad/status/update", smart_plus_ad_ids=[AD], operation_status="ENABLE")],
        [ok()],
    ),
    (
        "tiktok.uploadVideo",
        {"video_url": "https://cdn.example.com/a.mp4?x=1&y=2", "name": "spring"},
        [
            brought(
                "file/video/ad/upload",
                upload_type="UPLOAD_BY_URL",
                video_url="https://cdn.example.com/a.mp4?x=1&y=2",
                file_name=f"spring-nh-{KEY}",
            ),
            read("file/video/ad/info", ("video_ids", f'["{VIDEO}"]')),
        ],
        [ok([{"video_id": VIDEO}]), ok({"list": [{"video_id": VIDEO}]})],
    ),
    (
        "tiktok.uploadImage",
        {"image_url": "https://cdn.example.com/a.jpg"},
        [
            brought(
                "file/image/ad/upload",
                upload_type="UPLOAD_BY_URL",
                image_url="https://cdn.example.com/a.jpg",
                file_name=f"file-nh-{KEY}",
            )
        ],
        [ok({"image_id": IMAGE})],
    ),
    (
        "tiktok.getVideo",
        {"video_id": VIDEO},
        [read("file/video/ad/info", ("video_ids", f'["{VIDEO}"]'))],
        [ok({"list": [{"video_id": VIDEO, "width": 1080, "duration": 15.2}]})],
    ),
    (
        "tiktok.getReport",
        {
            "data_level": "AUCTION_AD",
            "dimensions": ["ad_id", "stat_time_day"],
            "metrics": ["spend"],
            "start_date": "2026-11-01",
            "end_date": "2026-11-07",
            "filters": [{"field_name": "campaign_ids", "filter_type": "IN", "values": [CAMPAIGN]}],
            "include_deleted": True,
        },
        [
            read(
                "report/integrated/get",
                ("report_type", "BASIC"),
                ("data_level", "AUCTION_AD"),
                ("dimensions", '["ad_id", "stat_time_day"]'),
                ("metrics", '["spend"]'),
                ("start_date", "2026-11-01"),
                ("end_date", "2026-11-07"),
                (
                    "filtering",
                    json.dumps(
                        [
                            {
                                "field_name": "campaign_ids",
                                "filter_type": "IN",
                                "filter_value": json.dumps([CAMPAIGN]),
                            },
                            {"field_name": "ad_status", "filter_type": "IN", "filter_value": '["STATUS_ALL"]'},
                        ]
                    ),
                ),
                *PAGED,
            )
        ],
        [NOTHING],
    ),
    (
        "tiktok.getReportFile",
        {"dimensions": ["campaign_id"], "metrics": ["spend"], "lifetime": True},
        [
            told(
                "report/task/create",
                report_type="BASIC",
                data_level="AUCTION_CAMPAIGN",
                dimensions=["campaign_id"],
                metrics=["spend"],
                query_lifetime=True,
                output_format="CSV_DOWNLOAD",
            ),
            read("report/task/check", ("task_id", "T1")),
        ],
        [
            ok({"task_id": "T1"}),
            ok({"task_id": "T1", "status": "SUCCESS", "download_url": "https://ads.tiktok.com/r.csv"}),
        ],
    ),
    (
        "tiktok.getAdvertiser",
        {},
        [asked(f"{API}/advertiser/info/", ("advertiser_ids", f'["{ADVERTISER}"]'))],
        [ok({"list": [{"advertiser_id": ADVERTISER, "currency": "USD", "balance": 12.5}]})],
    ),
    (
        "tiktok.listAdvertisers",
        {},
        [asked(f"{API}/oauth2/advertiser/get/", ("app_id", "7512345"), ("secret", "tiktok-secret-of-the-tests"))],
        [ok({"list": [{"advertiser_id": ADVERTISER, "advertiser_name": "Spring"}]})],
    ),
]
