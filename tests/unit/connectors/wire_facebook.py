"""Requests of Facebook's actions as Meta documents them, and an answer to each."""

from __future__ import annotations

import json
from typing import Any

from tests.unit.connectors.calls import AD_ACCOUNT, PAGE
from tests.unit.connectors.wire import AT, HERE, JSON, KEY, Sent, asked
from tests.unit.connectors.wire_meta import PROOF

GRAPH = "https://graph.facebook.com/v26.0"
ADS, FEED = f"{GRAPH}/{AD_ACCOUNT}", f"{GRAPH}/{PAGE}"
CAMPAIGN, ADSET, AD, CREATIVE = "120210000000000001", "120210000000000002", "120210000000000004", "120210000000000003"
POST, PHOTO, REPORT = f"{PAGE}_122100000000000005", "122100000000000006", "6023920149050"
LINK, IMAGE = "https://example.com/spring", "https://cdn.example.com/a.jpg"
MADE, OK = {"id": CAMPAIGN}, {"success": True}
EMPTY: dict[str, Any] = {"data": []}
LABEL = [{"name": f"nh-{KEY}"}]
NAME = f"Spring & more [nh-{KEY}]"
MARKED = {"name": NAME, "adlabels": LABEL, "status": "PAUSED"}
OF_CAMPAIGN = ("fields", "id,name,objective,status,effective_status,daily_budget,lifetime_budget")
OF_ADSET = ("fields", "id,name,campaign_id,status,effective_status,daily_budget,lifetime_budget")
OF_AD = ("fields", "id,name,adset_id,campaign_id,creative{id},status,effective_status")
HUNDRED = ("limit", "100")


def posted(url: str, /, **fields: Any) -> Sent:
    return Sent("POST", url, JSON, fields, [PROOF])


def named(part: str) -> tuple[str, str]:
    return "filtering", json.dumps([{"field": "name", "operator": "CONTAIN", "value": part}])


