"""Bulk operations: one file of many mutations, which Shopify works on by itself for up to a day."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, cast
from urllib.parse import urlsplit

from pydantic import Field, StringConstraints
from urllib3.filepost import encode_multipart_formdata

from connectors.kit import clock
from connectors.kit.action import Input, JsonValue, Output, Resend
from connectors.kit.call import Call
from connectors.kit.errors import InvalidRequest, NotFound, OutcomeUnknown, Unavailable
from connectors.shopify import admin
from connectors.shopify.admin import LIMITS, PACE, STORAGE_HOST
from connectors.shopify.documents import DOCUMENTS
from connectors.shopify.outcomes import RefusedProduct, SyncedFeed, part_of
from connectors.shopify.platform import SHOPIFY, moment, whole
from connectors.shopify.products import understood

MAX_BYTES = 100 * 1024 * 1024
"""Largest file that Shopify takes."""

_LONGEST_S = 25 * 3600.0
_OVER = frozenset({"COMPLETED", "FAILED", "CANCELED", "EXPIRED"})
OperationId = Annotated[str, StringConstraints(pattern=r"^gid://shopify/BulkOperation/\d+$")]


class OperationRef(Input):
    """Which bulk operation."""

    id: OperationId = Field(description="As syncProductFeed gave it.")


class BulkOperation(Output):
    """Work that Shopify does by itself."""

    id: str
    status: str = Field(description="CREATED, RUNNING, COMPLETED, CANCELING, CANCELED, FAILED or EXPIRED.")
    error_code: str | None = None
    created_at: datetime | None = None
    completed_at: datetime | None = None
    objects: int | None = Field(default=None, description="Lines done so far.")

    def provider_id(self) -> str:
        """The operation's id."""
        return self.id


class Recent(Input):
    """Which operations to list."""

    query: str = Field(default="operation_type:mutation", min_length=1, max_length=2000, description="Filter.")


class BulkOperations(Output):
    """The newest 20, newest first."""

    operations: tuple[BulkOperation, ...]


def run(call: Call, handles: Sequence[str], variables: Sequence[dict[str, Any]]) -> SyncedFeed:
    """Set many products by one file.

    Args:
        handles: Of each product, in the order of ``variables``.
        variables: Of the mutation SyncProduct, one for each product.

    Raises:
        ConnectorError: Shopify did none of it.
    """
    path = str(call.step("stage", lambda: _stage(call, variables)))
    begun = SyncedFeed.model_validate(call.effect("run", lambda: _start(call, path)))
    if call.recall("ended") is None:
        ended = call.wait_for("bulk", lambda: _ended(call, str(begun.operation_id)), every_s=10.0, timeout_s=_LONGEST_S)
        call.step("ended", lambda: cast("JsonValue", ended))
    ended = cast("dict[str, Any]", call.recall("ended"))
    parts = dict(_results(call, ended, handles))
    if not parts:
        raise _nothing_done(ended)
    missing = RefusedProduct(handle="", code=ended["status"], reason="Shopify ended the operation before this product")
    left = [missing.model_copy(update={"handle": one}) for one in handles if one not in parts]
    return SyncedFeed(
        synced=tuple(one for part in parts.values() for one in part.synced),
        refused=(*(one for part in parts.values() for one in part.refused), *left),
        operation_id=begun.operation_id,
    )


def _stage(call: Call, variables: Sequence[dict[str, Any]]) -> JsonValue:
    """Bring the file; one that is never run changes nothing, so a repeat does no harm."""
    content = "".join(f"{json.dumps(one, ensure_ascii=False)}\n" for one in variables).encode()
    if len(content) > MAX_BYTES:
        raise InvalidRequest(f"products: the feed's file may hold {MAX_BYTES} bytes; it would hold {len(content)}")
    wanted = {
        "resource": "BULK_MUTATION_VARIABLES",
        "filename": "products.jsonl",
        "mimeType": "text/jsonl",
        "httpMethod": "POST",
    }
    targets = admin.prepare(call, "StagedUpload", "stagedUploadsCreate", input=[wanted]).get("stagedTargets")
    try:
        target: dict[str, Any] = (targets or [])[0]
        url = str(target["url"])
        fields = [(str(one["name"]), str(one["value"])) for one in target["parameters"]]
        path = dict(fields)["key"]
    except (IndexError, KeyError, TypeError, ValueError):
        raise Unavailable("StagedUpload: Shopify answered without a place for the file") from None
    # The storage takes the parameters first, in their order, and the file last.
    form: list[tuple[str, str | tuple[str, bytes, str]]] = [*fields]
    form.append(("file", ("products.jsonl", content, "text/jsonl")))
    body, kind = encode_multipart_formdata(form, boundary=f"neonhub-{call.key}")
    answer = call.http.request("POST", url, effect=False, data=body, headers={"Content-Type": kind})
    if answer.status_code not in (200, 201, 204):
        raise Unavailable(f"the file was not taken: status {answer.status_code}", http_status=answer.status_code)
    return path


def _name(call: Call) -> str:
    return f"SyncProduct_{call.key.replace('-', '_')}"


