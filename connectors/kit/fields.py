"""Which kinds of field do inputs share? Types that normalise what they take, whatever the platform."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, SecretStr, StringConstraints, ValidationInfo

from connectors.kit import clock
from connectors.kit.errors import InvalidRequest


def _to_utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


UtcDatetime = Annotated[AwareDatetime, AfterValidator(_to_utc)]
"""An instant given with its offset; kept in UTC."""


def _header_value(secret: SecretStr) -> SecretStr:
    text = secret.get_secret_value().strip()
    if not text.isascii() or not text.isprintable() or " " in text or not text:
        raise ValueError("must be one word of printable ASCII characters")
    return SecretStr(text)


Secret = Annotated[SecretStr, AfterValidator(_header_value)]
"""A token or password as it goes into a header; white space around it came with the pasting."""

HttpsUrl = Annotated[str, StringConstraints(pattern=r"^https://[^\s/?#@]+([/?#]\S*)?$", max_length=2048)]
"""An https address without user name."""


@dataclass(frozen=True)
class Ahead:
    """How far ahead an instant must be when it is handed to the platform.

    Args:
        soonest: It must be more than this ahead; holds a margin for the way there.
        latest: It may be at most this ahead.
    """

    soonest: timedelta
    latest: timedelta

    def accept(self, moment: datetime, info: ValidationInfo) -> datetime:
        """As a validator: checks only what is about to be accepted (see ``Input.accept``).

        Raises:
            ValueError: It is too near or too far.
        """
        now = (info.context or {}).get("now")
        broken = None if now is None else self._broken(moment, now)
        if broken is not None:
            raise ValueError(broken)
        return moment

    def check(self, field: str, moment: datetime) -> None:
        """Checks against the clock, right before the send.

        Raises:
            InvalidRequest: It is too near or too far; names the field.
        """
        broken = self._broken(moment, clock.now())
        if broken is not None:
            raise InvalidRequest(f"{field}: {broken}")

    def _broken(self, moment: datetime, now: datetime) -> str | None:
        ahead = moment - now
        if self.soonest < ahead <= self.latest:
            return None
        soonest_s, is_s = self.soonest.total_seconds(), ahead.total_seconds()
        allowed = f"over {soonest_s:.0f} s and at most {self.latest.days} days ahead"
        return f"must be {allowed} when it is handed over; it is {is_s:.0f} s"
