"""How does Shopify work on a file of mutations? Staged, run a moment later line by line, its result kept as a file."""

from __future__ import annotations

import json
import secrets
from typing import Any

from connectors.sandbox import bodies
from connectors.sandbox import shopify_data as data
from connectors.sandbox.platform import Call, Reply
from connectors.sandbox.shopify_data import SHOP, gid, moment, problem
from connectors.sandbox.shopify_schema import Document, Json, Unreadable

KIND = "bulk"
_UPLOADS = "https://shopify-staged-uploads.storage.googleapis.com/"
_RESULTS = "https://storage.googleapis.com/shopify-tiers-assets-prod-us-east1/"
_BEGINS_S = 1.0
_TAKES_S = 4.0
_MOST_AT_ONCE = 5
_UNDER_WAY = ("CREATED", "RUNNING", "CANCELING")


def stage(call: Call, arguments: Json) -> Json:
    """Make room for files."""
    targets = []
    for position, one in enumerate(arguments["input"]):
        if one["resource"] == "BULK_MUTATION_VARIABLES" and one["mimeType"] != "text/jsonl":
            error = problem("mimeType must be text/jsonl", "input", str(position), "mimeType", coded=False)
            return {"stagedTargets": None, "userErrors": [error]}
        if one.get("httpMethod") != "POST":
            error = problem("httpMethod must be POST", "input", str(position), "httpMethod", coded=False)
            return {"stagedTargets": None, "userErrors": [error]}
        key = f"tmp/{SHOP}/bulk/{secrets.token_hex(16)}/{one['filename']}"
        parameters = [
            {"name": "Content-Type", "value": one["mimeType"]},
            {"name": "success_action_status", "value": "201"},
            {"name": "acl", "value": "private"},
            {"name": "key", "value": key},
            {"name": "policy", "value": secrets.token_urlsafe(24)},
            {"name": "x-goog-signature", "value": secrets.token_hex(32)},
        ]
        data.insert(call.db, "staged", key, {"parameters": parameters, "text": None}, visible_at=call.now)
        targets.append({"url": _UPLOADS, "resourceUrl": None, "parameters": parameters})
    return {"stagedTargets": targets, "userErrors": []}


def receive(call: Call) -> Reply:
    """The file: exactly the parameters given, in their order, and then the file."""
    pairs = bodies.read_multipart(call.raw_body, call.headers.get("content-type", ""))
    found = data.by_name(call, "staged", str(dict(pairs).get("key")))
    wanted = [] if found is None else [(one["name"], one["value"]) for one in found["parameters"]]
    *fields, (last, content) = pairs
    if found is None or fields != wanted or last != "file" or not isinstance(content, bytes):
        return Reply(403, "<Error><Code>AccessDenied</Code></Error>", content_type="application/xml")
    data.update(call, found["n"], {**found, "text": content.decode(errors="replace")})
    return Reply(201, "<PostResponse/>", content_type="application/xml")


def run(call: Call, arguments: Json) -> Json:
    """Begin to work on a file."""
    staged = data.by_name(call, "staged", arguments["stagedUploadPath"])
    error = _wrong(call, arguments["mutation"], staged)
    if error is not None:
        return {"bulkOperation": None, "userErrors": [error]}
    assert staged is not None
    content = {
        "query": arguments["mutation"],
        "text": staged["text"],
        "created": call.now,
        "cancelled": None,
        "done": False,
        "file": secrets.token_urlsafe(24),
        "result": None,
        "lines": 0,
    }
    n = data.insert(call.db, KIND, content["file"], content, visible_at=call.visible_at)
    return {"bulkOperation": _shown(call, {**content, "n": n}), "userErrors": []}


def _wrong(call: Call, mutation: str, staged: Json | None) -> Json | None:
    try:
        document = Document(mutation, {}, None)
    except Unreadable:
        return problem("The mutation is invalid", "mutation", code="INVALID_MUTATION")
    if not document.is_mutation or document.field.startswith("bulk"):
        return problem("No mutation that can be run in bulk", "mutation", code="INVALID_MUTATION")
    if staged is None or staged["text"] is None:
        return problem("The file does not exist", "stagedUploadPath", code="NO_SUCH_FILE")
    if any(not isinstance(line, dict) for line in _lines(staged["text"])) or not staged["text"].strip():
        return problem("The file is no JSONL", "stagedUploadPath", code="INVALID_STAGED_UPLOAD_FILE")
    busy = [one for one in data.everything(call, KIND, hidden=True) if _status(call, one) in _UNDER_WAY]
    if len(busy) >= _MOST_AT_ONCE:
        return problem("Too many bulk operations are in progress", code="LIMIT_REACHED")
    return None


