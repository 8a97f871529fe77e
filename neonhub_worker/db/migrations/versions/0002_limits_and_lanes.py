"""What may go when: limits, permits and gates; indexes that find due runs lane by lane; the restore guard.

Only adds: workers and beats of the version before keep running on it. Their index ``run_due`` stays until 0003.

Revision: 0002, after 0001
"""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

STATEMENTS = (
    "ALTER TABLE connection ADD COLUMN limits JSONB DEFAULT '[]' NOT NULL",
    "ALTER TABLE run ADD COLUMN target TEXT, ADD COLUMN limits JSONB",
    """
    CREATE TABLE gate (
        connection_id UUID NOT NULL,
        scope TEXT NOT NULL,
        closed_until TIMESTAMP WITH TIME ZONE,
        failures INTEGER DEFAULT 0 NOT NULL,
        trips INTEGER DEFAULT 0 NOT NULL,
        probe UUID,
        reason TEXT,
        CONSTRAINT gate_pkey PRIMARY KEY (connection_id, scope),
        FOREIGN KEY(connection_id) REFERENCES connection (id) ON DELETE CASCADE
    )
    """,
    """
    CREATE TABLE permit (
        run_id UUID NOT NULL,
        fence INTEGER NOT NULL,
        step TEXT NOT NULL,
        connection_id UUID NOT NULL,
        action TEXT NOT NULL,
        target TEXT,
        taken_at TIMESTAMP WITH TIME ZONE NOT NULL,
        used_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT permit_pkey PRIMARY KEY (run_id, fence, step)
    )
    """,
    "CREATE INDEX permit_of_connection ON permit (connection_id, used_at)",
    "CREATE INDEX permit_of_target ON permit (connection_id, target, used_at) WHERE target IS NOT NULL",
    """
    CREATE TABLE restore_guard (
        one BOOLEAN DEFAULT true NOT NULL,
        system_id TEXT,
        database_oid BIGINT NOT NULL,
        seen_at TIMESTAMP WITH TIME ZONE NOT NULL,
        engaged_at TIMESTAMP WITH TIME ZONE,
        reason TEXT,
        backup_at TIMESTAMP WITH TIME ZONE,
        lost_from TIMESTAMP WITH TIME ZONE,
        lost_until TIMESTAMP WITH TIME ZONE,
        PRIMARY KEY (one),
        CONSTRAINT restore_guard_one CHECK (one)
    )
    """,
)

# Without a lock that would stop the workers while a large table is read.
INDEXES = (
    """
    CREATE INDEX CONCURRENTLY run_lane ON run (
        queue, organization_id, coalesce(connection_id, '00000000-0000-0000-0000-000000000000'), name, priority,
        run_at, id
    ) WHERE state = 'queued' AND published_at IS NULL
    """,
    """
    CREATE INDEX CONCURRENTLY run_published ON run (queue, published_at)
    WHERE state = 'queued' AND published_at IS NOT NULL
    """,
    "CREATE INDEX CONCURRENTLY run_timer ON run (run_at) WHERE state IN ('scheduled', 'retrying', 'waiting')",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
    with op.get_context().autocommit_block():
        for statement in INDEXES:
            op.execute(statement)


def downgrade() -> None:
    for index in ("run_timer", "run_published", "run_lane"):
        op.execute(f"DROP INDEX {index}")
    op.execute("DROP TABLE restore_guard")
    op.execute("DROP TABLE permit")
    op.execute("DROP TABLE gate")
    op.execute("ALTER TABLE run DROP COLUMN target, DROP COLUMN limits")
    op.execute("ALTER TABLE connection DROP COLUMN limits")
