"""The first schema: organizations, connections, runs, steps, schedules and consent.

Revision: 0001, after nothing
"""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    CREATE TABLE beat_entry (
        name TEXT NOT NULL,
        last_run_at TIMESTAMP WITH TIME ZONE NOT NULL,
        total_run_count INTEGER DEFAULT 0 NOT NULL,
        PRIMARY KEY (name)
    )
    """,
    """
    CREATE TABLE organization (
        id TEXT NOT NULL,
        name TEXT NOT NULL,
        created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        PRIMARY KEY (id),
        CONSTRAINT organization_id_shape CHECK (id ~ '^[a-z0-9][a-z0-9_-]{0,62}$')
    )
    """,
    """
    CREATE TABLE connection (
        id UUID NOT NULL,
        organization_id TEXT NOT NULL,
        name TEXT NOT NULL,
        connector TEXT NOT NULL,
        account TEXT NOT NULL,
        credential BYTEA NOT NULL,
        settings JSONB DEFAULT '{}' NOT NULL,
        state TEXT DEFAULT 'active' NOT NULL,
        created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        PRIMARY KEY (id),
        CONSTRAINT connection_name UNIQUE (organization_id, name),
        CONSTRAINT connection_state CHECK (state in ('active', 'reauthorize', 'disabled')),
        FOREIGN KEY(organization_id) REFERENCES organization (id)
    )
    """,
    """
    CREATE TABLE consent_event (
        organization_id TEXT NOT NULL,
        id BIGINT GENERATED ALWAYS AS IDENTITY,
        channel TEXT NOT NULL,
        address TEXT NOT NULL,
        opted_out BOOLEAN NOT NULL,
        source TEXT NOT NULL,
        at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        CONSTRAINT consent_event_pkey PRIMARY KEY (organization_id, id),
        FOREIGN KEY(organization_id) REFERENCES organization (id)
    )
    """,
    """
    CREATE TABLE opt_out (
        organization_id TEXT NOT NULL,
        channel TEXT NOT NULL,
        address TEXT NOT NULL,
        since_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        source TEXT NOT NULL,
        CONSTRAINT opt_out_pkey PRIMARY KEY (organization_id, channel, address),
        FOREIGN KEY(organization_id) REFERENCES organization (id)
    )
    """,
    """
    CREATE TABLE schedule (
        id UUID NOT NULL,
        organization_id TEXT NOT NULL,
        name TEXT NOT NULL,
        rule TEXT NOT NULL,
        expression TEXT NOT NULL,
        timezone TEXT DEFAULT 'UTC' NOT NULL,
        starts_at TIMESTAMP WITH TIME ZONE,
        ends_at TIMESTAMP WITH TIME ZONE,
        misfire TEXT DEFAULT 'fire_once' NOT NULL,
        catch_up_limit INTEGER DEFAULT 10 NOT NULL,
        jitter_s INTEGER DEFAULT 0 NOT NULL,
        paused BOOLEAN DEFAULT false NOT NULL,
        template JSONB NOT NULL,
        next_at TIMESTAMP WITH TIME ZONE,
        last_at TIMESTAMP WITH TIME ZONE,
        created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        PRIMARY KEY (id),
        CONSTRAINT schedule_name UNIQUE (organization_id, name),
        CONSTRAINT schedule_rule CHECK (rule in ('once', 'every', 'cron')),
        CONSTRAINT schedule_misfire CHECK (misfire in ('skip', 'fire_once', 'catch_up')),
        FOREIGN KEY(organization_id) REFERENCES organization (id)
    )
    """,
    """
    CREATE INDEX schedule_due ON schedule (next_at) WHERE next_at is not null and not paused
    """,
    """
    CREATE TABLE occurrence (
        schedule_id UUID NOT NULL,
        due_at TIMESTAMP WITH TIME ZONE NOT NULL,
        outcome TEXT NOT NULL,
        run_id UUID,
        CONSTRAINT occurrence_pkey PRIMARY KEY (schedule_id, due_at),
        CONSTRAINT occurrence_outcome CHECK (outcome in ('fired', 'skipped', 'cancelled')),
        FOREIGN KEY(schedule_id) REFERENCES schedule (id) ON DELETE CASCADE
    )
    """,
    """
    CREATE TABLE run (
        id UUID NOT NULL,
        organization_id TEXT NOT NULL,
        kind TEXT NOT NULL,
        name TEXT NOT NULL,
        connection_id UUID,
        parent_id UUID,
        input JSONB NOT NULL,
        input_hash TEXT NOT NULL,
        idempotency_key TEXT,
        queue TEXT NOT NULL,
        priority SMALLINT DEFAULT 5 NOT NULL,
        effect TEXT,
        alike TEXT,
        channel TEXT,
        recipient TEXT,
        max_retries INTEGER NOT NULL,
        state TEXT NOT NULL,
        run_at TIMESTAMP WITH TIME ZONE NOT NULL,
        expires_at TIMESTAMP WITH TIME ZONE,
        published_at TIMESTAMP WITH TIME ZONE,
        fence INTEGER DEFAULT 0 NOT NULL,
        attempts INTEGER DEFAULT 0 NOT NULL,
        crashes INTEGER DEFAULT 0 NOT NULL,
        lease_until TIMESTAMP WITH TIME ZONE,
        worker TEXT,
        cancel_requested BOOLEAN DEFAULT false NOT NULL,
        output JSONB,
        provider_id TEXT,
        error JSONB,
        created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        finished_at TIMESTAMP WITH TIME ZONE,
        PRIMARY KEY (id),
        CONSTRAINT run_kind CHECK (kind in ('agent', 'action', 'rag')),
        CONSTRAINT run_state CHECK (state in ('scheduled', 'queued', 'running', 'retrying', 'waiting', 'succeeded', 'failed', 'cancelled', 'expired', 'parked')),
        FOREIGN KEY(organization_id) REFERENCES organization (id),
        FOREIGN KEY(connection_id) REFERENCES connection (id)
    )
     WITH (fillfactor = 80)
    """,
    """
    CREATE INDEX run_by_organization ON run (organization_id, created_at)
    """,
    """
    CREATE INDEX run_children ON run (parent_id) WHERE parent_id IS NOT NULL
    """,
    """
    CREATE INDEX run_due ON run (run_at) WHERE state in ('scheduled', 'queued', 'retrying', 'waiting')
    """,
    """
    CREATE INDEX run_expiry ON run (expires_at) WHERE expires_at is not null and state in ('scheduled', 'queued', 'retrying', 'waiting')
    """,
    """
    CREATE UNIQUE INDEX run_idempotency ON run (organization_id, name, idempotency_key) WHERE idempotency_key IS NOT NULL
    """,
    """
    CREATE INDEX run_lease ON run (lease_until) WHERE state = 'running'
    """,
    """
    CREATE INDEX run_parked ON run (organization_id, id) WHERE state = 'parked'
    """,
    """
    CREATE TABLE run_event (
        run_id UUID NOT NULL,
        id BIGINT GENERATED ALWAYS AS IDENTITY,
        at TIMESTAMP WITH TIME ZONE NOT NULL,
        move TEXT NOT NULL,
        state TEXT NOT NULL,
        fence INTEGER DEFAULT 0 NOT NULL,
        worker TEXT,
        detail JSONB,
        CONSTRAINT run_event_pkey PRIMARY KEY (run_id, id),
        FOREIGN KEY(run_id) REFERENCES run (id) ON DELETE CASCADE
    )
    """,
    """
    CREATE TABLE step (
        run_id UUID NOT NULL,
        name TEXT NOT NULL,
        effect BOOLEAN DEFAULT false NOT NULL,
        state TEXT NOT NULL,
        connection_id UUID,
        alike TEXT,
        result JSONB,
        provider_id TEXT,
        first_sent_at TIMESTAMP WITH TIME ZONE,
        sent_by TIMESTAMP WITH TIME ZONE,
        fence INTEGER DEFAULT 0 NOT NULL,
        CONSTRAINT step_pkey PRIMARY KEY (run_id, name),
        CONSTRAINT step_state CHECK (state in ('planned', 'sending', 'confirmed', 'refused', 'unknown', 'parked')),
        FOREIGN KEY(run_id) REFERENCES run (id) ON DELETE CASCADE
    )
    """,
    """
    CREATE UNIQUE INDEX step_in_flight ON step (connection_id, alike) WHERE alike is not null and state in ('planned', 'sending', 'unknown')
    """,
    """
    CREATE INDEX step_provider_id ON step (connection_id, provider_id) WHERE provider_id IS NOT NULL
    """,
)

TABLES = (
    "beat_entry",
    "consent_event",
    "opt_out",
    "occurrence",
    "schedule",
    "run_event",
    "step",
    "run",
    "connection",
    "organization",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
    # Owns the failed runs of messages that named no organization we know.
    op.execute("insert into organization (id, name) values ('unaddressed', 'Requests to no known organization')")


def downgrade() -> None:
    for table in TABLES:
        op.execute(f"drop table {table}")
