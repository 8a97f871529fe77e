"""Schedules that are held say why, and when they are tried again.

Only adds: beats of the version before keep running on it.

Revision: 0003, after 0002
"""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE schedule ADD COLUMN error TEXT, ADD COLUMN retry_at TIMESTAMP WITH TIME ZONE")


def downgrade() -> None:
    op.execute("ALTER TABLE schedule DROP COLUMN error, DROP COLUMN retry_at")
