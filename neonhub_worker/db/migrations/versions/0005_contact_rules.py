"""When and how often people may be written to: an organization's rules, and who was written to when.

Only adds: workers of the version before keep running on it; they do not keep to the rules.

Revision: 0005, after 0004
"""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE contact_rule (
            organization_id TEXT NOT NULL REFERENCES organization (id),
            channel TEXT NOT NULL,
            rule JSONB NOT NULL,
            updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
            CONSTRAINT contact_rule_pkey PRIMARY KEY (organization_id, channel)
        )
        """
    )
    op.execute(
        """
        CREATE TABLE contact_use (
            organization_id TEXT NOT NULL,
            channel TEXT NOT NULL,
            address TEXT NOT NULL,
            run_id UUID NOT NULL,
            at TIMESTAMP WITH TIME ZONE NOT NULL,
            CONSTRAINT contact_use_pkey PRIMARY KEY (organization_id, channel, address, run_id)
        )
        """
    )
    op.execute("CREATE INDEX contact_use_at ON contact_use (at)")
    op.execute(
        "ALTER TABLE run ADD COLUMN recipient_zone TEXT, ADD COLUMN transactional BOOLEAN DEFAULT false NOT NULL"
    )


def downgrade() -> None:
    op.execute("ALTER TABLE run DROP COLUMN recipient_zone, DROP COLUMN transactional")
    op.execute("DROP TABLE contact_use")
    op.execute("DROP TABLE contact_rule")
