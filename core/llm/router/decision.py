"""Finds the matching rule for a request, and the order in which models are tried."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Hashable
from dataclasses import dataclass, replace
from decimal import Decimal

from core.llm.catalogue import Catalogue
from core.llm.router.cache import TimedCache
from core.llm.router.complexity import Complexity, complexity_of
from core.llm.router.rules import NONE, Conditions, RoutingDocument, Rule
from core.llm.types import Request

EXTRACT = "extract"
CACHE_SECONDS = 300.0
CACHE_SIZE = 2000
FALLBACK_ROLE = "balanced"
NO_RULE = "no rule"
UNPRICED = Decimal("Infinity")


@dataclass(frozen=True)
class RoutingDecision:
    """The routing of a request, decided before any call."""

    route: str
    """The rule's name, or the purpose of a rewrite, summary or judgement that no rule names."""
    use: str
    """"none", a role, the id of a model, or "extract" if no model may be called."""
    models: tuple[str, ...]
    """Model ids of configured providers, in the order of attempts; "extract" last, if available."""
    complexity: Complexity
    reason: str


class Decider:
    """Applies a document's rules; decisions are cached for five minutes."""

    def __init__(
        self, catalogue: Catalogue, providers: Collection[str], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._catalogue = catalogue
        usable = [id_ for id_, model in catalogue.models.items() if model.provider in providers]
        self._usable = frozenset(usable)
        self._by_price = sorted(usable, key=lambda id_: price_of(catalogue, id_))
        self._chains: dict[str, tuple[str, ...]] = {}
        self.cache: TimedCache[Hashable, tuple[RoutingDocument, RoutingDecision]] = TimedCache(
            CACHE_SECONDS, CACHE_SIZE, clock
        )

    @property
    def usable(self) -> frozenset[str]:
        """Ids of the models whose provider is set up."""
        return self._usable

    def decide(self, request: Request, document: RoutingDocument, context: int) -> RoutingDecision:
        """Decide by the document's rules; ``context`` is the number of tokens in the prompt."""
        key = (request.caller.tenant_id, request.caller.purpose, request.signals, context)
        cached = self.cache.get(key)
        if cached is not None and cached[0] is document:
            decision = cached[1]
        else:
            decision = self._decide_route(request, document, context)
            self.cache.put(key, (document, decision))
        if request.extract and decision.use != NONE:
            return replace(decision, models=(*decision.models, EXTRACT))
        return decision

    def _decide_route(self, request: Request, document: RoutingDocument, context: int) -> RoutingDecision:
        complexity = complexity_of(request.signals)
        rule = self._choose_rule(request, document, complexity, context)
        reason = _explain_rule(rule, complexity, context)
        return RoutingDecision(rule.name, rule.use, self.chain(rule.use), complexity, reason)

    def _choose_rule(self, request: Request, document: RoutingDocument, complexity: Complexity, context: int) -> Rule:
        for rule in document.rules:
            if _matches_conditions(rule.when, request, complexity, context):
                return rule
        purpose = request.caller.purpose
        if purpose in {"answer", "test"}:
            return Rule(name=NO_RULE, use=FALLBACK_ROLE)
        return Rule(name=purpose, use="cheap")

    def chain(self, use: str) -> tuple[str, ...]:
        """Return the models of a role, or one model, followed by all others, the cheapest first."""
        if use == NONE:
            return ()
        if use not in self._chains:
            first = next((ids for role, ids in self._catalogue.roles.items() if role == use), (use,))
            in_roles = {id_ for ids in self._catalogue.roles.values() for id_ in ids}
            ordered = dict.fromkeys([*first, *(id_ for id_ in self._by_price if id_ in in_roles)])
            self._chains[use] = tuple(id_ for id_ in ordered if id_ in self._usable)
        return self._chains[use]


def price_of(catalogue: Catalogue, model_id: str) -> Decimal:
    """Return a price for comparisons: a million input and output tokens; models without a price come out most expensive."""
    price = catalogue.model(model_id).price
    return UNPRICED if price is None else price.input + price.output


def _matches_conditions(when: Conditions, request: Request, complexity: Complexity, context: int) -> bool:
    return (
        request.caller.purpose in (when.purposes or ("answer",))
        and (when.approved is None or when.approved == request.signals.approved)
        and (when.complexity_below is None or complexity.score < when.complexity_below)
        and (when.complexity_above is None or complexity.score > when.complexity_above)
        and (when.context_above is None or context > when.context_above)
    )


def _explain_rule(rule: Rule, complexity: Complexity, context: int) -> str:
    when, reasons = rule.when, []
    if when.approved:
        reasons.append("an approved answer")
    if when.context_above is not None:
        reasons.append(f"{context} tokens of context > {when.context_above}")
    if when.complexity_below is not None:
        reasons.append(f"complexity {complexity.score:.2f} < {when.complexity_below:g}")
    if when.complexity_above is not None:
        reasons.append(f"complexity {complexity.score:.2f} > {when.complexity_above:g}")
    return " and ".join(reasons) or f"no other rule fits (complexity {complexity.score:.2f})"