def _start(call: Call, path: str) -> JsonValue:
    """Start it, unless an earlier request of ours did: the mutation's name carries the run's key."""
    started = _started_before(call) if call.ledger.attempt > 1 else None
    if started is None:
        mutation = DOCUMENTS["SyncProduct"].replace("SyncProduct", _name(call), 1)
        payload = admin.change(call, "RunBulk", "bulkOperationRunMutation", mutation=mutation, stagedUploadPath=path)
        started = str(understood(payload.get("bulkOperation"), "RunBulk", needs=("id",))["id"])
    return cast("JsonValue", SyncedFeed(operation_id=started).model_dump(mode="json"))


def _started_before(call: Call) -> str | None:
    since = (call.first_sent_at or clock.now()) - clock.SKEW - timedelta(days=1)
    query = f"operation_type:mutation created_at:>='{since:%Y-%m-%dT%H:%M:%SZ}'"
    found = admin.ask(call, "RecentBulkOperations", "bulkOperations", query=query)
    rows = found.get("nodes") if isinstance(found, dict) else None
    for one in rows if isinstance(rows, list) else ():
        if (
            isinstance(one, dict)
            and _name(call) in str(one.get("query"))
            and one.get("status") not in _OVER - {"COMPLETED"}
        ):
            return str(one["id"])
    return None


def _ended(call: Call, operation_id: str) -> dict[str, Any] | None:
    found = admin.ask(call, "BulkStatus", "bulkOperation", id=operation_id)
    if not isinstance(found, dict):
        raise Unavailable("BulkStatus: Shopify does not show the operation")
    if found.get("status") not in _OVER:
        return None
    url = found.get("url") or found.get("partialDataUrl")
    return {"status": found["status"], "code": found.get("errorCode"), "url": url}


def _results(call: Call, ended: dict[str, Any], handles: Sequence[str]) -> Iterator[tuple[str, SyncedFeed]]:
    """What became of each product that the result names, by its line."""
    for line in _lines(call, ended["url"]):
        try:
            row = json.loads(line)
            handle = handles[int(row["__lineNumber"])]
            part = part_of(handle, row["data"]["productSet"] if "data" in row else {"userErrors": row["errors"]})
        except (ValueError, KeyError, TypeError, IndexError):
            continue
        if part is not None:
            yield handle, part


def _lines(call: Call, url: str | None) -> list[str]:
    if url is None:
        return []
    if urlsplit(url).hostname != STORAGE_HOST:
        raise OutcomeUnknown("the operation's result is not where Shopify keeps results")
    answer = call.http.get(url)
    if answer.status_code != 200:
        raise Unavailable(f"the result could not be read: status {answer.status_code}", http_status=answer.status_code)
    return answer.content.decode(errors="replace").splitlines()


def _nothing_done(ended: dict[str, Any]) -> OutcomeUnknown:
    code = ended["code"] or ended["status"]
    return OutcomeUnknown(f"the bulk operation ended as {code} without a result; look into the shop", code=code)


def _operation(one: dict[str, Any]) -> BulkOperation:
    return BulkOperation(
        id=str(one["id"]),
        status=str(one.get("status")),
        error_code=one.get("errorCode"),
        created_at=moment(one.get("createdAt")),
        completed_at=moment(one.get("completedAt")),
        objects=whole(one.get("objectCount")),
    )


@SHOPIFY.read("getBulkOperation", OperationRef, BulkOperation, scopes=("read_products",), limits=LIMITS)
def get_bulk_operation(call: Call, data: OperationRef) -> BulkOperation:
    """Fetch how far a bulk operation is."""
    found = admin.ask(call, "BulkStatus", "bulkOperation", id=data.id)
    if not isinstance(found, dict) or "id" not in found:
        raise NotFound("the shop has no such bulk operation")
    return _operation(found)


@SHOPIFY.read("listBulkOperations", Recent, BulkOperations, scopes=("read_products",), limits=LIMITS)
def list_bulk_operations(call: Call, data: Recent) -> BulkOperations:
    """List the newest bulk operations."""
    found = admin.ask(call, "RecentBulkOperations", "bulkOperations", query=data.query)
    rows = found.get("nodes") if isinstance(found, dict) else None
    if not isinstance(rows, list):
        raise Unavailable("RecentBulkOperations: Shopify answered without a list")
    return BulkOperations(operations=tuple(_operation(one) for one in rows if isinstance(one, dict) and "id" in one))


@SHOPIFY.action(
    "cancelBulkOperation",
    OperationRef,
    BulkOperation,
    repeat=Resend(),
    why="What is being stopped stays so.",
    pace=PACE,
    scopes=("write_products",),
    limits=LIMITS,
)
def cancel_bulk_operation(call: Call, data: OperationRef) -> BulkOperation:
    """Stop a bulk operation; what it has done stays done."""
    payload = admin.change(call, "CancelBulk", "bulkOperationCancel", id=data.id)
    return _operation(understood(payload.get("bulkOperation"), "CancelBulk", needs=("id",)))
