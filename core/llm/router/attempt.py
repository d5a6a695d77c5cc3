"""One call to one model: its time limits, restoring of personal data, and its single row in the ledger."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Protocol, cast

from core.db.models import LlmCall, get_current_time
from core.errors import ErrorKind, ProviderFailed
from core.llm.catalogue import Catalogue
from core.llm.providers.tokens import estimate_tokens
from core.llm.router.budgets import Reservation
from core.llm.router.decision import EXTRACT, RoutingDecision
from core.llm.router.rules import RoutingLimits
from core.llm.types import Completion, Delta, Finish, Provider, Request, Served, StreamItem, Usage

THINKING = 2.5
"""Factor for a reasoning model's time limit to the first token."""
CHARACTERS_OF_A_TOKEN = 6
MARGIN = 1.25
"""A stream is cut when it exceeds the output limit by this factor."""
CLOSED_BY_US = "the customer stopped it"
SLOWER = "another model was faster"


class Restores(Protocol):
    """Restores personal data in a stream."""

    def feed(self, text: str) -> str:
        """Return the text that can be shown now."""

    def flush(self) -> str: ...


class Holds(Protocol):
    """The personal data masked in one request."""

    def restore(self, text: str) -> str:
        """Restore the values in a whole text."""

    def restorer(self) -> Restores: ...


@dataclass(frozen=True)
class AttemptTarget:
    """The model to call, with the request and the reason."""

    model_id: str
    provider: str
    client: Provider
    request: Request
    decision: RoutingDecision
    limits: RoutingLimits
    give_up_at: float
    """Event loop time after which the customer has waited too long."""
    vault: Holds | None = None
    thinks: bool = False
    whole: bool = False
    """Whether the answer is requested at once instead of streamed."""
    hedge: bool = False
    failover_from: str | None = None
    failovers: int = 0
    note: str = ""
    reservation: Reservation | None = None


class Watches(Protocol):
    """Is notified when a call ends."""

    def ended_well(self, attempt: Attempt) -> None:
        """Handle a complete answer."""

    def ended_badly(self, attempt: Attempt, error: ProviderFailed) -> None: ...

    def ended_early(self, attempt: Attempt) -> None:
        """Handle a call whose remaining answer is not needed."""

    def closing(self, items: AsyncGenerator[StreamItem]) -> None:
        """Close a provider's stream without delaying the answer."""

    def record(self, call: LlmCall) -> None: ...


