"""Requests of the actions on Reddit's APIs, as it documents them, and an answer to each."""

from __future__ import annotations

from typing import Any

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
from tests.unit.connectors.wire import AT, HERE, JSON, KEY, Answer, Sent, asked, form

ADS, DATA = "https://ads-api.reddit.com/api/v3", "https://oauth.reddit.com"
ACCOUNT, PROFILE, USER = f"{ADS}/ad_accounts/a2_test", f"{ADS}/profiles/t2_test", f"{DATA}/user/spring_tests"
ONE, GROUP, POST = "579922433862993631", "142154364526", "t3_1abcde"
ZULU, MARKED = AT.strftime("%Y-%m-%dT%H:%M:%SZ"), f"Spring [nh-{KEY}]"
LISTING = {"kind": "Listing", "data": {"after": None, "children": [{"kind": "t3", "data": {"name": POST}}]}}
SUBMITTED = {"json": {"errors": [], "data": {"id": "1abcde", "name": POST, "url": "https://www.reddit.com/r/test/"}}}
SAID_YES: dict[str, Any] = {"json": {"errors": [], "data": {}}}
EMPTY: dict[str, Any] = {"data": [], "pagination": {"next_url": None}}


def sent(method: str, url: str, **fields: Any) -> Sent:
    return Sent(method, url, JSON, {"data": fields}, [])


def patched(url: str, **fields: Any) -> Sent:
    return sent("PATCH", url, **fields)


def answered(**fields: Any) -> dict[str, Any]:
    return {"data": {"id": ONE, **fields}}


MADE = Answer(201, answered())


def submit(*pairs: tuple[str, str]) -> Sent:
    return form(f"{DATA}/api/submit", ("api_type", "json"), ("sr", "gardening"), ("title", "Hi & 50 %"), *pairs)


STATUSES: list[tuple[int, type[ConnectorError], type[ConnectorError]]] = [
    *((status, InvalidRequest, InvalidRequest) for status in (302, 400, 405, 410, 413, 422)),
    (401, AuthExpired, AuthExpired),
    (403, Permission, Permission),
    (404, NotFound, NotFound),
    (429, RateLimited, RateLimited),
    *((status, OutcomeUnknown, Unavailable) for status in (408, 500, 502, 503, 504, 520, 522)),
]
"""Of both APIs: the class for an effect, and that for a read."""

TITLED = {"subreddit": "gardening", "title": "Hi & 50 %"}

