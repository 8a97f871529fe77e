"""A running sandbox, as tests see it: a process, its URL, and requests to its platforms."""

from __future__ import annotations

import base64
import hashlib
import hmac
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import requests


class Box:
    """One sandbox process on a state directory; ``start`` again after ``kill`` to see what it remembers."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self.port = 0
        self.http = requests.Session()
        self.http.trust_env = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        command = [sys.executable, "-m", "connectors.sandbox", "--state", str(self.state), "--port", str(self.port)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line.startswith("sandbox listening on http://127.0.0.1:"), line
        self.port = int(line.rpartition(":")[2])
        accounts = self.control("GET", "accounts")
        self.sms: dict[str, Any] = accounts["sms"]
        self.slack: dict[str, Any] = accounts["slack"]
        self.stripe: dict[str, Any] = accounts["stripe"]
        self.whatsapp: dict[str, Any] = accounts["whatsapp"]
        self.instagram: dict[str, Any] = accounts["instagram"]
        self.email: dict[str, Any] = accounts["email"]
        self.console: dict[str, Any] = accounts["google_search_console"]
        self.discord: dict[str, Any] = accounts["discord"]
        self.x: dict[str, Any] = accounts["x"]
        self.facebook: dict[str, Any] = accounts["facebook"]
        self.tiktok: dict[str, Any] = accounts["tiktok"]
        self.shopify: dict[str, Any] = accounts["shopify"]
        self.google_ads: dict[str, Any] = accounts["google_ads"]
        self.linkedin: dict[str, Any] = accounts["linkedin"]
        self.reddit: dict[str, Any] = accounts["reddit"]

    def kill(self) -> None:
        self.process.kill()
        self.end()

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.end()

    def end(self) -> int:
        code = self.process.wait(timeout=20)
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.http.close()
        return code

    def control(self, method: str, path: str, body: dict[str, Any] | None = None, *, status: int | None = None) -> Any:
        answer = self.http.request(method, f"{self.url}/_sandbox/{path}", json=body, timeout=10)
        assert answer.status_code == status if status else answer.ok, answer.text
        return answer.json()

    def now(self) -> float:
        found: float = self.control("GET", "health")["now"]
        return found

    def effects(self, connector: str | None = None, *, since_id: int = 0) -> list[dict[str, Any]]:
        query = f"since_id={since_id}" + (f"&connector={connector}" if connector else "")
        found: list[dict[str, Any]] = self.control("GET", f"effects?{query}")["effects"]
        return found

    def last_effect(self) -> int:
        last: int = self.control("GET", "effects")["last_id"]
        return last

    def fault(self, kind: str, **more: Any) -> dict[str, Any]:
        found: dict[str, Any] = self.control("POST", "faults", {"kind": kind, **more})
        return found

    def no_faults(self) -> None:
        self.control("DELETE", "faults")

    def twilio(self, method: str, path: str, **options: Any) -> requests.Response:
        """A request to api.twilio.com below the account, with the account's credential."""
        sid, token = self.sms["credential"]["account_sid"], self.sms["credential"]["auth_token"]
        url = f"{self.url}/api.twilio.com/2010-04-01/Accounts/{sid}/{path}"
        return self.http.request(method, url, **{"auth": (sid, token), "timeout": 10, **options})

    def send_sms(self, to: str, body: str = "hello", **fields: Any) -> requests.Response:
        sender = {} if "MessagingServiceSid" in fields else {"From": self.sms["settings"]["from_number"]}
        data = {"To": to, "Body": body, **sender, **fields}
        return self.twilio(
            "POST", "Messages.json", data={name: part for name, part in data.items() if part is not None}
        )

    def schedule_sms(self, to: str, ahead_s: float, **fields: Any) -> requests.Response:
        send_at = datetime.fromtimestamp(self.now() + ahead_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        service = self.sms["settings"]["messaging_service_sid"]
        wanted = {"ScheduleType": "fixed", "SendAt": send_at, "MessagingServiceSid": service, **fields}
        return self.send_sms(to, **wanted)

    def slack_call(self, api_method: str, /, *, http_method: str = "POST", **options: Any) -> requests.Response:
        token = options.pop("token", self.slack["credential"]["bot_token"])
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        headers |= options.pop("headers", {})
        return self.http.request(
            http_method, f"{self.url}/slack.com/api/{api_method}", headers=headers, timeout=10, **options
        )

    def slack_post(self, api_method: str, /, **fields: Any) -> dict[str, Any]:
        found: dict[str, Any] = self.slack_call(api_method, json=fields).json()
        return found

    def slack_get(self, api_method: str, /, **query: Any) -> dict[str, Any]:
        found: dict[str, Any] = self.slack_call(api_method, http_method="GET", params=query).json()
        return found

    def stripe_call(
        self, path: str, fields: dict[str, Any] | None = None, *, key: str | None = None, **options: Any
    ) -> requests.Response:
        """A request to api.stripe.com: a POST of the fields, or a GET where there are none."""
        secret = options.pop("secret", self.stripe["credential"]["secret_key"])
        headers = {"Authorization": f"Bearer {secret}", **({"Idempotency-Key": key} if key else {})}
        headers |= options.pop("headers", {})
        method = options.pop("method", "GET" if fields is None else "POST")
        url = f"{self.url}/api.stripe.com/v1/{path}"
        return self.http.request(method, url, data=fields, headers=headers, **{"timeout": 10, **options})

    def shop(self, document: str, /, *, token: str | None = None, **variables: Any) -> requests.Response:
        """A GraphQL request to the shop; its only operation is meant."""
        headers = {"X-Shopify-Access-Token": token or self.shopify["credential"]["access_token"]}
        return self.http.post(
            f"{self.url}/{self.shopify['account']}/admin/api/2026-10/graphql.json",
            json={"query": document, "variables": variables},
            headers=headers,
            timeout=10,
        )

    def ads(self, path: str, body: dict[str, Any] | None = None, **options: Any) -> requests.Response:
        """A request to Google Ads below ``/v26/``: a POST of the body, or a GET where there is none.

        ``{customer}`` in the path is the account's id.
        """
        token = options.pop("token", self.google_ads["credential"]["access_token"])
        headers = {"Authorization": f"Bearer {token}", **options.pop("headers", {})}
        url = f"{self.url}/googleads.googleapis.com/v26/{path.format(customer=self.google_ads['account'])}"
        method = "GET" if body is None else "POST"
        return self.http.request(method, url, json=body, headers=headers, timeout=10, **options)

    def cloud(self, method: str, path: str, **options: Any) -> requests.Response:
        """A request to WhatsApp's Cloud API; ``{number}`` and ``{waba}`` in the path are the account's ids."""
        number = self.whatsapp["settings"]["phone_number_id"]
        path = path.format(number=number, waba=self.whatsapp["account"])
        token = options.pop("token", self.whatsapp["credential"]["access_token"])
        return self._graph(method, f"graph.facebook.com/v26.0/{path}", token, **options)

    def insta(self, method: str, path: str, **options: Any) -> requests.Response:
        """A request to Instagram; ``{account}`` and ``{page}`` in the path are the account's ids."""
        settings = self.instagram["settings"]
        path = path.format(account=settings["ig_user_id"], page=settings["page_id"])
        token = options.pop("token", self.instagram["credential"]["access_token"])
        secret = options.pop("app_secret", self.instagram["credential"]["app_secret"])
        proof = {"appsecret_proof": hmac.new(secret.encode(), token.encode(), hashlib.sha256).hexdigest()}
        params = {**proof, **options.pop("params", {})}
        host = options.pop("host", "graph.instagram.com")
        return self._graph(method, f"{host}/v26.0/{path}", token, params=params, **options)

    def gmail(self, method: str, path: str, body: dict[str, Any] | None = None, **options: Any) -> requests.Response:
        """A request to Gmail's API for the account's mailbox."""
        token = options.pop("token", self.email["credential"]["access_token"])
        headers = {"Authorization": f"Bearer {token}", **options.pop("headers", {})}
        url = f"{self.url}/gmail.googleapis.com/{options.pop('prefix', 'gmail/v1/users/me')}/{path}"
        return self.http.request(method, url, json=body, headers=headers, **{"timeout": 10, **options})

    def search_console(self, method: str, path: str, body: Any = None, **options: Any) -> requests.Response:
        """A request to the Search Console API."""
        token = options.pop("token", self.console["credential"]["access_token"])
        url = f"{self.url}/{options.pop('host', 'searchconsole.googleapis.com')}/{path}"
        headers = {"Authorization": f"Bearer {token}"}
        return self.http.request(method, url, json=body, headers=headers, **{"timeout": 10, **options})

    def bot(self, method: str, path: str, **options: Any) -> requests.Response:
        """A request to Discord as the bot; ``{guild}``, ``{launch}`` and so on in the path are the server's ids."""
        path = path.format(guild=self.discord["account"], **self.discord["channels"])
        token = options.pop("token", self.discord["credential"]["bot_token"])
        headers = {"Authorization": f"Bot {token}", "User-Agent": "DiscordBot (https://example.com, 1)"}
        headers |= options.pop("headers", {})
        return self.http.request(
            method, f"{self.url}/discord.com/api/v10/{path}", headers=headers, timeout=10, **options
        )

    def hook(self, method: str, path: str = "", **options: Any) -> requests.Response:
        """A request to the webhook of Discord's account."""
        address = self.discord["credential"]["webhook_url"].removeprefix("https://discord.com/api/")
        return self.bot(method, options.pop("address", address) + path, **options)

    def tweet(self, method: str, path: str, **options: Any) -> requests.Response:
        """A request to api.x.com below ``/2``, with the account's token."""
        token = options.pop("token", self.x["credential"]["access_token"])
        headers = {"Authorization": f"Bearer {token}", **options.pop("headers", {})}
        return self.http.request(method, f"{self.url}/api.x.com/2/{path}", headers=headers, timeout=10, **options)

    def _graph(self, method: str, address: str, token: str, **options: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {token}", **options.pop("headers", {})}
        return self.http.request(method, f"{self.url}/{address}", headers=headers, timeout=10, **options)

    def linked(self, method: str, path: str, **options: Any) -> requests.Response:
        """A request to LinkedIn's REST API, with its version and the account's token."""
        headers = {
            "Authorization": f"Bearer {options.pop('token', self.linkedin['credential']['access_token'])}",
            "LinkedIn-Version": "202607",
            "X-Restli-Protocol-Version": "2.0.0",
            **options.pop("headers", {}),
        }
        address = path if path.startswith("www.") else f"api.linkedin.com/{path}"
        given = {name: value for name, value in headers.items() if value is not None}
        return self.http.request(method, f"{self.url}/{address}", headers=given, timeout=10, **options)

    def reddits(self, method: str, address: str, **options: Any) -> requests.Response:
        """A request to one of Reddit's hosts, with a user agent and the account's token."""
        headers = {
            "User-Agent": "linux:tests:v1 (by /u/spring_launch)",
            "Authorization": f"Bearer {options.pop('token', self.reddit['credential']['access_token'])}",
            **options.pop("headers", {}),
        }
        given = {name: value for name, value in headers.items() if value is not None}
        return self.http.request(method, f"{self.url}/{address}", headers=given, timeout=10, **options)

    def basic(self) -> str:
        credential = self.sms["credential"]
        return base64.b64encode(f"{credential['account_sid']}:{credential['auth_token']}".encode()).decode()


def linkedin_code(answer: requests.Response) -> tuple[int, str | None]:
    """Status and code of LinkedIn's refusal."""
    found = answer.json()
    inputs = found.get("errorDetails", {}).get("inputErrors", [])
    return answer.status_code, inputs[0]["code"] if inputs else found.get("code")


@contextmanager
def running(state: Path) -> Iterator[Box]:
    """A started sandbox, ended by SIGTERM at the end unless the test ended it."""
    box = Box(state)
    box.start()
    try:
        yield box
    finally:
        if box.process.returncode is None:
            box.stop()
