"""Connections say who renews their token, and how that went.

Only adds: workers of the version before keep running on it; they renew nothing.

Revision: 0004, after 0003
"""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_COLUMNS = {
    "credential_version": "INTEGER DEFAULT 0 NOT NULL",
    "refused_version": "INTEGER",
    "refreshing_until": "TIMESTAMP WITH TIME ZONE",
    "refreshing_by": "TEXT",
    "renewed_at": "TIMESTAMP WITH TIME ZONE",
    "renew_after": "TIMESTAMP WITH TIME ZONE",
    "renewal_failures": "INTEGER DEFAULT 0 NOT NULL",
    "renewal_error": "JSONB",
}


def upgrade() -> None:
    op.execute(f"ALTER TABLE connection {', '.join(f'ADD COLUMN {name} {kind}' for name, kind in _COLUMNS.items())}")


def downgrade() -> None:
    op.execute(f"ALTER TABLE connection {', '.join(f'DROP COLUMN {name}' for name in _COLUMNS)}")
