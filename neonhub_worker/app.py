"""Which Celery app? ``celery -A neonhub_worker.app`` finds it here; its configuration is celeryconfig.py."""

from __future__ import annotations

from celery import Celery

app = Celery("neonhub_worker")
app.config_from_object("celeryconfig")
