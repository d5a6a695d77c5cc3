"""Client for Twilio's SDK that runs off the event loop and converts failures to delivery errors."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

import orjson
import requests
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.http.response import Response
from twilio.rest import Client

from connectors.twilio.profile import Kind, TwilioConfig
from core.errors import Permanent, Retry, Unknown

T = TypeVar("T")
API = "https://api.twilio.com"
TIMEOUT_SECONDS = 20.0
PAGE = 200
"""Page size when reading the log."""
PATIENCE_SECONDS = 10.0
"""Maximum wait for the number's rate limit; after that the message goes back to the outbox."""
OPTED_OUT, OUTSIDE_WINDOW, BAD_CREDENTIALS = 21610, 63016, 20003


class OptedOut(Permanent):
    """The customer has opted out at Twilio (21610)."""


class OutsideWindow(Permanent):
    """The session window has closed and only a template may be sent (63016)."""


@dataclass(frozen=True)
class OutboundDraft:
    """A message for Twilio: either a body, or a content template with its variables."""

    to: str
    """The phone number, without the channel's prefix."""
    body: str = ""
    media: str | None = None
    """An address that Twilio can fetch."""
    location: str | None = None
    """In the form geo:latitude,longitude|label."""
    content_sid: str | None = None
    variables: dict[str, str] = field(default_factory=dict)
    callback: str | None = None


@dataclass(frozen=True)
class Logged:
    """A customer's message from Twilio's log."""

    sid: str
    from_: str
    """The sender's number, with the channel's prefix."""
    to: str
    body: str
    at: datetime
    """Time at which Twilio called the webhook, in whole seconds."""
    files: int


class Twilio:
    def __init__(self, config: TwilioConfig) -> None:
        self.config = config
        http = _Http(config.api_url)
        self._client = Client(config.account_sid, config.auth_token, http_client=http)
        self._free_at: dict[str, float] = {}

    async def send(self, kind: Kind, draft: OutboundDraft) -> str:
        """Send a message and return Twilio's id.

        Raises:
            Retry: Twilio is busy, unreachable or refuses our credentials.
            Permanent: Twilio rejected the message; includes `OptedOut` and `OutsideWindow`.
            Unknown: the connection broke off.
        """
        await self._wait_for_rate_limit(kind)
        optional = {
            "body": draft.body or None,
            "media_url": [draft.media] if draft.media else None,
            "persistent_action": [draft.location] if draft.location else None,
            "content_sid": draft.content_sid,
            "content_variables": orjson.dumps(draft.variables).decode() if draft.variables else None,
            "status_callback": draft.callback,
        }
        given: dict[str, Any] = {name: value for name, value in optional.items() if value is not None}
        to, from_ = kind.prefix + draft.to, kind.prefix + self.config.numbers[kind.name]
        message = await call_twilio(lambda: self._client.messages.create(to=to, from_=from_, **given))
        return str(message.sid)

    async def sent_since(self, kind: Kind, to: str, since: datetime) -> list[tuple[str, str]]:
        """Return the (id, body) of messages sent to a number, newest first."""
        found = await call_twilio(
            lambda: self._client.messages.list(to=kind.prefix + to, date_sent_after=since.date(), limit=50)
        )
        return [(str(each.sid), str(each.body or "")) for each in found if (each.date_created or since) >= since]

    async def received_since(self, kind: Kind, since: datetime) -> list[Logged]:
        """Return the messages that customers sent to our number, oldest first.

        Raises:
            Retry, Permanent, Unknown: as in ``send``.
        """

        def read_inbound_log() -> list[Logged]:
            found: list[Logged] = []
            to = kind.prefix + self.config.numbers[kind.name]
            # Twilio filters by whole days and returns the newest first
            for each in self._client.messages.stream(to=to, date_sent_after=since.date(), page_size=PAGE):
                at: datetime = each.date_sent or each.date_created
                if at < since:
                    break
                if each.direction == "inbound":
                    found.append(Logged(each.sid, each.from_, each.to, each.body or "", at, int(each.num_media or 0)))
            return found[::-1]

        return await call_twilio(read_inbound_log)

    async def files_of(self, sid: str) -> list[tuple[str, str]]:
        """Return the address and content type of each file of a message.

        Raises:
            Retry, Permanent, Unknown: as in ``send``.
        """
        found = await call_twilio(self._client.messages(sid).media.list)
        return [(f"{API}{each.uri.removesuffix('.json')}", str(each.content_type)) for each in found]

    async def contents(self) -> list[dict[str, Any]]:
        """Return all contents with sid, friendly_name, language and approval (name, category, status ...)."""
        found = await call_twilio(lambda: self._client.content.v1.content_and_approvals.list(limit=1000))
        return [
            {
                "sid": each.sid,
                "friendly_name": each.friendly_name,
                "language": each.language,
                "approval": each.approval_requests or {},
            }
            for each in found
        ]

    async def create_content(self, content: dict[str, Any]) -> str:
        uri, headers = "https://content.twilio.com/v1/Content", {"Content-Type": "application/json"}
        return str((await self._post_json(uri, content, headers))["sid"])

    async def submit(self, sid: str, name: str, category: str) -> str:
        """Submit a content to WhatsApp for approval and return the approval status."""
        uri, headers = (
            f"https://content.twilio.com/v1/Content/{sid}/ApprovalRequests/whatsapp",
            {"Content-Type": "application/json"},
        )
        return str(
            (await self._post_json(uri, {"name": name, "category": category}, headers)).get("status", "received")
        )

    async def _post_json(self, uri: str, body: dict[str, Any], headers: dict[str, str]) -> dict[str, Any]:
        def request_json() -> dict[str, Any]:
            response = self._client.request("POST", uri, data=body, headers=headers)
            if not 200 <= response.status_code < 300:  # noqa: PLR2004 - HTTP success codes
                raise _rest_exception(response, uri, "POST")
            return dict(orjson.loads(response.text))

        return await call_twilio(request_json)

    async def _wait_for_rate_limit(self, kind: Kind) -> None:
        """Wait for the rate limit of this number.

        Raises:
            Retry: the wait would be too long.
        """
        now = time.monotonic()
        at = max(now, self._free_at.get(kind.name, now))
        if at - now > PATIENCE_SECONDS:
            raise Retry(f"our {kind.name} number sends at most {kind.per_second:g} messages a second", after=at - now)
        self._free_at[kind.name] = at + 1 / kind.per_second
        await asyncio.sleep(at - now)


