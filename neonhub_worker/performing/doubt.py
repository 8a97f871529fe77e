"""What to do about an effect that may have happened? The action's repeat policy, and nothing else, decides."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import assert_never

from connectors.kit.action import Action, Input, LookUp, Output, Park, Resend, ResendWithKey
from connectors.kit.call import Call
from connectors.kit.errors import Postpone

NOT_SENT: dict[type, str] = {
    Resend: "doing it again is harmless",
    ResendWithKey: "again, under the same key",
    LookUp: "read-back: it was not sent",
}
"""How it is known, by the repeat policy, that an effect in doubt may be sent (again)."""


def repeat_leaves_doubt(action: Action[Input, Output]) -> bool:
    """Whether an effect that may be sent again may have happened all the same.

    A read-back that found nothing has shown that it did not. A policy that simply sends again has asked nobody.
    """
    return isinstance(action.repeat, (Resend, ResendWithKey))


class Undecidable(Exception):
    """Nothing can tell whether the effect happened; a person has to."""


def settle_doubt(
    action: Action[Input, Output], call: Call, data: Input, *, first_sent_at: datetime, sent_by: datetime, now: datetime
) -> Output | None:
    """Find out about an effect in doubt.

    Args:
        first_sent_at: When it may first have left this side.
        sent_by: Until when it may have left this side.
        now: The database's clock, read before this call.

    Returns:
        The action's output if the effect happened; None if it may be sent (again).

    Raises:
        Postpone: The platform may still be about to show it; ask again later.
        Undecidable: Nothing can tell.
        ConnectorError: The question could not be asked.
    """
    match action.repeat:
        case Resend():
            return None
        case ResendWithKey(window_s=window_s):
            if window_s is not None and now > first_sent_at + timedelta(seconds=window_s):
                raise Undecidable(f"the platform remembers a key for {window_s:.0f} s, which have passed")
            return None
        case LookUp(find=find, settle_after_s=settle_after_s):
            found = find(call, data)
            if found is not None:
                return found
            left_s = (sent_by - now).total_seconds() + settle_after_s
            if left_s > 0:
                raise Postpone(left_s, "not shown by the platform yet")
            return None
        case Park(reason=reason):
            raise Undecidable(reason)
        case _ as never:
            assert_never(never)
