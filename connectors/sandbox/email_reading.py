"""How is the sandbox's Gmail read, labelled and watched?"""

from __future__ import annotations

import json
import sqlite3
from typing import Any

from connectors.sandbox import google_api
from connectors.sandbox.email_data import (
    ADDRESS,
    brief,
    change_of,
    encoded,
    fetch,
    file_of,
    history_id,
    labels_of,
    note,
    oldest_history,
    relabel,
    shown,
)
from connectors.sandbox.email_search import found
from connectors.sandbox.platform import Call, Refusal, Reply

_WATCHED_S = 7 * 86_400.0
_PAGE = 100
_LABELS = frozenset(["INBOX", "SENT", "DRAFT", "TRASH", "SPAM", "UNREAD", "STARRED", "IMPORTANT", "CHAT"])
_FIXED = frozenset({"SENT", "DRAFT"})
_CHANGES = {
    "messageAdded": "messagesAdded",
    "messageDeleted": "messagesDeleted",
    "labelAdded": "labelsAdded",
    "labelRemoved": "labelsRemoved",
}


def list_messages(call: Call) -> Reply:
    """messages.list: no ``messages`` when nothing matches."""
    rows = _searched(call, call.query.get("labelIds", ()))
    page, following = _page(call, rows)
    items = [{"id": row["id"], "threadId": row["thread_id"]} for row in page]
    return Reply(200, {**({"messages": items} if items else {}), **following, "resultSizeEstimate": len(rows)})


def list_drafts(call: Call) -> Reply:
    """drafts.list, with a part of each message."""
    ids = {row["message_id"]: row["id"] for row in call.db.execute("SELECT * FROM email_draft")}
    rows = [row for row in _searched(call, ("DRAFT",)) if row["id"] in ids]
    page, following = _page(call, rows)
    items = [{"id": ids[row["id"]], "message": {"id": row["id"], "threadId": row["thread_id"]}} for row in page]
    return Reply(200, {**({"drafts": items} if items else {}), **following, "resultSizeEstimate": len(rows)})


def get_message(call: Call) -> Reply:
    """messages.get."""
    return Reply(200, shown(call, fetch(call.db, call.path["id"]), form=call.query.get("format", "full")))


def get_thread(call: Call) -> Reply:
    """threads.get: all its messages, the oldest first."""
    rows = call.db.execute(
        "SELECT * FROM email_message WHERE thread_id = ? AND received_at <= ? ORDER BY received_at, id",
        (call.path["id"], call.now),
    ).fetchall()
    if not rows:
        raise google_api.not_found()
    messages = [shown(call, row, form=call.query.get("format", "full")) for row in rows]
    return Reply(200, {"id": call.path["id"], "historyId": str(history_id(call.db)), "messages": messages})


def get_attachment(call: Call) -> Reply:
    """messages.attachments.get."""
    content = file_of(fetch(call.db, call.path["messageId"]), call.path["id"])
    return Reply(200, {"size": len(content), "data": encoded(content)})


def trash(call: Call) -> Reply:
    """messages.trash."""
    row = fetch(call.db, call.path["id"])
    if "TRASH" not in labels_of(row):
        labels = [one for one in labels_of(row) if one != "INBOX"]
        row = relabel(call.db, row, [*labels, "TRASH"])
        note(call.db, "labelAdded", row, ["TRASH"])
    call.effect("trashMessage", row["id"])
    return Reply(200, brief(row))


def modify(call: Call) -> Reply:
    """messages.modify: labels that do not exist, or that only Gmail gives, are refused."""
    body: dict[str, Any] = call.body or {}
    added, removed = body.get("addLabelIds", []), body.get("removeLabelIds", [])
    if not added and not removed:
        raise google_api.refusal(400, "No label add or removes specified", reason="invalidArgument")
    for one in (*added, *removed):
        if one not in _LABELS and not one.startswith("Label_"):
            raise google_api.refusal(400, f"Invalid label: {one}", reason="invalidArgument")
        if one in _FIXED:
            raise google_api.refusal(400, f"Cannot add or remove label {one}", reason="invalidArgument")
    row = fetch(call.db, call.path["id"])
    before = labels_of(row)
    after = [*dict.fromkeys([*before, *added])]
    row = relabel(call.db, row, [one for one in after if one not in removed])
    for kind, changed in (("labelAdded", set(added) - set(before)), ("labelRemoved", set(removed) & set(before))):
        if changed:
            note(call.db, kind, row, sorted(changed))
    call.effect("modifyLabels", row["id"])
    return Reply(200, brief(row))


