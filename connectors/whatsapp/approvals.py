"""The account's templates: which there are, and new ones for Meta to approve."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, model_validator

from connectors.dialects.meta_graph import NodeId
from connectors.kit.action import Input, LookUp, Output, Resend
from connectors.kit.call import Call
from connectors.kit.errors import NotFound, OutcomeUnknown, Unavailable, looking
from connectors.whatsapp import cloud
from connectors.whatsapp.platform import WHATSAPP, account
from connectors.whatsapp.status import Done

_BLANK = re.compile(r"\{\{\s*([A-Za-z0-9_]+)\s*\}\}")
_FIELDS = "id,name,language,category,status,components,rejected_reason"
_SCOPES = ("whatsapp_business_management",)
_PAGE, _MOST_PAGES = 100, 30

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]{1,512}$")]
Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(_[A-Z]{2,3})?$")]
Example = Annotated[str, StringConstraints(min_length=1, max_length=1024)]
Category = Literal["MARKETING", "UTILITY", "AUTHENTICATION"]


class Template(Output):
    """A template of the account."""

    template_id: str
    name: str
    language: str
    category: str | None
    status: str = Field(description="APPROVED can be sent; PENDING waits for Meta; REJECTED, PAUSED, DISABLED cannot.")
    body: str | None = Field(default=None, description="Its text, with blanks such as {{1}}.")
    rejected_reason: str | None = None

    def provider_id(self) -> str:
        """The template's id."""
        return self.template_id


class ListTemplates(Input):
    """Which templates to list."""

    name: Name | None = Field(default=None, description="Only those of this name.")
    language: Language | None = Field(default=None, description="Only those in this language, such as en_US.")
    category: Category | None = Field(default=None, description="Only those of this category.")
    status: Literal["APPROVED", "PENDING", "REJECTED", "PAUSED", "DISABLED"] | None = Field(
        default=None, description="Only those in this state."
    )


class TemplateList(Output):
    """Templates of the account."""

    templates: tuple[Template, ...]


@WHATSAPP.read("listTemplates", ListTemplates, TemplateList, scopes=_SCOPES, limits=("200 requests per hour",))
def list_templates(call: Call, data: ListTemplates) -> TemplateList:
    """List the account's templates."""
    try:
        return TemplateList(templates=tuple(_template(one) for one in _rows(call, **data.model_dump())))
    except (LookupError, TypeError, AttributeError, ValueError):
        raise Unavailable("message_templates: Meta's answer is not readable", http_status=200) from None


def _rows(call: Call, **filters: Any) -> Iterator[dict[str, Any]]:
    after: str | None = None
    for _ in range(_MOST_PAGES):
        asked = {**filters, "fields": _FIELDS, "limit": _PAGE, "after": after}
        page = cloud.graph(call).get(f"{account(call)}/message_templates", needs=("data",), **asked)
        # Meta also shows names that only begin alike.
        yield from (one for one in page["data"] if filters.get("name") in (None, one["name"]))
        after = ((page.get("paging") or {}).get("cursors") or {}).get("after")
        if after is None or len(page["data"]) < _PAGE:
            return
    raise Unavailable(f"message_templates: more than {_MOST_PAGES} pages")


def _template(one: dict[str, Any]) -> Template:
    bodies = [part.get("text") for part in one.get("components") or () if part.get("type") == "BODY"]
    return Template(
        template_id=one["id"],
        name=one["name"],
        language=one.get("language") or "",
        category=one.get("category"),
        status=one.get("status") or "PENDING",
        body=bodies[0] if bodies else None,
        rejected_reason=one.get("rejected_reason"),
    )


class UrlButton(Input):
    """A button that opens a web address."""

    text: str = Field(min_length=1, max_length=25, description="Label, at most 25 characters.")
    url: str = Field(pattern=r"^https://\S{1,1990}$", description="Address; may end in the blank {{1}}.")
    example: str | None = Field(
        default=None, pattern=r"^https://\S{1,1990}$", description="The whole address with its blank filled."
    )

    @model_validator(mode="after")
    def _shows_its_blank(self) -> UrlButton:
        if bool(_BLANK.search(self.url)) != (self.example is not None):
            raise ValueError("example is needed for an address with a blank, and only then")
        return self


