"""How much memory does the upload of a large video take, and how fast is it? A process of its own tells.

``python -m tests.contract.upload_memory [MEGABYTES [SANDBOX_URL]]``; without a sandbox it starts one.
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from contextlib import nullcontext
from pathlib import Path

from tests import servers
from tests.contract.conftest import Performer, Sandbox


def peak_mb() -> float:
    """The most memory that this process has had, in MiB."""
    status = Path("/proc/self/status")
    if status.exists():
        # getrusage() counts what the parent had before exec, too.
        (line,) = [one for one in status.read_text().splitlines() if one.startswith("VmHWM:")]
        return int(line.split()[1]) / 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def measure(url: str, megabytes: int) -> dict[str, float]:
    """Upload one video of so many MiB.

    Returns:
        ``mb``: memory in MiB beyond what the imported program has; ``seconds`` it took.
    """
    performer = Performer(Sandbox(url, Sandbox(url).ask("GET", "accounts")))
    before, began = peak_mb(), time.monotonic()
    performer.finished(
        "youtube.uploadVideo",
        # Its header stands at the end: it is looked for there too.
        media_url=f"https://media.example/moov-at-end/clip-{time.time_ns()}-{megabytes}MB.mp4",
        title="Large",
        made_for_kids=False,
        contains_synthetic_media=False,
    )
    return {"megabytes": megabytes, "mb": round(peak_mb() - before, 1), "seconds": round(time.monotonic() - began, 1)}


def main(megabytes: str = "1024", url: str = "") -> None:
    """Measure, and write the figures as one line of JSON."""
    with tempfile.TemporaryDirectory() as folder, nullcontext(url) if url else servers.sandbox(Path(folder)) as at:
        sys.stdout.write(json.dumps(measure(at, int(megabytes))) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:3])
