"""One action for each repeat policy: a line here puts the policy through every fault."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import requests

from connectors import registry
from connectors.kit.action import Park
from tests.integration.sandboxes import Sandbox

CHANNEL = "C0SPRINGLNCH"

Input = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """An action, and how the sandbox counts what one of its runs did.

    Attributes:
        make: Makes an input that no other run shares, and prepares the sandbox for it.
        mark: The field of an effect, and that of the input, by which the run's effects are known.
        steps: Of an action of several steps: for each attempt that it takes until the effect has been sent, and in it
            for each step that is recorded, whether the effect has happened by then.
        writes: With this socket write the effect's request is whole: its headers are written first, then its body.
    """

    action: str
    make: Callable[[Sandbox], Input]
    mark: tuple[str, str]
    steps: tuple[tuple[bool, ...], ...] = ()
    writes: int = 2

    @property
    def slug(self) -> str:
        return self.action.partition(".")[0]

    @property
    def policy(self) -> str:
        return "multi-step" if self.steps else type(registry.action(self.action).repeat).__name__

    @property
    def may_park(self) -> bool:
        """Whether nothing can tell what became of an effect in doubt."""
        return isinstance(registry.action(self.action).repeat, Park)

    def request(self, given: Input, **more: Any) -> dict[str, Any]:
        return {"action": self.action, "organization_id": "acme", "connection": self.slug, "input": given, **more}

    def count(self, sandbox: Sandbox, given: Mapping[str, Any]) -> int:
        """How often the effect of the run with this input happened."""
        shown, asked = self.mark
        name = self.action.partition(".")[2]
        return len([one for one in sandbox.effects(self.slug) if (one["action"], one[shown]) == (name, given[asked])])


def _sms(sandbox: Sandbox) -> Input:
    return {"to": "+14155550123", "body": f"Spring is here {uuid.uuid4().hex}"}


def _deletion(sandbox: Sandbox) -> Input:
    account = requests.get(f"{sandbox.url}/_sandbox/accounts", timeout=10).json()["slack"]
    posted = requests.post(
        f"{sandbox.url}/slack.com/api/chat.postMessage",
        json={"channel": CHANNEL, "text": "Spring is here"},
        headers={"Authorization": f"Bearer {account['credential']['bot_token']}"},
        timeout=10,
    ).json()
    return {"channel": CHANNEL, "ts": posted["ts"]}


def _file(sandbox: Sandbox) -> Input:
    return {"channel": CHANNEL, "filename": "plan.txt", "text": "Launch at nine.", "title": uuid.uuid4().hex}


def _coupon(sandbox: Sandbox) -> Input:
    return {"id": f"spring-{uuid.uuid4().hex}", "percent_off": 5}


def _template(sandbox: Sandbox) -> Input:
    to = f"+1415555{next(_NUMBERS)}"
    return {
        "to": to,
        "template": "order_shipped",
        "language": "en_US",
        "body_values": ["Ana", "today"],
        "url_endings": {"0": "1042"},
    }


def _post(sandbox: Sandbox) -> Input:
    return {"image_url": "https://cdn.example.com/spring.jpg", "caption": uuid.uuid4().hex}


def _linkedin_post(sandbox: Sandbox) -> Input:
    return {"text": f"Spring is here {uuid.uuid4().hex}"}


def _mail(sandbox: Sandbox) -> Input:
    return {"to": ["ada@example.org"], "subject": "Spring is here", "text": uuid.uuid4().hex}


_NUMBERS = itertools.count(1000)

CASES = (
    Case("slack.deleteMessage", _deletion, mark=("provider_id", "ts")),
    Case("stripe.createCoupon", _coupon, mark=("provider_id", "id")),
    Case("sms.sendSMS", _sms, mark=("text", "body")),
    Case("whatsapp.sendTemplate", _template, mark=("recipient", "to")),
    # Its steps: the upload, the post, and when the wait for the post to show began.
    Case("slack.uploadFile", _file, mark=("text", "title"), steps=((False, True, True),)),
    # The draft, and its sending.
    Case("email.sendEmail", _mail, mark=("text", "text"), steps=((False, True),)),
    # The container, when the wait for it began; later that it is ready, and the post.
    Case("instagram.publishPost", _post, mark=("text", "caption"), steps=((False, False), (False, True))),
    # A step of its own, and a platform that knows a repeat by its content.
    Case("linkedin.publishPost", _linkedin_post, mark=("text", "text"), steps=((True,),)),
)