class CreateTemplate(Input):
    """A new template, for Meta to approve."""

    name: Name = Field(description="Lower case letters, digits and underscores.")
    language: Language = Field(description="Such as en_US or de.")
    category: Category = Field(description="What it is for; Meta may see it otherwise.")
    body: str = Field(min_length=1, max_length=1024, description="Text, with blanks {{1}}, {{2}} or {{name}}.")
    examples: tuple[Example, ...] = Field(default=(), description="A value for each of the body's blanks, in order.")
    header: str | None = Field(
        default=None, min_length=1, max_length=60, pattern=r"^[^{}]*$", description="Line above, without blanks."
    )
    footer: str | None = Field(
        default=None, min_length=1, max_length=60, pattern=r"^[^{}]*$", description="Line below, without blanks."
    )
    url_buttons: tuple[UrlButton, ...] = Field(default=(), max_length=2, description="At most 2.")
    quick_replies: tuple[Annotated[str, StringConstraints(min_length=1, max_length=25)], ...] = Field(
        default=(), max_length=8, description="Labels of buttons that answer with their label."
    )

    @model_validator(mode="after")
    def _has_examples(self) -> CreateTemplate:
        blanks = self.blanks()
        if len(self.examples) != len(blanks):
            raise ValueError(f"examples: the body has {len(blanks)} blanks; give a value for each")
        if len({blank.isdigit() for blank in blanks}) > 1:
            raise ValueError("body may have numbered or named blanks, not both")
        return self

    def blanks(self) -> list[str]:
        """The body's blanks, in order."""
        return list(dict.fromkeys(_BLANK.findall(self.body)))

    def request(self) -> dict[str, Any]:
        """As Meta takes it."""
        named = [blank for blank in self.blanks() if not blank.isdigit()]
        pairs = zip(self.blanks(), self.examples, strict=True)
        example: dict[str, Any] = (
            {"body_text_named_params": [{"param_name": blank, "example": value} for blank, value in pairs]}
            if named
            else {"body_text": [list(self.examples)]}
        )
        links = [
            {"type": "URL", "text": one.text, "url": one.url, **({"example": [one.example]} if one.example else {})}
            for one in self.url_buttons
        ]
        buttons = links + [{"type": "QUICK_REPLY", "text": label} for label in self.quick_replies]
        parts = [
            {"type": "HEADER", "format": "TEXT", "text": self.header} if self.header else None,
            {"type": "BODY", "text": self.body, **({"example": example} if self.examples else {})},
            {"type": "FOOTER", "text": self.footer} if self.footer else None,
            {"type": "BUTTONS", "buttons": buttons} if buttons else None,
        ]
        return {
            "name": self.name,
            "language": self.language,
            "category": self.category,
            "parameter_format": "named" if named else "positional",
            "components": [part for part in parts if part is not None],
        }


def _find(call: Call, data: CreateTemplate) -> Template | None:
    """The template of that name and language.

    Raises:
        OutcomeUnknown: There is one, with another text: it may be somebody else's.
    """
    if call.first_sent_at is None:
        return None
    with looking():
        found = list_templates(call, ListTemplates(name=data.name, language=data.language)).templates
    if not found:
        return None
    if found[0].body != data.body:
        raise OutcomeUnknown(
            "there is a template of this name and language with another text; look into WhatsApp Manager"
        )
    return found[0]


@WHATSAPP.action(
    "createTemplate",
    CreateTemplate,
    Template,
    repeat=LookUp(_find, settle_after_s=15.0, alike=lambda data: f"{data.name} {data.language}"),
    why="A name is unique in each language, and the account's templates are listed.",
    scopes=_SCOPES,
    limits=("100 new templates an hour", "name and language are unique", "Meta's verdict comes by webhook"),
)
def create_template(call: Call, data: CreateTemplate) -> Template:
    """Hand a new template to Meta for approval."""
    made = cloud.graph(call).post(f"{account(call)}/message_templates", data.request(), effect=True, needs=("id",))
    return Template(
        template_id=str(made["id"]),
        name=data.name,
        language=data.language,
        category=str(made.get("category") or data.category),
        status=str(made.get("status") or "PENDING"),
        body=data.body,
    )


class DeleteTemplate(Input):
    """Which template to delete."""

    name: Name = Field(description="Its name; it goes in all languages unless template_id is given.")
    template_id: NodeId | None = Field(default=None, description="Only the one with this id.")


@WHATSAPP.action(
    "deleteTemplate",
    DeleteTemplate,
    Done,
    repeat=Resend(),
    why="Deleting twice is the same as once.",
    scopes=_SCOPES,
    limits=("the name cannot be used again for 30 days",),
)
def delete_template(call: Call, data: DeleteTemplate) -> Done:
    """Delete a template, in one or all languages."""
    try:
        cloud.graph(call).delete(f"{account(call)}/message_templates", name=data.name, hsm_id=data.template_id)
    except NotFound:
        # An earlier attempt may have deleted it; what was never there is an error.
        if call.first_sent_at is None:
            raise
    return Done()
