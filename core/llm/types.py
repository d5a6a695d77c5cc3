"""Types for text generation: request, stream items, completion, and details of the call."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal, Protocol

Role = Literal["system", "user", "assistant"]
Purpose = Literal["answer", "rewrite", "summary", "judge", "harvest", "test"]
FinishReason = Literal["stop", "length", "stopped"]
"""The model finished, it reached its token limit, or the customer pressed stop."""


@dataclass(frozen=True)
class ChatMessage:
    """One message of a prompt."""

    role: Role
    text: str


@dataclass(frozen=True)
class RequestOrigin:
    """The tenant, conversation and purpose of a call; stored with it."""

    tenant_id: str
    conversation_id: str | None = None
    turn_id: str | None = None
    purpose: Purpose = "answer"
    prompt_version: str = ""


@dataclass(frozen=True)
class RequestSignals:
    """What routing considers besides the length of the prompt."""

    question: str = ""
    history_turns: int = 0
    retrieval_confidence: float | None = None
    """0 to 1: how close the best evidence is."""
    approved: bool = False
    """Whether an approved answer within its threshold was found."""
    evidence: tuple[str, ...] = ()
    """The "ID@VERSION" of every entry in the prompt; the same evidence may get the same answer from the cache."""


@dataclass(frozen=True)
class Request:
    """A request to a model. ``model`` is the vendor's name; the router fills it in."""

    messages: tuple[ChatMessage, ...]
    caller: RequestOrigin
    signals: RequestSignals = field(default_factory=RequestSignals)
    model: str = ""
    max_output_tokens: int = 600
    temperature: float = 0.0
    connect_seconds: float = 5.0
    """Time limit for connecting to the vendor's server; not supported by Google's SDK."""
    extract: str = ""
    """The answer if no model can be used: the evidence's own sentences. Empty: no such answer."""


@dataclass(frozen=True)
class Usage:
    """Tokens of one call; ``cached_tokens`` are included in ``input_tokens``."""

    input_tokens: int
    output_tokens: int
    cached_tokens: int = 0
    estimated: bool = False
    """Estimated by us, because the vendor reported none."""


@dataclass(frozen=True)
class Served:
    """How the router obtained an answer."""

    provider: str
    model: str
    route: str
    """The name of the routing rule."""
    complexity: float
    cost: Decimal | None
    """None: the model has no price in ``models.yml``."""
    latency_ms: float
    first_token_ms: float | None = None
    failovers: int = 0
    cache_hit: bool = False


@dataclass(frozen=True)
class Completion:
    """A complete answer of a model; ``served`` is set if it came through the router."""

    text: str
    model: str
    usage: Usage
    finish: FinishReason = "stop"
    served: Served | None = None


@dataclass(frozen=True)
class Delta:
    """A piece of text to append."""

    text: str


@dataclass(frozen=True)
class Restart:
    """Discard all deltas so far, because another provider starts over. Sent only by the router."""


@dataclass(frozen=True)
class Finish:
    """The end of a stream; ``completion.text`` joins all deltas since the last restart."""

    completion: Completion


StreamItem = Delta | Restart | Finish


class Provider(Protocol):
    """One vendor, or the router over all of them."""

    async def complete(self, request: Request) -> Completion:
        """Return the whole answer.

        Raises:
            ProviderFailed: with its kind.
        """

    def stream(self, request: Request) -> AsyncIterator[StreamItem]:
        """Yield deltas as they arrive, then exactly one finish.

        Raises:
            ProviderFailed: with its kind; also midway.
        """

    def count_tokens(self, request: Request) -> int:
        """Return the number of tokens in the request's messages; an estimate if the vendor counts only on its servers."""
