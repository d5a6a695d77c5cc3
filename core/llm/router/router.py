"""A provider over all providers: rules, budgets, caches, failover, masking and the ledger."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable, Hashable, Mapping
from contextlib import aclosing, suppress
from dataclasses import replace
from decimal import Decimal
from typing import Any, cast

import structlog

from core.errors import NoProviderLeft, ProviderFailed
from core.llm.catalogue import Catalogue
from core.llm.ledger import Ledger
from core.llm.router import probe
from core.llm.router.attempt import build_llm_call, currency_of
from core.llm.router.budgets import Budgets, list_budget_bounds
from core.llm.router.cache import TimedCache
from core.llm.router.complexity import Complexity
from core.llm.router.context_window import normalise_messages
from core.llm.router.decision import EXTRACT, Decider, RoutingDecision
from core.llm.router.failover import FailoverRunner, Masks
from core.llm.router.health import Health, ModelHealth
from core.llm.router.health_sync import HealthFeed
from core.llm.router.probe import TestReport
from core.llm.router.rules import DEFAULT, RoutingDocument
from core.llm.router.store import RoutingStore
from core.llm.types import Completion, Delta, Finish, Provider, Request, Served, StreamItem, Usage

__all__ = ["Complexity", "ModelHealth", "Router", "RoutingDecision", "TestReport"]

log = structlog.get_logger()

ANSWER_SECONDS = 60.0
ANSWERS = 1000
SENTENCE = re.compile(r".+?(?:[.!?]\s+|\n+|\Z)", re.DOTALL)
BUDGET_SPENT = "the budget is spent"


class Router:
    """Implements ``Provider``; call ``start`` before using it and ``close`` afterwards."""

    def __init__(
        self,
        catalogue: Catalogue,
        providers: Mapping[str, Provider],
        store: RoutingStore,
        ledger: Ledger,
        masker: Masks | None = None,
        *,
        redis_url: str = "",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.store, self.ledger = store, ledger
        self._catalogue, self._providers, self._clock = catalogue, providers, clock
        self._health = Health(clock)
        self._health.changed = lambda _: self._answers.clear()
        self._decider = Decider(catalogue, providers.keys(), clock)
        self._budgets = Budgets(ledger, clock)
        self._answers: TimedCache[tuple[Hashable, ...], Completion] = TimedCache(ANSWER_SECONDS, ANSWERS, clock)
        self._caller = FailoverRunner(
            catalogue, providers, self._decider, self._health, ledger, budgets=self._budgets, masker=masker, clock=clock
        )
        self._feed = HealthFeed(self._health, redis_url) if redis_url else None
        self._caller.feed = self._feed
        self._background: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Start the ledger and health sharing, and warm up the providers in the background."""
        await self.ledger.start()
        if self._feed:
            await self._feed.start()
        self._in_background(self._warm_providers())

    async def close(self) -> None:
        """Stop all background work and write the remaining ledger rows."""
        for task in self._background:
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)
        await self._caller.close()
        if self._feed:
            await self._feed.close()
        await self.ledger.close()
        for provider in self._providers.values():
            if close := getattr(provider, "close", None):
                await close()

    async def complete(self, request: Request) -> Completion:
        """Return the whole answer; see ``Provider``.

        Raises:
            NoProviderLeft: no model could answer; lists the attempts.
        """
        async for item in self._stream_answer(request, whole=True):
            if isinstance(item, Finish):
                return item.completion
        raise NoProviderLeft

    async def stream(self, request: Request) -> AsyncIterator[StreamItem]:
        """Stream the answer; see ``Provider``. Sends a restart when a model broke off and another begins.

        Raises:
            NoProviderLeft: no model could answer; lists the attempts.
        """
        async with aclosing(cast("Any", self._stream_answer(request, whole=False))) as items:
            async for item in items:
                yield item

    def count_tokens(self, request: Request) -> int:
        """Count with the first model that would be called."""
        models = self.decide(request).models
        first = models[0] if models else EXTRACT
        name = EXTRACT if first == EXTRACT else self._catalogue.model(first).provider
        return self._providers[name].count_tokens(request)

    def decide(self, request: Request) -> RoutingDecision:
        """Return the matching rule and the models that would be called."""
        document = self.document(request.caller.tenant_id)
        decision = self._decider.decide(request, document, self._count_context_tokens(request, document))
        if decision.use == "none" or not self._is_spent(request, document):
            return decision
        models = (EXTRACT,) if request.extract else ()
        return replace(decision, use=EXTRACT, models=models, reason=f"{decision.reason}; {BUDGET_SPENT}")

    async def refresh(self, request: Request) -> RoutingDocument:
        """Load changes and spending of other processes before ``decide``."""
        tenant_id = request.caller.tenant_id
        if not self.store.is_fresh(tenant_id):
            await self.store.freshen(tenant_id)
        document = self.document(tenant_id)
        if list_budget_bounds(request.caller, document.budget):
            await self._budgets.read(request.caller, document.budget)
        return document

    @property
    def has_models(self) -> bool:
        """Whether any provider besides the extract is set up."""
        return any(name != EXTRACT for name in self._providers)

    def document(self, tenant_id: str) -> RoutingDocument:
        """Return the tenant's rules; changes apply within seconds."""
        known = self.store.known(tenant_id)
        return known if known is not None else self.store.get(tenant_id)

    def estimate_seconds(self, decision: RoutingDecision) -> float | None:
        """Return the usual latency of the first healthy model, or None if unknown."""
        for model_id in decision.models:
            if model_id != EXTRACT and not self._health.is_open(model_id):
                usual = self._health.quantile(model_id, 0.5)
                return None if usual is None else usual / 1000
        return None

    def health(self) -> list[ModelHealth]:
        """Return the health of every model whose provider is set up."""
        return [self._health.of(self._catalogue.model(id_).provider, id_) for id_ in sorted(self._decider.usable)]

    def reset(self, model_id: str | None = None) -> None:
        """Forget the health of one model, or of all."""
        self._health.reset(model_id)
        if self._feed:
            self._feed.tell(model_id or "", {"reset": True})

    def invalidate(self, tenant_id: str) -> None:
        """Forget the cached answers of a tenant."""
        self._answers.drop(lambda key: key[0] == tenant_id)

    def stats(self) -> dict[str, Any]:
        """Return cache statistics, and how many ledger rows wait or were dropped."""
        return {
            "decisions": self._decider.cache.counts(),
            "answers": self._answers.counts(),
            "ledger": {"waiting": self.ledger.waiting, "dropped": self.ledger.dropped},
        }

    async def test(self, provider: str) -> TestReport:
        """Test a provider with a one-word answer; reports the cause and the remedy if it fails."""
        if provider not in self._providers or provider == EXTRACT:
            return probe.not_set_up(provider)
        model_id = self._first_of(provider)
        if model_id is None:
            return probe.without_model(provider)
        decision = RoutingDecision("test", model_id, (model_id,), Complexity(0.0), "asked by the operator")
        self._health.reset(model_id)
        report = TestReport(provider, model_id, ok=False)
        try:
            async for item in self._caller.run(probe.build_probe_request(), DEFAULT, decision, whole=False):
                if isinstance(item, Finish) and item.completion.served:
                    report = _build_success_report(report, item.completion.served)
        except NoProviderLeft as error:
            failed = error.__cause__
            kind = failed.kind if isinstance(failed, ProviderFailed) else None
            report = replace(
                report, error_kind=kind, cause=str(failed or error), mend=probe.MENDS[kind] if kind else ""
            )
        return report

    # Handling one request.

    async def _stream_answer(self, request: Request, *, whole: bool) -> AsyncIterator[StreamItem]:
        document = await self.refresh(request)
        decision = self.decide(request)
        key = self._build_cache_key(request, decision)
        if key is not None and (cached := self._answers.get(key)):
            async for item in self._replay_completion(request, decision, cached):
                yield item
            return
        run = self._caller.run(request, document, decision, whole=whole)
        async with aclosing(cast("Any", run)) as items:
            async for item in items:
                if isinstance(item, Finish):
                    self._cache_completion(key, item.completion)
                yield item

    def _build_cache_key(self, request: Request, decision: RoutingDecision) -> tuple[Hashable, ...] | None:
        """Return the cache key, or None if the answer must not be cached."""
        first = next((id_ for id_ in decision.models if not self._health.is_open(id_)), EXTRACT)
        if first == EXTRACT or request.temperature or request.caller.purpose == "test":
            return None
        caller, signals = request.caller, request.signals
        return (
            caller.tenant_id,
            first,
            caller.prompt_version,
            signals.question,
            signals.evidence,
            normalise_messages(request),
            request.max_output_tokens,
        )

    def _cache_completion(self, key: tuple[Hashable, ...] | None, completion: Completion) -> None:
        served = completion.served
        if key is not None and served and served.model == key[1] and completion.finish == "stop":
            self._answers.put(key, completion)

    async def _replay_completion(
        self, request: Request, decision: RoutingDecision, kept: Completion
    ) -> AsyncIterator[StreamItem]:
        started = self._clock()
        before = cast("Served", kept.served)
        row = build_llm_call(request, decision, before.provider, before.model)
        row.success = row.cache_hit = True
        row.cost, row.currency = Decimal(0), currency_of(self._catalogue, before.model)
        try:
            for sentence in SENTENCE.findall(kept.text):
                yield Delta(sentence)
        finally:
            row.latency_ms = (self._clock() - started) * 1000
            self.ledger.record(row)
        served = replace(
            before,
            route=decision.route,
            complexity=decision.complexity.score,
            cost=Decimal(0),
            latency_ms=row.latency_ms,
            first_token_ms=None,
            failovers=0,
            cache_hit=True,
        )
        yield Finish(replace(kept, usage=Usage(0, 0), served=served))

    def _count_context_tokens(self, request: Request, document: RoutingDocument) -> int:
        """Count the prompt's tokens, only if a rule may depend on them."""
        bounds_ = [rule.when.context_above for rule in document.rules if rule.when.context_above is not None]
        if not bounds_ or sum(len(message.text) for message in request.messages) <= min(bounds_):
            return 0
        return self._providers[EXTRACT].count_tokens(request)

    def _is_spent(self, request: Request, document: RoutingDocument) -> bool:
        budget, held = document.budget, list_budget_bounds(request.caller, document.budget)
        if not held or not self._budgets.is_exhausted(request.caller, budget):
            return False
        return budget.at_limit == "none" or any(bound.limit == 0 for bound in held)

    def _first_of(self, provider: str) -> str | None:
        in_roles = [id_ for ids in self._catalogue.roles.values() for id_ in ids]
        known = [*in_roles, *self._catalogue.models]
        return next((id_ for id_ in known if self._catalogue.model(id_).provider == provider), None)

    # Background work.

    def _in_background(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def _warm_providers(self) -> None:
        for provider in self._providers.values():
            if warm := getattr(provider, "warm", None):
                with suppress(Exception):  # the first call will report the problem
                    await warm()
        with suppress(Exception):
            await self._caller.warm()


def _build_success_report(report: TestReport, served: Served) -> TestReport:
    timed = replace(
        report, ok=True, latency_ms=served.latency_ms, first_token_ms=served.first_token_ms, cost=served.cost
    )
    if served.cost is None:
        return replace(timed, cause=probe.PRICE_MISSING, mend=probe.PRICE_MEND)
    return timed
