"""What a Celery user writes without us: a task that posts to a platform, and tries again if that fails."""

from __future__ import annotations

import json
import os

import requests
from celery import Celery

app = Celery("bare", broker=os.environ["BARE_BROKER_URL"])
app.conf.update(json.loads(os.environ["BARE_SETTINGS"]))


@app.task(  # type: ignore[untyped-decorator]
    name="bare.post", autoretry_for=(requests.RequestException,), retry_backoff=1, max_retries=5, ignore_result=True
)
def post(channel: str, text: str) -> None:
    """Post a message to a channel."""
    answer = requests.post(
        os.environ["BARE_URL"],
        json={"channel": channel, "text": text},
        headers={"Authorization": f"Bearer {os.environ['BARE_TOKEN']}"},
        timeout=(3, 12),
    )
    answer.raise_for_status()
