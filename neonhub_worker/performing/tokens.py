"""Is a connection's token good for the calls to come? If not it is renewed first, by one process at a time."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass, replace
from typing import Any, cast

import structlog
from pydantic import ValidationError

from connectors import registry
from connectors.kit.connector import Connector
from connectors.kit.errors import ConnectorError, GrantDead, RateLimited
from connectors.kit.http import Http
from connectors.kit.oauth import OAuth, OAuthCredential, plain
from neonhub_worker import clock, faults
from neonhub_worker.db.engine import transaction
from neonhub_worker.errors import NeonhubError, UnknownConnection, Unreachable, VaultError
from neonhub_worker.settings import settings
from neonhub_worker.vault import connections, renewals
from neonhub_worker.vault.connections import Opened

log = structlog.get_logger("neonhub.performing")

_MARGIN_S = 10.0
"""What the lease on a renewal is longer than its call can take."""

_STORE_FOR_S = 60.0
_STORE_AGAIN_S = 0.5
_CHANGED_S = 0.5
_IDLE_DAYS = 7
_CUT_OFF = "a process was killed after it had asked for the new token and before that was stored"


@dataclass(frozen=True)
class Unready:
    """A connection has no token that could be used now.

    Attributes:
        wait_s: Seconds after which it is worth looking again.
        error: Why, ``{"class", "code", "message"}``.
        dead: Only a person can change that; the connection's lanes are shut.
    """

    wait_s: float
    error: dict[str, Any]
    dead: bool = False


def ready(opened: Opened) -> Opened | Unready:
    """A connection as it is used: its token is renewed and stored first if it has ended or is about to.

    While the old token still works, a renewal that fails is no reason to wait. In the common case, a token that is
    fresh or never ends, nothing is read or written.

    Raises:
        Unreachable: The database did not answer.
    """
    if opened.state == "reauthorize":
        return Unready(_CHANGED_S, opened.trouble or _error("GrantDead", None, "its grant is dead"), dead=True)
    renewal = _renewal(opened)
    if renewal is None or not renewal.is_due:
        return opened
    return renewal.run()


def renew(opened: Opened) -> Opened | Unready:
    """Renew at once, because a person asks for it: also a grant that was found dead.

    Raises:
        NotRenewable: Its platform's tokens are not renewed, or the credential lacks what it takes.
        Unreachable: The database did not answer.
    """
    renewal = _renewal(opened)
    if renewal is None or not renewal.can:
        raise NotRenewable(
            f"{opened.connector} connections have nothing to be renewed by themselves: "
            "`neonhub connections add --replace` stores a new credential"
        )
    return renewal.run(at_once=True)


def may_renew(opened: Opened) -> bool:
    """Whether a platform that refuses this connection's token may take a renewed one: not if that has been tried."""
    renewal = _renewal(opened)
    young = opened.renewed_s is not None and opened.renewed_s < renewals.YOUNG_S
    return renewal is not None and renewal.can and not young


def renew_idle() -> int:
    """Renew tokens of connections that nothing was sent over for a week, and that would end or be forgotten unused.

    Returns:
        How many were renewed.

    Raises:
        Unreachable: The database did not answer.
    """
    slugs = [connector.slug for connector in registry.CONNECTORS if connector.oauth is not None]
    with transaction() as connection:
        idle = connections.unchanged(slugs, days=_IDLE_DAYS, connection=connection)
    renewed = 0
    for connection_id in idle:
        try:
            opened = connections.open_connection(connection_id)
        except (UnknownConnection, VaultError):
            continue  # doctor says so
        found = ready(opened)
        renewed += isinstance(found, Opened) and found.version > opened.version
    return renewed


class NotRenewable(NeonhubError):
    """A connection whose token nobody can renew but a person."""


def _renewal(opened: Opened) -> _Renewal | None:
    try:
        connector = registry.connector(opened.connector)
        if connector.oauth is None:
            return None
        credential = connector.credential.model_validate(opened.credential)
    except (registry.UnknownConnector, ValidationError):
        return None  # whoever makes the call says so
    return _Renewal(opened, connector, connector.oauth, cast("OAuthCredential", credential))


