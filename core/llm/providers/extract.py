"""A provider without a model: returns the sentences of the evidence in the request."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

from core.llm.providers.failures import build_provider_error
from core.llm.providers.tokens import count_tokens
from core.llm.types import Completion, Delta, Finish, Request, StreamItem, Usage

NAME = "extract"
SENTENCE = re.compile(r".+?(?:[.!?\u061f\u06d4\u3002]+[\"')\]]*\s+|\n+|\Z)", re.DOTALL)


class ExtractProvider:
    """Costs nothing and fails only if the request has no extract."""

    async def complete(self, request: Request) -> Completion:
        if not request.extract:
            raise build_provider_error("The extract", "empty")
        return Completion(request.extract, NAME, Usage(0, 0))

    async def stream(self, request: Request) -> AsyncIterator[StreamItem]:
        """Stream one sentence at a time."""
        completion = await self.complete(request)
        for sentence in SENTENCE.findall(completion.text):
            yield Delta(sentence)
        yield Finish(completion)

    def count_tokens(self, request: Request) -> int:
        """Return the token count that the messages would have."""
        return count_tokens(request)
