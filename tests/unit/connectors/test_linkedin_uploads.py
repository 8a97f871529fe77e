"""Does an upload to LinkedIn go only where it should, and what does a strange answer do to it?"""

from __future__ import annotations

from typing import Any, cast

import pytest
import responses

from connectors.kit.action import JsonValue
from connectors.kit.errors import InvalidRequest, Postpone, Unavailable
from connectors.kit.media import Media
from connectors.linkedin import uploads
from tests.contract.memory_ledger import MemoryLedger
from tests.unit.connectors.calls import OAUTH_TOKEN, call
from tests.unit.connectors.wire_linkedin import MEMBER, PAGE, REST

IMAGE = "urn:li:image:C4E10AQ"


class File:
    """A file of ten bytes."""

    size, mark = 10, "m"

    def body(self, begin: int, end: int) -> bytes:
        return b"0123456789"[begin:end]


FILE = cast("Media", File())


def bring() -> str:
    return uploads._in_one(call("linkedin"), "images", "image", FILE, PAGE)


@pytest.mark.parametrize("status", [200, 201])
def test_the_bytes_go_to_the_address_that_was_named_with_the_token(status: int) -> None:
    address = "https://www.linkedin.com/dms-uploads/sp/C4E10AQ/uploaded-image/0?ca=vector"
    with responses.RequestsMock() as mock:
        mock.post(f"{REST}/images", json={"value": {"uploadUrl": address, "image": IMAGE}})
        mock.put(address, status=status)
        assert bring() == IMAGE
        sent = mock.calls[1].request

    assert (sent.url, sent.body, sent.headers["Authorization"]) == (address, b"0123456789", f"Bearer {OAUTH_TOKEN}")


def test_the_token_goes_to_linkedin_only() -> None:
    with responses.RequestsMock() as mock:
        value = {"uploadUrl": "https://evil.example/dms-uploads/1", "image": IMAGE}
        mock.post(f"{REST}/images", json={"value": value})
        with pytest.raises(InvalidRequest, match="may not call"):
            bring()

        assert len(mock.calls) == 1


@pytest.mark.parametrize(
    "value", [None, [], {}, {"image": IMAGE}, {"image": 7, "uploadUrl": "https://www.linkedin.com/"}]
)
def test_an_announcement_that_says_too_little_is_tried_again_later(value: Any) -> None:
    with responses.RequestsMock() as mock:
        mock.post(f"{REST}/images", json={"value": value})
        with pytest.raises(Unavailable, match="has no"):
            bring()


def part(first: Any, last: Any) -> dict[str, Any]:
    return {"uploadUrl": "https://www.linkedin.com/dms-uploads/1", "firstByte": first, "lastByte": last}


@pytest.mark.parametrize(
    "instructions",
    [
        None,
        [],
        [7],
        [part(0, 8)],
        [part(0, 10)],
        [part(1, 9)],
        [part(0, 4), part(6, 9)],
        [part(0, 4), part(0, 9)],
        [part(0, "9")],
        [{"firstByte": 0, "lastByte": 9}],
        [part(0, 9)] * 1001,
    ],
)
def test_parts_that_are_not_the_whole_file_are_not_sent(instructions: Any) -> None:
    value = {"video": "urn:li:video:C5", "uploadToken": "", "uploadInstructions": instructions}
    with responses.RequestsMock() as mock:
        mock.post(f"{REST}/videos", json={"value": value})
        with pytest.raises(Unavailable):
            uploads._announced(call("linkedin"), FILE, PAGE)


def test_parts_that_are_the_whole_file_are_remembered() -> None:
    value = {"video": "urn:li:video:C5", "uploadToken": "t", "uploadInstructions": [part(0, 4), part(5, 9)]}
    with responses.RequestsMock() as mock:
        mock.post(f"{REST}/videos", json={"value": value})
        found: JsonValue = uploads._announced(call("linkedin"), FILE, PAGE)

    url = "https://www.linkedin.com/dms-uploads/1"
    assert found == {"urn": "urn:li:video:C5", "token": "t", "mark": "m", "parts": [[url, 0, 5], [url, 5, 10]]}


def wait(ledger: MemoryLedger, owner: str) -> None:
    uploads._wait_until_ready(call("linkedin", ledger), "ready:image:0", "images/urn", owner, 300.0)


def test_members_media_are_waited_for_once_because_nothing_tells() -> None:
    ledger = MemoryLedger()
    with responses.RequestsMock() as mock:
        mock.get(f"{REST}/images/urn", status=403, json={})
        with pytest.raises(Postpone) as caught:
            wait(ledger, MEMBER)
        wait(ledger, MEMBER)
        wait(ledger, MEMBER)

        assert len(mock.calls) == 2
    assert caught.value.delay_s == 15


def test_a_file_that_could_not_be_processed_is_refused() -> None:
    with responses.RequestsMock() as mock:
        mock.get(f"{REST}/images/urn", json={"status": "PROCESSING_FAILED"})
        with pytest.raises(InvalidRequest, match="could not process"):
            wait(MemoryLedger(), PAGE)


def test_work_that_does_not_end_has_posted_nothing() -> None:
    ledger = MemoryLedger()
    ledger.results["wait:ready:image:0"] = "2026-11-22T08:00:00+00:00"
    with responses.RequestsMock() as mock:
        mock.get(f"{REST}/images/urn", json={"status": "PROCESSING"})
        with pytest.raises(Unavailable, match="did not report"):
            wait(ledger, PAGE)
