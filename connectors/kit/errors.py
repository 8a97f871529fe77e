"""What can go wrong with an action? Classed by what may be done next.

ConnectorError                 carries code, http_status, request_id; never a token, a body or a phone number
├─ Refused                     certainly not done, and the same input cannot work
│  ├─ InvalidRequest           the input breaks one of the platform's rules
│  ├─ Permission               the account, token or sender may not do this
│  ├─ NotFound                 what the input names does not exist (any more)
│  ├─ PolicyRejected           the platform's or a carrier's content policy forbids it
│  └─ RecipientOptedOut        the recipient does not want it
├─ NotDone                     certainly not done, and it may work later
│  ├─ NotSent                  nothing left this side: refused connection, no such host, no TLS, lease too short
│  ├─ RateLimited              too many requests; ``retry_after_s`` if the platform said how long
│  ├─ AuthExpired              the credential must be refreshed or renewed first
│  │  └─ GrantDead             for good: a person has to agree again
│  └─ Unavailable              the platform said that it did not do it, or a read got no answer
├─ OutcomeUnknown              perhaps done: settle it by the action's repeat policy before anything else
└─ AlreadyDone                 the platform noticed a repeat: counts as success

Postpone                       not an error: the run waits without holding a worker
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal


class ConnectorError(Exception):
    """Base of all errors of an action.

    Args:
        message: One line for people; holds no secret, no message body and no address of a person.
        code: The platform's own error code.
        http_status: Status of the answer, if there was one.
        request_id: The platform's name for the request, for its support.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        http_status: int | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.http_status = http_status
        self.request_id = request_id


class Refused(ConnectorError):
    """Certainly not done; the same input cannot work."""


class InvalidRequest(Refused):
    """The input breaks one of the platform's rules."""


class Permission(Refused):
    """The account, the token or the sender may not do this."""


class NotFound(Refused):
    """What the input names does not exist, or not any more."""


class PolicyRejected(Refused):
    """The platform's or a carrier's content policy forbids it."""


class RecipientOptedOut(Refused):
    """The recipient does not want it."""


class NotDone(ConnectorError):
    """Certainly not done; it may work later."""


class NotSent(NotDone):
    """Nothing that the platform could act on left this side."""


class RateLimited(NotDone):
    """Too many requests.

    Args:
        retry_after_s: Seconds the platform asks to wait; None if it did not say.
        of: What the platform limited: all calls of the connection, this action, this action's target, or this run only.
    """

    def __init__(
        self,
        message: str,
        *,
        retry_after_s: float | None = None,
        of: Literal["connection", "action", "target", "run"] = "connection",
        code: str | None = None,
        http_status: int | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(message, code=code, http_status=http_status, request_id=request_id)
        self.retry_after_s = retry_after_s
        self.of = of


class AuthExpired(NotDone):
    """The credential must be refreshed or renewed before anything works."""


class GrantDead(AuthExpired):
    """The platform says that the grant itself is gone: a person has to agree again."""


class Unavailable(NotDone):
    """The platform said that it did not do it, or a read got no usable answer."""


class OutcomeUnknown(ConnectorError):
    """Perhaps done."""


class AlreadyDone(ConnectorError):
    """The platform noticed that this was done before; counts as success.

    Args:
        provider_id: The platform's id of what was done then.
    """

    def __init__(self, provider_id: str, *, code: str | None = None, http_status: int | None = None) -> None:
        super().__init__(f"done already as {provider_id}", code=code, http_status=http_status)
        self.provider_id = provider_id


class Postpone(Exception):
    """Flow, not failure: go on with the run later, without holding a worker meanwhile.

    Args:
        delay_s: Seconds to wait.
        reason: What is waited for, in a few words for people.
    """

    def __init__(self, delay_s: float, reason: str) -> None:
        super().__init__(f"{reason}; again in {delay_s:.1f} s")
        self.delay_s = delay_s
        self.reason = reason


@contextmanager
def looking() -> Iterator[None]:
    """Inside a read-back, a refusal means that the question was refused, not the effect that is asked about.

    Raises:
        OutcomeUnknown: In place of any ``Refused``.
    """
    try:
        yield
    except Refused as refused:
        raise OutcomeUnknown(
            f"the platform refused to say whether it was done: {refused}",
            code=refused.code,
            http_status=refused.http_status,
            request_id=refused.request_id,
        ) from None
