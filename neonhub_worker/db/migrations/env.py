"""Alembic's entry: run each migration in one transaction on the URL that migrate.py hands over."""

from __future__ import annotations

from alembic import context
from sqlalchemy import create_engine, text

from neonhub_worker.db.tables import metadata

engine = create_engine(context.config.attributes["url"])
with engine.connect() as connection:
    # A migration that cannot get its lock soon gives up instead of stopping every worker behind it.
    connection.execute(text("set lock_timeout = '5s'"))
    connection.commit()
    context.configure(connection=connection, target_metadata=metadata, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()
engine.dispose()
