"""Twilio at the wire: messages, contents with approvals, media; webhooks signed by its documented algorithm.

Written after Twilio's public documentation. The real SDK talks to it (``TwilioConfig.api_url``).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
import json
import re
import threading
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any, Self
from urllib.parse import parse_qsl

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.waiting import eventually

ACCOUNT, TOKEN = "AC" + "a" * 32, "a token of the tests"
ERRORS = {
    21610: (400, "Attempt to send to unsubscribed recipient"),
    63016: (400, "Failed to send freeform message because you are outside the allowed window"),
    21211: (400, "Invalid 'To' Phone Number"),
    20003: (401, "Authenticate"),
    20429: (429, "Too Many Requests"),
    20500: (500, "Internal Server Error"),
    20503: (503, "Service Unavailable"),
}


def signature(url: str, fields: dict[str, str], token: str = TOKEN) -> str:
    """The URL, then every field's name and value in the order of the names; HMAC-SHA1, base64."""
    told = url + "".join(name + fields[name] for name in sorted(fields))
    return base64.b64encode(hmac.new(token.encode(), told.encode(), hashlib.sha1).digest()).decode()


@dataclass
class Taken:
    """A message that Twilio took."""

    sid: str
    to: str
    from_: str
    body: str
    content: dict[str, Any] | None
    variables: dict[str, str]
    media: str | None
    location: str | None
    callback: str | None
    at: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def buttons(self) -> list[tuple[str, str]]:
        """(title, id) of its quick replies or rows, with the variables in them."""
        types = (self.content or {}).get("types", {})
        quick, rows = types.get("twilio/quick-reply", {}), types.get("twilio/list-picker", {})
        items = [(a["title"], a["id"]) for a in quick.get("actions", [])]
        items += [(i["item"], i["id"]) for i in rows.get("items", [])]
        return [(title, _filled(id_, self.variables)) for title, id_ in items]


