"""Google Gemini as a provider, through langchain-google-genai."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

import aiohttp
from google.genai.errors import APIError
from langchain_core.messages import BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_google_genai import ChatGoogleGenerativeAI
from pydantic import SecretStr

from core.errors import ErrorKind, ProviderFailed
from core.llm.catalogue import Model
from core.llm.providers.chat import ChatProvider, limit_of
from core.llm.providers.failures import TOO_LONG, build_provider_error, kind_of_status, retry_after
from core.llm.types import Request

URL = "https://generativelanguage.googleapis.com"
LAST_RESORT = 300
"""Seconds; the router's limits are shorter and per tenant."""
ONE_ATTEMPT = 1
NO_CALLS = {"disable": True}
"""We offer the model no functions; otherwise the SDK prepares for them with every request, and logs it."""
STATUSES: dict[str, ErrorKind] = {
    "UNAVAILABLE": "server",
    "DEADLINE_EXCEEDED": "timeout",
    "UNAUTHENTICATED": "unauthorised",
}


class GeminiChat(ChatGoogleGenerativeAI):
    """ChatGoogleGenerativeAI without LangChain's callbacks and tracing."""

    async def whole(self, messages: list[BaseMessage], **options: Any) -> ChatResult:
        """Return the whole answer at once."""
        return await self._agenerate(messages, **options)

    def pieces(self, messages: list[BaseMessage], **options: Any) -> AsyncIterator[ChatGenerationChunk]:
        """Stream the answer in chunks."""
        return self._astream(messages, **options)


class GeminiProvider(ChatProvider):
    """Calls Gemini; ``url`` is for a proxy that implements Google's API."""

    vendor = "Gemini"

    def __init__(self, key: SecretStr, models: Mapping[str, Model], url: str = "") -> None:
        super().__init__(models)
        self._key, self._url = key, url or URL
        self._chats: dict[str, GeminiChat] = {}

    async def chat(self, model: str) -> GeminiChat:
        if model not in self._chats:
            known = self._models.get(model)
            effort = known.effort if known and known.effort != "none" else None
            self._chats[model] = GeminiChat(
                model=model,
                api_key=self._key,
                base_url=self._url,
                vertexai=False,
                max_retries=ONE_ATTEMPT,  # 0 counts as unset, and the SDK would wait and retry
                timeout=LAST_RESORT,
                **({"thinking_level": effort} if effort else {}),
            )
        return self._chats[model]

    def options(self, request: Request, model: Model | None) -> dict[str, Any]:
        limit = {"max_output_tokens": limit_of(request, model), "automatic_function_calling": NO_CALLS}
        return limit if model and model.reasoning else {**limit, "temperature": request.temperature}

    def failure(self, error: Exception) -> ProviderFailed:
        refused = error if isinstance(error, APIError) else error.__cause__
        if isinstance(refused, APIError):
            return self._convert_error(refused)
        if isinstance(error, TimeoutError):
            return build_provider_error(self.vendor, "timeout")
        if isinstance(error, aiohttp.ClientError | OSError):
            return build_provider_error(self.vendor, "connection")
        return build_provider_error(self.vendor, "malformed", code=type(error).__name__)

    async def close(self) -> None:
        for chat in self._chats.values():
            await chat.aclose()
        self._chats.clear()

    def _convert_error(self, error: APIError) -> ProviderFailed:
        details = _extract_error_details(error)
        said = json.dumps(details)
        status = str(error.status or "")
        kind = STATUSES.get(status, kind_of_status(error.code))
        if "API_KEY_INVALID" in said or "API key not valid" in (error.message or ""):
            kind = "unauthorised"
        elif kind == "rate_limited" and "PerDay" in said:
            kind = "quota"
        elif status == "FAILED_PRECONDITION":
            kind = "quota" if "billing" in (error.message or "").lower() else "unauthorised"
        elif kind == "bad_request" and TOO_LONG.search(error.message or ""):
            kind = "context_too_long"
        wait = _find_retry_delay(details) or retry_after(getattr(error.response, "headers", None) or {})
        return build_provider_error(self.vendor, kind, status=error.code, code=status, retry_after=wait)


def _extract_error_details(error: APIError) -> list[dict[str, Any]]:
    body = error.details if isinstance(error.details, dict) else {}
    found = body.get("error", body).get("details") or []
    return [detail for detail in found if isinstance(detail, dict)]


def _find_retry_delay(details: list[dict[str, Any]]) -> float | None:
    for detail in details:
        if detail.get("@type", "").endswith("RetryInfo"):
            return retry_after({"retry-after": str(detail.get("retryDelay", "")).removesuffix("s")})
    return None
