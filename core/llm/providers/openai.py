"""OpenAI as a provider, through langchain-openai."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import openai
from httpx2 import Limits, Timeout, TimeoutException, TransportError
from langchain_core.exceptions import ContextOverflowError
from langchain_core.messages import BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_openai import ChatOpenAI
from pydantic import SecretStr

from core.errors import ErrorKind, ProviderFailed
from core.llm.catalogue import Model
from core.llm.providers.chat import ChatProvider, VendorChat, limit_of
from core.llm.providers.failures import TOO_LONG, build_provider_error, kind_of_status, retry_after
from core.llm.types import Request

URL = "https://api.openai.com/v1"
LAST_RESORT = 300
"""Seconds; the router's limits are shorter and per tenant."""
CONNECTIONS = Limits(max_connections=1000, max_keepalive_connections=200, keepalive_expiry=30)
CODES: dict[str, ErrorKind] = {
    "insufficient_quota": "quota",
    "billing_hard_limit_reached": "quota",
    "billing_not_active": "quota",
    "invalid_api_key": "unauthorised",
    "model_not_found": "not_found",
    "context_length_exceeded": "context_too_long",
    "content_filter": "blocked",
    "content_policy_violation": "blocked",
    "rate_limit_exceeded": "rate_limited",
}

KINDS: tuple[tuple[type[Exception] | tuple[type[Exception], ...], ErrorKind], ...] = (
    ((openai.APITimeoutError, TimeoutException), "timeout"),
    ((openai.APIConnectionError, TransportError), "connection"),
    (ContextOverflowError, "context_too_long"),
)
"""Exceptions that map to one kind each, the more specific ones first."""


class OpenAIChat(ChatOpenAI):
    """ChatOpenAI without LangChain's callbacks and tracing, which cost more than the call itself."""

    async def whole(self, messages: list[BaseMessage], **options: Any) -> ChatResult:
        """Return the whole answer at once."""
        return await self._agenerate(messages, **options)

    def pieces(self, messages: list[BaseMessage], **options: Any) -> AsyncIterator[ChatGenerationChunk]:
        """Stream the answer in chunks."""
        return self._astream(messages, **options)


class OpenAIProvider(ChatProvider):
    """Calls OpenAI; ``url`` is for a proxy that implements OpenAI's API."""

    vendor = "OpenAI"
    chat_class: Callable[..., VendorChat] = OpenAIChat

    def __init__(self, key: SecretStr, models: Mapping[str, Model], url: str = "") -> None:
        super().__init__(models)
        self._key, self._url = key, url or URL
        self._http = openai.DefaultAsyncHttpxClient(
            timeout=Timeout(LAST_RESORT, connect=Request.connect_seconds), limits=CONNECTIONS
        )
        self._chats: dict[str, VendorChat] = {}

    async def chat(self, model: str) -> VendorChat:
        if model not in self._chats:
            self._chats[model] = self.chat_class(model=model, **self.settings(self._models.get(model)))
        return self._chats[model]

    def settings(self, model: Model | None) -> dict[str, Any]:
        """Return the arguments for building a chat object."""
        return {
            "api_key": self._said_key,  # a coroutine keeps LangChain from building a second, blocking client
            "base_url": self._url,
            "http_async_client": self._http,
            "max_retries": 0,
            "stream_usage": True,
            "stream_chunk_timeout": None,
            "use_responses_api": False,
            "reasoning_effort": model.effort if model else None,
        }

    def options(self, request: Request, model: Model | None) -> dict[str, Any]:
        timeout = Timeout(LAST_RESORT, connect=request.connect_seconds)
        limits = {"max_tokens": limit_of(request, model), "timeout": timeout}
        return limits if model and model.reasoning else {**limits, "temperature": request.temperature}

    def failure(self, error: Exception) -> ProviderFailed:
        if isinstance(error, openai.APIStatusError):
            return self._convert_error(error)
        if isinstance(error, openai.APIResponseValidationError):
            return build_provider_error(self.vendor, "malformed")
        for exception, kind in KINDS:
            if isinstance(error, exception):
                return build_provider_error(self.vendor, kind)
        if isinstance(error, openai.APIError):  # an error event in the middle of a stream
            return build_provider_error(
                self.vendor, CODES.get(_get_error_code(error), "server"), code=_get_error_code(error)
            )
        return build_provider_error(self.vendor, "malformed", code=type(error).__name__)

    def client(self) -> openai.AsyncOpenAI:
        """Return the plain SDK client on the same connections, for calls other than chat."""
        key = self._key.get_secret_value()
        return openai.AsyncOpenAI(api_key=key, base_url=self._url, http_client=self._http, max_retries=0)

    async def close(self) -> None:
        await self._http.aclose()

    async def _said_key(self) -> str:
        return self._key.get_secret_value()

    def _convert_error(self, error: openai.APIStatusError) -> ProviderFailed:
        code, status = _get_error_code(error), error.status_code
        kind = CODES.get(code, kind_of_status(status))
        if kind == "bad_request" and (isinstance(error, ContextOverflowError) or TOO_LONG.search(error.message)):
            kind = "context_too_long"
        return build_provider_error(
            self.vendor, kind, status=status, code=code, retry_after=retry_after(error.response.headers)
        )


def _get_error_code(error: openai.APIError) -> str:
    return str(error.code or error.type or "")
