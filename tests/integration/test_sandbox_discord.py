"""The sandbox's Discord is as strict as Discord, and counts what it does: every request, but for a known nonce."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.unit.sandbox.process import Box, running

START, END = "2100-12-01T18:00:00+00:00", "2100-12-01T20:00:00+00:00"
EVENT: dict[str, Any] = {
    "name": "Launch",
    "privacy_level": 2,
    "entity_type": 3,
    "scheduled_start_time": START,
    "scheduled_end_time": END,
    "entity_metadata": {"location": "12 Main St"},
}


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    with running(tmp_path_factory.mktemp("sandbox")) as found:
        yield found


def post(box: Box, **fields: Any) -> dict[str, Any]:
    answer = box.bot("POST", "channels/{launch}/messages", json={"content": "Sale is live", **fields})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_a_nonce_that_is_enforced_gives_the_first_message_for_minutes_only(box: Box) -> None:
    before = box.last_effect()
    first = post(box, nonce="n1", enforce_nonce=True)
    assert (first["nonce"], post(box, nonce="n1", enforce_nonce=True)["id"]) == ("n1", first["id"])
    assert post(box, nonce="n1")["id"] != first["id"]
    box.control("POST", "clock", {"advance_s": 600})
    assert post(box, nonce="n1", enforce_nonce=True)["id"] != first["id"]
    assert [effect["key"] for effect in box.effects("discord", since_id=before)] == ["n1"] * 3


def test_a_nonce_whose_message_is_deleted_is_still_known(box: Box) -> None:
    posted = post(box, nonce="n2", enforce_nonce=True)
    assert box.bot("DELETE", f"channels/{posted['channel_id']}/messages/{posted['id']}").status_code == 204
    again = {"content": "Sale is live", "nonce": "n2", "enforce_nonce": True}
    answer = box.bot("POST", "channels/{launch}/messages", json=again)
    assert (answer.status_code, answer.json()["code"]) == (404, 10008)


def test_answers_tell_what_is_left_of_their_bucket(box: Box) -> None:
    box.control("POST", "clock", {"advance_s": 60})
    left = []
    for _ in range(2):
        answer = box.bot("POST", "channels/{general}/messages", json={"content": "Hi"})
        left.append(int(answer.headers["X-RateLimit-Remaining"]))
    assert (left, answer.headers["X-RateLimit-Limit"]) == ([4, 3], "5")
    assert float(answer.headers["X-RateLimit-Reset-After"]) > 0


@pytest.mark.parametrize(
    ("fields", "status", "code", "at"),
    [
        ({"content": "x" * 2001}, 400, 50035, "content"),
        ({"content": None}, 400, 50006, None),
        ({"content": "  "}, 400, 50006, None),
        ({"colour": 1}, 400, 50035, "colour"),
        ({"embeds": [{"title": "x" * 257}]}, 400, 50035, "embeds"),
        ({"embeds": [{"description": "x" * 4000}] * 2}, 400, 50035, "embeds"),
        ({"nonce": "x" * 26}, 400, 50035, "nonce"),
        ({"enforce_nonce": True}, 400, 50035, "nonce"),
        ({"flags": 32768}, 400, 50035, "content"),
        ({"allowed_mentions": {"parse": ["users"], "users": ["1"]}}, 400, 50035, "allowed_mentions"),
        ({"message_reference": {"message_id": "1"}}, 400, 50035, "message_reference"),
        ({"content": "http://harmful.example"}, 400, 240000, None),
    ],
)
def test_a_message_that_discord_refuses_is_refused_in_its_words(
    box: Box, fields: dict[str, Any], status: int, code: int, at: str | None
) -> None:
    before = box.last_effect()
    wanted = {"content": "hi", **fields}
    given = {name: part for name, part in wanted.items() if part is not None}
    answer = box.bot("POST", "channels/{launch}/messages", json=given)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert at is None or at in answer.json()["errors"]
    assert box.last_effect() == before


def test_bad_requests_are_refused_in_discords_words(box: Box) -> None:
    path = "channels/{launch}/messages"
    for options, status, code in (
        ({"token": "wrong"}, 401, 0),
        ({"headers": {"User-Agent": "python-requests"}}, 403, 40333),
        ({"data": "{", "headers": {"Content-Type": "application/json"}}, 400, 50109),
        ({"data": "x", "headers": {"Content-Type": "text/plain"}}, 400, 50109),
    ):
        answer = box.bot("POST", path, **{"json": None, **options})
        assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert box.bot("GET", "no/such/path").json() == {"message": "404: Not Found", "code": 0}
    assert box.bot("PUT", path).status_code == 405
    assert box.bot("GET", path, params={"limit": 101}).json()["code"] == 50035
    assert box.bot("GET", "channels/x/messages").json()["errors"]["channel_id"]
    assert box.bot("GET", "guilds/1/channels").json()["code"] == 10004


def test_the_bots_rights_differ_by_channel(box: Box) -> None:
    for channel, status, code in (("secret", 403, 50001), ("quiet", 403, 50013), ("ideas", 400, 40058)):
        answer = box.bot("POST", f"channels/{{{channel}}}/messages", json={"content": "hi"})
        assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert box.bot("POST", "channels/{blind}/messages", json={"content": "hi"}).status_code == 200
    assert box.bot("GET", "channels/{blind}/messages").json() == []
    assert box.bot("GET", "channels/{blind}/messages/1").json()["code"] == 50013
    assert box.bot("GET", "channels/{news}/messages/1").json()["code"] == 10008


def test_messages_are_listed_newest_first_and_right_after_an_id(box: Box) -> None:
    ids = [post(box, content=f"number {n}")["id"] for n in range(4)]
    after = box.bot("GET", "channels/{launch}/messages", params={"after": ids[0], "limit": 2}).json()
    assert [one["id"] for one in after] == [ids[2], ids[1]]
    before = box.bot("GET", "channels/{launch}/messages", params={"before": ids[3], "limit": 2}).json()
    assert [one["id"] for one in before] == [ids[2], ids[1]]
    assert "nonce" not in after[0]


def test_a_message_with_a_file_is_a_form_with_a_json_part(box: Box) -> None:
    parts = {
        "payload_json": (None, json.dumps({"content": "chart", "attachments": [{"id": "0", "filename": "a.png"}]})),
        "files[0]": ("a.png", b"12345", "image/png"),
    }
    posted = box.bot("POST", "channels/{launch}/messages", files=parts).json()
    assert posted["attachments"] == [{"id": "0", "filename": "a.png", "size": 5}]
    parts["payload_json"] = (None, json.dumps({"content": "x" * 2001}))
    assert box.bot("POST", "channels/{launch}/messages", files=parts).json()["code"] == 50035


def test_a_webhook_answers_only_who_waits(box: Box) -> None:
    before = box.last_effect()
    assert box.hook("POST", json={"content": "quiet"}).status_code == 204
    told = box.hook("POST", params={"wait": "true"}, json={"content": "told", "username": "Neon"}).json()
    assert (told["author"]["username"], told["webhook_id"]) == ("Neon", told["author"]["id"])
    assert [effect["text"] for effect in box.effects("discord", since_id=before)] == ["quiet", "told"]
    assert box.hook("POST", json={"content": "x", "nonce": "n"}).json()["errors"]["nonce"]
    assert box.hook("POST", json={"content": "x", "username": "clyde"}).json()["code"] == 50035
    wrong = box.discord["credential"]["webhook_url"].removeprefix("https://discord.com/api/")
    assert box.hook("POST", address=f"{wrong}x", json={"content": "x"}).json()["code"] == 50027
    assert box.hook("POST", address="webhooks/1/x", json={"content": "x"}).json()["code"] == 10015


def test_an_event_moves_one_way(box: Box) -> None:
    path = "guilds/{guild}/scheduled-events"
    made = box.bot("POST", path, json={**EVENT, "description": "Come by. ref 0123456789ab"}).json()
    assert box.effects("discord")[-1]["key"] == "0123456789ab"

    def move(status: int) -> int:
        answer = box.bot("PATCH", f"{path}/{made['id']}", json={"status": status})
        found: int = answer.json().get("code") or answer.json()["status"]
        return found

    assert [move(3), move(2), move(4), move(3), move(2)] == [50035, 2, 50035, 3, 180000]
    assert made["id"] not in [one["id"] for one in box.bot("GET", path).json()]


@pytest.mark.parametrize(
    ("changed", "at"),
    [
        ({"scheduled_start_time": "2020-01-01T00:00:00Z"}, "scheduled_start_time"),
        ({"scheduled_end_time": "2100-12-01T17:00:00Z"}, "scheduled_end_time"),
        ({"entity_type": 2, "entity_metadata": None, "channel_id": "1100000000000000001"}, "channel_id"),
    ],
)
def test_an_event_that_cannot_be_is_refused(box: Box, changed: dict[str, Any], at: str) -> None:
    answer = box.bot("POST", "guilds/{guild}/scheduled-events", json={**EVENT, **changed})
    assert (answer.status_code, list(answer.json()["errors"])) == (400, [at])
