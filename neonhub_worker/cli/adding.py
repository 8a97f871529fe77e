"""What becomes a connection, or the new credential of one that is there already?"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from connectors import registry
from connectors.kit.connector import Connector
from connectors.kit.oauth import OAuthCredential, plain
from neonhub_worker.cli import wizard
from neonhub_worker.cli.output import note
from neonhub_worker.db.engine import transaction
from neonhub_worker.errors import ConnectionExists, FieldError, InvalidInput, UnknownConnection, VaultError
from neonhub_worker.requests import field_errors
from neonhub_worker.vault import connections, organizations
from neonhub_worker.vault.connections import Described


def platform(slug: str) -> Connector:
    """The connector of a slug.

    Raises:
        InvalidInput: There is none.
    """
    try:
        return registry.connector(slug)
    except registry.UnknownConnector as error:
        raise InvalidInput([FieldError("connector", str(error))]) from None


@dataclass(frozen=True)
class Wanted:
    """A connection to be added, or to be given a new credential.

    Attributes:
        replace: The connection of this name may be there. One whose grant is dead may always.
    """

    connector: Connector
    organization_id: str
    name: str
    replace: bool

    def ask(
        self,
        settings: Mapping[str, Any] | None,
        *,
        redirect_uri: str | None,
        port: int | None,
        browser: bool,
        timeout_s: float,
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Ask a person for the credential and the settings; see ``wizard.walk``.

        Raises:
            ConnectionExists: It is there, and is not to be replaced.
        """
        there = self._there()
        known: dict[str, Any] = {}
        if there is not None:
            settings = there.settings if settings is None else settings
            try:
                known = connections.open_connection(there.id).credential
            except (VaultError, UnknownConnection):
                note("what is stored cannot be used; all is asked anew")
        return wizard.walk(
            self.connector,
            known=known,
            settings=settings or {},
            redirect_uri=redirect_uri,
            port=port,
            browser=browser,
            timeout_s=timeout_s,
        )

    def store(
        self,
        credential: dict[str, Any],
        settings: dict[str, Any] | None,
        *,
        account: str,
        limits: Sequence[Mapping[str, Any]],
    ) -> uuid.UUID:
        """Check and store; the connection's id.

        Raises:
            InvalidInput: The credential or the settings do not fit.
            ConnectionExists: It is there, and is not to be replaced.
        """
        there = self._there()
        if settings is None:
            settings = {} if there is None else there.settings
        try:
            checked = self.connector.credential.model_validate(credential)
            self.connector.settings.model_validate(settings)
        except ValidationError as error:
            raise InvalidInput(field_errors(error)) from None
        if self.connector.oauth is not None and isinstance(checked, OAuthCredential):
            credential = plain(self.connector.oauth.adopt(checked))
        if there is not None:
            connections.replace_credential(there.id, credential, settings)
            return there.id
        with transaction() as opened:
            organizations.ensure(self.organization_id, self.organization_id, connection=opened)
            return connections.add(
                organization_id=self.organization_id,
                name=self.name,
                connector=self.connector.slug,
                account=account or self.name,
                credential=credential,
                settings=settings,
                limits=limits,
                connection=opened,
            )

    def _there(self) -> Described | None:
        """The connection that gets a new credential; None if there is none of this name."""
        found = connections.find(self.organization_id, self.name)
        if found is None:
            if self.replace:
                connections.get_by_name(self.organization_id, self.name)  # says what there is
            return None
        if found.connector != self.connector.slug:
            text = f"{self.name!r} is a connection to {found.connector}; give this one another name"
            raise ConnectionExists(text)
        if not self.replace and found.state != "reauthorize":
            raise ConnectionExists(
                f"{self.organization_id} has a connection {self.name!r} already; remove it first, or give this one "
                "another name; --replace stores a new credential for it"
            )
        return found
