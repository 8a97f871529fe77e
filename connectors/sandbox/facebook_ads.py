"""Campaigns, ad sets, creatives and ads: created, listed, read, changed."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from typing import Any

from connectors.sandbox import facebook_rules as rules
from connectors.sandbox import meta_graph
from connectors.sandbox.facebook_data import loaded, page_of, shown, shown_time, wanted
from connectors.sandbox.platform import Call, Reply

# Seconds that the review of an ad takes, on the sandbox's clock.
_REVIEW_S = 5.0
_CREATED = {"campaign": "createCampaign", "adset": "createAdSet", "ad": "createAd", "creative": "createAdCreative"}
_TITLES = {"campaign": "Campaign", "adset": "AdSet", "ad": "Ad"}
_NOT_KEPT = frozenset({"execution_options"})
_JPEG, _PNG, _GIF = b"\xff\xd8\xff", b"\x89PNG", b"GIF8"


def create_campaign(call: Call) -> Reply:
    """POST campaigns."""
    rules.check_campaign(call.body)
    return rules.only_validates(call.body) or _created(call, "campaign", call.body)


def create_adset(call: Call) -> Reply:
    """POST adsets."""
    campaign = rules.find(call.db, call.body["campaign_id"], "campaign", field="campaign_id")
    rules.check_adset(call.body, campaign)
    return rules.only_validates(call.body) or _created(call, "adset", call.body)


def create_creative(call: Call) -> Reply:
    """POST adcreatives."""
    _check_creative(call, call.body)
    return rules.only_validates(call.body) or _created(call, "creative", call.body)


def create_ad(call: Call) -> Reply:
    """POST ads; a creative that is given whole is made along with it."""
    fields: dict[str, Any] = call.body
    adset = rules.find(call.db, str(fields["adset_id"]), "adset", field="adset_id")
    creative = _creative_id(call, fields["creative"])
    kept = {**fields, "creative": {"id": creative}, "campaign_id": adset["campaign_id"]}
    return rules.only_validates(fields) or _created(call, "ad", kept)


def upload_image(call: Call) -> Reply:
    """POST adimages: the same bytes have the same hash, however often they come."""
    form = call.body
    if isinstance(form.get("filename"), bytes):
        name, content = "filename", form["filename"]
    elif "copy_from" in form:
        raise rules.invalid("The sandbox has one ad account only", field="copy_from")
    else:
        name, content = form.get("name", "bytes"), _decoded(form.get("bytes", ""))
    if not content.startswith((_JPEG, _PNG, _GIF)):
        raise rules.invalid("The image is of no known type", field="bytes")
    digest = hashlib.md5(content, usedforsecurity=False).hexdigest()
    if call.db.execute("INSERT OR IGNORE INTO facebook_image VALUES (?, ?)", (digest, call.now)).rowcount:
        call.effect("uploadImage", digest)
    return Reply(200, {"images": {name: {"hash": digest, "url": f"https://scontent.example/{digest}.jpg"}}})


def campaigns(call: Call) -> Reply:
    """GET campaigns."""
    return _listed(call, "campaign")


def adsets(call: Call) -> Reply:
    """GET adsets."""
    return _listed(call, "adset")


def ads(call: Call) -> Reply:
    """GET ads."""
    return _listed(call, "ad")


def campaigns_by_label(call: Call) -> Reply:
    """GET campaignsbylabels."""
    ids = _json_list(call.query["ad_label_ids"], "ad_label_ids")
    every = call.query.get("operator", "ANY") == "ALL"

    def has_labels(fields: dict[str, Any]) -> bool:
        theirs = {label["id"] for label in fields.get("adlabels", ())}
        return set(ids) <= theirs if every else not theirs.isdisjoint(ids)

    found = [one for one in _nodes(call, "campaign") if has_labels(one)]
    return page_of(call, [shown(one, wanted(call, "id")) for one in found])


def node(call: Call, object_id: str) -> Reply | None:
    """GET an object; None if there is none of this id."""
    row = call.db.execute("SELECT * FROM facebook_object WHERE id = ?", (object_id,)).fetchone()
    return None if row is None else Reply(200, shown(_known(call, row), wanted(call, "id")))


def update(call: Call, object_id: str) -> Reply | None:
    """POST an object; None if there is none of this id."""
    row = call.db.execute("SELECT * FROM facebook_object WHERE id = ?", (object_id,)).fetchone()
    if row is None:
        return None
    kind, fields, given = row["kind"], loaded(row), dict(call.body)
    if fields.get("status") == "DELETED":
        raise rules.invalid("A deleted object cannot be changed", field="status")
    if kind == "creative" and set(given) - {"name", "status", "adlabels"}:
        raise rules.invalid("The content of a creative cannot be changed", field=next(iter(given)))
    if "creative" in given and kind != "ad":
        raise rules.invalid("Only an ad has a creative", field="creative")
    if {"message", "is_published", "scheduled_publish_time"} & set(given):
        raise rules.invalid("This is no post", field="message")
    rules.check_budget(call, object_id, kind, fields, given)
    answer = rules.only_validates(given)
    if answer is not None:
        return answer
    reviewed_at = row["reviewed_at"]
    if "creative" in given:
        given["creative"] = {"id": _creative_id(call, given["creative"])}
        reviewed_at = call.now + _REVIEW_S
    kept = json.dumps({**fields, **{name: value for name, value in given.items() if name not in _NOT_KEPT}})
    call.db.execute(
        "UPDATE facebook_object SET fields = ?, reviewed_at = ? WHERE id = ?", (kept, reviewed_at, row["id"])
    )
    call.effect(_changed(kind, given), row["id"], text=given.get("name"))
    return Reply(200, {"success": True})


def delete(call: Call, object_id: str) -> Reply | None:
    """DELETE an object; None if there is none of this id."""
    row = call.db.execute("SELECT * FROM facebook_object WHERE id = ?", (object_id,)).fetchone()
    if row is None:
        return None
    kept = json.dumps({**loaded(row), "status": "DELETED"})
    call.db.execute("UPDATE facebook_object SET fields = ? WHERE id = ?", (kept, object_id))
    call.effect("deleteNode", object_id)
    return Reply(200, {"success": True})


def _changed(kind: str, given: dict[str, Any]) -> str:
    """Which action it was."""
    if "creative" in given:
        return "updateCreative"
    if rules.has_budget(given):
        return f"set{_TITLES[kind]}Budget"
    if kind == "adset" and given.get("status") == "PAUSED":
        return "pauseAdSet"
    return f"set{_TITLES[kind]}Status" if "status" in given and kind in _TITLES else "updateNode"


def _created(call: Call, kind: str, fields: dict[str, Any]) -> Reply:
    if "ad_account_id" in call.path and call.path["ad_account_id"] != call.principal["ad_account_id"]:
        raise meta_graph.no_such_node()
    object_id = meta_graph.new_id("120")
    labels = [{"id": _label_id(one), "name": one.get("name")} for one in fields.get("adlabels", ())]
    kept = {name: value for name, value in fields.items() if name not in _NOT_KEPT}
    if kind != "creative":
        # Whoever does not say so gets something that spends.
        kept.setdefault("status", "ACTIVE")
    reviewed_at = call.now + _REVIEW_S if kind == "ad" else None
    content = json.dumps({**kept, **({"adlabels": labels} if labels else {})})
    row = (object_id, kind, content, call.now, call.visible_at, reviewed_at)
    call.db.execute("INSERT INTO facebook_object VALUES (?, ?, ?, ?, ?, ?)", row)
    key = labels[0]["name"].removeprefix("nh-") if labels and labels[0]["name"] else None
    call.effect(_CREATED[kind], object_id, key=key, text=fields.get("name"))
    return Reply(200, {"id": object_id})


def _label_id(label: dict[str, Any]) -> str:
    digest = hashlib.sha256(str(label.get("name")).encode()).hexdigest()
    return str(label.get("id") or int(digest[:12], 16))


def _creative_id(call: Call, creative: dict[str, Any]) -> str:
    if "creative_id" in creative:
        object_id = str(creative["creative_id"])
        rules.find(call.db, object_id, "creative", field="creative")
        return object_id
    _check_creative(call, creative)
    made: str = _created(call, "creative", creative).body["id"]
    return made


def _check_creative(call: Call, fields: dict[str, Any]) -> None:
    story = fields.get("object_story_spec")
    if story is None:
        if "object_story_id" not in fields:
            raise rules.invalid("A creative needs a story", field="object_story_spec")
        posts = call.db.execute("SELECT 1 FROM facebook_post WHERE id = ?", (fields["object_story_id"],)).fetchone()
        if posts is None:
            raise rules.invalid("object_story_id names no post", field="object_story_id")
        return
    if story["page_id"] != call.principal["page_id"]:
        raise rules.invalid("page_id names no Page of this business", field="object_story_spec")
    shown_ = story.get("link_data") or story.get("video_data") or {}
    digest = shown_.get("image_hash")
    if digest and not call.db.execute("SELECT 1 FROM facebook_image WHERE hash = ?", (digest,)).fetchone():
        raise rules.invalid("image_hash names no image of this account", field="object_story_spec")


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise rules.invalid("bytes is no base64", field="bytes") from None


def _listed(call: Call, kind: str) -> Reply:
    if call.path["ad_account_id"] != call.principal["ad_account_id"]:
        raise meta_graph.no_such_node()
    parts = _name_parts(call.query.get("filtering"))
    statuses = _json_list(call.query.get("effective_status", "[]"), "effective_status")

    def fits(one: dict[str, Any]) -> bool:
        state = one["effective_status"]
        right = state in statuses if statuses else state not in ("ARCHIVED", "DELETED")
        return right and all(part in one["name"] for part in parts)

    found = [one for one in _nodes(call, kind) if fits(one)]
    return page_of(call, [shown(one, wanted(call, "id")) for one in found])


def _nodes(call: Call, kind: str) -> list[dict[str, Any]]:
    query = "SELECT * FROM facebook_object WHERE kind = ? AND visible_at <= ? ORDER BY created_at DESC, id DESC"
    return [_known(call, row) for row in call.db.execute(query, (kind, call.now))]


def _known(call: Call, row: Any) -> dict[str, Any]:
    fields = loaded(row)
    budgets: dict[str, Any] = {
        name: str(fields[name]) for name in ("daily_budget", "lifetime_budget", "spend_cap") if name in fields
    }
    state = fields.get("status", "ACTIVE")
    if row["kind"] == "ad" and state in ("ACTIVE", "PAUSED") and call.now < row["reviewed_at"]:
        state = "PENDING_REVIEW"
    return {
        **fields,
        **budgets,
        "id": row["id"],
        "effective_status": state,
        "account_id": call.principal["ad_account_id"].removeprefix("act_"),
        "created_time": shown_time(row["created_at"]),
    }


def _name_parts(filtering: str | None) -> list[str]:
    found = _json_list(filtering or "[]", "filtering")
    for one in found:
        if not isinstance(one, dict) or set(one) != {"field", "operator", "value"}:
            raise rules.invalid("A filter has a field, an operator and a value", field="filtering")
        if (one["field"], one["operator"]) != ("name", "CONTAIN"):
            raise rules.invalid("The sandbox filters by a part of the name only", field="filtering")
    return [str(one["value"]) for one in found]


def _json_list(text: str, field: str) -> list[Any]:
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, list):
        raise rules.invalid(f"{field} is no JSON list", field=field)
    return found
