"""What does an error mean for the run? The class of the error decides, by what may be done next."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any

import structlog

from connectors.kit.action import Action, Input, LookUp, Output, Park, ResendWithKey
from connectors.kit.errors import (
    AuthExpired,
    ConnectorError,
    NotDone,
    NotSent,
    OutcomeUnknown,
    Postpone,
    RateLimited,
    Refused,
)
from neonhub_worker.db.engine import transaction
from neonhub_worker.errors import VaultError
from neonhub_worker.ledger import steps
from neonhub_worker.ledger.leases import Claimed, Outcome
from neonhub_worker.ledger.states import IN_DOUBT, EffectState
from neonhub_worker.performing.doubt import Undecidable
from neonhub_worker.performing.run_ledger import LEASE_TOO_SHORT, SLOT_MISSED
from neonhub_worker.performing.tokens import Unready

log = structlog.get_logger("neonhub.performing")

_FIRST_LOOK_S = 3.0
_ASKED_FOR = timedelta(days=1)
_WRONG_KEY_S = 30.0
_LONGEST_RATE_LIMIT_GUESS_S = 60.0


def succeeded(claimed: Claimed, output: Output, *, how: str | None = None) -> Outcome:
    """The effect is confirmed.

    Args:
        how: How it was found out, if not by the platform's answer to the send.
    """
    provider_id = output.provider_id()
    detail: dict[str, Any] = {} if provider_id is None else {"provider_id": provider_id}
    if how is not None:
        detail["settled"] = how
    return Outcome(
        claimed.id,
        claimed.fence,
        "succeed",
        effect=EffectState.CONFIRMED,
        output=output.model_dump(mode="json"),
        provider_id=provider_id,
        detail=detail or None,
    )


def already_done(claimed: Claimed, provider_id: str) -> Outcome:
    """The platform noticed that the effect happened before."""
    detail = {"provider_id": provider_id, "settled": "the platform said it was done already"}
    return Outcome(
        claimed.id, claimed.fence, "succeed", effect=EffectState.CONFIRMED, provider_id=provider_id, detail=detail
    )


def of_error(claimed: Claimed, action: Action[Input, Output], error: Exception, *, in_doubt: bool) -> Outcome:
    """The outcome of an attempt that ended with an error.

    Args:
        in_doubt: An earlier attempt may have sent the effect, and this one has not found out.
    """
    if isinstance(error, Postpone):
        detail = {"reason": error.reason, "delay_s": round(error.delay_s, 3)}
        return _put_off(claimed, "snooze", error.delay_s, None, in_doubt=in_doubt, detail=detail)
    if isinstance(error, Undecidable):
        return _ended(claimed, "park", EffectState.PARKED, _describe("Undecidable", None, str(error)))
    if in_doubt and not _speaks_of_the_first(action, error):
        return _question_failed(claimed, action, error)
    if isinstance(error, Refused):
        return _give_up(claimed, action, error)
    if isinstance(error, NotDone):
        return _not_done(claimed, action, error)
    return _unknown(claimed, action, error)


def _speaks_of_the_first(action: Action[Input, Output], error: Exception) -> bool:
    """Whether a refusal says that an earlier send did nothing either: a key gets the same answer again."""
    return isinstance(action.repeat, ResendWithKey) and isinstance(error, Refused)


def refused_before_sending(claimed: Claimed) -> Outcome | None:
    """Why a run must not be sent although a worker holds it; None if it may be."""
    if claimed.cancel_requested:
        return _ended(claimed, "call_off", EffectState.REFUSED, None)
    if claimed.expired:
        return _ended(claimed, "run_out", EffectState.REFUSED, None)
    if claimed.opted_out:
        text = "the recipient has opted out of this channel; `neonhub consent show` tells since when and by what"
        return _ended(claimed, "fail", EffectState.REFUSED, _describe("RecipientOptedOut", None, text))
    return None


def cannot_begin(claimed: Claimed, kind: str, message: str) -> Outcome:
    """The run cannot even be tried; if something may have been sent before, a person must look."""
    described = _describe(kind, None, message)
    if claimed.effect_before in IN_DOUBT or has_sent(claimed):
        return _ended(claimed, "park", EffectState.PARKED, described)
    return _ended(claimed, "fail", EffectState.REFUSED, described)


def wrong_key(claimed: Claimed, error: VaultError) -> Outcome:
    """A wrong vault key is this worker's fault, not the run's: it waits until the key is right."""
    in_doubt = claimed.effect_before in IN_DOUBT
    return _put_off(
        claimed, "snooze", _WRONG_KEY_S, _describe(type(error).__name__, None, str(error)), in_doubt=in_doubt
    )


def no_token(claimed: Claimed, unready: Unready) -> Outcome:
    """Nothing was asked of the platform: the run waits until its connection has a token."""
    in_doubt = claimed.effect_before in IN_DOUBT
    return _put_off(claimed, "snooze", unready.wait_s, unready.error, in_doubt=in_doubt)


def token_refused(claimed: Claimed, action: Action[Input, Output], error: AuthExpired, *, in_doubt: bool) -> Outcome:
    """The platform refused the token before it did anything: again with a renewed one, and no attempt is used up."""
    return _put_off(claimed, "give_back", 0.0, describe(action, error), in_doubt=in_doubt)


def database_away(claimed: Claimed, *, in_doubt: bool) -> Outcome:
    """The database could not be asked in the middle of the attempt: soon again, and no attempt is used up."""
    text = "the database was away in the middle of the attempt"
    return _put_off(claimed, "snooze", _FIRST_LOOK_S, _describe("Unreachable", None, text), in_doubt=in_doubt)


def out_of_retries(claimed: Claimed, how: str | None) -> Outcome | None:
    """The end of a run whose last send is known not to have happened; None if it may be sent again."""
    if claimed.attempts <= claimed.max_retries + 1:  # the last of them only finds out
        return None
    text = f"no send in {claimed.attempts - 1} attempts got through ({how})"
    return _ended(claimed, "fail", EffectState.REFUSED, _describe("Unavailable", None, text))


def has_sent(claimed: Claimed) -> bool:
    """Whether a run of several steps has sent something, or may have."""
    # Of a single effect the claim itself says all.
    return claimed.effect is None and _first_sent_at(claimed) is not None


def _first_sent_at(claimed: Claimed) -> datetime | None:
    if claimed.effect is not None:
        return claimed.first_sent_at
    with transaction() as connection:
        return steps.first_sent_at(connection, claimed.id)


def _worth_asking(claimed: Claimed) -> bool:
    """Whether what may have been sent was sent so lately that the platform, once it works, will tell."""
    sent_at = _first_sent_at(claimed)
    return sent_at is not None and claimed.now - sent_at < _ASKED_FOR


def _question_failed(claimed: Claimed, action: Action[Input, Output], error: Exception) -> Outcome:
    """The read-back, or the repeat that would tell, did not work: again later; in the end a person has to look."""
    described = describe(action, error)
    if isinstance(error, NotSent) and error.code in (LEASE_TOO_SHORT, SLOT_MISSED):
        return _put_off(claimed, "give_back", 0.0, described, in_doubt=True)
    if isinstance(error, RateLimited) or (isinstance(error, NotDone) and _worth_asking(claimed)):
        return _put_off(claimed, "snooze", _delay_s(claimed, action, error), described, in_doubt=True)
    if isinstance(error, NotDone) or claimed.attempts > claimed.max_retries:
        return _ended(claimed, "park", EffectState.PARKED, described)
    return _put_off(claimed, "back_off", _delay_s(claimed, action, error), described, in_doubt=True)


def _not_done(claimed: Claimed, action: Action[Input, Output], error: NotDone) -> Outcome:
    described = describe(action, error)
    if isinstance(error, NotSent) and error.code in (LEASE_TOO_SHORT, SLOT_MISSED):
        return _put_off(claimed, "give_back", 0.0, described, in_doubt=False)
    if isinstance(error, RateLimited):
        return _put_off(claimed, "snooze", _delay_s(claimed, action, error), described, in_doubt=False)
    if action.multi_step and _worth_asking(claimed):  # it has posted; what remains is to hear the end of it
        return _put_off(claimed, "snooze", _delay_s(claimed, action, error), described, in_doubt=False)
    if claimed.attempts > claimed.max_retries:
        return _give_up(claimed, action, error)
    return _put_off(claimed, "back_off", _delay_s(claimed, action, error), described, in_doubt=False)


def _unknown(claimed: Claimed, action: Action[Input, Output], error: Exception) -> Outcome:
    """Perhaps done. Also for errors that nobody foresaw: they may have come after the send."""
    described = describe(action, error)
    if isinstance(action.repeat, Park) and not action.multi_step:
        # Whoever has to settle it is told why nothing else can, and where to look.
        told = {**described, "message": f"{described['message']}; {action.repeat.reason}"}
        return _ended(claimed, "park", EffectState.PARKED, told)
    finds_out = isinstance(action.repeat, LookUp)
    if claimed.attempts > claimed.max_retries + finds_out:
        return _give_up(claimed, action, error)
    delay_s = _delay_s(claimed, action, error)
    if isinstance(action.repeat, LookUp):
        delay_s = min(action.repeat.settle_after_s, _FIRST_LOOK_S)
    return _put_off(claimed, "back_off", delay_s, described, in_doubt=action.effect)


def _give_up(claimed: Claimed, action: Action[Input, Output], error: Exception) -> Outcome:
    """No further attempt: failed if the effect certainly did not happen, else parked."""
    described = describe(action, error)
    unclear = action.effect and not isinstance(error, (Refused, NotDone))
    if has_sent(claimed) if action.multi_step else unclear:
        return _ended(claimed, "park", EffectState.PARKED, described)
    return _ended(claimed, "fail", EffectState.REFUSED, described)


def _put_off(
    claimed: Claimed,
    move: str,
    delay_s: float,
    error: dict[str, Any] | None,
    *,
    in_doubt: bool,
    detail: dict[str, Any] | None = None,
) -> Outcome:
    if detail is None:
        detail = {**(error or {}), "delay_s": round(delay_s, 3)}
    effect = EffectState.UNKNOWN if in_doubt else EffectState.PLANNED
    return Outcome(claimed.id, claimed.fence, move, effect=effect, delay_s=delay_s, error=error, detail=detail)


def _ended(claimed: Claimed, move: str, effect: EffectState, error: dict[str, Any] | None) -> Outcome:
    return Outcome(claimed.id, claimed.fence, move, effect=effect, error=error)


def _delay_s(claimed: Claimed, action: Action[Input, Output], error: Exception) -> float:
    """Seconds to wait: the platform's own answer if it gave one, else exponential with full jitter."""
    retry = action.retry
    if isinstance(error, RateLimited):
        if error.retry_after_s is not None:
            return error.retry_after_s + random.uniform(0, 0.2)  # noqa: S311 (spreads load, protects nothing)
        ceiling = min(_LONGEST_RATE_LIMIT_GUESS_S, 2.0 ** min(claimed.fence, 6))
    else:
        # What uses up no attempt is counted by the fence all the same.
        tries = claimed.attempts if claimed.attempts > 1 else claimed.fence
        ceiling = min(retry.retry_backoff_max, retry.retry_backoff * 2.0 ** min(30, max(0, tries - 1)))
    return random.uniform(ceiling / 2, ceiling) if retry.retry_jitter else ceiling  # noqa: S311


def describe(action: Action[Input, Output], error: Exception) -> dict[str, Any]:
    """The error as it is stored and shown. The text of an unforeseen error is left out: it may hold anything."""
    if isinstance(error, ConnectorError):
        return _describe(type(error).__name__, error.code, str(error))
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = "?" if trace is None else f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"
    log.error("unforeseen_error", action=action.full_name, error=type(error).__name__, place=place)
    text = f"unforeseen {type(error).__name__} in {action.full_name}; the worker log names the line"
    return _describe(OutcomeUnknown.__name__ if action.effect else type(error).__name__, None, text)


def _describe(kind: str, code: str | None, message: str) -> dict[str, Any]:
    return {"class": kind, "code": code, "message": message}