WIRE: list[tuple[str, dict[str, Any], list[Sent], list[Any]]] = [
    (
        "reddit.submitPost",
        {**TITLED, "text": "Some *text* 🎉", "nsfw": True, "flair_id": "f-1", "flair_text": "New"},
        [
            submit(
                ("sendreplies", "true"),
                ("nsfw", "true"),
                ("flair_id", "f-1"),
                ("flair_text", "New"),
                ("kind", "self"),
                ("text", "Some *text* 🎉"),
            )
        ],
        [SUBMITTED],
    ),
    (
        "reddit.submitPost",
        {**TITLED, "url": "https://example.com/?a=1&b=2", "send_replies": False, "spoiler": True},
        [
            submit(
                ("sendreplies", "false"),
                ("spoiler", "true"),
                ("kind", "link"),
                ("url", "https://example.com/?a=1&b=2"),
                ("resubmit", "false"),
            )
        ],
        [SUBMITTED],
    ),
    (
        "reddit.submitPost",
        {**TITLED, "crosspost_of": POST},
        [submit(("sendreplies", "true"), ("kind", "crosspost"), ("crosspost_fullname", POST))],
        [SUBMITTED],
    ),
    ("reddit.getPost", {"post_id": POST}, [asked(f"{DATA}/api/info", ("id", POST), ("raw_json", "1"))], [LISTING]),
    (
        "reddit.listMyPosts",
        {"limit": 7},
        [asked(f"{USER}/submitted", ("sort", "new"), ("limit", "7"), ("raw_json", "1"))],
        [LISTING],
    ),
    (
        "reddit.editPost",
        {"post_id": POST, "text": "New"},
        [form(f"{DATA}/api/editusertext", ("api_type", "json"), ("thing_id", POST), ("text", "New"))],
        [SAID_YES],
    ),
    ("reddit.deletePost", {"post_id": POST}, [form(f"{DATA}/api/del", ("id", POST))], [{}]),
    (
        "reddit.getPostRequirements",
        {"subreddit": "gardening"},
        [asked(f"{DATA}/api/v1/gardening/post_requirements")],
        [{"is_flair_required": False}],
    ),
    (
        "reddit.listLinkFlairs",
        {"subreddit": "gardening"},
        [asked(f"{DATA}/r/gardening/api/link_flair_v2")],
        [Answer(200, [])],
    ),
    (
        "reddit.createCampaign",
        {
            "name": "Spring",
            "objective": "CLICKS",
            "funding_instrument_id": "1234567",
            "special_ad_categories": ["HOUSING_EMPLOYMENT_CREDIT"],
            "budget": {
                "goal_type": "DAILY_SPEND",
                "goal_micros": 50_000_000,
                "starts_at": HERE,
                "bid_strategy": "BIDLESS",
                "bid_type": "CPC",
                "conversion_pixel_id": "a2_px",
            },
        },
        [
            sent(
                "POST",
                f"{ACCOUNT}/campaigns",
                name=MARKED,
                objective="CLICKS",
                configured_status="PAUSED",
                funding_instrument_id="1234567",
                special_ad_categories=["HOUSING_EMPLOYMENT_CREDIT"],
                is_campaign_budget_optimization=True,
                goal_type="DAILY_SPEND",
                goal_value=50_000_000,
                start_time=ZULU,
                bid_strategy="BIDLESS",
                bid_type="CPC",
                conversion_pixel_id="a2_px",
            )
        ],
        [MADE],
    ),
    (
        "reddit.createCampaign",
        {"name": "Spring", "objective": "CLICKS", "automated": True, "spend_cap_micros": 5_000_000},
        [
            sent(
                "POST",
                f"{ACCOUNT}/campaigns",
                name=MARKED,
                objective="CLICKS",
                configured_status="PAUSED",
                type="AUTOMATED",
                spend_cap=5_000_000,
            )
        ],
        [MADE],
    ),
    ("reddit.getCampaign", {"campaign_id": ONE}, [asked(f"{ADS}/campaigns/{ONE}")], [answered()]),
    ("reddit.listCampaigns", {"limit": 7}, [asked(f"{ACCOUNT}/campaigns", ("page.size", "7"))], [EMPTY]),
    (
        "reddit.pauseCampaign",
        {"campaign_id": ONE},
        [patched(f"{ADS}/campaigns/{ONE}", configured_status="PAUSED")],
        [answered()],
    ),
    (
        "reddit.activateCampaign",
        {"campaign_id": ONE},
        [patched(f"{ADS}/campaigns/{ONE}", configured_status="ACTIVE")],
        [answered()],
    ),
    (
        "reddit.archiveCampaign",
        {"campaign_id": ONE},
        [patched(f"{ADS}/campaigns/{ONE}", configured_status="ARCHIVED")],
        [answered()],
    ),
    (
        "reddit.adjustBudget",
        {"campaign_id": ONE, "goal_micros": 75_000_000},
        [patched(f"{ADS}/campaigns/{ONE}", goal_value=75_000_000)],
        [answered()],
    ),
    (
        "reddit.adjustBudget",
        {"ad_group_id": GROUP, "goal_micros": 25_000_000},
        [patched(f"{ADS}/ad_groups/{GROUP}", goal_value=25_000_000)],
        [answered()],
    ),
    (
        "reddit.createAdGroup",
        {
            "campaign_id": ONE,
            "name": "Spring",
            "bid_strategy": "MAXIMIZE_VOLUME",
            "bid_type": "CPC",
            "bid_micros": 1_500_000,
            "goal_type": "DAILY_SPEND",
            "goal_micros": 20_000_000,
            "starts_at": HERE,
            "conversion_pixel_id": "a2_px",
            "targeting": {"communities": ["gardening"], "geolocations": ["US"]},
        },
        [
            sent(
                "POST",
                f"{ACCOUNT}/ad_groups",
                name=MARKED,
                campaign_id=ONE,
                configured_status="PAUSED",
                bid_strategy="MAXIMIZE_VOLUME",
                bid_type="CPC",
                bid_value=1_500_000,
                goal_type="DAILY_SPEND",
                goal_value=20_000_000,
                start_time=ZULU,
                conversion_pixel_id="a2_px",
                targeting={"communities": ["gardening"], "geolocations": ["US"]},
            )
        ],
        [MADE],
    ),
    ("reddit.getAdGroup", {"ad_group_id": GROUP}, [asked(f"{ADS}/ad_groups/{GROUP}")], [answered()]),
    (
        "reddit.listAdGroups",
        {"campaign_id": ONE},
        [asked(f"{ACCOUNT}/ad_groups", ("campaign_id", ONE), ("page.size", "100"))],
        [EMPTY],
    ),
    (
        "reddit.setAdGroupStatus",
        {"ad_group_id": GROUP, "status": "ACTIVE"},
        [patched(f"{ADS}/ad_groups/{GROUP}", configured_status="ACTIVE")],
        [answered()],
    ),
    (
        "reddit.createAd",
        {
            "ad_group_id": GROUP,
            "name": "Spring",
            "post_id": POST,
            "click_url": "https://example.com/sale",
            "query_parameters": {"utm_source": "reddit"},
        },
        [
            sent(
                "POST",
                f"{ACCOUNT}/ads",
                name=MARKED,
                ad_group_id=GROUP,
                configured_status="PAUSED",
                post_id=POST,
                click_url="https://example.com/sale",
                click_url_query_parameters=[{"name": "utm_source", "value": "reddit"}],
            )
        ],
        [MADE],
    ),
    (
        "reddit.listAds",
        {"ad_group_id": GROUP},
        [asked(f"{ACCOUNT}/ads", ("ad_group_id", GROUP), ("page.size", "100"))],
        [EMPTY],
    ),
    (
        "reddit.setAdStatus",
        {"ad_id": "7", "status": "PAUSED"},
        [patched(f"{ADS}/ads/7", configured_status="PAUSED")],
        [answered()],
    ),
    (
        "reddit.createAdPost",
        {"headline": "Sale", "destination_url": "https://example.com/", "image_url": "https://cdn.example.com/a.png"},
        [
            sent(
                "POST",
                f"{PROFILE}/structured_posts/jobs",
                allow_comments=True,
                creative={
                    "type": "IMAGE",
                    "headline": "Sale",
                    "destination": {"type": "URL", "url": "https://example.com/"},
                    "image": {"media": {"type": "URL", "url": "https://cdn.example.com/a.png"}},
                },
            ),
            asked(f"{ADS}/structured_posts/jobs/{ONE}"),
        ],
        [Answer(201, answered(status="QUEUED")), answered(status="SUCCESS", post_id=POST)],
    ),
    (
        "reddit.createAdPost",
        {"headline": "Sale", "body": "Now", "allow_comments": False},
        [
            sent(
                "POST",
                f"{PROFILE}/structured_posts/jobs",
                allow_comments=False,
                creative={"type": "TEXT", "headline": "Sale", "body": "Now", "text_format": "PLAIN_TEXT"},
            ),
            asked(f"{ADS}/structured_posts/jobs/{ONE}"),
        ],
        [Answer(201, answered(status="QUEUED")), answered(status="SUCCESS", post_id=POST)],
    ),
    (
        "reddit.getReport",
        {
            "starts_at": "2026-11-01T01:00:00+01:00",
            "ends_at": "2026-11-08T00:00:00Z",
            "breakdowns": ["CAMPAIGN_ID", "DATE"],
            "time_zone_id": "America/New_York",
        },
        [
            Sent(
                "POST",
                f"{ACCOUNT}/reports",
                JSON,
                {
                    "data": {
                        "starts_at": "2026-11-01T00:00:00Z",
                        "ends_at": "2026-11-08T00:00:00Z",
                        "fields": ["IMPRESSIONS", "CLICKS", "SPEND"],
                        "breakdowns": ["CAMPAIGN_ID", "DATE"],
                        "time_zone_id": "America/New_York",
                    }
                },
                [("page.size", "1000")],
            )
        ],
        [{"data": {"metrics": []}, "pagination": {"next_url": None}}],
    ),
    (
        "reddit.listFundingInstruments",
        {},
        [asked(f"{ACCOUNT}/funding_instruments", ("page.size", "100"))],
        [EMPTY],
    ),
    ("reddit.listPixels", {}, [asked(f"{ACCOUNT}/pixels", ("page.size", "100"))], [EMPTY]),
    ("reddit.checkCredentials", {}, [asked(f"{DATA}/api/v1/me")], [{"name": "spring_tests"}]),
]
