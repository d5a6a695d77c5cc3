"""Customer files: fetched with our credentials up to a size limit, and stored under a generated name by detected type."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import filetype
import httpx
import structlog

from connectors.twilio.profile import TwilioConfig
from core.db.models import generate_id
from core.errors import InvalidInput

log = structlog.get_logger()

TIMEOUT_SECONDS = 10.0
"""Applies to all files of a message in parallel: Twilio waits 15 s for our response."""
KINDS = {
    "image": {"image/jpeg", "image/png", "image/webp", "image/gif"},
    "audio": {"audio/ogg", "audio/mpeg", "audio/amr", "audio/m4a", "audio/mp4", "audio/aac", "audio/x-wav"},
    "video": {"video/mp4", "video/3gpp", "video/quicktime"},
    "document": {
        "application/pdf",
        "application/msword",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    },
}
_HOSTS = (".twilio.com", ".twiliocdn.com")


@dataclass(frozen=True)
class Media:
    config: TwilioConfig

    async def fetch(self, files: list[tuple[str, str]]) -> tuple[list[dict[str, Any]], int]:
        """Return the attachments for (address, declared content type) pairs, and the number of rejected files."""
        if not files:
            return [], 0
        async with httpx.AsyncClient(verify=_get_ssl_context()) as http:
            wanted = (self._store_file(http, url, stated) for url, stated in files)
            found = await asyncio.gather(*wanted, return_exceptions=True)
        kept = [each for each in found if isinstance(each, dict)]
        for each in found:
            if isinstance(each, BaseException):
                log.warning("a customer's file was refused", error=f"{type(each).__name__}: {each}")
        return kept, len(found) - len(kept)

    async def _store_file(self, http: httpx.AsyncClient, url: str, stated: str) -> dict[str, Any]:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            content = await self._download_file(http, url)
        kind, content_type, extension = _detect_file_kind(content, stated)
        path = Path("media") / self.config.tenant / f"{generate_id()}.{extension}"
        await asyncio.to_thread(_write_file, self.config.home / path, content)
        name = f"{kind}.{extension}"
        return {"kind": kind, "name": name, "content_type": content_type, "size": len(content), "path": str(path)}

    async def _download_file(self, http: httpx.AsyncClient, url: str) -> bytes:
        """Download a file; our credentials are sent to Twilio only, not to redirect targets.

        Raises:
            InvalidInput: the file is not hosted by Twilio, or is too large.
        """
        config, content = self.config, b""
        host = urlsplit(url).hostname or ""
        if config.api_url:
            url = config.api_url + urlsplit(url).path
        elif not host.endswith(_HOSTS):
            raise InvalidInput(f"{host} is not Twilio")
        auth = (config.account_sid, config.auth_token)
        async with http.stream("GET", url, auth=auth, follow_redirects=True) as response:
            response.raise_for_status()
            async for piece in response.aiter_bytes():
                content += piece
                if len(content) > config.media_bytes:
                    raise InvalidInput(f"the file has more than {config.media_bytes} bytes")
        return content


@cache
def _get_ssl_context() -> ssl.SSLContext:
    """Return the cached SSL context; loading it takes 50 ms and blocks the event loop."""
    return httpx.create_ssl_context()


def _detect_file_kind(content: bytes, stated: str) -> tuple[str, str, str]:
    """Return the kind, content type and extension, detected from the bytes.

    Raises:
        InvalidInput: the type is not accepted, or differs from the declared one.
    """
    found = filetype.guess(content[:8192])
    kind = next((kind for kind, types in KINDS.items() if found and found.mime in types), None)
    if found is None or kind is None:
        raise InvalidInput(f"a file said to be {stated} is {found.mime if found else 'of no known kind'}")
    said = stated.split("/", maxsplit=1)[0]
    alike = {kind, "application" if kind == "document" else kind} | (
        {"audio", "video"} if kind in {"audio", "video"} else set()
    )
    if said not in alike:
        raise InvalidInput(f"a file said to be {stated} is {found.mime}")
    return kind, str(found.mime), str(found.extension)


def _write_file(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    path.chmod(0o600)
