"""Speech to text with OpenAI's ``/audio/transcriptions``, through its SDK; vLLM serves the same API."""

from __future__ import annotations

from httpx2 import Timeout

from core.llm.providers.failures import build_provider_error
from core.llm.providers.openai import OpenAIProvider
from core.llm.sound import Heard
from core.llm.types import Request


class OpenAITranscriptions:
    """One transcription model, using its provider's connections and error conversion."""

    def __init__(self, provider: OpenAIProvider, model: str) -> None:
        self._provider, self._model = provider, model

    async def transcribe(self, sound: bytes, name: str, content_type: str, timeout: float) -> Heard:
        """Transcribe an audio file; the extension of ``name`` gives its format.

        Raises:
            ProviderFailed: it failed, or took more than ``timeout`` seconds.
        """
        limits = Timeout(timeout, connect=min(Request.connect_seconds, timeout))
        try:
            heard = await self._provider.client().audio.transcriptions.create(
                model=self._model, file=(name, sound, content_type), response_format="json", timeout=limits
            )
        except Exception as error:
            raise self._provider.failure(error) from error
        text = (getattr(heard, "text", None) or "").strip()
        if not text:
            raise build_provider_error(self._provider.vendor, "empty")
        return Heard(text, getattr(getattr(heard, "usage", None), "seconds", None))

    async def close(self) -> None:
        await self._provider.close()
