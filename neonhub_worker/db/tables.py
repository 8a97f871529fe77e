"""Which tables are there? The schema is made by the migrations; a test compares the two.

``organization_id`` is the first column of every key and index that people search by. Instants are ``timestamptz``.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData()


def _at(name: str, *, nullable: bool = True, default: bool = False) -> Column[object]:
    return Column(
        name,
        DateTime(timezone=True),
        nullable=nullable,
        server_default=text("now()") if default else None,
    )


def _flag(name: str) -> Column[bool]:
    return Column(name, Boolean, nullable=False, server_default=text("false"))


def _count(name: str, *, default: int = 0) -> Column[int]:
    return Column(name, Integer, nullable=False, server_default=text(str(default)))


organization = Table(
    "organization",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    _at("created_at", nullable=False, default=True),
    CheckConstraint("id ~ '^[a-z0-9][a-z0-9_-]{0,62}$'", name="organization_id_shape"),
)

connection = Table(
    "connection",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("organization_id", Text, ForeignKey("organization.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("connector", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("credential", LargeBinary, nullable=False),
    Column("settings", JSONB, nullable=False, server_default=text("'{}'")),
    Column("limits", JSONB, nullable=False, server_default=text("'[]'")),
    Column("state", Text, nullable=False, server_default=text("'active'")),
    _at("created_at", nullable=False, default=True),
    _at("updated_at", nullable=False, default=True),
    # Counts the credentials it has had; the one that a platform refused before its time.
    _count("credential_version"),
    Column("refused_version", Integer),
    # Who renews its token, and until when nobody else may.
    _at("refreshing_until"),
    Column("refreshing_by", Text),
    _at("renewed_at"),
    # Renewals that failed since the last that worked, why, and when it is tried again.
    _at("renew_after"),
    _count("renewal_failures"),
    Column("renewal_error", JSONB),
    UniqueConstraint("organization_id", "name", name="connection_name"),
    CheckConstraint("state in ('active', 'reauthorize', 'disabled')", name="connection_state"),
)

run = Table(
    "run",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("organization_id", Text, ForeignKey("organization.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("connection_id", Uuid, ForeignKey("connection.id")),
    Column("parent_id", Uuid),
    Column("input", JSONB, nullable=False),
    Column("input_hash", Text, nullable=False),
    Column("idempotency_key", Text),
    Column("queue", Text, nullable=False),
    Column("priority", SmallInteger, nullable=False, server_default=text("5")),
    # What the claim needs to know of the action without asking the catalog.
    Column("effect", Text),
    Column("alike", Text),
    Column("channel", Text),
    Column("recipient", Text),
    # Where the recipient is, if the producer knows it; and whether it waits for the message, whatever the hour.
    Column("recipient_zone", Text),
    _flag("transactional"),
    # Digest of what a limit may count besides the connection and the action: a recipient or a place.
    Column("target", Text),
    # The action's limits whose permits the claim takes; null if its effects take them themselves, one by one.
    Column("limits", JSONB),
    Column("max_retries", Integer, nullable=False),
    Column("state", Text, nullable=False),
    _at("run_at", nullable=False),
    _at("expires_at"),
    _at("published_at"),
    _count("fence"),
    _count("attempts"),
    _count("crashes"),
    _at("lease_until"),
    Column("worker", Text),
    _flag("cancel_requested"),
    Column("output", JSONB),
    Column("provider_id", Text),
    Column("error", JSONB),
    # How far its effect got, as the platform told later: stage, said, code, at.
    Column("delivery", JSONB),
    _at("created_at", nullable=False, default=True),
    _at("finished_at"),
    CheckConstraint("kind in ('agent', 'action', 'rag')", name="run_kind"),
    CheckConstraint(
        "state in ('scheduled', 'queued', 'running', 'retrying', 'waiting',"
        " 'succeeded', 'failed', 'cancelled', 'expired', 'parked')",
        name="run_state",
    ),
    # Vacuumed after so many dead rows however large it is: the indexes of what is due stay small.
    postgresql_with={
        "fillfactor": 80,
        "autovacuum_vacuum_threshold": 20000,
        "autovacuum_vacuum_scale_factor": 0.002,
    },
)
Index(
    "run_idempotency",
    run.c.organization_id,
    run.c.name,
    run.c.idempotency_key,
    unique=True,
    postgresql_where=run.c.idempotency_key.is_not(None),
)
Index("run_by_organization", run.c.organization_id, run.c.created_at)
# Due runs, lane by lane: all of one organization, connection and action, the most urgent first. Finished runs are in
# none of these indexes, so their number costs the dispatcher and the claim nothing.
Index(
    "run_lane",
    run.c.queue,
    run.c.organization_id,
    text("coalesce(connection_id, '00000000-0000-0000-0000-000000000000')"),
    run.c.name,
    run.c.priority,
    run.c.run_at,
    run.c.id,
    postgresql_where=text("state = 'queued' and published_at is null"),
)
Index(
    "run_published",
    run.c.queue,
    run.c.published_at,
    postgresql_where=text("state = 'queued' and published_at is not null"),
)
Index("run_timer", run.c.run_at, postgresql_where=text("state in ('scheduled', 'retrying', 'waiting')"))
Index("run_lease", run.c.lease_until, postgresql_where=text("state = 'running'"))
Index(
    "run_expiry",
    run.c.expires_at,
    postgresql_where=text("expires_at is not null and state in ('scheduled', 'queued', 'retrying', 'waiting')"),
)
Index("run_parked", run.c.organization_id, run.c.id, postgresql_where=text("state = 'parked'"))
# What a person who says STOP must not get any more: what waits here, and what waits at the platform.
Index(
    "run_recipient",
    run.c.organization_id,
    run.c.channel,
    run.c.recipient,
    postgresql_where=text("recipient is not null and state in ('scheduled', 'queued', 'retrying', 'waiting')"),
)
Index(
    "run_held_elsewhere",
    run.c.organization_id,
    run.c.channel,
    run.c.recipient,
    postgresql_where=text("recipient is not null and state = 'succeeded' and name = 'sms.scheduleSMS'"),
)
Index("run_children", run.c.parent_id, postgresql_where=run.c.parent_id.is_not(None))

step = Table(
    "step",
    metadata,
    Column("run_id", Uuid, ForeignKey("run.id", ondelete="CASCADE"), nullable=False),
    Column("name", Text, nullable=False),
    _flag("effect"),
    Column("state", Text, nullable=False),
    Column("connection_id", Uuid),
    Column("alike", Text),
    Column("result", JSONB),
    Column("provider_id", Text),
    _at("first_sent_at"),
    # Until when the latest send may have left this side; read-back may say "absent" only some time after it.
    _at("sent_by"),
    _count("fence"),
    PrimaryKeyConstraint("run_id", "name", name="step_pkey"),
    CheckConstraint("state in ('planned', 'sending', 'confirmed', 'refused', 'unknown', 'parked')", name="step_state"),
)
Index(
    "step_in_flight",
    step.c.connection_id,
    step.c.alike,
    unique=True,
    postgresql_where=text("alike is not null and state in ('planned', 'sending', 'unknown')"),
)
Index(
    "step_parked",
    step.c.connection_id,
    step.c.alike,
    postgresql_where=text("alike is not null and state = 'parked'"),
)
Index("step_provider_id", step.c.connection_id, step.c.provider_id, postgresql_where=step.c.provider_id.is_not(None))

gate = Table(
    "gate",
    metadata,
    Column("connection_id", Uuid, ForeignKey("connection.id", ondelete="CASCADE"), nullable=False),
    # circuit, connection, action:NAME or target:DIGEST
    Column("scope", Text, nullable=False),
    _at("closed_until"),
    _count("failures"),
    _count("trips"),
    Column("probe", Uuid),
    Column("reason", Text),
    PrimaryKeyConstraint("connection_id", "scope", name="gate_pkey"),
)

permit = Table(
    "permit",
    metadata,
    Column("run_id", Uuid, nullable=False),
    Column("fence", Integer, nullable=False),
    Column("step", Text, nullable=False),
    Column("connection_id", Uuid, nullable=False),
    Column("action", Text, nullable=False),
    Column("target", Text),
    _at("taken_at", nullable=False),
    # Until when its request may have left; what windows are counted by.
    _at("used_at", nullable=False),
    PrimaryKeyConstraint("run_id", "fence", "step", name="permit_pkey"),
)
Index("permit_of_connection", permit.c.connection_id, permit.c.used_at)
Index(
    "permit_of_target",
    permit.c.connection_id,
    permit.c.target,
    permit.c.used_at,
    postgresql_where=permit.c.target.is_not(None),
)

run_event = Table(
    "run_event",
    metadata,
    Column("run_id", Uuid, ForeignKey("run.id", ondelete="CASCADE"), nullable=False),
    Column("id", BigInteger, Identity(always=True), nullable=False),
    _at("at", nullable=False),
    Column("move", Text, nullable=False),
    Column("state", Text, nullable=False),
    _count("fence"),
    Column("worker", Text),
    Column("detail", JSONB),
    PrimaryKeyConstraint("run_id", "id", name="run_event_pkey"),
)

schedule = Table(
    "schedule",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("organization_id", Text, ForeignKey("organization.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("expression", Text, nullable=False),
    Column("timezone", Text, nullable=False, server_default=text("'UTC'")),
    _at("starts_at"),
    _at("ends_at"),
    Column("misfire", Text, nullable=False, server_default=text("'fire_once'")),
    _count("catch_up_limit", default=10),
    _count("jitter_s"),
    _flag("paused"),
    # The run each occurrence makes: the columns of run that acceptance fills in.
    Column("template", JSONB, nullable=False),
    _at("next_at"),
    _at("last_at"),
    # Why its occurrences cannot be made into runs, and when that is tried again.
    Column("error", Text),
    _at("retry_at"),
    _at("created_at", nullable=False, default=True),
    UniqueConstraint("organization_id", "name", name="schedule_name"),
    CheckConstraint("rule in ('once', 'every', 'cron')", name="schedule_rule"),
    CheckConstraint("misfire in ('skip', 'fire_once', 'catch_up')", name="schedule_misfire"),
)
Index("schedule_due", schedule.c.next_at, postgresql_where=text("next_at is not null and not paused"))

occurrence = Table(
    "occurrence",
    metadata,
    Column("schedule_id", Uuid, ForeignKey("schedule.id", ondelete="CASCADE"), nullable=False),
    _at("due_at", nullable=False),
    Column("outcome", Text, nullable=False),
    Column("run_id", Uuid),
    PrimaryKeyConstraint("schedule_id", "due_at", name="occurrence_pkey"),
    CheckConstraint("outcome in ('fired', 'skipped', 'cancelled')", name="occurrence_outcome"),
)

opt_out = Table(
    "opt_out",
    metadata,
    Column("organization_id", Text, ForeignKey("organization.id"), nullable=False),
    Column("channel", Text, nullable=False),
    Column("address", Text, nullable=False),
    _at("since_at", nullable=False, default=True),
    Column("source", Text, nullable=False),
    PrimaryKeyConstraint("organization_id", "channel", "address", name="opt_out_pkey"),
)

contact_rule = Table(
    "contact_rule",
    metadata,
    Column("organization_id", Text, ForeignKey("organization.id"), nullable=False),
    Column("channel", Text, nullable=False),
    # quiet, zone, caps and policy; see ContactRule.
    Column("rule", JSONB, nullable=False),
    _at("updated_at", nullable=False, default=True),
    PrimaryKeyConstraint("organization_id", "channel", name="contact_rule_pkey"),
)

contact_use = Table(
    "contact_use",
    metadata,
    Column("organization_id", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("run_id", Uuid, nullable=False),
    _at("at", nullable=False),
    PrimaryKeyConstraint("organization_id", "channel", "address", "run_id", name="contact_use_pkey"),
)
Index("contact_use_at", contact_use.c.at)

consent_event = Table(
    "consent_event",
    metadata,
    Column("organization_id", Text, ForeignKey("organization.id"), nullable=False),
    Column("id", BigInteger, Identity(always=True), nullable=False),
    Column("channel", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("opted_out", Boolean, nullable=False),
    Column("source", Text, nullable=False),
    _at("at", nullable=False, default=True),
    # When the person said so, where the platform tells: what was said last counts, not what arrived last.
    _at("said_at"),
    PrimaryKeyConstraint("organization_id", "id", name="consent_event_pkey"),
)
Index("consent_event_address", consent_event.c.organization_id, consent_event.c.channel, consent_event.c.address)

# What platforms told. The id stays after it was worked off, so that a repeat is known; what it said does not.
webhook_event = Table(
    "webhook_event",
    metadata,
    Column("connection_id", Uuid, ForeignKey("connection.id", ondelete="CASCADE"), nullable=False),
    Column("event_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("payload", LargeBinary),
    _at("received_at", nullable=False, default=True),
    # When it is (next) worked off; null once it was, or once that was given up.
    _at("act_at"),
    _count("tries"),
    Column("outcome", Text),
    Column("run_id", Uuid),
    PrimaryKeyConstraint("connection_id", "event_id", name="webhook_event_pkey"),
)
Index("webhook_event_due", webhook_event.c.act_at, postgresql_where=webhook_event.c.act_at.is_not(None))
Index("webhook_event_age", webhook_event.c.received_at)

webhook_refusal = Table(
    "webhook_refusal",
    metadata,
    Column("connector", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("number", BigInteger, nullable=False),
    _at("last_at", nullable=False, default=True),
    PrimaryKeyConstraint("connector", "reason", name="webhook_refusal_pkey"),
)

beat_entry = Table(
    "beat_entry",
    metadata,
    Column("name", Text, primary_key=True),
    _at("last_run_at", nullable=False),
    _count("total_run_count"),
)

# One row. Does the ledger still hold everything that was done? See ledger/guard.py.
restore_guard = Table(
    "restore_guard",
    metadata,
    Column("one", Boolean, primary_key=True, server_default=text("true")),
    # Of the database that it was last seen in; the system id is null where asking for it is not allowed.
    Column("system_id", Text),
    Column("database_oid", BigInteger, nullable=False),
    # Never goes back, whatever the clock does: beat moves it on about once a second.
    _at("seen_at", nullable=False),
    _at("engaged_at"),
    Column("reason", Text),
    _at("backup_at"),
    # What the restores so far have lost lies between.
    _at("lost_from"),
    _at("lost_until"),
    CheckConstraint("one", name="restore_guard_one"),
)
