"""Twilio at the wire: messages and their log, contents with approvals, media; webhooks signed by its documented algorithm.

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
from urllib.parse import parse_qsl, urlencode

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from testing.waiting import eventually

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


@dataclass
class Written:
    """A customer's message that came to Twilio."""

    sid: str
    from_: str
    to: str
    body: str
    at: datetime
    media: list[str]


class FakeTwilio:
    """Listens on a loopback port."""

    def __init__(self) -> None:
        self.messages: list[Taken] = []
        self.written: list[Written] = []
        self.contents: dict[str, dict[str, Any]] = {}
        self.approvals: dict[str, dict[str, Any]] = {}
        self.media: dict[str, tuple[bytes, str]] = {}
        self.plan: deque[int | str] = deque()
        """What the next sends get: an error's number, "cut" (taken, then closed) or "take"."""
        self.list_plan: deque[int | None] = deque()
        """What the next pages of the log get: an error's number, or None."""
        self.lists: list[dict[str, str]] = []
        """What was asked of the log."""
        self.page_most = 1000
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
            Route(account + "/Messages/{message}/Media.json", self._media_list),
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

    def write(self, from_: str, to: str, body: str, at: datetime, *files: tuple[bytes, str], sid: str = "") -> str:
        """A customer writes, and nobody of ours is called for it; the message's id."""
        sid = sid or f"SM{next(self._numbers):032x}"
        media = [self.add_media(*file).rpartition("/")[2] for file in files]
        self.written.append(Written(sid, from_, to, body, at, media))
        return sid

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
        asked = dict(request.query_params)
        self.lists.append(asked)
        if planned := self.list_plan.popleft() if self.list_plan else None:
            return self._error(planned)
        both: list[Taken | Written] = [*self.messages, *self.written]
        rows = [row for row in both if _fits(row, asked)]
        rows.sort(key=lambda row: (row.at.replace(microsecond=0), row.sid), reverse=True)
        return self._page(request, "messages", [self._shown(row) for row in rows])

    async def _media_list(self, request: Request) -> Response:
        if refused := self._refused(request):
            return refused
        (row,) = [row for row in self.written if row.sid == request.path_params["message"]]
        told = {"account_sid": ACCOUNT, "parent_sid": row.sid, "date_created": format_datetime(row.at)}
        told["date_updated"] = told["date_created"]
        where = f"/2010-04-01/Accounts/{ACCOUNT}/Messages/{row.sid}/Media"
        found = [{"sid": n, "content_type": self.media[n][1], "uri": f"{where}/{n}.json", **told} for n in row.media]
        return self._page(request, "media_list", found)

    def _page(self, request: Request, name: str, items: list[dict[str, Any]]) -> Response:
        """From the one behind the page token on."""
        asked = dict(request.query_params)
        size, page = min(int(asked.get("PageSize", 50)), self.page_most), int(asked.get("Page", 0))
        sids = [item["sid"] for item in items]
        begin = sids.index(asked["PageToken"].removeprefix("PA")) + 1 if "PageToken" in asked else 0
        shown, path = items[begin : begin + size], request.url.path
        more = {"PageSize": str(size), "Page": str(page + 1), "PageToken": f"PA{shown[-1]['sid']}"} if shown else {}
        following = f"{path}?{urlencode({**asked, **more})}" if begin + size < len(items) else None
        whole = {
            "first_page_uri": f"{path}?{urlencode({**asked, 'Page': '0'})}",
            "next_page_uri": following,
            "previous_page_uri": None,
            "uri": f"{path}?{urlencode(asked)}",
            "page": page,
            "page_size": size,
            "start": begin,
            "end": begin + len(shown) - 1,
            name: shown,
        }
        return JSONResponse(whole)

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

    def _shown(self, row: Taken | Written) -> dict[str, Any]:
        at, uri = format_datetime(row.at), f"/2010-04-01/Accounts/{ACCOUNT}/Messages/{row.sid}"
        inbound = isinstance(row, Written)
        files = len(row.media) if isinstance(row, Written) else int(row.media is not None)
        return {
            "account_sid": ACCOUNT,
            "api_version": "2010-04-01",
            "body": row.body,
            "date_created": at,
            "date_sent": at,
            "date_updated": at,
            "direction": "inbound" if inbound else "outbound-api",
            "error_code": None,
            "error_message": None,
            "from": row.from_,
            "messaging_service_sid": None,
            "num_media": str(files),
            "num_segments": "1",
            "price": None,
            "price_unit": None,
            "sid": row.sid,
            "status": "received" if inbound else "queued",
            "subresource_uris": {"media": f"{uri}/Media.json"},
            "to": row.to,
            "uri": f"{uri}.json",
        }


def _fits(row: Taken | Written, asked: dict[str, str]) -> bool:
    """Dates count as whole days in GMT."""
    day = row.at.astimezone(UTC).date().isoformat()
    return (
        asked.get("To", row.to) == row.to
        and asked.get("From", row.from_) == row.from_
        and asked.get("DateSent", day)[:10] == day
        and asked.get("DateSent>", day)[:10] <= day <= asked.get("DateSent<", day)[:10]
    )


def _filled(text: str, variables: dict[str, str]) -> str:
    return re.sub(r"{{(\d+)}}", lambda found: variables.get(found.group(1), ""), text)