WIRE: list[tuple[str, dict[str, Any], list[Sent], list[dict[str, Any]]]] = [
    (
        "facebook.createCampaign",
        {"name": "Spring & more", "objective": "OUTCOME_TRAFFIC", "special_ad_categories": []},
        [
            posted(
                f"{ADS}/campaigns",
                **MARKED,
                objective="OUTCOME_TRAFFIC",
                special_ad_categories=[],
                is_adset_budget_sharing_enabled=False,
            )
        ],
        [MADE],
    ),
    (
        "facebook.createCampaign",
        {
            "name": "Spring & more",
            "objective": "OUTCOME_SALES",
            "special_ad_categories": ["HOUSING"],
            "special_ad_category_countries": ["US"],
            "daily_budget_minor": 5000,
            "bid_strategy": "COST_CAP",
            "spend_cap_minor": 90_000,
        },
        [
            posted(
                f"{ADS}/campaigns",
                **MARKED,
                objective="OUTCOME_SALES",
                special_ad_categories=["HOUSING"],
                special_ad_category_country=["US"],
                daily_budget=5000,
                bid_strategy="COST_CAP",
                spend_cap=90_000,
            )
        ],
        [MADE],
    ),
    ("facebook.getCampaign", {"campaign_id": CAMPAIGN}, [asked(f"{GRAPH}/{CAMPAIGN}", OF_CAMPAIGN, PROOF)], [MADE]),
    (
        "facebook.listCampaigns",
        {"name_contains": "Spring", "statuses": ["ACTIVE", "PAUSED"]},
        [
            asked(
                f"{ADS}/campaigns",
                OF_CAMPAIGN,
                named("Spring"),
                ("effective_status", '["ACTIVE", "PAUSED"]'),
                HUNDRED,
                PROOF,
            )
        ],
        [EMPTY],
    ),
    (
        "facebook.createAdSet",
        {
            "name": "Spring & more",
            "campaign_id": CAMPAIGN,
            "billing_event": "IMPRESSIONS",
            "optimization_goal": "OFFSITE_CONVERSIONS",
            "targeting": {
                "countries": ["DE"],
                "cities": [{"key": "777", "radius_km": 20}],
                "age_min": 18,
                "genders": ["female"],
                "interests": ["6003"],
                "publisher_platforms": ["facebook", "instagram"],
            },
            "lifetime_budget_minor": 70_000,
            "bid_strategy": "LOWEST_COST_WITH_MIN_ROAS",
            "min_roas": 1.5,
            "promoted_object": {"pixel_id": "42", "custom_event_type": "PURCHASE"},
            "destination_type": "WEBSITE",
            "end_at": HERE,
            "dsa_beneficiary": "Spring Ltd",
            "dsa_payor": "Spring Ltd",
        },
        [
            posted(
                f"{ADS}/adsets",
                **MARKED,
                campaign_id=CAMPAIGN,
                billing_event="IMPRESSIONS",
                optimization_goal="OFFSITE_CONVERSIONS",
                targeting={
                    "geo_locations": {
                        "countries": ["DE"],
                        "cities": [{"key": "777", "radius": 20, "distance_unit": "kilometer"}],
                    },
                    "age_min": 18,
                    "genders": [2],
                    "interests": [{"id": "6003"}],
                    "publisher_platforms": ["facebook", "instagram"],
                    "targeting_automation": {"advantage_audience": 0},
                },
                lifetime_budget=70_000,
                bid_strategy="LOWEST_COST_WITH_MIN_ROAS",
                bid_constraints={"roas_average_floor": 15_000},
                promoted_object={"pixel_id": "42", "custom_event_type": "PURCHASE"},
                destination_type="WEBSITE",
                end_time=int(AT.timestamp()),
                dsa_beneficiary="Spring Ltd",
                dsa_payor="Spring Ltd",
            )
        ],
        [MADE],
    ),
    ("facebook.getAdSet", {"adset_id": ADSET}, [asked(f"{GRAPH}/{ADSET}", OF_ADSET, PROOF)], [{"id": ADSET}]),
    ("facebook.listAdSets", {}, [asked(f"{ADS}/adsets", OF_ADSET, HUNDRED, PROOF)], [EMPTY]),
    (
        "facebook.createAd",
        {
            "name": "Spring & more",
            "adset_id": ADSET,
            "creative": {
                "link": LINK,
                "message": "50 % & more 🎉",
                "headline": "Spring",
                "image_url": IMAGE,
                "call_to_action": "SHOP_NOW",
            },
        },
        [
            posted(
                f"{ADS}/adcreatives",
                name=f"creative [nh-{KEY}]",
                object_story_spec={
                    "page_id": PAGE,
                    "link_data": {
                        "link": LINK,
                        "message": "50 % & more 🎉",
                        "name": "Spring",
                        "picture": IMAGE,
                        "call_to_action": {"type": "SHOP_NOW", "value": {"link": LINK}},
                    },
                },
            ),
            posted(f"{ADS}/ads", **MARKED, adset_id=ADSET, creative={"creative_id": CREATIVE}),
        ],
        [{"id": CREATIVE}, {"id": AD}],
    ),
    (
        "facebook.createAd",
        {"name": "Spring & more", "adset_id": ADSET, "creative_id": CREATIVE},
        [posted(f"{ADS}/ads", **MARKED, adset_id=ADSET, creative={"creative_id": CREATIVE})],
        [{"id": AD}],
    ),
    (
        "facebook.updateCreative",
        {"ad_id": AD, "creative": {"video_id": "7", "image_hash": "a" * 32, "message": "Now"}},
        [
            posted(
                f"{ADS}/adcreatives",
                name=f"creative [nh-{KEY}]",
                object_story_spec={
                    "page_id": PAGE,
                    "video_data": {"video_id": "7", "image_hash": "a" * 32, "message": "Now"},
                },
            ),
            posted(f"{GRAPH}/{AD}", creative={"creative_id": CREATIVE}),
        ],
        [{"id": CREATIVE}, OK],
    ),
    (
        "facebook.updateCreative",
        {"ad_id": AD, "creative": {"post_id": POST}},
        [
            posted(f"{ADS}/adcreatives", name=f"creative [nh-{KEY}]", object_story_id=POST),
            posted(f"{GRAPH}/{AD}", creative={"creative_id": CREATIVE}),
        ],
        [{"id": CREATIVE}, OK],
    ),
    ("facebook.getAd", {"ad_id": AD}, [asked(f"{GRAPH}/{AD}", OF_AD, PROOF)], [{"id": AD}]),
    ("facebook.listAds", {}, [asked(f"{ADS}/ads", OF_AD, HUNDRED, PROOF)], [EMPTY]),
    ("facebook.pauseAdSet", {"adset_id": ADSET}, [posted(f"{GRAPH}/{ADSET}", status="PAUSED")], [OK]),
    (
        "facebook.setCampaignStatus",
        {"campaign_id": CAMPAIGN, "status": "ACTIVE"},
        [posted(f"{GRAPH}/{CAMPAIGN}", status="ACTIVE")],
        [OK],
    ),
    (
        "facebook.setAdSetStatus",
        {"adset_id": ADSET, "status": "ARCHIVED"},
        [posted(f"{GRAPH}/{ADSET}", status="ARCHIVED")],
        [OK],
    ),
    ("facebook.setAdStatus", {"ad_id": AD, "status": "DELETED"}, [posted(f"{GRAPH}/{AD}", status="DELETED")], [OK]),
    (
        "facebook.setCampaignBudget",
        {"campaign_id": CAMPAIGN, "lifetime_budget_minor": 9000},
        [posted(f"{GRAPH}/{CAMPAIGN}", lifetime_budget=9000)],
        [OK],
    ),
    (
        "facebook.setAdSetBudget",
        {"adset_id": ADSET, "daily_budget_minor": 9000},
        [posted(f"{GRAPH}/{ADSET}", daily_budget=9000)],
        [OK],
    ),
    (
        "facebook.createPost",
        {"message": "50 % & more 🎉", "link": LINK},
        [posted(f"{FEED}/feed", message="50 % & more 🎉", link=LINK, published=True)],
        [{"id": POST}],
    ),
    (
        "facebook.createPost",
        {"message": "Two", "photo_urls": [IMAGE, IMAGE]},
        [
            posted(f"{FEED}/photos", url=IMAGE, published=False),
            posted(f"{FEED}/photos", url=IMAGE, published=False),
            posted(
                f"{FEED}/feed",
                message="Two",
                attached_media=[{"media_fbid": PHOTO}, {"media_fbid": "122100000000000007"}],
                published=True,
            ),
        ],
        [{"id": PHOTO}, {"id": "122100000000000007"}, {"id": POST}],
    ),
    (
        "facebook.schedulePost",
        {"message": "Later", "photo_urls": [IMAGE], "publish_at": HERE},
        [
            posted(f"{FEED}/photos", url=IMAGE, published=False, temporary=True),
            posted(
                f"{FEED}/feed",
                message="Later",
                attached_media=[{"media_fbid": PHOTO}],
                published=False,
                scheduled_publish_time=int(AT.timestamp()),
                unpublished_content_type="SCHEDULED",
            ),
        ],
        [{"id": PHOTO}, {"id": POST}],
    ),
    (
        "facebook.listPosts",
        {"since": HERE, "limit": 7},
        [
            asked(
                f"{FEED}/feed",
                ("fields", "id,message,created_time"),
                ("since", str(int(AT.timestamp()))),
                ("limit", "7"),
                PROOF,
            )
        ],
        [EMPTY],
    ),
    (
        "facebook.listScheduledPosts",
        {},
        [
            asked(
                f"{FEED}/scheduled_posts",
                ("fields", "id,message,created_time,scheduled_publish_time"),
                HUNDRED,
                PROOF,
            )
        ],
        [EMPTY],
    ),
    ("facebook.updatePost", {"post_id": POST, "message": "New"}, [posted(f"{GRAPH}/{POST}", message="New")], [OK]),
    (
        "facebook.reschedulePost",
        {"post_id": POST, "publish_at": HERE},
        [posted(f"{GRAPH}/{POST}", scheduled_publish_time=int(AT.timestamp()))],
        [OK],
    ),
    ("facebook.publishScheduledPost", {"post_id": POST}, [posted(f"{GRAPH}/{POST}", is_published=True)], [OK]),
    ("facebook.deletePost", {"post_id": POST}, [Sent("DELETE", f"{GRAPH}/{POST}", None, b"", [PROOF])], [OK]),
    (
        "facebook.getInsights",
        {
            "level": "ad",
            "fields": ["impressions", "ad_id"],
            "since": "2026-11-01",
            "until": "2026-11-07",
            "days_per_row": 1,
            "breakdowns": ["age"],
        },
        [
            asked(
                f"{ADS}/insights",
                ("level", "ad"),
                ("fields", "impressions,ad_id"),
                ("time_range", '{"since": "2026-11-01", "until": "2026-11-07"}'),
                ("time_increment", "1"),
                ("breakdowns", "age"),
                HUNDRED,
                PROOF,
            )
        ],
        [EMPTY],
    ),
    (
        "facebook.getInsightsReport",
        {"object_id": CAMPAIGN, "fields": ["spend"], "since": "2026-11-01", "until": "2026-11-07"},
        [
            posted(
                f"{GRAPH}/{CAMPAIGN}/insights",
                fields="spend",
                time_range={"since": "2026-11-01", "until": "2026-11-07"},
            ),
            asked(f"{GRAPH}/{REPORT}", ("fields", "async_status,async_percent_completion"), PROOF),
            asked(f"{GRAPH}/{REPORT}/insights", HUNDRED, PROOF),
        ],
        [{"report_run_id": REPORT}, {"id": REPORT, "async_status": "Job Completed"}, EMPTY],
    ),
    (
        "facebook.getPageInsights",
        {"metrics": ["page_media_view"]},
        [asked(f"{FEED}/insights", ("metric", "page_media_view"), ("period", "day"), PROOF)],
        [EMPTY],
    ),
    (
        "facebook.getPageInsights",
        {"metrics": ["post_clicks"], "post_id": POST},
        [asked(f"{GRAPH}/{POST}/insights", ("metric", "post_clicks"), ("period", "lifetime"), PROOF)],
        [EMPTY],
    ),
]
