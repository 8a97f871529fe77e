"""What can go wrong in the core.

NeonhubError                      one clear line: what happened, which value, what to do
├─ SettingsError                  a setting is missing or wrong
├─ InvalidInput                   refused before anything was accepted; lists each field and rule
├─ UnknownOrganization            no such organization
├─ UnknownConnection              the organization has no connection of that name
├─ ConnectionExists               the organization has a connection of that name already
├─ UnknownRun                     no run with that id
├─ UnknownSchedule                the organization has no schedule of that name
├─ IdempotencyConflict            same idempotency key, other input
│  └─ TaskIdTaken                 same task id, other request
├─ MoveRefused                    the run is not in a state from which this is allowed
├─ SchemaAhead                    a newer program has changed the database's schema
├─ VaultError                     a credential cannot be encrypted or read
└─ Unreachable                    a server we need does not answer; the text says what is known
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


def first_line(error: BaseException) -> str:
    """The first line of an error's text, which is all a person is shown; its class's name if it has no text."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


class NeonhubError(Exception):
    """Base of all errors a user can act on; its text is shown to people as it is."""


class SettingsError(NeonhubError):
    """A setting is missing or wrong."""


@dataclass(frozen=True)
class FieldError:
    """One rule that an input breaks.

    Attributes:
        field: Dotted path of the field, such as ``input.to``; ``item 3: input.to`` in a list of requests.
        rule: What the field must be, in words. Never the rejected value of a personal field.
    """

    field: str
    rule: str

    def __str__(self) -> str:
        return f"{self.field}: {self.rule}"


class InvalidInput(NeonhubError):
    """Input was refused; nothing was accepted.

    Args:
        errors: Every broken rule, in the order of the fields.
    """

    def __init__(self, errors: Sequence[FieldError]) -> None:
        self.errors = tuple(errors)
        super().__init__("; ".join(str(error) for error in self.errors))


class UnknownOrganization(NeonhubError):
    """No organization has this id."""


class UnknownConnection(NeonhubError):
    """The organization has no connection of this name, or it belongs to another connector."""


class ConnectionExists(NeonhubError):
    """The organization has a connection of this name already."""


class UnknownRun(NeonhubError):
    """No run has this id."""


class UnknownSchedule(NeonhubError):
    """The organization has no schedule of this name."""


class IdempotencyConflict(NeonhubError):
    """The idempotency key was used before with another input."""


class TaskIdTaken(IdempotencyConflict):
    """The id of a foreign task was used before with another request."""


class MoveRefused(NeonhubError):
    """The run is not in a state from which this move is allowed; nothing was changed."""


class SchemaAhead(NeonhubError):
    """A newer program has changed the database's schema."""


class VaultError(NeonhubError):
    """A credential could not be encrypted or read."""


class Unreachable(NeonhubError):
    """A server we need does not answer; nothing was accepted, unless its text says that this is not known."""
