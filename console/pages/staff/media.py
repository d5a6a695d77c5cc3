"""Attachments of a conversation, from customers and from staff."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from sqlalchemy.orm import Session

from console.pages.staff.base import Shell
from core.db.models import Message
from core.errors import NotFound

SHOWN = ("image/jpeg", "image/png", "image/webp", "image/gif", "audio/", "video/")
"""Content types, or their prefixes, that browsers show inline; anything else is downloaded."""
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "private, max-age=3600",
}


def add_routes(routes: APIRouter, shell: Shell) -> None:
    """Add the route of an attachment, by message and position."""

    @routes.get("/media/{message_id}/{number}")
    async def send_media_file(request: Request, message_id: str, number: int) -> Response:
        await shell.person(request)
        each = await shell.read(lambda session: _get_attachment(session, shell.tenant, message_id, number))
        path = _resolve_media_path(shell.services.inbox.home, str(each.get("path") or ""))
        content = await asyncio.to_thread(path.read_bytes)
        kind, name = str(each.get("content_type") or "application/octet-stream"), str(each.get("name") or path.name)
        way = "inline" if kind.startswith(SHOWN) else "attachment"
        headers = {**HEADERS, "Content-Disposition": f"{way}; filename*=UTF-8''{quote(name, safe='')}"}
        return Response(content, media_type=kind, headers=headers)


def _get_attachment(session: Session, tenant_id: str, message_id: str, number: int) -> dict[str, Any]:
    message = session.get(Message, message_id)
    if message is None or message.tenant_id != tenant_id or not 0 <= number < len(message.attachments):
        raise NotFound("There is no such file.")
    return message.attachments[number]


def _resolve_media_path(home: Path, path: str) -> Path:
    """Return the path of an existing file below the home folder.

    Raises:
        NotFound: there is no such file below the home folder.
    """
    found = (home / path).resolve()
    if not path or not found.is_relative_to(home.resolve()) or not found.is_file():
        raise NotFound("There is no such file any more.")
    return found
