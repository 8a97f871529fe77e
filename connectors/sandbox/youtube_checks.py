"""What does YouTube refuse of a video's resource? Each rule with its own reason."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from connectors.sandbox import google_api
from connectors.sandbox.contract import Problem, ProblemKind
from connectors.sandbox.platform import Reply
from connectors.sandbox.youtube_data import CATEGORIES, refusal

_REASONS = {
    "title": "invalidTitle",
    "description": "invalidDescription",
    "tags": "invalidTags",
    "categoryId": "invalidCategoryId",
    "publishAt": "invalidPublishAt",
    "recordingDate": "invalidRecordingDetails",
}


def check(body: Mapping[str, Any], parts: list[str], *, now: float) -> None:
    """Check what the contract cannot say.

    Raises:
        Refusal: 400 with the reason.
    """
    for name in body.keys() - {"id", "kind", "etag"}:
        if name not in parts:
            raise refusal(400, "unexpectedPart", domain="youtube.part", location=f"body.{name}")
    snippet, status = body.get("snippet", {}), body.get("status", {})
    if len(snippet.get("description", "").encode()) > 5000:
        raise refusal(400, "invalidDescription", location="body.snippet.description")
    if tag_length(snippet.get("tags", [])) > 500 or any("<" in tag or ">" in tag for tag in snippet.get("tags", [])):
        raise refusal(400, "invalidTags", location="body.snippet.tags")
    if not CATEGORIES.get(snippet.get("categoryId", "22"), ("", False))[1]:
        raise refusal(400, "invalidCategoryId", location="body.snippet.categoryId")
    if "publishAt" in status and datetime.fromisoformat(status["publishAt"]).timestamp() <= now:
        raise refusal(400, "invalidPublishAt", location="body.status.publishAt")


def tag_length(tags: list[str]) -> int:
    """How long YouTube counts tags: with commas between, and two quotes around one that holds a space."""
    return sum(len(tag) + 2 * (" " in tag) for tag in tags) + max(0, len(tags) - 1)


def unfit(problem: Problem) -> Reply:
    """A request that does not fit the contract, with the reason of the field where it has one of its own."""
    if problem.kind is ProblemKind.BODY:
        for found in problem.violations:
            path = [found.field, *found.inside.split(".")]
            for name in path:
                if name in _REASONS:
                    location = ".".join(["body", *filter(None, path)])
                    return refusal(400, _REASONS[name], location=location).reply
            # A time goes with "private" only.
            if (found.field, found.inside, found.rule) == ("status", "privacyStatus", "const"):
                return refusal(400, "invalidPublishAt", location="body.status.publishAt").reply
    if problem.kind is ProblemKind.QUERY and any(found.rule == "required" for found in problem.violations):
        name = next(found.field for found in problem.violations if found.rule == "required")
        return refusal(400, "missingRequiredParameter", domain="youtube.parameter", location=name).reply
    if problem.kind is ProblemKind.QUERY and any(found.rule == "additionalProperties" for found in problem.violations):
        name = next(found.field for found in problem.violations if found.rule == "additionalProperties")
        return refusal(400, "unexpectedParameter", domain="youtube.parameter", location=name).reply
    return google_api.unfit(problem)
