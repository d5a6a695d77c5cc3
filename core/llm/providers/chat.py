"""Shared code for vendors that are used through LangChain's chat models."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from typing import Any, Protocol

from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage, SystemMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult

from core.errors import ProviderFailed
from core.llm.catalogue import Model
from core.llm.providers.failures import build_provider_error
from core.llm.providers.tokens import count_tokens, estimate_tokens
from core.llm.types import Completion, Delta, Finish, FinishReason, Request, StreamItem, Usage

ROOM_FOR_THOUGHTS = 4096
"""Tokens added to the output limit of a reasoning model, whose reasoning would otherwise leave none for the answer."""
CUT = {"length", "max_tokens"}
BLOCKED = {"content_filter", "safety", "recitation", "blocklist", "prohibited_content", "spii", "language"}


class VendorChat(Protocol):
    """A LangChain chat model without its callbacks, tracing and caches, none of which we use."""

    async def whole(self, messages: list[BaseMessage], **options: Any) -> ChatResult:
        """Return the whole answer at once."""

    def pieces(self, messages: list[BaseMessage], **options: Any) -> AsyncIterator[ChatGenerationChunk]:
        """Stream the answer in chunks."""


class ChatAnswer:
    """Collects text, usage and finish reason from LangChain's results."""

    def __init__(self, vendor: str) -> None:
        self.text = ""
        self.got_anything = False
        self._vendor, self._finish = vendor, ""
        self._input = self._output = self._cached = 0

    def add(self, generation: ChatGeneration) -> str:
        """Add a chunk and return its text.

        Raises:
            ProviderFailed: blocked by the vendor's safety filter.
        """
        self.got_anything = True
        message = generation.message
        if isinstance(message, AIMessage | AIMessageChunk) and (usage := message.usage_metadata):
            self._input += usage["input_tokens"]
            self._output += usage["output_tokens"]
            self._cached += usage.get("input_token_details", {}).get("cache_read") or 0
        info = {**message.response_metadata, **(generation.generation_info or {})}
        self._finish = (info.get("finish_reason") or self._finish).lower()
        blocked = self._finish in BLOCKED or (info.get("prompt_feedback") or {}).get("block_reason")
        if blocked or message.additional_kwargs.get("refusal"):
            raise build_provider_error(self._vendor, "blocked")
        piece = _extract_text(message.content)
        self.text += piece
        return piece

    def completion(self, request: Request, model: str) -> Completion:
        """Return the completed answer.

        Raises:
            ProviderFailed: there was no text, or the stream broke off.
        """
        if not self.text.strip():
            raise build_provider_error(self._vendor, "empty" if self.got_anything else "malformed", code=self._finish)
        if not self._finish:
            raise build_provider_error(self._vendor, "connection")
        finish: FinishReason = "length" if self._finish in CUT else "stop"
        return Completion(self.text, model, self._build_usage(request), finish)

    def _build_usage(self, request: Request) -> Usage:
        if self._input or self._output:
            return Usage(self._input, self._output, min(self._cached, self._input))
        return Usage(count_tokens(request), estimate_tokens(self.text), estimated=True)


class ChatProvider(ABC):
    """One vendor; ``models`` are its models in the catalogue, by the vendor's names."""

    vendor: str
    """The vendor's name as shown to operators."""

    def __init__(self, models: Mapping[str, Model]) -> None:
        self._models = models

    @abstractmethod
    async def chat(self, model: str) -> VendorChat:
        """Return the LangChain object of a model, built once.

        Raises:
            Exception: any exception of the vendor's SDK.
        """

    @abstractmethod
    def options(self, request: Request, model: Model | None) -> dict[str, Any]:
        """Return output limit and temperature in the vendor's format."""

    @abstractmethod
    def failure(self, error: Exception) -> ProviderFailed:
        """Convert an exception of the vendor's SDK."""

    async def complete(self, request: Request) -> Completion:
        answer = ChatAnswer(self.vendor)
        try:
            name = await self.name(request.model)
            chat = await self.chat(name)
            result = await chat.whole(messages_of(request), **self.options(request, self._models.get(request.model)))
            feedback = {"prompt_feedback": (result.llm_output or {}).get("prompt_feedback")}
            for generation in result.generations[:1]:
                generation.message.response_metadata |= feedback
                answer.add(generation)
            answer.got_anything = True
        except ProviderFailed:
            raise
        except Exception as error:  # noqa: BLE001 - an SDK may raise anything; the vendor's file knows it
            raise self.failure(error) from None
        return answer.completion(request, name)

    async def stream(self, request: Request) -> AsyncIterator[StreamItem]:
        answer = ChatAnswer(self.vendor)
        try:
            name = await self.name(request.model)
            chat = await self.chat(name)
            options = self.options(request, self._models.get(request.model))
            async with aclosing(chat.pieces(messages_of(request), **options)) as pieces:  # type: ignore[type-var]
                async for piece in pieces:
                    if text := answer.add(piece):
                        yield Delta(text)
        except ProviderFailed:
            raise
        except Exception as error:  # noqa: BLE001 - an SDK may raise anything; the vendor's file knows it
            raise self.failure(error) from None
        yield Finish(answer.completion(request, name))

    def count_tokens(self, request: Request) -> int:
        """Return an estimate; see ``providers.tokens``."""
        return count_tokens(request)

    async def name(self, model: str) -> str:
        """Return the vendor's name of a model; a self-hosted server may be queried for it."""
        return model

    async def warm(self) -> None:
        """Build what the first call would otherwise build."""
        for name in filter(None, self._models):
            await self.chat(name)

    @abstractmethod
    async def close(self) -> None: ...


def limit_of(request: Request, model: Model | None) -> int:
    """Return the token limit for the output: the request's, plus room for reasoning, capped at the model's maximum."""
    if model is None:
        return request.max_output_tokens
    return min(request.max_output_tokens + (ROOM_FOR_THOUGHTS if model.reasoning else 0), model.max_output)


def messages_of(request: Request) -> list[BaseMessage]:
    """Convert to LangChain messages; system messages are joined and come first, as Gemini requires."""
    system = "\n\n".join(message.text for message in request.messages if message.role == "system")
    turns = [
        HumanMessage(message.text) if message.role == "user" else AIMessage(message.text)
        for message in request.messages
        if message.role != "system"
    ]
    return [SystemMessage(system), *turns] if system else list(turns)


def _extract_text(content: str | list[str | dict[str, Any]]) -> str:
    if isinstance(content, str):
        return content
    parts = (part if isinstance(part, str) else part.get("text", "") for part in content if _is_text_part(part))
    return "".join(parts)


def _is_text_part(part: str | dict[str, Any]) -> bool:
    return isinstance(part, str) or part.get("type") == "text"
