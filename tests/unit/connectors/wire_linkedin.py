"""Requests of the actions on LinkedIn's REST API, as it documents them, and an answer to each."""

from __future__ import annotations

from typing import Any

from tests.unit.connectors.wire import AT, HERE, JSON, KEY, Answer, Sent, asked

REST = "https://api.linkedin.com/rest"
PAGE, MEMBER, SHARE = "urn:li:organization:5590506", "urn:li:person:782bbtaQ", "urn:li:share:7012345678901234567"
SHARE_PATH = f"{REST}/posts/urn%3Ali%3Ashare%3A7012345678901234567"
ADS, CAMPAIGN = f"{REST}/adAccounts/512345678", "141049524"
ONE = f"{ADS}/adCampaigns/{CAMPAIGN}"
MARKED = f"Spring [nh-{KEY}]"
MS = int(AT.timestamp() * 1000)
USD = {"amount": "50", "currency": "USD"}
MONEY = {"amount": "50", "currencyCode": "USD"}
DONE = Answer(204)


def posted(path: str, **fields: Any) -> Sent:
    return Sent("POST", f"{REST}/{path}", JSON, fields, [])


def patched(url: str, **fields: Any) -> Sent:
    return Sent("POST", url, JSON, {"patch": {"$set": fields}}, [])


def made(key: str) -> Answer:
    return Answer(201, headers={"x-restli-id": key})


def post(commentary: str, author: str = PAGE, **more: Any) -> Sent:
    nowhere_else: dict[str, Any] = {"targetEntities": [], "thirdPartyDistributionChannels": []}
    return posted(
        "posts",
        author=author,
        commentary=commentary,
        visibility="PUBLIC",
        distribution={"feedDistribution": "MAIN_FEED", **nowhere_else},
        lifecycleState="PUBLISHED",
        isReshareDisabledByAuthor=False,
        **more,
    )


