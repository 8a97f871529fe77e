"""What Celery is told, by the broker it is given."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent.parent
_SCRIPT = """
import json, celeryconfig as found
print(json.dumps([found.broker_transport_options, found.worker_disable_prefetch]))
"""


def configured(broker_url: str) -> tuple[dict[str, Any], bool]:
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT],
        cwd=ROOT,
        env={**os.environ, "NEONHUB_BROKER_URL": broker_url},
        capture_output=True,
        text=True,
        check=True,
    )
    options, fetches_only_what_it_starts = json.loads(done.stdout)
    return options, fetches_only_what_it_starts


@pytest.mark.parametrize("url", ["amqp://user:password@rabbit:5672//", "amqps://user:password@rabbit/neonhub"])
def test_rabbitmq_gets_no_options_of_redis(url: str) -> None:
    options, disables_prefetch = configured(url)
    assert not options.keys() & {"visibility_timeout", "socket_timeout", "max_connections"}
    assert not disables_prefetch


@pytest.mark.parametrize("url", ["redis://:password@redis:6379/0", "rediss://:password@redis:6379/0"])
def test_redis_delivers_again_within_a_minute(url: str) -> None:
    options, disables_prefetch = configured(url)
    assert options["visibility_timeout"] == 60
    assert disables_prefetch
