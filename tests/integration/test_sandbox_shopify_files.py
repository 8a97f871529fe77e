"""The sandbox's Shopify takes files of mutations, works on them by itself, and renews tokens as the real one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.unit.sandbox.process import Box, running

STAGE = """mutation ($input: [StagedUploadInput!]!) {
  stagedUploadsCreate(input: $input) { stagedTargets { url parameters { name value } } userErrors { field message } }
}"""
RUN = """mutation ($mutation: String!, $path: String!) {
  bulkOperationRunMutation(mutation: $mutation, stagedUploadPath: $path) {
    bulkOperation { id status }
    userErrors { code }
  }
}"""
STATUS = "query ($id: ID!) { bulkOperation(id: $id) { status objectCount url query } }"
BULK = "mutation M($input: ProductSetInput!) { productSet(input: $input) { product { id } userErrors { code } } }"
JSONL = {"resource": "BULK_MUTATION_VARIABLES", "filename": "a.jsonl", "mimeType": "text/jsonl", "httpMethod": "POST"}


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    with running(tmp_path_factory.mktemp("sandbox")) as found:
        yield found


@pytest.fixture
def box_of_its_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    with running(tmp_path_factory.mktemp("moved")) as found:
        yield found


def data(answer: requests.Response) -> Any:
    """What the only field of the answer holds."""
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert "errors" not in body, body
    ((_, found),) = body["data"].items()
    return found


def codes(payload: dict[str, Any]) -> list[str]:
    return [error["code"] for error in payload["userErrors"]]


def _staged(box: Box, content: bytes, *, first: bool = True) -> tuple[requests.Response, str]:
    (target,) = data(box.shop(STAGE, input=[JSONL]))["stagedTargets"]
    given = [(one["name"], (None, one["value"])) for one in target["parameters"]]
    file: list[tuple[str, Any]] = [("file", ("a.jsonl", content, "text/jsonl"))]
    form = [*given, *file] if first else [*file, *given]
    url = f"{box.url}/{target['url'].removeprefix('https://')}"
    path = next(one["value"] for one in target["parameters"] if one["name"] == "key")
    return box.http.post(url, files=form, timeout=10), path


def test_a_file_is_run_a_moment_later_and_each_line_has_its_result(box: Box) -> None:
    before = box.last_effect()
    lines = [{"input": {"title": "One", "handle": "line-1"}}, {"input": {"title": ""}}, {"nope": 1}]
    arrived, path = _staged(box, "".join(f"{json.dumps(line)}\n" for line in lines).encode())
    assert arrived.status_code == 201
    begun = data(box.shop(RUN, mutation=BULK, path=path))["bulkOperation"]
    assert begun["status"] == "CREATED"
    assert box.last_effect() == before
    box.control("POST", "clock", {"advance_s": 2})
    assert data(box.shop(STATUS, id=begun["id"]))["status"] == "RUNNING"
    box.control("POST", "clock", {"advance_s": 5})
    ended = data(box.shop(STATUS, id=begun["id"]))
    assert (ended["status"], ended["objectCount"], ended["query"]) == ("COMPLETED", "3", BULK)
    result = box.http.get(f"{box.url}/{ended['url'].removeprefix('https://')}", timeout=10)
    rows = [json.loads(line) for line in result.text.splitlines()]
    assert [row["__lineNumber"] for row in rows] == [0, 1, 2]
    assert rows[0]["data"]["productSet"]["userErrors"] == []
    assert codes(rows[1]["data"]["productSet"]) == ["MISSING_FIELD_REQUIRED"]
    assert "errors" in rows[2]
    assert [one["key"] for one in box.effects("shopify", since_id=before)] == ["line-1"]


def test_a_file_goes_last_and_is_json_lines(box: Box) -> None:
    refused, path = _staged(box, b"{}\n", first=False)
    assert refused.status_code == 403
    assert codes(data(box.shop(RUN, mutation=BULK, path=path))) == ["NO_SUCH_FILE"]
    _, path = _staged(box, b"title,price\n")
    assert codes(data(box.shop(RUN, mutation=BULK, path=path))) == ["INVALID_STAGED_UPLOAD_FILE"]
    _, path = _staged(box, b"{}\n")
    for mutation in ("{ shop { id } }", "mutation {", RUN):
        assert codes(data(box.shop(RUN, mutation=mutation, path=path))) == ["INVALID_MUTATION"]
    wrong = data(box.shop(STAGE, input=[{**JSONL, "mimeType": "text/csv"}]))
    assert wrong["userErrors"][0]["field"] == ["input", "0", "mimeType"]
    nothing = box.http.get(f"{box.url}/storage.googleapis.com/shopify-tiers-assets-prod-us-east1/none", timeout=10)
    assert nothing.status_code == 404


def test_five_files_at_once_are_the_most(box_of_its_own: Box) -> None:
    _, path = _staged(box_of_its_own, b'{"input": {"title": "X"}}\n')
    answers = [data(box_of_its_own.shop(RUN, mutation=BULK, path=path)) for _ in range(6)]
    assert [codes(one) for one in answers] == [[]] * 5 + [["LIMIT_REACHED"]]


def test_a_refresh_token_works_until_its_successor_is_used(box_of_its_own: Box) -> None:
    box = box_of_its_own
    credential = box.shopify["credential"]
    app = {name: credential[name] for name in ("client_id", "client_secret")}

    def renew(**asked: Any) -> requests.Response:
        url = f"{box.url}/{box.shopify['account']}/admin/oauth/access_token"
        return box.http.post(url, json={**app, **asked}, timeout=10)

    def refresh(token: str) -> requests.Response:
        return renew(grant_type="refresh_token", refresh_token=token)

    first, second = (refresh(credential["refresh_token"]).json() for _ in range(2))
    assert first["refresh_token"] != second["refresh_token"]
    assert first["expires_in"] == 3599
    assert box.shop("{ shop { id } }", token=second["access_token"]).status_code == 200
    assert refresh(credential["refresh_token"]).json()["error"] == "invalid_grant"
    own = renew(grant_type="client_credentials").json()
    assert "refresh_token" not in own
    box.control("POST", "clock", {"advance_s": 4000})
    assert box.shop("{ shop { id } }", token=second["access_token"]).status_code == 401
    assert box.shop("{ shop { id } }", token=own["access_token"]).status_code == 200
    assert renew(grant_type="client_credentials", client_secret="wrong").status_code == 401
    assert renew(client_id="none", grant_type="client_credentials").json()["error"] == "application_cannot_be_found"
    assert renew(grant_type="password").json()["error"] == "invalid_request"
    assert renew(code="c-1", expiring="1").json()["error"] == "invalid_request"
