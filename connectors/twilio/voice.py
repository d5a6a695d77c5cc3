"""Transcribe voice notes if a provider is configured."""

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
"""Twilio waits 15 s for our response, including the download of the file."""


class Transcribes(Protocol):
    """Turns speech into text."""

    async def transcribe(self, tenant_id: str, sound: bytes, name: str, content_type: str, timeout: float) -> str:
        """Return the transcript.

        Raises:
            InvalidInput: the recording is too long.
            ProviderFailed: the transcription failed or timed out.
        """
        ...


@dataclass(frozen=True)
class VoiceNotes:
    """Transcribes the voice notes of customers."""

    config: TwilioConfig
    transcriber: Transcribes

    async def written_out(
        self, attachments: list[dict[str, Any]], started: float
    ) -> tuple[str | None, list[dict[str, Any]]]:
        """Return the transcript and the attachments marked as transcribed; the text is None if any of them failed.

        ``started`` is the ``perf_counter`` value at which the handling of this message began.
        """
        texts = [
            await self._transcribe_attachment(each, ANSWER_SECONDS - (perf_counter() - started)) for each in attachments
        ]
        if not all(texts):
            return None, attachments
        return "\n".join(filter(None, texts)) or None, [{**each, "transcribed": True} for each in attachments]

    async def _transcribe_attachment(self, each: dict[str, Any], seconds: float) -> str | None:
        if each["kind"] not in {"audio", "video"}:  # an MP4 with only sound is detected as video
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
