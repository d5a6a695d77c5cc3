"""The words of generation as frozen values: request, stream items, completion, and what was known of the call."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal, Protocol

Role = Literal["system", "user", "assistant"]
Purpose = Literal["answer", "rewrite", "summary", "judge", "harvest", "test"]
FinishReason = Literal["stop", "length", "stopped"]
"""The model ended by itself, it ran into its limit, or the customer pressed stop."""


@dataclass(frozen=True)
class ChatMessage:
    """One message of a prompt."""

    role: Role
    text: str


@dataclass(frozen=True)
class RequestOrigin:
    """For whom and what a call is made; stored with it."""

    tenant_id: str
    conversation_id: str | None = None
    turn_id: str | None = None
    purpose: Purpose = "answer"
    prompt_version: str = ""


@dataclass(frozen=True)
class RequestSignals:
    """What routing looks at, beside the length of the prompt itself."""

    question: str = ""
    history_turns: int = 0
    retrieval_confidence: float | None = None
    """0 to 1: how near the best evidence is."""
    approved: bool = False
    """An approved answer was found within its bound."""
    evidence: tuple[str, ...] = ()
    """"ID@VERSION" of every entry in the prompt; the same evidence may get the same answer from the cache."""


@dataclass(frozen=True)
class Request:
    """What a model is asked. ``model`` is the vendor's name of it; the router fills it in."""

    messages: tuple[ChatMessage, ...]
    caller: RequestOrigin
    signals: RequestSignals = field(default_factory=RequestSignals)
    model: str = ""
    max_output_tokens: int = 600
    temperature: float = 0.0
    connect_seconds: float = 5.0
    """Until the vendor's server must have taken the connection; Google's SDK has no such limit."""
    extract: str = ""
    """What is said where no model can: the evidence's own sentences. Empty: then there is nothing to say."""


@dataclass(frozen=True)
class Usage:
    """Tokens of one call; ``cached_tokens`` are a part of ``input_tokens``."""

    input_tokens: int
    output_tokens: int
    cached_tokens: int = 0
    estimated: bool = False
    """The vendor did not say; counted by us."""


@dataclass(frozen=True)
class Served:
    """How the router got an answer."""

    provider: str
    model: str
    route: str
    """Name of the routing rule."""
    complexity: float
    cost: Decimal | None
    """None: the model has no price in ``models.yml``."""
    latency_ms: float
    first_token_ms: float | None = None
    failovers: int = 0
    cache_hit: bool = False


@dataclass(frozen=True)
class Completion:
    """A whole answer of a model; ``served`` is there when it came through the router."""

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
    """Forget every delta so far: another provider begins anew. Only the router sends it."""


@dataclass(frozen=True)
class Finish:
    """The end of a stream; ``completion.text`` is all deltas since the last restart."""

    completion: Completion


StreamItem = Delta | Restart | Finish


class Provider(Protocol):
    """One vendor, or the router over all of them."""

    async def complete(self, request: Request) -> Completion:
        """The whole answer.

        Raises:
            ProviderFailed: with its kind.
        """

    def stream(self, request: Request) -> AsyncIterator[StreamItem]:
        """Deltas as they come, then exactly one finish.

        Raises:
            ProviderFailed: with its kind; also in the middle.
        """

    def count_tokens(self, request: Request) -> int:
        """How many tokens the request's messages have; an estimate where the vendor counts only on its own machines."""
