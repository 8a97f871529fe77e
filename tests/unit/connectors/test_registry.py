"""Does the catalog say what a producer needs to know?"""

from __future__ import annotations

import re

import pytest

from connectors import registry
from connectors.kit.action import LookUp, Resend, ResendWithKey, Retry
from connectors.kit.connector import AnyAction, Connector
from neonhub_worker.settings import SHORTEST_LEASE_S

ACTIONS = [action for connector in registry.CONNECTORS for action in connector.actions.values()]
each_action = pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.full_name)


PROMISED = {
    "sms": "sendSMS scheduleSMS checkOptOut getMessageStatus cancelScheduled listMessages setConsent deleteMessage",
    "whatsapp": "sendTemplate sendSessionMessage getMessageStatus",
    "instagram": "publishPost publishStory respondDM getInsights",
    "facebook": "createCampaign createAdSet createAd pauseAdSet updateCreative createPost getInsights",
    "youtube": "uploadVideo scheduleVideo updateVideo getAnalytics getVideoStats",
    "tiktok": "createCampaign createAdGroup createAd adjustBudget turnOffAd getReport",
    "google_ads": "createCampaign updateBidStrategy pauseCampaign searchCampaigns getCampaignMetrics",
    "google_search_console": "querySearchAnalytics listSites submitSitemap inspectUrl",
    "shopify": "syncProductFeed createDiscountCode createProduct listOrders",
    "linkedin": "publishPost schedulePost getPostStatistics createCampaign",
    "reddit": "createCampaign adjustBudget pauseCampaign submitPost getReport",
    "email": "sendEmail listMessages getMessage",
    "slack": "sendMessage scheduleMessage updateMessage uploadFile getChannels",
    "discord": "sendMessage editMessage createScheduledEvent",
    "x": "postTweet uploadMedia deleteTweet searchTweets getTweetMetrics",
    "stripe": "createCustomer createCheckoutSession createPaymentLink createRefund createCoupon createPromotionCode",
}
"""Names that producers call: none of them may ever go or change."""


@pytest.mark.parametrize("slug", [connector.slug for connector in registry.CONNECTORS])
def test_the_promised_names_are_there(slug: str) -> None:
    assert set(PROMISED[slug].split()) <= registry.connector(slug).actions.keys()


@each_action
def test_the_shortest_lease_has_time_for_every_action_and_for_beginning_it(action: AnyAction) -> None:
    assert action.timeout_s + 5 <= SHORTEST_LEASE_S


@each_action
def test_every_action_explains_itself(action: AnyAction) -> None:
    assert re.fullmatch(r"[a-z]+([A-Z][a-zA-Z]*)?", action.name)
    assert action.description.endswith(".")
    assert action.why.endswith(".")
    assert action.task_name == f"connectors.{action.slug}.{action.name}"
    assert registry.action(action.full_name) is action


@each_action
def test_every_field_of_an_input_is_described(action: AnyAction) -> None:
    fields = action.input.model_json_schema().get("properties", {})

    assert [name for name, schema in fields.items() if not schema.get("description")] == []


@each_action
def test_one_call_fits_into_a_lease(action: AnyAction) -> None:
    assert 0 < action.timeout_s <= 20


@each_action
def test_reads_are_told_from_effects(action: AnyAction) -> None:
    if not action.effect:
        assert action.repeat == Resend()
    if isinstance(action.repeat, ResendWithKey):
        assert action.effect
        assert action.repeat.window_s is None or action.repeat.window_s > 3600
    if isinstance(action.repeat, LookUp):
        assert action.repeat.settle_after_s >= 10


def test_messages_to_people_name_their_recipient() -> None:
    for name in (
        "sms.sendSMS",
        "sms.scheduleSMS",
        "whatsapp.sendTemplate",
        "whatsapp.sendSessionMessage",
        "email.sendEmail",
    ):
        action = registry.action(name)
        assert action.channel == name.partition(".")[0]
        assert action.recipient is not None
    # Whoever has opted out must be able to opt in again.
    assert registry.action("sms.setConsent").recipient is None


@pytest.mark.parametrize(
    ("name", "close"),
    [("sms.sendsms", "sms.sendSMS"), ("slack.postMessage", "slack.sendMessage"), ("qwertz", "neonhub catalog")],
)
def test_an_unknown_action_names_close_ones(name: str, close: str) -> None:
    with pytest.raises(registry.UnknownAction, match=f"no action '{name}'.*{close}"):
        registry.action(name)


def test_an_unknown_connector_names_close_ones() -> None:
    with pytest.raises(registry.UnknownConnector, match="no connector 'slak'; did you mean slack"):
        registry.connector("slak")


def test_retries_speak_celerys_vocabulary() -> None:
    assert vars(Retry()).keys() == {"max_retries", "retry_backoff", "retry_backoff_max", "retry_jitter"}


@pytest.mark.parametrize("connector", registry.CONNECTORS, ids=lambda connector: connector.slug)
def test_every_platform_says_step_by_step_how_to_get_a_credential(connector: Connector) -> None:
    assert connector.console
    assert [step for step in connector.console if not step.endswith(".") or "\n" in step] == []
    assert re.search(r"[a-z]\.[a-z]{2,}", connector.console[0]), "the first step names the site"
