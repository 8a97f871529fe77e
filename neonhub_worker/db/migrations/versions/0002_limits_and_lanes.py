"""What may go when: limits, permits and gates; indexes that find due runs lane by lane; the restore guard.

Only adds: workers and beats of the version before keep running on it. Their index ``run_due`` stays until the upgrade
is finished. What breaks off is done again by running it again.

Revision: 0002, after 0001
"""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

STATEMENTS = (
    "ALTER TABLE connection ADD COLUMN IF NOT EXISTS limits JSONB DEFAULT '[]' NOT NULL",
    "ALTER TABLE run ADD COLUMN IF NOT EXISTS target TEXT, ADD COLUMN IF NOT EXISTS limits JSONB",
    """
    CREATE TABLE IF NOT EXISTS gate (
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
    CREATE TABLE IF NOT EXISTS permit (
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
    "CREATE INDEX IF NOT EXISTS permit_of_connection ON permit (connection_id, used_at)",
    "CREATE INDEX IF NOT EXISTS permit_of_target ON permit (connection_id, target, used_at) WHERE target IS NOT NULL",
    """
    CREATE TABLE IF NOT EXISTS restore_guard (
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
    # By default a table is vacuumed once a fifth of it is dead: with millions of finished runs that leaves a million
    # dead entries in the small indexes of what is due, which every tick passes over.
    "ALTER TABLE run SET (autovacuum_vacuum_threshold = 20000, autovacuum_vacuum_scale_factor = 0.002)",
)

# Without a lock that would stop the workers while a large table is read.
INDEXES = {
    "run_lane": """
        run (queue, organization_id, coalesce(connection_id, '00000000-0000-0000-0000-000000000000'), name, priority,
             run_at, id)
        WHERE state = 'queued' AND published_at IS NULL
    """,
    "run_published": "run (queue, published_at) WHERE state = 'queued' AND published_at IS NOT NULL",
    "run_timer": "run (run_at) WHERE state IN ('scheduled', 'retrying', 'waiting')",
    "step_parked": "step (connection_id, alike) WHERE alike IS NOT NULL AND state = 'parked'",
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
    op.execute("DROP TABLE restore_guard")
    op.execute("ALTER TABLE run RESET (autovacuum_vacuum_threshold, autovacuum_vacuum_scale_factor)")
    op.execute("DROP TABLE permit")
    op.execute("DROP TABLE gate")
    op.execute("ALTER TABLE run DROP COLUMN target, DROP COLUMN limits")
    op.execute("ALTER TABLE connection DROP COLUMN limits")