async def call_twilio(work: Callable[[], T]) -> T:
    """Run a blocking call on a thread.

    Raises:
        Retry, Permanent, Unknown: as in ``Twilio.send``.
    """
    try:
        return await asyncio.to_thread(work)
    except TwilioRestException as error:
        raise _to_delivery_error(error) from error
    except requests.ConnectionError as error:
        if re.search(r"NewConnectionError|NameResolution|ConnectTimeout|refused", str(error)):
            raise Retry(f"Twilio cannot be reached: {error}") from error
        raise Unknown(f"the connection to Twilio broke off: {error}") from error
    except (requests.RequestException, TwilioException, ValueError) as error:
        page = next((each for each in error.args if isinstance(each, Response)), None)
        if page is not None:  # a failed list page, for which the SDK's error has no details
            raise _to_delivery_error(_rest_exception(page, "", "GET")) from error
        raise Unknown(f"Twilio gave no usable answer: {error}") from error


def _rest_exception(response: Response, uri: str, method: str) -> TwilioRestException:
    try:
        told = orjson.loads(response.text)
    except ValueError:
        told = {}
    return TwilioRestException(response.status_code, uri, str(told.get("message", "")), told.get("code"), method)


def _to_delivery_error(error: TwilioRestException) -> Exception:
    told = f"Twilio answered {error.status}, error {error.code or 'without a number'}: {error.msg}"
    if error.code == OPTED_OUT:
        return OptedOut(told)
    if error.code == OUTSIDE_WINDOW:
        return OutsideWindow(told)
    if error.code == BAD_CREDENTIALS or error.status == 401:  # noqa: PLR2004 - HTTP status code
        return Retry(f"{told} Check REJOINDER_TWILIO_ACCOUNT_SID and REJOINDER_TWILIO_AUTH_TOKEN.", after=60)
    if error.status in {408, 409, 429} or error.status >= 500:  # noqa: PLR2004 - HTTP status codes
        return Retry(told)
    return Permanent(told)


class _Http(TwilioHttpClient):  # type: ignore[misc] # the SDK has no types
    """The SDK's HTTP client with an optional base URL; it also keeps ``Retry-After``, which the SDK drops."""

    def __init__(self, api_url: str) -> None:
        super().__init__(timeout=TIMEOUT_SECONDS)
        self._api_url = api_url.rstrip("/")

    def request(self, method: str, url: str, *more: Any, **named: Any) -> Response:
        if self._api_url:
            url = re.sub(r"^https://[^/]+", self._api_url, url)
        response = super().request(method, url, *more, **named)
        if response.status_code == 429:  # noqa: PLR2004 - HTTP status code
            after = (response.headers or {}).get("Retry-After", "")
            raise Retry("Twilio says that we send too fast (429)", after=float(after) if after.isdigit() else None)
        return response
