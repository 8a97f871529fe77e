"""What platforms tell: kept once, counted when it is refused; how far an effect got; when a person said STOP.

Only adds: workers and beats of the version before keep running on it. What breaks off is done again by running it
again.

Revision: 0006, after 0005
"""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    CREATE TABLE IF NOT EXISTS webhook_event (
        connection_id UUID NOT NULL,
        event_id TEXT NOT NULL,
        kind TEXT NOT NULL,
        payload BYTEA,
        received_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        act_at TIMESTAMP WITH TIME ZONE,
        tries INTEGER DEFAULT 0 NOT NULL,
        outcome TEXT,
        run_id UUID,
        CONSTRAINT webhook_event_pkey PRIMARY KEY (connection_id, event_id),
        FOREIGN KEY(connection_id) REFERENCES connection (id) ON DELETE CASCADE
    )
    """,
    "CREATE INDEX IF NOT EXISTS webhook_event_due ON webhook_event (act_at) WHERE act_at IS NOT NULL",
    "CREATE INDEX IF NOT EXISTS webhook_event_age ON webhook_event (received_at)",
    """
    CREATE TABLE IF NOT EXISTS webhook_refusal (
        connector TEXT NOT NULL,
        reason TEXT NOT NULL,
        number BIGINT NOT NULL,
        last_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        CONSTRAINT webhook_refusal_pkey PRIMARY KEY (connector, reason)
    )
    """,
    "ALTER TABLE run ADD COLUMN IF NOT EXISTS delivery JSONB",
    "ALTER TABLE consent_event ADD COLUMN IF NOT EXISTS said_at TIMESTAMP WITH TIME ZONE",
)

# Without a lock that would stop the workers while a large table is read.
INDEXES = {
    "run_recipient": """
        run (organization_id, channel, recipient)
        WHERE recipient IS NOT NULL AND state IN ('scheduled', 'queued', 'retrying', 'waiting')
    """,
    "run_held_elsewhere": """
        run (organization_id, channel, recipient)
        WHERE recipient IS NOT NULL AND state = 'succeeded' AND name = 'sms.scheduleSMS'
    """,
    "consent_event_address": "consent_event (organization_id, channel, address)",
}

BROKEN = "SELECT 1 FROM pg_index WHERE indexrelid = to_regclass('{name}') AND NOT indisvalid"


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
    with op.get_context().autocommit_block():
        # Nobody waits behind one that is built so: it may wait for the longest transaction.
        op.execute("SET lock_timeout = 0")
        for name, columns in INDEXES.items():
            if op.get_bind().exec_driver_sql(BROKEN.format(name=name)).first() is not None:
                op.execute(f"DROP INDEX CONCURRENTLY {name}")
            op.execute(f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {name} ON {columns}")
        op.execute("SET lock_timeout = '5s'")


def downgrade() -> None:
    for index in INDEXES:
        op.execute(f"DROP INDEX {index}")
    op.execute("ALTER TABLE consent_event DROP COLUMN said_at")
    op.execute("ALTER TABLE run DROP COLUMN delivery")
    op.execute("DROP TABLE webhook_refusal")
    op.execute("DROP TABLE webhook_event")