@dataclass(frozen=True)
class _Renewal:
    """One renewal of one connection's token."""

    opened: Opened
    connector: Connector
    oauth: OAuth
    credential: OAuthCredential

    @property
    def can(self) -> bool:
        """Whether there is something to ask for a new token with."""
        return self.oauth.renews(self.credential)

    @property
    def is_over(self) -> bool:
        """Whether nothing can be done with the token as it is."""
        return self.opened.refused or self.oauth.is_over(self.credential, clock.now())

    @property
    def is_due(self) -> bool:
        """Whether to renew before the next use."""
        stale = self.opened.refused or self.oauth.is_stale(self.credential, clock.now())
        return stale and (self.can or self.is_over)

    def run(self, *, at_once: bool = False) -> Opened | Unready:
        """Renew, or say why not now."""
        by, opened = uuid.uuid4().hex, self.opened
        lease_s = self.connector.connect_s + self.connector.read_s + _MARGIN_S
        with transaction() as connection:
            begun = renewals.begin(
                connection, opened.id, version=opened.version, by=by, lease_s=lease_s, at_once=at_once
            )
        if isinstance(begun, renewals.Changed):
            return self._look_again()
        if isinstance(begun, renewals.Elsewhere):
            return self._meanwhile(
                begun.wait_s, opened.trouble or _error("Renewing", None, "its token is being renewed")
            )
        try:
            renewed = self.oauth.refresh(Http(self.connector, sandbox_url=settings().sandbox_url), self.credential)
        except GrantDead as dead:
            return self._end(dead, by=by, cut_off=begun.cut_off)
        except Exception as error:
            return self._fail(error, by=by)
        faults.point("renew.answered")
        return self._keep(plain(renewed))

    def _keep(self, credential: dict[str, Any]) -> Opened | Unready:
        """Store what the platform gave; a database that is away is asked for a minute: nothing else brings it back."""
        until = clock.elapsed_clock() + _STORE_FOR_S
        while True:
            try:
                with transaction() as connection:
                    stored = renewals.store(connection, self.opened.id, credential, version=self.opened.version)
                break
            except Unreachable:
                if clock.elapsed_clock() > until:
                    log.error("renewal_not_stored", connection_id=str(self.opened.id))
                    raise
                time.sleep(_STORE_AGAIN_S)
        faults.point("renew.stored")
        if not stored:  # somebody else's, or this one, if its commit was not answered
            return self._look_again()
        log.info("token_renewed", connection_id=str(self.opened.id), connector=self.opened.connector)
        version = self.opened.version + 1
        return replace(
            self.opened,
            credential=credential,
            version=version,
            state="active",
            refused=False,
            renewed_s=0.0,
            trouble=None,
        )

    def _look_again(self) -> Opened | Unready:
        """Somebody stored another credential, or put the connection out of use."""
        found = connections.open_connection(self.opened.id)
        if found.state == "reauthorize":
            return Unready(_CHANGED_S, found.trouble or _error("GrantDead", None, "its grant is dead"), dead=True)
        again = _renewal(found)
        if again is None or not again.is_due:
            return found
        return again._meanwhile(_CHANGED_S, _error("Renewing", None, "its token is being renewed"))

    def _meanwhile(self, wait_s: float, error: dict[str, Any]) -> Opened | Unready:
        """The old token, while it works."""
        return Unready(wait_s, error) if self.is_over else self.opened

    def _end(self, dead: GrantDead, *, by: str, cut_off: bool) -> Unready:
        why = f"{dead} ({_CUT_OFF})" if cut_off else str(dead)
        error = _error("GrantDead", dead.code, why)
        with transaction() as connection:
            renewals.end(connection, self.opened.id, error, version=self.opened.version, by=by)
        log.error("grant_dead", connection_id=str(self.opened.id), connector=self.opened.connector, code=dead.code)
        return Unready(_CHANGED_S, error, dead=True)

    def _fail(self, error: Exception, *, by: str) -> Opened | Unready:
        asked_s = error.retry_after_s if isinstance(error, RateLimited) else None
        described = _described(error, self.connector.slug)
        with transaction() as connection:
            wait_s = renewals.fail(
                connection, self.opened.id, described, version=self.opened.version, by=by, wait_s=asked_s or 0.0
            )
        log.warning("renewal_failed", connection_id=str(self.opened.id), error=described["class"], wait_s=wait_s)
        return self._meanwhile(wait_s, described)


def _described(error: Exception, slug: str) -> dict[str, Any]:
    if isinstance(error, ConnectorError):
        return _error(type(error).__name__, error.code, f"its token could not be renewed: {error}")
    # The text of an unforeseen error is left out: it may hold anything.
    text = f"its token could not be renewed: unforeseen {type(error).__name__} in the connector {slug}"
    return _error(type(error).__name__, None, text)


def _error(kind: str, code: str | None, message: str) -> dict[str, Any]:
    return {"class": kind, "code": code, "message": message}
