"""How does a file get into Reddit's storage? A lease, then a form with the file at its end."""

from __future__ import annotations

import secrets
from urllib.parse import quote

from connectors.sandbox.platform import Call, Reply
from connectors.sandbox.reddit_data import new_id

_LEASE_S = 3600.0


def lease(call: Call) -> Reply:
    """POST media/asset.json: where the file may go, for an hour."""
    mimetype = call.body["mimetype"]
    is_video = mimetype.startswith("video/")
    asset, host = new_id(13), f"reddit-uploaded-{'video' if is_video else 'media'}.s3-accelerate.amazonaws.com"
    key = f"{asset}/{secrets.token_hex(6)}" if is_video else f"rte_images/{asset}"
    call.db.execute("INSERT INTO reddit_media VALUES (?, ?, ?, NULL, ?)", (key, host, mimetype, call.now + _LEASE_S))
    fields = {
        "acl": "private",
        "key": key,
        "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
        "Content-Type": mimetype,
        "success_action_status": "201",
        "policy": secrets.token_urlsafe(32),
    }
    args = {"action": f"//{host}", "fields": [{"name": name, "value": value} for name, value in fields.items()]}
    described = {
        "asset_id": asset,
        "processing_state": "incomplete",
        "payload": {"filepath": call.body["filepath"]},
        "websocket_url": "wss://k8s-lb.wss.redditmedia.com/x",
    }
    return Reply(200, {"args": args, "asset": described})


def receive(call: Call) -> Reply:
    """POST to the storage; it knows no token, only the lease."""
    row = call.db.execute("SELECT * FROM reddit_media WHERE key = ?", (call.body["key"],)).fetchone()
    fits = row is not None and row["host"] == call.operation.host and row["expires_at"] > call.now
    # Whatever comes behind the file is not read.
    if not fits or [*call.body][-1] != "file" or call.body.get("Content-Type") != row["mimetype"]:
        return _xml(403, "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>")
    if not call.body["file"]:
        return _xml(400, "<Error><Code>EntityTooSmall</Code></Error>")
    location = f"https://{row['host']}/{quote(row['key'], safe='')}"
    call.db.execute("UPDATE reddit_media SET location = ? WHERE key = ?", (location, row["key"]))
    return _xml(201, f"<PostResponse><Location>{location}</Location><Key>{row['key']}</Key></PostResponse>")


def _xml(status: int, content: str) -> Reply:
    head = '<?xml version="1.0" encoding="UTF-8"?>\n'
    return Reply(status, head + content, content_type="application/xml")