def history(call: Call) -> Reply:
    """history.list: 404 for what is too old."""
    since, wanted = int(call.query["startHistoryId"]), call.query.get("historyTypes") or [*_CHANGES]
    if not oldest_history(call.db) <= since <= history_id(call.db):
        raise google_api.not_found()
    rows = call.db.execute("SELECT * FROM email_change WHERE id > ? ORDER BY id", (change_of(since),)).fetchall()
    label = call.query.get("labelId")
    rows = [row for row in rows if row["kind"] in wanted and (label is None or label in json.loads(row["labels"]))]
    page, following = _page(call, rows)
    entries = [_entry(row) for row in page]
    found_here = {"history": entries} if entries else {}
    return Reply(200, {**found_here, **following, "historyId": str(history_id(call.db))})


def watch(call: Call) -> Reply:
    """watch: one topic at a time, for seven days; nothing is published from here."""
    call.db.execute("DELETE FROM email_watch")
    expires_at = call.now + _WATCHED_S
    call.db.execute("INSERT INTO email_watch VALUES (?, ?)", (call.body["topicName"], expires_at))
    call.effect("watchMailbox", call.body["topicName"])
    return Reply(200, {"historyId": str(history_id(call.db)), "expiration": str(int(expires_at * 1000))})


def stop(call: Call) -> Reply:
    """Stop."""
    call.db.execute("DELETE FROM email_watch")
    call.effect("stopWatch", None)
    return Reply(204)


def profile(call: Call) -> Reply:
    """GetProfile."""
    row = call.db.execute("SELECT count(*) AS n, count(DISTINCT thread_id) AS t FROM email_message").fetchone()
    return Reply(
        200,
        {
            "emailAddress": ADDRESS,
            "messagesTotal": row["n"],
            "threadsTotal": row["t"],
            "historyId": str(history_id(call.db)),
        },
    )


def aliases(call: Call) -> Reply:
    """settings.sendAs.list; the mailbox's own address has no verification status."""
    rows = call.db.execute("SELECT * FROM email_alias ORDER BY NOT is_primary, address").fetchall()
    return Reply(200, {"sendAs": [_alias(row) for row in rows]})


def _alias(row: sqlite3.Row) -> dict[str, Any]:
    found = {"sendAsEmail": row["address"], "displayName": row["name"], "replyToAddress": "", "signature": ""}
    if row["is_primary"]:
        return {**found, "isPrimary": True, "isDefault": True}
    return {**found, "treatAsAlias": True, "verificationStatus": row["status"]}


def _searched(call: Call, labels: Any) -> list[sqlite3.Row]:
    query = call.query.get("q", "")
    if query and not _may_search(call.principal.scopes):
        raise Refusal(google_api.error(403, "Metadata scope does not support 'q' parameter", reason="forbidden"))
    return found(call.db, query, labels=labels, everything=call.query.get("includeSpamTrash", False), now=call.now)


def _may_search(scopes: frozenset[str]) -> bool:
    return any(not scope.endswith("gmail.metadata") for scope in scopes)


def _page(call: Call, rows: list[Any]) -> tuple[list[Any], dict[str, str]]:
    token = call.query.get("pageToken", "0")
    if not token.isdigit():
        raise google_api.refusal(400, "Invalid pageToken", reason="invalidArgument")
    start, size = int(token), call.query.get("maxResults", _PAGE)
    following = {"nextPageToken": str(start + size)} if len(rows) > start + size else {}
    return rows[start : start + size], following


def _entry(row: sqlite3.Row) -> dict[str, Any]:
    message = {"id": row["message_id"], "threadId": row["thread_id"], "labelIds": json.loads(row["labels"])}
    changed = {} if row["changed"] is None else {"labelIds": json.loads(row["changed"])}
    entry = {"message": message, **changed}
    return {"id": str(row["id"]), "messages": [message], _CHANGES[row["kind"]]: [entry]}