def _lines(text: str) -> list[Any]:
    found: list[Any] = []
    for line in text.splitlines():
        try:
            found.append(json.loads(line))
        except ValueError:
            found.append(None)
    return found


def _status(call: Call, one: Json) -> str:
    if one["done"]:
        return "COMPLETED"
    if one["cancelled"] is not None:
        return "CANCELED" if call.now >= one["cancelled"] + _BEGINS_S else "CANCELING"
    return "CREATED" if call.now < one["created"] + _BEGINS_S else "RUNNING"


def _shown(call: Call, one: Json) -> Json:
    status = _status(call, one)
    over = status in ("COMPLETED", "CANCELED")
    return {
        "id": gid("BulkOperation", one["n"]),
        "status": status,
        "errorCode": None,
        "type": "MUTATION",
        "createdAt": moment(one["created"]),
        "completedAt": moment(one["created"] + _TAKES_S) if over else None,
        "objectCount": str(one["lines"]),
        "rootObjectCount": str(one["lines"]),
        "fileSize": str(len(one["result"] or "")) if status == "COMPLETED" else None,
        "url": f"{_RESULTS}{one['file']}" if status == "COMPLETED" else None,
        "partialDataUrl": None,
        "query": one["query"],
    }


def work_on(call: Call) -> None:
    """Do what has become due since the last request."""
    for one in data.everything(call, KIND, hidden=True):
        if one["done"] or one["cancelled"] is not None or call.now < one["created"] + _TAKES_S:
            continue
        rows = [_line(call, one["query"], number, given) for number, given in enumerate(_lines(one["text"]))]
        result = "".join(f"{json.dumps(row)}\n" for row in rows)
        data.update(call, one["n"], {**one, "done": True, "result": result, "lines": len(rows)})


def _line(call: Call, mutation: str, number: int, variables: Json) -> Json:
    # Within a bulk operation productSet is always synchronous.
    variables = {**variables, "synchronous": True}
    try:
        found, errors = Document(mutation, variables, None).execute(call)
    except Unreadable as unreadable:
        return {"errors": unreadable.errors, "__lineNumber": number}
    return {"data": found, **({"errors": errors} if errors else {}), "__lineNumber": number}


def find(call: Call, arguments: Json) -> Json | None:
    """A bulk operation by its id."""
    found = data.by_number(call, KIND, data.number(arguments["id"], "BulkOperation"))
    return None if found is None else _shown(call, found)


def listing(call: Call, arguments: Json) -> Json:
    """Bulk operations by when they were made."""
    terms: dict[str, Any] = {
        "operation_type": lambda _one: "mutation",
        "status": lambda one: _status(call, one),
        "created_at": lambda one: float(one["created"]),
    }
    rows = [one for one in data.everything(call, KIND) if data.matches(arguments.get("query"), one, terms)]
    return data.page(rows, arguments, lambda one: _shown(call, one))


def cancel(call: Call, arguments: Json) -> Json:
    """Stop one that is not over."""
    found = data.by_number(call, KIND, data.number(arguments["id"], "BulkOperation"))
    if found is None:
        return {"bulkOperation": None, "userErrors": [problem("Bulk operation does not exist", "id", coded=False)]}
    if _status(call, found) not in _UNDER_WAY:
        error = problem("A bulk operation that is over cannot be canceled", "id", coded=False)
        return {"bulkOperation": _shown(call, found), "userErrors": [error]}
    if found["cancelled"] is None:
        found = {**found, "cancelled": call.now}
        data.update(call, found["n"], found)
        call.effect("cancelBulkOperation", gid("BulkOperation", found["n"]))
    return {"bulkOperation": _shown(call, found), "userErrors": []}


def download(call: Call) -> Reply:
    """The result of one that is over; its address is its own ticket."""
    found = data.by_name(call, KIND, call.path["object"])
    if found is None or not found["done"]:
        return Reply(404, "<Error><Code>NoSuchKey</Code></Error>", content_type="application/xml")
    return Reply(200, found["result"], content_type="application/jsonl")
