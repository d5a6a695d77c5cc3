"""Transcribes voice notes within limits, and records calls and costs in the ledger."""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter
from typing import Protocol

import structlog

from core.db import Database
from core.db.models import LlmCall
from core.errors import InvalidInput, ProviderFailed
from core.llm.catalogue import Transcription
from core.llm.sound import Heard, seconds_of

log = structlog.get_logger()

PURPOSE = "transcription"
LONGEST_SECONDS = 300.0
MOST_BYTES = 5 * 1024 * 1024
"""Limit for formats of unknown duration; a WhatsApp voice note takes about 120 kB per minute."""


class Transcriptions(Protocol):
    async def transcribe(self, sound: bytes, name: str, content_type: str, timeout: float) -> Heard:
        """Return the transcript.

        Raises:
            ProviderFailed: the transcription failed.
        """
        ...

    async def close(self) -> None: ...


@dataclass(frozen=True)
class Transcriber:
    model: Transcription
    vendor: Transcriptions
    database: Database

    async def transcribe(self, tenant_id: str, sound: bytes, name: str, content_type: str, timeout: float) -> str:
        """Transcribe an audio file.

        Raises:
            InvalidInput: it is too long.
            ProviderFailed: the vendor failed, or exceeded ``timeout`` seconds.
        """
        length = seconds_of(sound)
        if len(sound) > MOST_BYTES or (length or 0) > LONGEST_SECONDS:
            raise InvalidInput(f"The voice note is longer than {LONGEST_SECONDS:.0f} s or {MOST_BYTES} bytes.")
        call = LlmCall(tenant_id=tenant_id, purpose=PURPOSE, provider=self.model.provider, model=self.model.id)
        call.currency, started = self.model.currency, perf_counter()
        try:
            heard = await self.vendor.transcribe(sound, name, content_type, timeout)
        except ProviderFailed as error:
            call.success, call.error_kind, call.error = False, error.kind, str(error)
            raise
        else:
            call.success, call.cost = True, self.model.cost(heard.seconds or length)
            return heard.text
        finally:
            call.latency_ms = (perf_counter() - started) * 1000
            if call.success is not None:  # otherwise it was cancelled
                await self.database.run(lambda session: session.add(call))

    async def close(self) -> None:
        await self.vendor.close()
