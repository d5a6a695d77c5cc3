"""Requests and providers that the tests of the providers share."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from pydantic import SecretStr

from core.llm.catalogue import Model, Price
from core.llm.providers.compatible import CompatibleProvider
from core.llm.providers.gemini import GeminiProvider
from core.llm.providers.openai import OpenAIProvider
from core.llm.types import ChatMessage, Delta, Finish, Provider, Request, RequestOrigin

KEY = "key-that-nobody-may-see"
PRIVATE = "my-private-question"
FREE = Price(input=Decimal(0), cached_input=Decimal(0), output=Decimal(0), as_of=date(2026, 11, 21))


def request(model: str = "", question: str = PRIVATE, **changes: object) -> Request:
    messages = (ChatMessage("system", "Answer from the evidence."), ChatMessage("user", question))
    return Request(messages, RequestOrigin("default"), model=model, **changes)


def models(provider: str, *named: str, **changes: object) -> dict[str, Model]:
    return {name: Model(provider=provider, name=name, context_window=8192, **changes) for name in named}


def openai(url: str, **changes: object) -> OpenAIProvider:
    return OpenAIProvider(SecretStr(KEY), models("openai", "gpt-4o", **changes), url)


def gemini(url: str, **changes: object) -> GeminiProvider:
    return GeminiProvider(SecretStr(KEY), models("gemini", "gemini-3.1-flash-lite", **changes), url)


def compatible(url: str) -> CompatibleProvider:
    return CompatibleProvider("llama.cpp", url, models("llamacpp", ""))


async def told(provider: Provider, asked: Request) -> tuple[list[str], Finish]:
    """All deltas and the end of a stream."""
    items = [item async for item in provider.stream(asked)]
    return [item.text for item in items[:-1] if isinstance(item, Delta)], items[-1]