@dataclass
class Attempt:
    """One call to a model; starts with the first ``next``."""

    target: AttemptTarget
    catalogue: Catalogue
    watcher: Watches
    clock: Callable[[], float]
    text: str = ""
    """The model's text so far, with placeholders."""
    latency_ms: float = 0.0
    first_token_ms: float | None = None
    settled: bool = False
    _items: AsyncIterator[StreamItem] | None = None
    _ready: deque[StreamItem] = field(default_factory=deque)
    _restorer: Restores | None = None
    _shown: str = ""

    def __post_init__(self) -> None:
        self._started, self._began = self.clock(), asyncio.get_running_loop().time()
        self._created_at = get_current_time()
        self._restorer = self.target.vault.restorer() if self.target.vault else None

    async def next(self) -> StreamItem:
        """Return the next delta, or the end.

        Raises:
            ProviderFailed: the call failed; already recorded.
        """
        while not self._ready:
            try:
                item = await self._within_limits()
            except ProviderFailed as error:
                self._fail_attempt(error)
                raise
            self._handle_item(item)
        return self._ready.popleft()

    def abandon(self, why: str = CLOSED_BY_US) -> None:
        """Stop the call: close the provider's stream and record the text so far."""
        if self.settled:
            return
        self._settle_attempt(self._estimate_usage(), success=True, error=why, hedge=why == SLOWER)
        self.watcher.ended_early(self)

    async def _within_limits(self) -> StreamItem:
        if self._items is None:
            target = self.target
            self._items = _yield_completion(target) if target.whole else target.client.stream(target.request)
        try:
            async with asyncio.timeout_at(self._compute_deadline()):
                return await anext(self._items)
        except ProviderFailed:
            raise
        except TimeoutError:
            raise ProviderFailed(f"{self.target.model_id} did not answer in time.", "timeout") from None
        except StopAsyncIteration:
            raise ProviderFailed(f"{self.target.model_id} broke off.", "connection") from None
        except Exception as error:  # anything but ProviderFailed is a fault of the provider
            said = f"{self.target.model_id} failed in a way that nobody foresaw ({type(error).__name__})."
            raise ProviderFailed(said, "malformed") from error

    def _compute_deadline(self) -> float:
        limits, loop_time = self.target.limits, asyncio.get_running_loop().time()
        total = min(self._began + limits.total_seconds, self.target.give_up_at)
        if self.target.whole:
            return total
        if self.text:
            return min(loop_time + limits.between_tokens_seconds, total)
        patience = limits.first_token_seconds * (THINKING if self.target.thinks else 1)
        return min(self._began + patience, total)

    def _handle_item(self, item: StreamItem) -> None:
        if isinstance(item, Delta):
            if self.first_token_ms is None:
                self.first_token_ms = self._elapsed_ms()
            self.text += item.text
            if len(self.text) > self.target.request.max_output_tokens * CHARACTERS_OF_A_TOKEN * MARGIN:
                cut = Completion(self.text, self.target.request.model, self._estimate_usage(), "length")
                self._end_attempt(cut)
                return
            self._release_text(self._restorer.feed(item.text) if self._restorer else item.text)
        elif isinstance(item, Finish):
            self._end_attempt(item.completion)

    def _end_attempt(self, completion: Completion) -> None:
        if not completion.text.strip():
            error = ProviderFailed(f"{self.target.model_id} sent no text.", "empty")
            self._fail_attempt(error)
            raise error
        if self._restorer and not self.target.whole:
            self._release_text(self._restorer.flush())
        vault = self.target.vault
        text = vault.restore(completion.text) if vault and self.target.whole else self._shown or completion.text
        cost = self._settle_attempt(completion.usage, success=True)
        served = self._build_served(cost)
        self._ready.append(Finish(replace(completion, text=text, model=self.target.model_id, served=served)))
        self.watcher.ended_well(self)

    def _release_text(self, text: str) -> None:
        if text:
            self._shown += text
            self._ready.append(Delta(text))

    def _fail_attempt(self, error: ProviderFailed) -> None:
        if self.settled:
            return
        paid = bool(self.text) or error.kind == "timeout"
        usage = self._estimate_usage() if paid else Usage(0, 0)
        self._settle_attempt(usage, success=False, kind=error.kind, error=str(error))
        self.watcher.ended_badly(self, error)

    def _settle_attempt(
        self,
        usage: Usage,
        *,
        success: bool,
        kind: ErrorKind | None = None,
        error: str | None = None,
        hedge: bool = False,
    ) -> Decimal | None:
        self.settled, self.latency_ms = True, self._elapsed_ms()
        if self._items is not None:
            self.watcher.closing(cast("AsyncGenerator[StreamItem]", self._items))
        target = self.target
        cost = Decimal(0) if target.model_id == EXTRACT else self.catalogue.cost(target.model_id, usage)
        if target.reservation:
            target.reservation.settle(cost or Decimal(0))
        self.watcher.record(self._build_attempt_row(usage, cost, success=success, kind=kind, error=error, hedge=hedge))
        return cost

    def _build_attempt_row(
        self,
        usage: Usage,
        cost: Decimal | None,
        *,
        success: bool,
        kind: ErrorKind | None,
        error: str | None,
        hedge: bool,
    ) -> LlmCall:
        row = build_llm_call(self.target.request, self.target.decision, self.target.provider, self.target.model_id)
        row.input_tokens, row.output_tokens = usage.input_tokens, usage.output_tokens
        row.cached_tokens, row.estimated = usage.cached_tokens, usage.estimated
        row.cost, row.currency = cost, currency_of(self.catalogue, self.target.model_id)
        row.latency_ms, row.first_token_ms = round(self.latency_ms, 3), self.first_token_ms
        row.success, row.error_kind, row.error = success, kind, error
        row.failover_from, row.hedge = self.target.failover_from, self.target.hedge or hedge
        row.created_at = self._created_at
        if self.target.note:
            row.reason = f"{row.reason}; {self.target.note}"
        return row

    def _build_served(self, cost: Decimal | None) -> Served:
        target = self.target
        return Served(
            provider=target.provider,
            model=target.model_id,
            route=target.decision.route,
            complexity=target.decision.complexity.score,
            cost=cost,
            latency_ms=self.latency_ms,
            first_token_ms=self.first_token_ms,
            failovers=target.failovers,
        )

    def _estimate_usage(self) -> Usage:
        if self.target.model_id == EXTRACT:
            return Usage(0, 0)
        return Usage(self.target.client.count_tokens(self.target.request), estimate_tokens(self.text), estimated=True)

    def _elapsed_ms(self) -> float:
        return (self.clock() - self._started) * 1000


def build_llm_call(request: Request, decision: RoutingDecision, provider: str, model_id: str) -> LlmCall:
    """Create a row with everything known before the call."""
    caller = request.caller
    return LlmCall(
        tenant_id=caller.tenant_id,
        conversation_id=caller.conversation_id,
        turn_id=caller.turn_id,
        purpose=caller.purpose,
        prompt_version=caller.prompt_version,
        provider=provider,
        model=model_id,
        route=decision.route,
        reason=decision.reason,
        complexity=decision.complexity.score,
        complexity_parts=decision.complexity.parts,
    )


def currency_of(catalogue: Catalogue, model_id: str) -> str:
    """Return the currency of the model's price."""
    model = catalogue.models.get(model_id)
    return model.price.currency if model and model.price else "USD"


async def _yield_completion(target: AttemptTarget) -> AsyncIterator[StreamItem]:
    yield Finish(await target.client.complete(target.request))
