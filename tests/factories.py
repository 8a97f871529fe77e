"""What tests ask for: requests that are right, to be changed where a test wants them wrong or different."""

from __future__ import annotations

from typing import Any

TO = "+14155550123"
"""A number of the range that is kept for fiction."""


def sms(**changes: Any) -> dict[str, Any]:
    """A request of the organization acme to send one SMS."""
    request = {
        "action": "sms.sendSMS",
        "organization_id": "acme",
        "connection": "sms",
        "input": {"to": TO, "body": "Spring is here."},
    }
    return {**request, **changes}
