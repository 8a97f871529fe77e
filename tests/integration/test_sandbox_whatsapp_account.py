"""The sandbox's WhatsApp account has templates, media and a number that behave as the Cloud API's do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.unit.sandbox.process import Box, running


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    with running(tmp_path_factory.mktemp("sandbox")) as found:
        yield found


def refused(answer: requests.Response) -> tuple[int, int | None]:
    """The code and subcode of an error."""
    assert answer.status_code >= 400
    error = answer.json()["error"]
    return error["code"], error.get("error_subcode")


def test_a_new_template_waits_for_approval_and_its_name_is_taken(box: Box) -> None:
    fields = {
        "name": "autumn",
        "language": "en_US",
        "category": "UTILITY",
        "components": [{"type": "BODY", "text": "Hi {{1}}"}],
    }
    made = box.cloud("POST", "{waba}/message_templates", json=fields).json()
    assert made["status"] == "PENDING"
    message = {
        "messaging_product": "whatsapp",
        "to": "14155550123",
        "type": "template",
        "template": {"name": "autumn", "language": {"code": "en_US"}},
    }
    assert refused(box.cloud("POST", "{number}/messages", json=message))[0] == 132001
    assert refused(box.cloud("POST", "{waba}/message_templates", json=fields)) == (100, 2388024)
    nobody = {**fields, "name": "empty", "components": [{"type": "FOOTER", "text": "x"}]}
    assert refused(box.cloud("POST", "{waba}/message_templates", json=nobody))[0] == 100
    listed = box.cloud("GET", "{waba}/message_templates", params={"status": "PENDING"}).json()["data"]
    assert [(one["id"], one["name"]) for one in listed] == [(made["id"], "autumn")]
    assert box.cloud("DELETE", "{waba}/message_templates", params={"name": "autumn"}).json() == {"success": True}
    assert refused(box.cloud("DELETE", "{waba}/message_templates", params={"name": "autumn"}))[0] == 100


def test_templates_are_listed_in_pages(box: Box) -> None:
    query: dict[str, Any] = {"limit": 3, "category": "UTILITY"}
    first = box.cloud("GET", "{waba}/message_templates", params=query).json()
    query["after"] = first["paging"]["cursors"]["after"]
    names = [
        one["name"] for one in first["data"] + box.cloud("GET", "{waba}/message_templates", params=query).json()["data"]
    ]
    assert sorted(names) == ["appointment", "appointment", "order_shipped", "welcome"]


def test_media_are_uploaded_read_and_deleted(box: Box) -> None:
    form = {"messaging_product": "whatsapp", "type": "image/jpeg"}
    media_id = box.cloud("POST", "{number}/media", data=form, files={"file": ("a.jpg", b"\xff\xd8")}).json()["id"]
    found = box.cloud("GET", media_id).json()
    assert (found["mime_type"], found["file_size"]) == ("image/jpeg", 2)
    assert box.cloud("DELETE", media_id).json() == {"success": True}
    for method in ("GET", "DELETE"):
        assert refused(box.cloud(method, media_id)) == (100, 33)
    wrong = box.cloud("POST", "{number}/media", data={**form, "type": "x/y"}, files={"file": ("a", b"x")})
    assert refused(wrong)[0] == 131053


def test_the_number_is_read_and_the_account_subscribed(box: Box) -> None:
    found = box.cloud("GET", "{number}", params={"fields": "verified_name,quality_rating"}).json()
    assert found == {
        "verified_name": "Sandbox",
        "quality_rating": "GREEN",
        "id": box.whatsapp["settings"]["phone_number_id"],
    }
    assert box.cloud("POST", "{waba}/subscribed_apps").json() == {"success": True}
    read = {"messaging_product": "whatsapp", "status": "read", "message_id": "wamid.x"}
    assert box.cloud("POST", "{number}/messages", json=read).json() == {"success": True}