WIRE: list[tuple[str, dict[str, Any], list[Sent], list[Any]]] = [
    (
        "linkedin.publishPost",
        {"text": "Sale (20% off) for @Ana #spring 🎉", "mentions": {"Ana": MEMBER}},
        [post(f"Sale \\(20% off\\) for @[Ana]({MEMBER}) #spring 🎉")],
        [made(SHARE)],
    ),
    (
        "linkedin.publishPost",
        {"text": "Hi", "author": MEMBER, "article": {"source": "https://example.com/sale", "title": "Sale"}},
        [post("Hi", MEMBER, content={"article": {"source": "https://example.com/sale", "title": "Sale"}})],
        [made(SHARE)],
    ),
    (
        "linkedin.publishPost",
        {"text": "Hi", "poll": {"question": "Which?", "options": ["Red", "Green"], "duration": "ONE_DAY"}},
        [
            post(
                "Hi",
                content={
                    "poll": {
                        "question": "Which?",
                        "options": [{"text": "Red"}, {"text": "Green"}],
                        "settings": {"duration": "ONE_DAY"},
                    }
                },
            )
        ],
        [made("urn:li:ugcPost:7012345678901234567")],
    ),
    (
        "linkedin.schedulePost",
        {"text": "Hi", "publish_at": "2026-11-22T08:00:00+01:00"},
        [post("Hi")],
        [made(SHARE)],
    ),
    ("linkedin.getPost", {"post_urn": SHARE}, [asked(SHARE_PATH)], [{"id": SHARE}]),
    (
        "linkedin.listPosts",
        {"limit": 10},
        [
            asked(
                f"{REST}/posts",
                ("q", "author"),
                ("author", PAGE),
                ("count", "10"),
                ("start", "0"),
                ("sortBy", "CREATED"),
            )
        ],
        [{"elements": [], "paging": {}}],
    ),
    ("linkedin.updatePost", {"post_urn": SHARE, "text": "A_B"}, [patched(SHARE_PATH, commentary="A\\_B")], [DONE]),
    ("linkedin.deletePost", {"post_urn": SHARE}, [Sent("DELETE", SHARE_PATH, None, b"", [])], [DONE]),
    (
        "linkedin.getPostStatistics",
        {"post_urns": [SHARE, "urn:li:share:2", "urn:li:ugcPost:3"]},
        [
            asked(
                f"{REST}/organizationalEntityShareStatistics",
                ("q", "organizationalEntity"),
                ("organizationalEntity", PAGE),
                ("shares", f"List({SHARE},urn:li:share:2)"),
            ),
            asked(
                f"{REST}/organizationalEntityShareStatistics",
                ("q", "organizationalEntity"),
                ("organizationalEntity", PAGE),
                ("ugcPosts", "List(urn:li:ugcPost:3)"),
            ),
        ],
        [{"elements": [], "paging": {}}] * 2,
    ),
    (
        "linkedin.getPostStatistics",
        {"author": MEMBER, "post_urns": [SHARE]},
        [
            asked(
                f"{REST}/memberCreatorPostAnalytics",
                ("q", "entity"),
                ("entity", f"(share:{SHARE})"),
                ("queryType", kind),
                ("aggregation", "TOTAL"),
            )
            for kind in ("IMPRESSION", "MEMBERS_REACHED", "REACTION", "COMMENT", "RESHARE")
        ],
        [{"elements": [{"count": 1}], "paging": {}}] * 5,
    ),
    (
        "linkedin.createCampaign",
        {
            "campaign_group_id": "601234567",
            "name": "Spring",
            "type": "SPONSORED_UPDATES",
            "objective": "WEBSITE_VISITS",
            "cost_type": "CPM",
            "unit_cost": USD,
            "daily_budget": USD,
            "country": "US",
            "language": "en",
            "include": [{"urn:li:adTargetingFacet:locations": ["urn:li:geo:103644278"]}],
            "exclude": {"urn:li:adTargetingFacet:industries": ["urn:li:industry:4"]},
            "starts_at": HERE,
            "page": PAGE,
            "off_site": False,
            "political": "NOT_POLITICAL",
            "status": "DRAFT",
        },
        [
            posted(
                "adAccounts/512345678/adCampaigns",
                account="urn:li:sponsoredAccount:512345678",
                campaignGroup="urn:li:sponsoredCampaignGroup:601234567",
                name=MARKED,
                type="SPONSORED_UPDATES",
                objectiveType="WEBSITE_VISITS",
                costType="CPM",
                unitCost=MONEY,
                dailyBudget=MONEY,
                locale={"country": "US", "language": "en"},
                runSchedule={"start": MS},
                targetingCriteria={
                    "include": {"and": [{"or": {"urn:li:adTargetingFacet:locations": ["urn:li:geo:103644278"]}}]},
                    "exclude": {"or": {"urn:li:adTargetingFacet:industries": ["urn:li:industry:4"]}},
                },
                status="DRAFT",
                offsiteDeliveryEnabled=False,
                politicalIntent="NOT_POLITICAL",
                associatedEntity=PAGE,
            )
        ],
        [made(CAMPAIGN)],
    ),
    ("linkedin.getCampaign", {"campaign_id": CAMPAIGN}, [asked(ONE)], [{"id": 141049524}]),
    (
        "linkedin.searchCampaigns",
        {"names": ["Spring, (new)"], "statuses": ["DRAFT", "ACTIVE"]},
        [
            asked(
                f"{ADS}/adCampaigns",
                ("q", "search"),
                ("search", "(name:(values:List(Spring, (new))),status:(values:List(DRAFT,ACTIVE)))"),
                ("pageSize", "100"),
            )
        ],
        [{"elements": [], "metadata": {}}],
    ),
    ("linkedin.pauseCampaign", {"campaign_id": CAMPAIGN}, [patched(ONE, status="PAUSED")], [DONE]),
    ("linkedin.activateCampaign", {"campaign_id": CAMPAIGN}, [patched(ONE, status="ACTIVE")], [DONE]),
    (
        "linkedin.adjustBudget",
        {"campaign_id": CAMPAIGN, "total_budget": USD},
        [patched(ONE, totalBudget=MONEY)],
        [DONE],
    ),
    (
        "linkedin.deleteCampaign",
        {"campaign_id": CAMPAIGN},
        [asked(ONE), Sent("DELETE", ONE, None, b"", [])],
        [{"id": 141049524, "status": "DRAFT"}, DONE],
    ),
    (
        "linkedin.deleteCampaign",
        {"campaign_id": CAMPAIGN},
        [asked(ONE), patched(ONE, status="PENDING_DELETION")],
        [{"id": 141049524, "status": "PAUSED"}, DONE],
    ),
    (
        "linkedin.createCampaignGroup",
        {"name": "Spring", "starts_at": HERE, "total_budget": USD},
        [
            posted(
                "adAccounts/512345678/adCampaignGroups",
                account="urn:li:sponsoredAccount:512345678",
                name=MARKED,
                status="ACTIVE",
                runSchedule={"start": MS},
                totalBudget=MONEY,
            )
        ],
        [made("601234567")],
    ),
    (
        "linkedin.listCampaignGroups",
        {},
        [
            asked(
                f"{ADS}/adCampaignGroups",
                ("q", "search"),
                ("search", "(status:(values:List(ACTIVE,PAUSED,DRAFT,ARCHIVED,CANCELED)))"),
                ("pageSize", "100"),
            )
        ],
        [{"elements": [], "metadata": {}}],
    ),
    (
        "linkedin.createCreative",
        {"campaign_id": CAMPAIGN, "post_urn": SHARE, "name": "Spring"},
        [
            posted(
                "adAccounts/512345678/creatives",
                campaign=f"urn:li:sponsoredCampaign:{CAMPAIGN}",
                content={"reference": SHARE},
                intendedStatus="PAUSED",
                name=MARKED,
            )
        ],
        [made("urn:li:sponsoredCreative:7")],
    ),
    (
        "linkedin.listCreatives",
        {"campaign_id": CAMPAIGN},
        [
            asked(
                f"{ADS}/creatives",
                ("q", "criteria"),
                ("campaigns", f"List(urn:li:sponsoredCampaign:{CAMPAIGN})"),
                ("pageSize", "100"),
            )
        ],
        [{"elements": [], "metadata": {}}],
    ),
    (
        "linkedin.getCampaignAnalytics",
        {"campaign_ids": [CAMPAIGN], "starts_on": "2026-11-01", "ends_on": "2026-11-07", "granularity": "DAILY"},
        [
            asked(
                f"{REST}/adAnalytics",
                ("q", "analytics"),
                ("pivot", "CAMPAIGN"),
                ("timeGranularity", "DAILY"),
                ("dateRange", "(start:(year:2026,month:11,day:1),end:(year:2026,month:11,day:7))"),
                ("campaigns", f"List(urn:li:sponsoredCampaign:{CAMPAIGN})"),
                ("fields", "dateRange,pivotValues,impressions,clicks,costInLocalCurrency"),
            )
        ],
        [{"elements": [], "paging": {}}],
    ),
    ("linkedin.checkCredentials", {}, [asked("https://api.linkedin.com/v2/userinfo")], [{"sub": "782bbtaQ"}]),
]
