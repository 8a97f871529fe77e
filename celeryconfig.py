"""Which queues, routes, timeouts and broker options does Celery use? Values only; the reason stands beside each.

What Celery 5.7 on Redis does without them: docs/explanation/why-not-celery-alone.md.
"""

from __future__ import annotations

from kombu import Queue

from neonhub_worker.settings import settings

broker_url = settings().need_broker_url()
imports = ("tasks.processes", "tasks.runs", "tasks.actions", "tasks.connections")

# One queue per latency class. A typing mistake must not create a queue that nobody reads.
task_queues = [Queue(name) for name in ("actions", "bulk", "agents", "embed", "housekeeping")]
task_default_queue = "actions"
task_create_missing_queues = False

# Messages are wake-ups: acknowledged before work, never a second source of truth. The lease recovers what dies.
task_acks_late = False
task_reject_on_worker_lost = False
task_ignore_result = True
result_backend = None
task_serializer = "json"
accept_content = ["json"]

# A worker fetches only what it can start: no run waits behind a busy thread while another worker is idle.
worker_prefetch_multiplier = 1
worker_disable_prefetch = broker_url.startswith(("redis", "rediss"))
worker_eta_task_limit = 100
worker_cancel_long_running_tasks_on_connection_loss = False
worker_hijack_root_logger = False
# Celery's own stops for good at a message of the wrong shape.
worker_consumer = "tasks.consumer:PatientConsumer"

# Flower sees every run under its own name: the worker sends one event per run (neonhub_worker/dispatch/events.py).
worker_send_task_events = True
task_send_sent_event = False

broker_connection_retry_on_startup = True
broker_connection_max_retries = None
broker_connection_timeout = 4
broker_pool_acquire_timeout = 5
# A publish that fails is published again by the dispatcher; trying twice here would only delay the producer.
task_publish_retry = False
_ON_REDIS: dict[str, object] = {
    # A foreign task that is not acknowledged within a minute is delivered again; recording it twice changes nothing.
    "visibility_timeout": 60,
    "unacked_restore_interval": 10,
    "unacked_restore_throttle": 1,
    # The default waits for ever on a connection whose other end vanished.
    "socket_timeout": 10,
    "socket_connect_timeout": 4,
    "socket_keepalive": True,
    "health_check_interval": 10,
    # kombu's ten connections fail under many acknowledging threads, which redelivers messages.
    "max_connections": 200,
}
broker_transport_options = {
    # One more try at once, for a URL that names a second broker; by default a producer waits 6 s for one that is away.
    "max_retries": 1,
    "interval_start": 0,
    # RabbitMQ delivers again by itself what a dead worker had not acknowledged.
    **({} if broker_url.startswith("amqp") else _ON_REDIS),
}

beat_scheduler = "neonhub_worker.dispatch.scheduler:PostgresScheduler"
beat_max_loop_interval = 1
beat_schedule: dict[str, dict[str, object]] = {
    # Long-lived tokens end, and refresh tokens are forgotten, where nothing is sent for weeks.
    "renew-idle-tokens": {
        "task": "connections.renew_idle",
        "schedule": 3600.0,
        "options": {"queue": "housekeeping", "expires": 3600},
    },
}
enable_utc = True
timezone = "UTC"