class FakeTwilio:
    """Listens on a loopback port."""

    def __init__(self) -> None:
        self.messages: list[Taken] = []
        self.contents: dict[str, dict[str, Any]] = {}
        self.approvals: dict[str, dict[str, Any]] = {}
        self.media: dict[str, tuple[bytes, str]] = {}
        self.plan: deque[int | str] = deque()
        """What the next sends get: an error's number, "cut" (taken, then closed) or "take"."""
        self.away = False
        """Every request gets 503."""
        self.outside_window: set[str] = set()
        self.opted_out: set[str] = set()
        self.retry_after = "2"
        self.requests = 0
        self._numbers = itertools.count(1)

    def __enter__(self) -> Self:
        account = f"/2010-04-01/Accounts/{ACCOUNT}"
        routes = [
            Route(f"{account}/Messages.json", self._send, methods=["POST"]),
            Route(f"{account}/Messages.json", self._list, methods=["GET"]),
            Route(account + "/Messages/{message}/Media/{media}", self._media),
            Route("/v1/Content", self._create, methods=["POST"]),
            Route("/v1/ContentAndApprovals", self._approvals),
            Route("/v1/Content/{sid}/ApprovalRequests/whatsapp", self._submit, methods=["POST"]),
        ]
        config = uvicorn.Config(Starlette(routes=routes), port=0, log_level="critical", lifespan="off")
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        eventually(lambda: self._server.started)
        port = self._server.servers[0].sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join()

    def said(self, to: str) -> list[str]:
        """The texts that a number got, in order."""
        return [message.body for message in self.messages if message.to.endswith(to)]

    def add_media(self, content: bytes, content_type: str) -> str:
        """A file that a customer sent; its address as a webhook gives it."""
        name = f"ME{next(self._numbers):032d}"
        self.media[name] = (content, content_type)
        return f"https://api.twilio.com/2010-04-01/Accounts/{ACCOUNT}/Messages/MM1/Media/{name}"

    def approve(self, name: str, status: str = "approved") -> None:
        """WhatsApp decided on a template."""
        for sid, content in self.contents.items():
            if content["friendly_name"] == name:
                self.approvals[sid] = {"name": name, "status": status, "rejection_reason": ""}

    # ---- what the SDK calls

    async def _send(self, request: Request) -> Response:
        self.requests += 1
        form = dict(parse_qsl((await request.body()).decode()))
        planned = self.plan.popleft() if self.plan else "take"
        to = form["To"]
        if refused := self._refused(request):
            return refused
        if isinstance(planned, int):
            return self._error(planned)
        if to in self.opted_out:
            return self._error(21610)
        content = self.contents.get(form.get("ContentSid", ""))
        approved = self.approvals.get(form.get("ContentSid", ""), {}).get("status") == "approved"
        if to in self.outside_window and not approved:
            return self._error(63016)
        taken = self._taken(form, content)
        self.messages.append(taken)
        if planned == "cut":
            return Response("{", 201, {"Content-Length": "1000"})
        return JSONResponse(self._shown(taken), 201)

    def _taken(self, form: dict[str, str], content: dict[str, Any] | None) -> Taken:
        variables = json.loads(form.get("ContentVariables", "{}"))
        bodies = [value.get("body", "") for value in (content or {}).get("types", {}).values()]
        body = _filled(bodies[0], variables) if bodies else form.get("Body", "")
        sid = f"SM{next(self._numbers):032x}"
        more = (form.get("MediaUrl"), form.get("PersistentAction"), form.get("StatusCallback"))
        return Taken(sid, form["To"], form["From"], body, content, variables, *more)

    async def _list(self, request: Request) -> Response:
        if refused := self._refused(request):
            return refused
        found = [self._shown(m) for m in reversed(self.messages) if m.to == request.query_params.get("To")]
        return JSONResponse({"messages": found, "next_page_uri": None, "page": 0, "page_size": 50})

    async def _create(self, request: Request) -> Response:
        if refused := self._refused(request):
            return refused
        sid = f"HX{next(self._numbers):032x}"
        self.contents[sid] = await request.json()
        return JSONResponse({"sid": sid, **self.contents[sid]}, 201)

    async def _submit(self, request: Request) -> Response:
        if refused := self._refused(request):
            return refused
        sid, body = request.path_params["sid"], await request.json()
        self.approvals[sid] = {**body, "status": "received", "rejection_reason": ""}
        return JSONResponse(self.approvals[sid], 201)

    async def _approvals(self, request: Request) -> Response:
        if refused := self._refused(request):
            return refused
        all_ = [{"sid": s, **c, "approval_requests": self.approvals.get(s)} for s, c in self.contents.items()]
        return JSONResponse({"contents": all_, "meta": {"key": "contents", "next_page_url": None}})

    async def _media(self, request: Request) -> Response:
        if refused := self._refused(request):
            return refused
        content, content_type = self.media[request.path_params["media"]]
        return Response(content, media_type=content_type)

    def _refused(self, request: Request) -> Response | None:
        wanted = "Basic " + base64.b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode()
        if request.headers.get("authorization") != wanted:
            return self._error(20003)
        return self._error(20503) if self.away else None

    def _error(self, code: int) -> Response:
        status, message = ERRORS[code]
        headers = {"Retry-After": self.retry_after} if status == 429 else {}
        return JSONResponse({"code": code, "message": message, "more_info": "", "status": status}, status, headers)

    def _shown(self, taken: Taken) -> dict[str, Any]:
        at = format_datetime(taken.at)
        told = {"sid": taken.sid, "to": taken.to, "from": taken.from_, "body": taken.body, "status": "queued"}
        return told | {"date_created": at, "date_sent": at, "account_sid": ACCOUNT}


def _filled(text: str, variables: dict[str, str]) -> str:
    return re.sub(r"{{(\d+)}}", lambda found: variables.get(found.group(1), ""), text)
