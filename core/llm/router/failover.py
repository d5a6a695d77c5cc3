"""Tries the models of a decision in turn, or two in parallel, until one answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Protocol

import structlog

from core.db.models import LlmCall
from core.errors import ErrorKind, NoProviderLeft, ProviderFailed
from core.llm.catalogue import Catalogue, Model
from core.llm.ledger import Ledger
from core.llm.router.attempt import CLOSED_BY_US, SLOWER, Attempt, AttemptTarget, Holds
from core.llm.router.budgets import Budgets, Reservation, list_budget_bounds
from core.llm.router.context_window import fit_request
from core.llm.router.decision import EXTRACT, Decider, RoutingDecision, price_of
from core.llm.router.health import Health
from core.llm.router.probe import build_probe_request
from core.llm.router.rules import RoutingDocument
from core.llm.types import Delta, Finish, Provider, Request, Restart, StreamItem, Usage

log = structlog.get_logger()

PATIENCE = 2
"""How long a customer waits for all models together, in multiples of the total limit."""
FEWEST_SAMPLES = 20
"""With fewer timed first tokens than this, half the limit is used as their p95."""
OF_THE_WHOLE_PROVIDER: frozenset[ErrorKind] = frozenset({"unauthorised", "quota", "connection", "timeout", "server"})
"""After these errors, models of other providers are tried first."""
CLOSE_SECONDS = 5.0
LONG_PROMPT = 20_000
"""Length in characters."""


class Masks(Protocol):
    """Masks personal data in a request."""

    def mask(self, request: Request) -> tuple[Request, Holds]:
        """Return the masked request, and the object that restores the reply."""


class Tells(Protocol):
    """Shares outcomes of calls with other processes."""

    def tell(self, model_id: str, outcome: dict[str, Any]) -> None: ...


@dataclass
class Call:
    """The state of one request while models are tried."""

    request: Request
    document: RoutingDocument
    decision: RoutingDecision
    whole: bool
    give_up_at: float
    queue: list[str]
    tried: list[str] = field(default_factory=list)
    """The result of each attempt, for the error message."""
    last_failed: str | None = None
    last_error: ProviderFailed | None = None
    failures: int = 0
    live: list[Attempt] = field(default_factory=list)
    masked: tuple[Request, Holds] | None = None


class FailoverRunner:
    """Runs requests over the models; its state is shared by all calls."""

    def __init__(
        self,
        catalogue: Catalogue,
        providers: Mapping[str, Provider],
        decider: Decider,
        health: Health,
        ledger: Ledger,
        *,
        budgets: Budgets,
        masker: Masks | None,
        clock: Callable[[], float],
    ) -> None:
        self._catalogue, self._providers, self._decider = catalogue, providers, decider
        self._health, self._ledger, self._budgets = health, ledger, budgets
        self._masker, self._clock = masker, clock
        self._masks = False
        self._closing: set[asyncio.Task[None]] = set()
        self.feed: Tells | None = None

    async def run(
        self, request: Request, document: RoutingDocument, decision: RoutingDecision, *, whole: bool
    ) -> AsyncIterator[StreamItem]:
        """Yield one coherent answer: deltas, restarts when a model broke off, and the end.

        Raises:
            NoProviderLeft: no model could answer; lists the attempts.
        """
        patience = PATIENCE * document.limits.total_seconds
        give_up_at = asyncio.get_running_loop().time() + patience
        call = Call(request, document, decision, whole, give_up_at, _build_model_queue(request, decision))
        shown = False
        try:
            while True:
                with suppress(ProviderFailed):
                    attempt, item = await self._get_first_item(call)
                    if shown:
                        yield Restart()
                        shown = False
                    while True:
                        shown = shown or isinstance(item, Delta)
                        yield item
                        if isinstance(item, Finish):
                            return
                        item = await self._read_next_item(call, attempt)
        finally:
            for attempt in call.live:
                attempt.abandon()

    async def warm(self) -> None:
        """Load the recognisers for personal data."""
        if self._masker:
            await self._mask_request(self._masker, build_probe_request())

    async def close(self) -> None:
        """Wait until all streams are closed."""
        await asyncio.gather(*self._closing, return_exceptions=True)

    # Notifications from attempts.

    def ended_well(self, attempt: Attempt) -> None:
        model_id = attempt.target.model_id
        if model_id != EXTRACT:
            self._health.succeeded(model_id, attempt.latency_ms, attempt.first_token_ms)
            self._publish_outcome(
                model_id, {"latency_ms": attempt.latency_ms, "first_token_ms": attempt.first_token_ms}
            )

    def ended_badly(self, attempt: Attempt, error: ProviderFailed) -> None:
        model_id = attempt.target.model_id
        if model_id != EXTRACT:
            self._health.failed(model_id, error.kind, error.retry_after)
            self._publish_outcome(model_id, {"kind": error.kind, "retry_after": error.retry_after})
            log.info("model failed", model=model_id, because=error.kind, error=str(error))

    def ended_early(self, attempt: Attempt) -> None:
        self._health.release(attempt.target.model_id)

    def closing(self, items: AsyncGenerator[StreamItem]) -> None:
        task = asyncio.ensure_future(_close_stream(items))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    def record(self, call: LlmCall) -> None:
        self._ledger.record(call)

    def _publish_outcome(self, model_id: str, outcome: dict[str, Any]) -> None:
        if self.feed:
            self.feed.tell(model_id, outcome)

    # Waiting for the first item.

    async def _get_first_item(self, call: Call) -> tuple[Attempt, StreamItem]:
        attempt = await self._open_next_attempt(call)
        if attempt is None:
            raise NoProviderLeft(_explain_no_provider(call)) from call.last_error
        if not call.document.hedge or call.whole or attempt.target.model_id == EXTRACT:
            return attempt, await self._read_next_item(call, attempt)
        return await self._race_attempts(call, attempt)

    async def _read_next_item(self, call: Call, attempt: Attempt) -> StreamItem:
        try:
            return await attempt.next()
        except ProviderFailed as error:
            _note_failure(call, attempt, error, self._catalogue)
            raise

    async def _race_attempts(self, call: Call, attempt: Attempt) -> tuple[Attempt, StreamItem]:
        """Return the first attempt to produce a token; starts a second model if the first is slower than usual."""
        tasks = {asyncio.create_task(self._read_next_item(call, attempt)): attempt}
        winner: Attempt | None = None
        try:
            await asyncio.wait(tasks, timeout=self._usual_seconds(attempt, call.document))
            if not next(iter(tasks)).done() and (second := await self._open_next_attempt(call, hedge=True)):
                tasks[asyncio.create_task(self._read_next_item(call, second))] = second
            waiting = set(tasks)
            while True:
                done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                won = next((task for task in done if task.exception() is None), None)
                if won is not None:
                    winner = tasks[won]
                    return winner, won.result()
                if not waiting:
                    raise next(filter(None, (task.exception() for task in done)))
        finally:
            await _cancel_losers(tasks, winner)

    def _usual_seconds(self, attempt: Attempt, document: RoutingDocument) -> float:
        usual = self._health.quantile(attempt.target.model_id, 0.95, first_token=True, fewest=FEWEST_SAMPLES)
        return document.limits.first_token_seconds / 2 if usual is None else usual / 1000

    # Choosing the next model.

    async def _open_next_attempt(self, call: Call, *, hedge: bool = False) -> Attempt | None:
        """Start the next model that may be called, or return None."""
        late = asyncio.get_running_loop().time() >= call.give_up_at
        while call.queue:
            model_id = call.queue[0]
            if model_id == EXTRACT:
                if hedge:
                    return None
                return self._start_attempt(
                    call, AttemptTarget(**self._get_common_fields(call, model_id), client=self._providers[EXTRACT])
                )
            call.queue.pop(0)
            target = None if late else await self._find_target(call, model_id, hedge=hedge)
            if target is not None:
                return self._start_attempt(call, target)
        return None

    def _start_attempt(self, call: Call, target: AttemptTarget) -> Attempt:
        if target.model_id == EXTRACT:
            call.queue.clear()
        attempt = Attempt(target, self._catalogue, self, self._clock)
        call.live = [other for other in call.live if not other.settled] + [attempt]
        return attempt

    async def _find_target(self, call: Call, model_id: str, *, hedge: bool) -> AttemptTarget | None:
        if self._health.is_open(model_id):
            call.tried.append(f"{model_id} (passed over)")
            return None
        model = self._catalogue.model(model_id)
        masked = await self._get_masked_request(call)
        if masked is None:
            call.tried.append(f"{model_id} (personal data could not be masked)")
            return None
        client = self._providers[model.provider]
        limited = replace(masked[0], connect_seconds=call.document.limits.connect_seconds)
        request, note = self._fit_model_window(limited, model, client)
        if request is None:
            call.tried.append(f"{model_id} (the prompt is too long for it)")
            return None
        reservation = self._reserve_budget(call, model_id, request, client)
        if reservation is None:
            call.tried.append(f"{model_id} (the budget is spent)")
            return None
        if not self._health.admit(model_id):
            reservation.settle(Decimal(0))
            return None
        common = self._get_common_fields(call, model_id) | {
            "request": request,
            "provider": model.provider,
            "hedge": hedge,
        }
        return AttemptTarget(
            **common,
            client=client,
            vault=masked[1] if masked[0] is not call.request else None,
            thinks=model.reasoning,
            note=note,
            reservation=reservation,
        )

    def _get_common_fields(self, call: Call, model_id: str) -> dict[str, Any]:
        return {
            "model_id": model_id,
            "provider": EXTRACT,
            "request": call.request,
            "decision": call.decision,
            "limits": call.document.limits,
            "give_up_at": call.give_up_at if model_id != EXTRACT else call.give_up_at + CLOSE_SECONDS,
            "whole": call.whole,
            "failover_from": call.last_failed,
            "failovers": call.failures,
        }

    async def _get_masked_request(self, call: Call) -> tuple[Request, Any] | None:
        """Return the masked request, or None if masking failed."""
        if self._masker is None or not call.document.mask:
            return call.request, None
        if call.masked is None:
            try:
                call.masked = await self._mask_request(self._masker, call.request)
            except Exception:
                log.exception("personal data could not be masked; no model is asked")
                return None
        return call.masked

    async def _mask_request(self, masker: Masks, request: Request) -> tuple[Request, Holds]:
        """Mask on a thread for long prompts and while the recognisers load; otherwise a thread costs more than it saves."""
        if self._masks and sum(len(message.text) for message in request.messages) <= LONG_PROMPT:
            return masker.mask(request)
        masked = await asyncio.to_thread(masker.mask, request)
        self._masks = True
        return masked

    def _fit_model_window(self, request: Request, model: Model, client: Provider) -> tuple[Request | None, str]:
        room = model.context_window - min(request.max_output_tokens, model.max_output)
        request = replace(request, model=model.name)
        if sum(len(message.text) for message in request.messages) <= room // 2:  # certainly fits: no need to count
            return request, ""
        shorter, note = fit_request(request, room, client.count_tokens)
        if note and client.count_tokens(shorter) > room:
            return None, note
        return shorter, note

    def _reserve_budget(self, call: Call, model_id: str, request: Request, client: Provider) -> Reservation | None:
        budget, caller = call.document.budget, request.caller
        held = list_budget_bounds(caller, budget)
        if not held:
            return Reservation((), Decimal(0))
        usage = Usage(client.count_tokens(request), request.max_output_tokens)
        estimate = self._catalogue.cost(model_id, usage) or Decimal(0)
        reservation = self._budgets.reserve(caller, budget, estimate)
        allowed = budget.at_limit == "cheapest" and all(bound.limit > 0 for bound in held)
        if reservation is None and allowed and self._is_cheapest(model_id):
            return self._budgets.reserve(caller, budget, estimate, force=True)
        return reservation

    def _is_cheapest(self, model_id: str) -> bool:
        cheapest = min(price_of(self._catalogue, id_) for id_ in self._decider.usable)
        return price_of(self._catalogue, model_id) in {cheapest, Decimal(0)}


async def _cancel_losers(tasks: dict[asyncio.Task[StreamItem], Attempt], winner: Attempt | None) -> None:
    """Cancel all attempts but the winner; without a winner, the customer has left."""
    for task, attempt in tasks.items():
        if attempt is not winner:
            task.cancel()
            attempt.abandon(CLOSED_BY_US if winner is None else SLOWER)
    for task in tasks:
        with suppress(asyncio.CancelledError, ProviderFailed):
            await task


def _build_model_queue(request: Request, decision: RoutingDecision) -> list[str]:
    """Return the models to try; if the rule uses no model, the extract remains as a fallback."""
    return list(decision.models) or ([EXTRACT] if request.extract else [])


def _note_failure(call: Call, attempt: Attempt, error: ProviderFailed, catalogue: Catalogue) -> None:
    target = attempt.target
    call.tried.append(f"{target.model_id} ({error.kind})")
    call.last_failed, call.last_error, call.failures = target.model_id, error, call.failures + 1
    if error.kind in OF_THE_WHOLE_PROVIDER:
        call.queue.sort(key=lambda id_: 2 if id_ == EXTRACT else catalogue.model(id_).provider == target.provider)


def _explain_no_provider(call: Call) -> str:
    if not call.tried:
        return "No language model is set up, or the rules name none."
    return f"No language model could answer. Tried: {', '.join(call.tried)}."


async def _close_stream(items: AsyncGenerator[StreamItem]) -> None:
    with suppress(Exception):
        async with asyncio.timeout(CLOSE_SECONDS):
            await items.aclose()
