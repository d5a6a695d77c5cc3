"""Slack at the wire: the Web API, Socket Mode and signed requests, written after docs.slack.dev; the real SDK talks to it."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import itertools
import json
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import urlencode

import httpx
from aiohttp import web

from testing.slack_blocks import invalid

TEAM, CHANNEL, BOT = "T0SHOP001", "C0DESK001", "B0BOT0001"
BOT_TOKEN, APP_TOKEN, SECRET = "xoxb-fake", "xapp-fake", "8f742231b10e8888abcd99yyyzzz85a5"
PEOPLE = {"U0BOB0001": "Bob", "U0EVE0001": "Eve"}
Json = dict[str, Any]


@dataclass
class Workspace:
    """What one workspace has in it."""

    channels: dict[str, list[Json]] = field(default_factory=lambda: {CHANNEL: []})
    archived: set[str] = field(default_factory=set)
    reactions: dict[str, set[str]] = field(default_factory=dict)
    whispers: list[Json] = field(default_factory=list)
    views: list[Json] = field(default_factory=list)
    files: dict[str, Json] = field(default_factory=dict)


class FakeSlack:
    """Listens on a free loopback port, in a thread."""

    def __init__(self) -> None:
        self.teams: dict[str, tuple[str, Workspace]] = {BOT_TOKEN: (TEAM, Workspace())}
        self.calls: list[tuple[str, Json]] = []
        self.down = False
        self.revoked = False
        self.refusals: deque[tuple[str, int, Json, dict[str, str]]] = deque()
        """(method, status, body, headers): the next call of the method is answered so."""
        self.cut: set[str] = set()
        """The next call of these methods is done, and the connection breaks off."""
        self.sockets: list[web.WebSocketResponse] = []
        self.acknowledged: dict[str, Json] = {}
        self._numbers = itertools.count(1)
        self._base = int(time.time()) - 1000

    @property
    def workspace(self) -> Workspace:
        return self.teams[BOT_TOKEN][1]

    def messages(self, thread: str | None = None, channel: str = CHANNEL) -> list[Json]:
        """What stands in the channel, or in a thread of it without its first message."""
        return [m for m in self.workspace.channels.get(channel, []) if m.get("thread_ts") == thread]

    def limit(self, method: str, seconds: int = 1) -> None:
        self.refusals.append((method, 429, {"ok": False, "error": "ratelimited"}, {"Retry-After": str(seconds)}))

    def timestamp(self) -> str:
        number = next(self._numbers)
        return f"{self._base + number}.{number:06}"

    # -- requests of Slack's to us ---------------------------------------------------------------

    def signed(self, body: str, secret: str = SECRET, at: float | None = None) -> dict[str, str]:
        """The headers of a request with this body."""
        stamp = str(int(time.time() if at is None else at))
        made = hmac.new(secret.encode(), f"v0:{stamp}:{body}".encode(), hashlib.sha256).hexdigest()
        return {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={made}"}

    def request(self, kind: str, payload: Json, **signing: Any) -> tuple[str, bytes, dict[str, str]]:
        """Path, body and headers of an envelope that comes over HTTP."""
        path = {"events_api": "events", "interactive": "interactivity", "slash_commands": "commands"}[kind]
        fields = {"payload": json.dumps(payload)} if kind == "interactive" else payload
        body = json.dumps(payload) if kind == "events_api" else urlencode(fields)
        content = "application/json" if kind == "events_api" else "application/x-www-form-urlencoded"
        return f"/slack/{path}", body.encode(), {"Content-Type": content, **self.signed(body, **signing)}

    def post(self, url: str, kind: str, payload: Json) -> httpx.Response:
        path, body, headers = self.request(kind, payload)
        return httpx.post(f"{url}{path}", content=body, headers=headers, timeout=10)

    def over_socket(self, kind: str, payload: Json) -> str:
        """The same through Socket Mode; the envelope's id, by which it is acknowledged."""
        envelope = {"type": kind, "envelope_id": f"E{next(self._numbers)}", "payload": payload}
        sending = self.sockets[-1].send_json({**envelope, "accepts_response_payload": True})
        asyncio.run_coroutine_threadsafe(sending, self._loop).result(10)
        return str(envelope["envelope_id"])

    # -- the Web API -------------------------------------------------------------------------------

    async def _call(self, request: web.Request) -> web.StreamResponse:
        method, given = request.match_info["method"], await _given(request)
        token = request.headers.get("Authorization", "").removeprefix("Bearer ") or given.pop("token", "")
        self.calls.append((method, given))
        if self.down:
            return web.json_response({"ok": False, "error": "service_unavailable"}, status=503)
        for refusal in self.refusals:
            if refusal[0] == method:
                self.refusals.remove(refusal)
                return web.json_response(refusal[2], status=refusal[1], headers=refusal[3])
        if method == "apps.connections.open":
            known = token == APP_TOKEN
            return web.json_response({"ok": known, **({"url": self.socket} if known else {"error": "invalid_auth"})})
        if self.revoked or token not in self.teams:
            return web.json_response({"ok": False, "error": "token_revoked" if self.revoked else "invalid_auth"})
        answer = self._answer(method, given, *self.teams[token])
        if method in self.cut:
            self.cut.remove(method)
            assert request.transport
            request.transport.abort()
        return web.json_response({"ok": "error" not in answer, **answer})

    def _answer(self, method: str, given: Json, team: str, workspace: Workspace) -> Json:  # noqa: C901, PLR0911, PLR0912
        channel = given.get("channel", "")
        if "channel" in given and channel not in workspace.channels:
            return {"error": "channel_not_found"}
        if method.startswith("chat.") and channel in workspace.archived:
            return {"error": "is_archived"}
        if wrong := invalid(given):
            return {"error": "invalid_blocks", "response_metadata": {"messages": [wrong]}}
        said = workspace.channels.get(channel, [])
        match method:
            case "auth.test":
                return {"team_id": team, "user_id": "U0BOT0001", "bot_id": BOT, "team": "Shop"}
            case "conversations.info":
                return {"channel": {"id": channel, "is_archived": channel in workspace.archived, "is_member": True}}
            case "users.info":
                name = PEOPLE.get(given["user"])
                if name is None:
                    return {"error": "user_not_found"}
                profile = {"display_name": name, "real_name": f"{name} Builder"}
                return {"user": {"id": given["user"], "name": name.lower(), "team_id": team, "profile": profile}}
            case "chat.postMessage":
                message = {"ts": self.timestamp(), "bot_id": BOT, **given}
                said.append(message)
                return {"ts": message["ts"], "channel": channel, "message": message}
            case "chat.update":
                found = next((m for m in said if m["ts"] == given["ts"]), None)
                if found is None:
                    return {"error": "message_not_found"}
                found.update(given)
                return {"ts": given["ts"], "channel": channel}
            case "chat.postEphemeral":
                workspace.whispers.append(given)
                return {"message_ts": self.timestamp()}
            case "reactions.add" | "reactions.remove":
                names = workspace.reactions.setdefault(given["timestamp"], set())
                there = given["name"] in names
                if there == (method == "reactions.add"):
                    return {"error": "already_reacted" if there else "no_reaction"}
                names ^= {given["name"]}
                return {}
            case "conversations.history":
                return {"messages": [m for m in reversed(said) if not m.get("thread_ts")][: int(given["limit"])]}
            case "conversations.replies":
                thread = [m for m in said if given["ts"] in {m["ts"], m.get("thread_ts")}]
                return {"messages": thread[: int(given["limit"])]} if thread else {"error": "thread_not_found"}
            case "views.open":
                workspace.views.append(given["view"])
                return {"view": {"id": f"V{next(self._numbers)}"}}
            case "files.getUploadURLExternal":
                file = {"id": f"F{next(self._numbers)}", "name": given["filename"], "size": int(given["length"])}
                workspace.files[file["id"]] = file
                return {"file_id": file["id"], "upload_url": f"{self.address}/upload/{file['id']}"}
            case "files.completeUploadExternal":
                ids = [each["id"] for each in json.loads(given["files"]) if workspace.files[each["id"]].get("body")]
                shared = {"ts": self.timestamp(), "bot_id": BOT, "thread_ts": given.get("thread_ts"), "files": ids}
                workspace.channels[given["channel_id"]].append(shared)
                return {"files": [{"id": each} for each in ids]}
            case _:
                return {"error": "unknown_method"}

    async def _upload(self, request: web.Request) -> web.Response:
        for _, workspace in self.teams.values():
            if file := workspace.files.get(request.match_info["file"]):
                file["body"] = await request.read()
        return web.Response(text="OK")

    async def _download(self, request: web.Request) -> web.Response:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if token not in self.teams:  # Slack sends its sign-in page
            return web.Response(text="<!DOCTYPE html><html>Sign in</html>", content_type="text/html")
        file = self.teams[token][1].files[request.match_info["file"]]
        return web.Response(body=file["body"], content_type=file.get("mimetype", "application/octet-stream"))

    async def _socket(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json({"type": "hello", "num_connections": 1})
        self.sockets.append(socket)
        async for message in socket:
            if message.type == web.WSMsgType.TEXT:
                said = json.loads(message.data)
                self.acknowledged[said["envelope_id"]] = said.get("payload") or {}
        return socket

    # -- life --------------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._runner.cleanup(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _listen(self) -> None:
        app = web.Application()
        app.router.add_route("*", "/api/{method}", self._call)
        app.router.add_post("/upload/{file}", self._upload)
        app.router.add_get("/files/{file}", self._download)
        app.router.add_get("/socket", self._socket)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        port = self._runner.addresses[0][1]
        self.address, self.socket = f"http://127.0.0.1:{port}", f"ws://127.0.0.1:{port}/socket"
        self.url = f"{self.address}/api/"


async def _given(request: web.Request) -> Json:
    if request.content_type == "application/json":
        return dict(await request.json())
    return {**request.query, **{k: v for k, v in (await request.post()).items() if isinstance(v, str)}}
