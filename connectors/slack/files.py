"""Files in both directions: store what staff attach in a thread, and upload what customers send."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import filetype
import httpx

from connectors.slack.client import Slack
from connectors.slack.text import truncate_text
from core.db import Database
from core.db.models import Conversation, Handoff, Message, generate_id
from core.errors import InvalidInput

LARGEST = 16_000_000
SECONDS = 20.0
DOCUMENTS = {
    "application/pdf",
    "application/msword",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation",
}
NOT_ON = {"web"}
"""Channels that cannot deliver our files to the customer."""


class Files:
    """Stores and uploads files."""

    def __init__(self, database: Database, home: Path) -> None:
        self._database, self._home = database, home

    async def fetched(self, slack: Slack, handoff_id: str, files: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Download the files that staff attached and return them as described in ``core.attachments``.

        Raises:
            InvalidInput: the customer's channel takes no files, or a file is too large, not available or of an unknown type.
        """
        if not files:
            return []
        channel = await self._database.run(
            lambda session: session.get_one(Conversation, session.get_one(Handoff, handoff_id).conversation_id).channel
        )
        if channel in NOT_ON:
            raise InvalidInput(f"on {channel} the customer gets no files: send a link.")
        return [await self._store_file(slack, file) for file in files]

    async def upload(self, slack: Slack, channel: str, thread: str, message_id: str) -> None:
        """Upload a customer's files to the thread.

        Raises:
            DeliveryFailed: as in ``Slack.taken``.
        """
        message = await self._database.run(lambda session: session.get_one(Message, message_id))
        for each in message.attachments:
            path = (self._home / str(each.get("path", ""))).resolve()
            if each.get("path") and path.is_relative_to(self._home.resolve()) and path.is_file():
                content, name = await asyncio.to_thread(path.read_bytes), str(each.get("name") or path.name)
                call = slack.client.files_upload_v2(
                    content=content, filename=name, title=name, channel=channel, thread_ts=thread
                )
                await slack.taken(call)

    async def _store_file(self, slack: Slack, file: dict[str, Any]) -> dict[str, Any]:
        name = truncate_text(Path(str(file.get("name") or "file")).name, 100)
        content = await _download_file(
            slack, str(file.get("url_private_download") or file.get("url_private") or ""), name
        )
        found = filetype.guess(content[:8192])
        mime = found.mime if found else ""
        kind = "document" if mime in DOCUMENTS else mime.partition("/")[0]
        if found is None or kind not in {"image", "audio", "video", "document"}:
            raise InvalidInput(f"“{name}” is no image, sound, video, PDF or Office document.")
        path = Path("media") / slack.workspace.tenant / f"{generate_id()}.{found.extension}"
        await asyncio.to_thread(_write_file, self._home / path, content)
        return {"kind": kind, "name": name, "content_type": mime, "size": len(content), "path": str(path)}


async def _download_file(slack: Slack, url: str, name: str) -> bytes:
    """Download a file from Slack; our token is sent to Slack only."""
    host, own = urlsplit(url).hostname or "", urlsplit(slack.client.base_url).hostname
    if not host.endswith(".slack.com") and host != own:
        raise InvalidInput(f"“{name}” does not lie at Slack.")
    headers, content = {"Authorization": f"Bearer {slack.workspace.bot_token.get_secret_value()}"}, b""
    try:
        async with (
            asyncio.timeout(SECONDS),
            httpx.AsyncClient() as http,
            http.stream("GET", url, headers=headers) as response,
        ):
            response.raise_for_status()
            async for piece in response.aiter_bytes():
                content += piece
                if len(content) > LARGEST:
                    raise InvalidInput(f"“{name}” is larger than {LARGEST // 1_000_000} MB.")
    except (httpx.HTTPError, TimeoutError):
        raise InvalidInput(f"“{name}” could not be fetched from Slack. Please attach it again.") from None
    return content


def _write_file(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    path.chmod(0o600)
