"""The library: videos and images, brought as bytes or loaded from an address."""

from __future__ import annotations

import hashlib
from typing import Any
from urllib.parse import urlsplit

from connectors.sandbox.platform import Call, Reply
from connectors.sandbox.tiktok_data import check_advertiser, new_id, page_of, refusal, reply, shown_time

# Seconds that TikTok works on a video, on the sandbox's clock.
_VIDEO_S = 3.0
_INVALID, _NOT_READY, _NAME_TAKEN = 40002, 40901, 40911


def upload(call: Call, kind: str) -> Reply:
    """POST file/.../upload: the name must be free."""
    form: dict[str, Any] = call.body
    check_advertiser(call, form)
    how = form.get("upload_type", "UPLOAD_BY_FILE")
    if how == "UPLOAD_BY_URL":
        _check_loadable(form.get(f"{kind}_url", ""), kind)
    elif how == "UPLOAD_BY_FILE":
        _check_signature(form.get(f"{kind}_file"), form.get(f"{kind}_signature"), kind)
    else:
        raise refusal(_INVALID, "upload_type: the sandbox takes files and URLs only")
    name = form.get("file_name") or f"{kind}_{new_id()}"
    if call.db.execute("SELECT 1 FROM tiktok_file WHERE kind = ? AND name = ?", (kind, name)).fetchone():
        raise refusal(_NAME_TAKEN, "file_name: a material of this name exists")
    file_id = f"v10033g50000{new_id('')}" if kind == "video" else f"ad-site-i18n-sg/{new_id('')}"
    ready_at = call.now + _VIDEO_S if kind == "video" else call.now
    row = (file_id, kind, name, call.now, ready_at, call.visible_at)
    call.db.execute("INSERT INTO tiktok_file VALUES (?, ?, ?, ?, ?, ?)", row)
    mark = name.rpartition("-nh-")[2] if "-nh-" in name else None
    call.effect("uploadVideo" if kind == "video" else "uploadImage", file_id, key=mark, text=name)
    shown = _shown(call, file_id, kind)
    return reply([shown] if kind == "video" else shown)


def search(call: Call, kind: str) -> Reply:
    """GET file/.../search: newest first."""
    check_advertiser(call, call.query)
    query = "SELECT id FROM tiktok_file WHERE kind = ? AND visible_at <= ? ORDER BY created_at DESC, id DESC"
    ids = [row["id"] for row in call.db.execute(query, (kind, call.now))]
    wanted = call.query.get("filtering", {}).get(f"{kind}_ids")
    return page_of(call, [_shown(call, one, kind) for one in ids if wanted is None or one in wanted])


def videos(call: Call) -> Reply:
    """GET file/video/ad/info."""
    check_advertiser(call, call.query)
    found = []
    for video_id in call.query["video_ids"]:
        row = call.db.execute("SELECT * FROM tiktok_file WHERE id = ? AND kind = 'video'", (video_id,)).fetchone()
        if row is not None and call.now < row["ready_at"]:
            raise refusal(_NOT_READY, "The video is being transcoded")
        if row is not None:
            found.append(_shown(call, video_id, "video"))
    return reply({"list": found})


def _check_loadable(url: str, kind: str) -> None:
    host = urlsplit(url).hostname or ""
    # Names below .invalid never exist (RFC 6761): the sandbox loads nothing, and so plays a host that is not there.
    if "." not in host or host.endswith(".invalid"):
        raise refusal(_INVALID, f"{kind}_url: could not be downloaded")


def _check_signature(content: Any, signature: Any, kind: str) -> None:
    if not isinstance(content, bytes):
        raise refusal(_INVALID, f"{kind}_file: Missing data for required field")
    if hashlib.md5(content, usedforsecurity=False).hexdigest() != signature:
        raise refusal(_INVALID, f"{kind}_signature: does not match the file")


def _shown(call: Call, file_id: str, kind: str) -> dict[str, Any]:
    row = call.db.execute("SELECT * FROM tiktok_file WHERE id = ?", (file_id,)).fetchone()
    measures = {"width": 1080, "height": 1920, "size": 1_048_576}
    known = {f"{kind}_id": file_id, "material_id": new_id("7"), "file_name": row["name"], **measures}
    return {**known, **({"duration": 15.0} if kind == "video" else {}), "create_time": shown_time(row["created_at"])}
