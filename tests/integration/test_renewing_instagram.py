"""A long-lived token brings its successor weeks before its end; while it lives, a refusal to do so delays nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.kit.errors import GrantDead
from neonhub_worker.performing import grants, probe
from neonhub_worker.vault import connections
from neonhub_worker.vault.connections import Opened
from tests.integration.sandboxes import Sandbox

_DAY_S = 86_400


def stored() -> Opened:
    return connections.open_connection(connections.get_by_name("acme", "instagram").id)


def ends_in(days: float) -> dict[str, Any]:
    """Let the token end so soon, as far as we know."""
    opened = stored()
    ends_at = datetime.now(UTC) + timedelta(days=days)
    credential = {**opened.credential, "expires_at": ends_at.isoformat()}
    connections.replace_credential(opened.id, credential, opened.settings)
    return credential


def test_a_token_that_ends_within_a_month_is_exchanged_before_its_use(sandbox: Sandbox) -> None:
    before = ends_in(20)
    sandbox.advance(2 * _DAY_S)
    assert "Instagram account" in probe.test_connection("acme", "instagram")
    after = stored()
    assert after.credential["access_token"] != before["access_token"]
    assert after.credential["app_secret"] == before["app_secret"]
    grant = grants.of(after)
    assert grant is not None
    assert grant.ends_at is not None
    assert timedelta(days=59) < grant.ends_at - datetime.now(UTC) <= timedelta(days=60)


def test_a_token_too_young_to_be_exchanged_is_used_as_it_is(sandbox: Sandbox) -> None:
    before = ends_in(20)
    assert "Instagram account" in probe.test_connection("acme", "instagram")
    after = stored()
    assert after.credential["access_token"] == before["access_token"]
    assert after.trouble is not None
    assert after.trouble["class"] == "InvalidRequest"


@pytest.mark.parametrize("days", [40, -1])
def test_a_token_with_time_left_or_none_at_all_is_not_exchanged(sandbox: Sandbox, days: int) -> None:
    ends_in(days)
    asked = sandbox.count("instagram", "refreshInstagramToken")
    if days > 0:
        assert "Instagram account" in probe.test_connection("acme", "instagram")
    else:
        with pytest.raises(GrantDead, match="has ended; only a person can get another"):
            probe.test_connection("acme", "instagram")
        assert connections.get_by_name("acme", "instagram").state == "reauthorize"
    assert asked() == 0
