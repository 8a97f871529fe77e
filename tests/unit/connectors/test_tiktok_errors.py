"""Is every documented error of TikTok classed as its documentation says?"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
import responses

from connectors.kit.errors import (
    AuthExpired,
    ConnectorError,
    GrantDead,
    InvalidRequest,
    NotFound,
    OutcomeUnknown,
    Permission,
    PolicyRejected,
    RateLimited,
    Unavailable,
)
from connectors.registry import action
from connectors.tiktok.accounts import GetAdvertiser, get_advertiser
from connectors.tiktok.files import VideoRef, get_video
from connectors.tiktok.oauth import TIKTOK_OAUTH
from connectors.tiktok.reports import GetReport, get_report
from connectors.tiktok.switches import TurnOffAd, turn_off_ad
from connectors.tiktok.web import TikTokCredential
from tests.contract.memory_ledger import MemoryLedger
from tests.unit.connectors.calls import ADVERTISER, TIKTOK_TOKEN, call
from tests.unit.connectors.wire_tiktok import AD, API, VIDEO, ok

SECRET = "tiktok-secret-of-the-tests"
OFF, INFO, TOKENS = f"{API}/ad/status/update/", f"{API}/advertiser/info/", f"{API}/oauth2/access_token/"
CREATED, LISTED = f"{API}/campaign/create/", f"{API}/campaign/get/"


def body(code: int) -> dict[str, Any]:
    return {"code": code, "message": "Ana's secret", "request_id": "R1", "data": {}}


def change(**answer: Any) -> ConnectorError:
    with responses.RequestsMock() as mock:
        mock.post(OFF, **answer)
        with pytest.raises(ConnectorError) as caught:
            turn_off_ad(call("tiktok"), TurnOffAd(ad_ids=(AD,)))
    return caught.value


def ask(**answer: Any) -> ConnectorError:
    with responses.RequestsMock() as mock:
        mock.get(INFO, **answer)
        with pytest.raises(ConnectorError) as caught:
            get_advertiser(call("tiktok"), GetAdvertiser())
    return caught.value


def create(ledger: MemoryLedger, answers: list[dict[str, Any]], shown: list[dict[str, Any]] | None = None) -> Any:
    wanted = action("tiktok.createCampaign")
    data = wanted.input.model_validate({"name": "Spring", "objective": "TRAFFIC"})
    with responses.RequestsMock() as mock:
        for answer in answers:
            mock.post(CREATED, json=answer)
        if shown is not None:
            mock.get(LISTED, json=ok({"list": shown}))
        return wanted.perform(call("tiktok", ledger), data)


@pytest.mark.parametrize(
    ("kind", "codes"),
    [
        (InvalidRequest, "40000 40002 40006 40010 40011 40051 40061 40065 40700 40911 40999"),
        (Permission, "40001 40003 40113 40117 40118 40119 40124 40125 40130 40301"),
        (AuthExpired, "40101 40102 40104 40105 40106 40110 40115 40116"),
        (NotFound, "40007 40300 40905"),
        (RateLimited, "40016 40100 40132 40133 40202"),
        (PolicyRejected, "40502 40904 40916"),
        (Unavailable, "40201 40901"),
        (OutcomeUnknown, "20001 40050 50000 50002 51000 52000 53000 60001 61000 7"),
    ],
)
def test_every_documented_error_of_tiktok(kind: type[ConnectorError], codes: str) -> None:
    for code in map(int, codes.split()):
        found = change(status=200, json=body(code))

        assert type(found) is kind, code
        assert (found.code, found.http_status, found.request_id) == (str(code), 200, "R1")
        again = Unavailable if kind is OutcomeUnknown else kind
        assert type(ask(status=200, json=body(code))) is again


@pytest.mark.parametrize(
    ("status", "answer", "kind"),
    [
        (200, None, OutcomeUnknown),
        (200, [], OutcomeUnknown),
        (200, {}, OutcomeUnknown),
        (200, {"code": "0"}, OutcomeUnknown),
        (200, {"code": False}, OutcomeUnknown),
        (200, {"code": 0, "data": [1]}, OutcomeUnknown),
        (302, None, OutcomeUnknown),
        (400, None, InvalidRequest),
        (401, None, AuthExpired),
        (403, None, Permission),
        (404, None, NotFound),
        (405, None, InvalidRequest),
        (408, None, OutcomeUnknown),
        (429, None, RateLimited),
        (500, body(40002), OutcomeUnknown),
        (503, None, OutcomeUnknown),
    ],
)
def test_an_answer_without_a_known_code_is_classed_by_its_status(
    status: int, answer: Any, kind: type[ConnectorError]
) -> None:
    text = "[" * 100_000 if answer is None else json.dumps(answer)

    assert type(change(status=status, body=text)) is kind


def test_a_write_that_collides_waits_five_seconds_and_holds_up_nothing_else() -> None:
    found = change(status=200, json=body(40202))

    assert isinstance(found, RateLimited)
    assert (found.retry_after_s, found.of) == (5, "run")


def test_a_limit_of_calls_comes_without_a_time_to_wait() -> None:
    found = change(status=200, json=body(40100))

    assert isinstance(found, RateLimited)
    assert (found.retry_after_s, found.of) == (None, "connection")


def test_tiktoks_own_words_are_left_out_for_they_may_repeat_what_was_written() -> None:
    assert "Ana" not in f"{change(status=200, json=body(40002))!r}"


@pytest.mark.parametrize("data", [{}, {"campaign_id": 7}, {"campaign_id": ""}, {"campaign_id": None}])
def test_what_was_created_without_a_readable_id_is_looked_for(data: dict[str, Any]) -> None:
    with pytest.raises(OutcomeUnknown, match="no readable campaign_id"):
        create(MemoryLedger(), [ok(data)])


def test_a_taken_name_refuses_a_first_attempt() -> None:
    with pytest.raises(InvalidRequest, match="something of this name is there already"):
        create(MemoryLedger(), [body(40002)])


def test_a_taken_name_tells_a_repeat_what_the_first_attempt_created() -> None:
    ledger = MemoryLedger()
    ledger.first_sent_at = datetime.now(UTC)
    name = f"Spring nh-{ledger.key}"

    found = create(ledger, [body(40002)], shown=[{"campaign_id": "18", "campaign_name": name}])

    assert (found.id, found.name) == ("18", name)


def test_a_repeat_that_is_refused_for_another_reason_stays_refused() -> None:
    ledger = MemoryLedger()
    ledger.first_sent_at = datetime.now(UTC)

    with pytest.raises(InvalidRequest):
        create(ledger, [body(40002)], shown=[{"campaign_id": "18", "campaign_name": "Spring"}])


def test_an_advertiser_that_the_token_does_not_show_is_not_found() -> None:
    assert type(ask(status=200, json=ok({"list": [{"advertiser_id": "1"}]}))) is NotFound


@pytest.mark.parametrize("data", [{}, {"list": {}}, {"list": ["x"]}])
def test_a_list_that_is_none_is_asked_for_again(data: dict[str, Any]) -> None:
    assert type(ask(status=200, json=ok(data))) is Unavailable


def test_a_video_that_is_still_worked_on_is_not_ready() -> None:
    with responses.RequestsMock() as mock:
        mock.get(f"{API}/file/video/ad/info/", json=body(40901))
        assert not get_video(call("tiktok"), VideoRef(video_id=VIDEO)).ready


def test_a_video_that_there_is_not_is_not_found() -> None:
    with responses.RequestsMock() as mock:
        mock.get(f"{API}/file/video/ad/info/", json=ok({"list": []}))
        with pytest.raises(NotFound):
            get_video(call("tiktok"), VideoRef(video_id=VIDEO))


def test_numbers_of_a_report_that_are_none_are_left_out() -> None:
    row = {"dimensions": {"campaign_id": "1"}, "metrics": {"spend": "-", "ctr": "nan", "campaign_name": "Spring"}}
    with responses.RequestsMock() as mock:
        mock.get(f"{API}/report/integrated/get/", json=ok({"list": [row]}))
        (found,) = get_report(call("tiktok"), GetReport(lifetime=True)).rows

    assert found.metrics == {"spend": None}
    assert found.texts == {"campaign_name": "Spring", "ctr": "nan"}


def test_a_report_without_an_end_is_given_up() -> None:
    endless = {"list": [], "page_info": {"total_page": 10**9}}
    with responses.RequestsMock() as mock:
        mock.get(f"{API}/report/integrated/get/", json=ok(endless))
        with pytest.raises(Unavailable, match="more than 20 pages"):
            get_report(call("tiktok"), GetReport(lifetime=True))


@pytest.mark.parametrize("url", [None, 7, "http://ads.tiktok.com/r.csv", "file:///etc/passwd"])
def test_a_report_file_without_a_safe_address_is_asked_for_again(url: Any) -> None:
    wanted = action("tiktok.getReportFile")
    with responses.RequestsMock() as mock:
        mock.post(f"{API}/report/task/create/", json=ok({"task_id": "T1"}))
        mock.get(f"{API}/report/task/check/", json=ok({"status": "SUCCESS", "download_url": url}))
        with pytest.raises(Unavailable, match="no readable address"):
            wanted.perform(call("tiktok"), GetReport(lifetime=True))


def test_a_report_that_tiktok_gives_up_is_refused() -> None:
    wanted = action("tiktok.getReportFile")
    with responses.RequestsMock() as mock:
        mock.post(f"{API}/report/task/create/", json=ok({"task_id": "T1"}))
        mock.get(f"{API}/report/task/check/", json=ok({"status": "FAILED"}))
        with pytest.raises(InvalidRequest, match="gave the report up"):
            wanted.perform(call("tiktok"), GetReport(lifetime=True))


def exchange(**answer: Any) -> TikTokCredential:
    made = call("tiktok")
    with responses.RequestsMock() as mock:
        mock.post(TOKENS, **answer)
        found = TIKTOK_OAUTH.exchange(
            made.http,
            made.credential_as(TikTokCredential),
            code="c1",
            redirect_uri="https://app.example/back",
            verifier="v",
        )
        assert json.loads(mock.calls[0].request.body or b"") == {
            "app_id": "7512345",
            "secret": SECRET,
            "auth_code": "c1",
        }
    return found


def test_a_code_is_exchanged_for_a_token_without_an_end() -> None:
    found = exchange(json=ok({"access_token": "t1", "advertiser_ids": [ADVERTISER], "scope": [4, 220]}))

    assert found.access_token is not None
    assert (found.access_token.get_secret_value(), found.expires_at, found.scopes) == ("t1", None, ("4", "220"))
    assert not TIKTOK_OAUTH.is_stale(found, datetime(2126, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("status", "answer", "kind"),
    [
        (200, body(40110), GrantDead),
        (200, body(40105), GrantDead),
        (200, body(40002), InvalidRequest),
        (200, body(40001), Permission),
        (200, body(40100), RateLimited),
        (200, body(50000), Unavailable),
        (200, ok({"access_token": "two words"}), Unavailable),
        (200, ok({"access_token": 7}), Unavailable),
        (200, ok([]), Unavailable),
        (503, {}, Unavailable),
    ],
)
def test_an_exchange_that_fails_is_classed_and_names_no_secret(
    status: int, answer: Any, kind: type[ConnectorError]
) -> None:
    with pytest.raises(ConnectorError) as caught:
        exchange(status=status, json=answer)

    assert type(caught.value) is kind
    assert not [secret for secret in (SECRET, TIKTOK_TOKEN) if secret in f"{caught.value!r}"]


def test_a_revoked_token_is_for_the_advertiser_to_renew() -> None:
    made = call("tiktok")
    with pytest.raises(GrantDead, match="the advertiser has to agree again"):
        TIKTOK_OAUTH.refresh(made.http, made.credential_as(TikTokCredential))


def test_the_address_to_agree_at_names_the_app_and_no_secret() -> None:
    url = TIKTOK_OAUTH.authorize("7512345", redirect_uri="https://app.example/back", state="s1", verifier="v")

    assert url == (
        "https://business-api.tiktok.com/portal/auth?app_id=7512345&state=s1"
        "&redirect_uri=https%3A%2F%2Fapp.example%2Fback"
    )


def test_a_connection_without_a_token_sends_nothing() -> None:
    made = call("tiktok")
    made.credential = TikTokCredential(client_id="1")
    with responses.RequestsMock(), pytest.raises(AuthExpired, match="no access token"):
        get_advertiser(made, GetAdvertiser())


def test_tiktoks_own_test_environment_has_a_host_of_its_own() -> None:
    with responses.RequestsMock() as mock:
        mock.get(INFO.replace("business-api", "sandbox-ads"), json=ok({"list": [{"advertiser_id": ADVERTISER}]}))
        assert get_advertiser(call("tiktok", environment="sandbox"), GetAdvertiser()).advertiser_id == ADVERTISER
