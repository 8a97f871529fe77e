"""Labels: what Gmail's folders, stars and unread marks really are."""

from __future__ import annotations

from pydantic import Field, model_validator

from connectors.email import api
from connectors.email.api import GmailId, LabelId
from connectors.email.platform import EMAIL
from connectors.kit.action import Input, Limit, Output, Resend
from connectors.kit.call import Call

_MOST = 100
_PACE = (Limit(api.per_min(5), per_s=60.0, of="action"),)


class Labelled(Output):
    """A message with the labels that it has now."""

    message_id: str
    label_ids: tuple[str, ...]

    def provider_id(self) -> str:
        """The message's id."""
        return self.message_id


class MessageRef(Input):
    """A message."""

    message_id: GmailId = Field(description="Gmail's id of the message.")


class ModifyLabels(MessageRef):
    """Which labels a message gets and loses."""

    add_label_ids: tuple[LabelId, ...] = Field(
        default=(), max_length=_MOST, description="Labels it gets, such as STARRED or an own label's id."
    )
    remove_label_ids: tuple[LabelId, ...] = Field(
        default=(), max_length=_MOST, description="Labels it loses, such as UNREAD or INBOX."
    )

    @model_validator(mode="after")
    def _changes_something(self) -> ModifyLabels:
        if not self.add_label_ids and not self.remove_label_ids:
            raise ValueError("one of add_label_ids and remove_label_ids is needed")
        if set(self.add_label_ids) & set(self.remove_label_ids):
            raise ValueError("the same label cannot be both added and removed")
        return self


@EMAIL.action(
    "modifyLabels",
    ModifyLabels,
    Labelled,
    repeat=Resend(),
    why="It sets labels: twice is the same as once.",
    scopes=(api.MODIFY,),
    pace=_PACE,
    limits=("100 labels each way", "5 quota units"),
)
def modify_labels(call: Call, data: ModifyLabels) -> Labelled:
    """Add labels to a message and take others away."""
    body = {
        "addLabelIds": list(data.add_label_ids) or None,
        "removeLabelIds": list(data.remove_label_ids) or None,
    }
    path = f"messages/{data.message_id}/modify"
    found = api.gmail(call).post(api.Message, "users.messages.modify", path, body, effect=True)
    return Labelled(message_id=found.id, label_ids=found.label_ids)


@EMAIL.action(
    "trashMessage",
    MessageRef,
    Labelled,
    repeat=Resend(),
    why="What is in the trash stays there: twice is the same as once.",
    scopes=(api.MODIFY,),
    pace=_PACE,
    limits=("the trash is emptied after 30 days", "5 quota units"),
)
def trash_message(call: Call, data: MessageRef) -> Labelled:
    """Move a message to the trash."""
    path = f"messages/{data.message_id}/trash"
    found = api.gmail(call).post(api.Message, "users.messages.trash", path, effect=True)
    return Labelled(message_id=found.id, label_ids=found.label_ids)
