"""What does WhatsApp's connector make of answers that nobody has promised?"""

from __future__ import annotations

from typing import Any

import pytest
import responses
from pydantic import ValidationError

from connectors import registry
from connectors.kit.errors import ConnectorError, NotFound, OutcomeUnknown, Unavailable
from connectors.whatsapp.cloud import WhatsAppCredential
from tests.unit.connectors.calls import NUMBER_ID, WABA, call

GRAPH = "https://graph.facebook.com/v26.0"
TEMPLATES = f"{GRAPH}/{WABA}/message_templates"
MESSAGES = f"{GRAPH}/{NUMBER_ID}/messages"
NEW = {"name": "sale", "language": "de", "category": "UTILITY", "body": "Hallo."}


def perform(name: str, given: dict[str, Any]) -> Any:
    action = registry.action(f"whatsapp.{name}")
    return action.perform(call("whatsapp"), action.input.model_validate(given))


@pytest.mark.parametrize(
    ("name", "given", "url", "answer"),
    [
        ("listTemplates", {}, TEMPLATES, {"data": [None]}),
        ("listTemplates", {}, TEMPLATES, {"data": [{"id": 7}]}),
        ("listTemplates", {}, TEMPLATES, {"data": 7}),
        ("listTemplates", {}, TEMPLATES, {"data": [], "paging": "next"}),
        ("getPhoneNumber", {}, f"{GRAPH}/{NUMBER_ID}", {"id": NUMBER_ID, "throughput": "fast"}),
        ("getPhoneNumber", {}, f"{GRAPH}/{NUMBER_ID}", {"id": 7}),
        ("getMedia", {"media_id": "1"}, f"{GRAPH}/1", {"id": "1", "url": "https://a.example"}),
    ],
)
def test_a_read_that_is_not_readable_is_asked_again_later(
    name: str, given: dict[str, Any], url: str, answer: dict[str, Any]
) -> None:
    with responses.RequestsMock() as mock:
        mock.get(url, json=answer)
        with pytest.raises(Unavailable):
            perform(name, given)


@pytest.mark.parametrize(
    ("name", "given", "method", "url"),
    [
        ("createTemplate", NEW, "POST", TEMPLATES),
        ("deleteTemplate", {"name": "sale"}, "DELETE", TEMPLATES),
        ("subscribeWebhooks", {}, "POST", f"{GRAPH}/{WABA}/subscribed_apps"),
        ("markMessageRead", {"wamid": "wamid.x"}, "POST", MESSAGES),
        ("deleteMedia", {"media_id": "1"}, "DELETE", f"{GRAPH}/1"),
        (
            "sendMedia",
            {"to": "+14155550123", "kind": "image", "media_id": "1"},
            "POST",
            f"{GRAPH}/{NUMBER_ID}/messages",
        ),
    ],
)
@pytest.mark.parametrize("body", ["", "{", "[]", "null", "{}"])
def test_an_effect_whose_answer_is_not_readable_is_in_doubt(
    name: str, given: dict[str, Any], method: str, url: str, body: str
) -> None:
    with responses.RequestsMock() as mock:
        mock.add(method, url, body=body)
        with pytest.raises(OutcomeUnknown):
            perform(name, given)


@pytest.mark.parametrize(
    ("error", "kind"),
    [({"code": 100, "error_subcode": 2593002}, NotFound), ({"code": 100, "error_subcode": 2388024}, ConnectorError)],
)
def test_a_template_that_is_not_there_is_told_from_one_that_is(
    error: dict[str, int], kind: type[ConnectorError]
) -> None:
    with responses.RequestsMock() as mock:
        mock.delete(TEMPLATES, status=400, json={"error": {"message": "x", "type": "x", **error}})
        with pytest.raises(kind) as caught:
            perform("deleteTemplate", {"name": "sale"})

    assert isinstance(caught.value, NotFound) == (kind is NotFound)


def test_a_list_of_templates_that_never_ends_is_given_up() -> None:
    page = {"data": [{"id": "1", "name": "sale"}] * 100, "paging": {"cursors": {"after": "more"}}}
    with responses.RequestsMock() as mock:
        mock.get(TEMPLATES, json=page)
        with pytest.raises(Unavailable, match="more than 30 pages"):
            perform("listTemplates", {})

        assert len(mock.calls) == 30


def test_a_connection_needs_a_way_in() -> None:
    with pytest.raises(ValidationError, match="needs access_token"):
        WhatsAppCredential.model_validate({})
