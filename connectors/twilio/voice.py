"""Voice notes as text, where a provider is set up."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Protocol

import structlog

from connectors.twilio.profile import TwilioConfig
from core.errors import InvalidInput, ProviderFailed

log = structlog.get_logger()

ANSWER_SECONDS = 13.0
"""Twilio waits 15 s for our answer, the fetching of the file included."""


class Transcribes(Protocol):
    """Turns speech into text."""

    async def transcribe(self, tenant_id: str, sound: bytes, name: str, content_type: str, timeout: float) -> str:
        """What is said.

        Raises:
            InvalidInput: it is too long.
            ProviderFailed: it did not work in so many seconds.
        """
        ...


@dataclass(frozen=True)
class VoiceNotes:
    """Has what customers send transcribed."""

    config: TwilioConfig
    transcriber: Transcribes

    async def written_out(
        self, attachments: list[dict[str, Any]], started: float
    ) -> tuple[str | None, list[dict[str, Any]]]:
        """What is said in the voice notes, and they with a mark that it was; no text where one of them failed.

        ``started`` is when the work for this message began, by ``perf_counter``.
        """
        texts = [
            await self._transcribe_attachment(each, ANSWER_SECONDS - (perf_counter() - started)) for each in attachments
        ]
        if not all(texts):
            return None, attachments
        return "\n".join(filter(None, texts)) or None, [{**each, "transcribed": True} for each in attachments]

    async def _transcribe_attachment(self, each: dict[str, Any], seconds: float) -> str | None:
        if each["kind"] not in {"audio", "video"}:  # MP4 with sound only looks like a video
            return None
        sound = await asyncio.to_thread((self.config.home / each["path"]).read_bytes)
        try:
            async with asyncio.timeout(max(seconds, 0)):
                return await self.transcriber.transcribe(
                    self.config.tenant, sound, each["name"], each["content_type"], max(seconds, 1)
                )
        except (InvalidInput, ProviderFailed, TimeoutError) as error:
            log.warning("a voice note was not transcribed", error=f"{type(error).__name__}: {error}")
            return None
