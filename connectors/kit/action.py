"""What is an action? Typed input and output, a function, and what to do when its outcome is unknown."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Generic, Literal, Self, TypeAlias, TypeVar

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from connectors.kit.call import Call

JsonValue: TypeAlias = "bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | None"


class _Discreet(BaseModel):
    """Shows in its repr and its errors which fields there are, never what they hold: texts, phone numbers, secrets."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        return ((None, name) for name in sorted(self.model_fields_set))


class Input(_Discreet):
    """Base of all inputs. Unknown fields are refused.

    What was accepted once stays readable for ever: a run may be taken up again long after its time. Rules that depend
    on the clock therefore hold in ``accept`` only (and again when the action is performed).
    """

    model_config = ConfigDict(extra="forbid")

    @classmethod
    def accept(cls, given: Mapping[str, Any], *, now: datetime) -> Self:
        """Read an input that is about to be accepted, with the rules that depend on the clock.

        Args:
            now: When it is to be performed (aware).

        Raises:
            pydantic.ValidationError: It breaks a rule.
        """
        return cls.model_validate(given, context={"now": now})


class Output(_Discreet):
    """Base of all outputs."""

    def provider_id(self) -> str | None:
        """The platform's id of what was done; None if it gives none."""
        return None


I = TypeVar("I", bound=Input)  # noqa: E741 (input)
O = TypeVar("O", bound=Output)  # noqa: E741 (output)


@dataclass(frozen=True)
class Resend:
    """Doing it twice is the same as doing it once: a read, or the setting of a value."""


@dataclass(frozen=True)
class ResendWithKey:
    """The platform itself drops a repeat that carries the same key, and answers as it did to the first.

    So a refusal of a repeat says that the first did nothing either. Where it does not, because the platform refused
    before it looked for the key, the action must raise OutcomeUnknown instead.

    Args:
        key: Where the key goes, for the catalog, such as ``"header Idempotency-Key"``.
        window_s: Seconds the platform remembers a key; None for ever.
    """

    key: str
    window_s: float | None


@dataclass(frozen=True)
class LookUp(Generic[I, O]):
    """Ask the platform whether it was done.

    Args:
        find: Returns the output if the platform shows the effect, None if it does not. None counts as "certainly not
            done" once ``settle_after_s`` have passed since the last possible send. Raises OutcomeUnknown if the answer
            is ambiguous, NotDone if the question could not be asked.
        settle_after_s: Seconds after which the platform shows everything that it will ever do of a request.
        alike: For platforms that carry no mark of ours: a text that is equal for two inputs whose effects ``find``
            could mistake for each other. Only one run per connection and text is in flight at a time.
    """

    find: Callable[[Call, I], O | None]
    settle_after_s: float
    alike: Callable[[I], str] | None = None


@dataclass(frozen=True)
class Park:
    """Nothing tells whether it was done; a person has to look.

    Args:
        reason: Why nothing tells, for that person.
    """

    reason: str


RepeatPolicy: TypeAlias = Resend | ResendWithKey | LookUp[I, O] | Park


@dataclass(frozen=True)
class Limit:
    """The platform allows ``count`` calls in any ``per_s`` seconds; they are kept to before it has to refuse one.

    Args:
        of: What it counts: calls of the connection, of the action, or of the action to one target.
        per_s: At most a day.
    """

    count: int
    per_s: float
    of: Literal["connection", "action", "target"] = "connection"


@dataclass(frozen=True, kw_only=True)
class Retry:
    """How attempts that certainly did nothing are repeated, in Celery's vocabulary.

    Args:
        max_retries: Further attempts after the first.
        retry_backoff: Seconds before the first retry; doubles from then on.
        retry_backoff_max: Longest wait in seconds.
        retry_jitter: Whether waits are spread at random.
    """

    max_retries: int = 5
    retry_backoff: float = 2.0
    retry_backoff_max: float = 600.0
    retry_jitter: bool = True


@dataclass(frozen=True, kw_only=True)
class Action(Generic[I, O]):
    """A verb that a connector offers.

    Attributes:
        slug: The connector's.
        name: camelCase, unique in the connector.
        input: Type of the input.
        output: Type of the output.
        perform: Does it.
        repeat: What to do when the outcome is unknown.
        why: Why this repeat policy is right.
        effect: Whether it changes the outside world.
        multi_step: Whether ``perform`` records its own steps and effects.
        retry: How attempts that did nothing are repeated.
        recipient: The address of the person it reaches, for consent; None if it reaches no single person.
        channel: Channel of that consent, such as ``"sms"``.
        target: What a limit ``of="target"`` counts, such as a channel; the recipient if left out.
        pace: Limits that are kept to. Of an action of several steps its effects count, each by itself.
        description: First line of the function's docstring.
        scopes: What the credential must be allowed.
        limits: The platform's limits, in words.
        timeout_s: Longest time in seconds that one HTTP call waits: connect plus read.
        cost: What it may spend, in words; empty if it spends no money.
    """

    slug: str
    name: str
    input: type[I]
    output: type[O]
    perform: Callable[[Call, I], O]
    repeat: RepeatPolicy[I, O]
    why: str
    effect: bool
    multi_step: bool = False
    retry: Retry = field(default_factory=Retry)
    recipient: Callable[[I], str] | None = None
    channel: str | None = None
    target: Callable[[I], str] | None = None
    pace: tuple[Limit, ...] = ()
    description: str = ""
    scopes: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()
    timeout_s: float = 0.0
    cost: str = ""

    @property
    def full_name(self) -> str:
        """Such as ``sms.sendSMS``."""
        return f"{self.slug}.{self.name}"

    @property
    def task_name(self) -> str:
        """Name of its Celery task, such as ``connectors.sms.sendSMS``."""
        return f"connectors.{self.full_name}"
