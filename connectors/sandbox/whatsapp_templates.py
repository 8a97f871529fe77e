"""Which templates are there, and does a message fill one rightly?"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Mapping
from typing import Any

from connectors.sandbox import meta_graph
from connectors.sandbox.platform import Call, Reply
from connectors.sandbox.whatsapp_data import add_template, refusal

_BLANK = re.compile(r"\{\{\s*([A-Za-z0-9_]+)\s*\}\}")
_MAX_RENDERED = 1024


def template_for(call: Call, wanted: Mapping[str, Any]) -> sqlite3.Row:
    """The approved template of a message."""
    row: sqlite3.Row | None = call.db.execute(
        "SELECT * FROM whatsapp_template WHERE name = ? AND language = ?", (wanted["name"], wanted["language"]["code"])
    ).fetchone()
    if row is None or row["status"] not in ("APPROVED", "PAUSED", "DISABLED"):
        raise refusal(132001, "template name and language do not exist or are not approved")
    if row["status"] == "PAUSED":
        raise refusal(132015, "template is paused for its low quality")
    if row["status"] == "DISABLED":
        raise refusal(132016, "template was paused too often and is disabled")
    return row


def rendered(row: sqlite3.Row, wanted: Mapping[str, Any]) -> str:
    """The body with its blanks filled; every part of the template must be filled as it was approved."""
    given = wanted.get("components", [])
    parts: list[dict[str, Any]] = json.loads(row["components"])
    _check_header(next((part for part in parts if part["type"] == "HEADER"), {}), _of(given, "header"))
    _check_buttons([one for part in parts for one in part.get("buttons", [])], given)
    body: str = next(part["text"] for part in parts if part["type"] == "BODY")
    text = _filled(body, _of(given, "body"), named=bool(row["named"]))
    if len(text) > _MAX_RENDERED:
        raise refusal(132005, f"the body is {len(text)} characters long")
    return text


def _of(given: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [one for part in given if part["type"] == kind for one in part.get("parameters", [])]


def _filled(text: str, parameters: list[dict[str, Any]], *, named: bool) -> str:
    blanks = list(dict.fromkeys(_BLANK.findall(text)))
    if len(parameters) != len(blanks):
        raise refusal(132000, f"number of parameters ({len(parameters)}) does not match ({len(blanks)})")
    if any(one["type"] != "text" or "text" not in one for one in parameters):
        raise refusal(132012, "the body takes text")
    if any(("parameter_name" in one) != named for one in parameters):
        raise refusal(132012, "named and positional parameters are mixed up")
    names = [one["parameter_name"] for one in parameters] if named else blanks
    if set(names) != set(blanks):
        raise refusal(132012, "a parameter is not one of the template")
    values = {name: one["text"] for name, one in zip(names, parameters, strict=True)}
    return _BLANK.sub(lambda found: values[found.group(1)], text)


def _check_header(header: Mapping[str, Any], parameters: list[dict[str, Any]]) -> None:
    kind = header.get("format", "TEXT")
    if kind == "TEXT":
        _filled(header.get("text", ""), parameters, named=False)
        return
    if len(parameters) != 1:
        raise refusal(132012, f"header: expected one {kind}")
    if parameters[0]["type"] != kind.lower() or kind.lower() not in parameters[0]:
        raise refusal(132012, f"header: format mismatch, expected {kind}")


def _check_buttons(buttons: list[dict[str, Any]], given: list[dict[str, Any]]) -> None:
    wanted = {str(place): one["url"] for place, one in enumerate(buttons) if _BLANK.search(one.get("url", ""))}
    found = {str(part["index"]): part.get("parameters", []) for part in given if part["type"] == "button"}
    if set(wanted) - set(found):
        raise refusal(131008, "buttons: a URL button requires a parameter")
    if set(found) - set(wanted):
        raise refusal(132000, "buttons: there is no button with a blank at this index")
    for place, url in wanted.items():
        _filled(url, found[place], named=False)


def listing(call: Call) -> Reply:
    """GET message_templates."""
    _check_account(call)
    query = call.query
    rows = call.db.execute(
        "SELECT * FROM whatsapp_template WHERE (?1 IS NULL OR name = ?1) AND (?2 IS NULL OR status = ?2)"
        " AND (?3 IS NULL OR language = ?3) AND (?4 IS NULL OR category = ?4) AND id > ?5 ORDER BY id LIMIT ?6",
        (
            *(query.get("name"), query.get("status"), query.get("language"), query.get("category")),
            *(query.get("after", ""), query.get("limit", 25)),
        ),
    ).fetchall()
    data = [
        {name: row[name] for name in ("id", "name", "language", "category", "status")}
        | {"components": json.loads(row["components"])}
        for row in rows
    ]
    return Reply(200, {"data": data, "paging": {"cursors": {"after": rows[-1]["id"]}} if rows else {}})


def create(call: Call) -> Reply:
    """POST message_templates: waits for its approval, which the sandbox never gives."""
    _check_account(call)
    fields: dict[str, Any] = call.body
    if not any(part.get("type") == "BODY" and part.get("text") for part in fields["components"]):
        raise meta_graph.refusal(100, "Invalid parameter", subcode=2388043, details="a template needs a body")
    try:
        template_id = add_template(
            call.db,
            name=fields["name"],
            language=fields["language"],
            category=fields["category"],
            status="PENDING",
            named=fields.get("parameter_format", "positional").lower() == "named",
            components=fields["components"],
        )
    except sqlite3.IntegrityError:
        raise meta_graph.refusal(100, "Content in this language already exists", subcode=2388024) from None
    call.effect("createTemplate", template_id, text=fields["name"])
    return Reply(200, {"id": template_id, "status": "PENDING", "category": fields["category"]})


def delete(call: Call) -> Reply:
    """DELETE message_templates: all languages of a name, or the one template whose id is given too."""
    _check_account(call)
    rows = call.db.execute(
        "DELETE FROM whatsapp_template WHERE name = ?1 AND (?2 IS NULL OR id = ?2) RETURNING id",
        (call.query["name"], call.query.get("hsm_id")),
    ).fetchall()
    if not rows:
        raise meta_graph.refusal(100, "Message template not found", subcode=2593002)
    for row in rows:
        call.effect("deleteTemplate", row["id"], text=call.query["name"])
    return Reply(200, {"success": True})


def _check_account(call: Call) -> None:
    if call.path["WABAID"] != call.principal["waba_id"]:
        raise meta_graph.no_such_node()
