"""Servers with OpenAI's chat completions API: Ollama, vLLM, llama.cpp."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

from langchain_core.messages import BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_openai.chat_models.base import BaseChatOpenAI
from pydantic import SecretStr

from core.llm.catalogue import Model
from core.llm.providers.failures import build_provider_error
from core.llm.providers.openai import OpenAIProvider

NO_KEY = SecretStr("none")
"""The SDK requires a key; these servers do not."""


class CompatibleChat(BaseChatOpenAI):
    """Sends ``max_tokens`` where OpenAI now uses ``max_completion_tokens``, which these servers may not support."""

    async def whole(self, messages: list[BaseMessage], **options: Any) -> ChatResult:
        """Return the whole answer at once."""
        return await self._agenerate(messages, **options)

    def pieces(self, messages: list[BaseMessage], **options: Any) -> AsyncIterator[ChatGenerationChunk]:
        """Stream the answer in chunks."""
        return self._astream(messages, **options)


class CompatibleProvider(OpenAIProvider):
    """One server by URL; a model without a name is the first one that the server lists."""

    chat_class = CompatibleChat

    def __init__(self, vendor: str, url: str, models: Mapping[str, Model]) -> None:
        super().__init__(NO_KEY, models, url)
        self.vendor = vendor
        self._first = ""

    async def name(self, model: str) -> str:
        """Return the name, or that of the server's first model, which is requested once."""
        if not model and not self._first:
            listed = (await self.client().models.list()).data
            if not listed:
                raise build_provider_error(self.vendor, "not_found", code="no_model_loaded")
            self._first = listed[0].id
        return model or self._first
