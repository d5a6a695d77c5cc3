"""A tenant's routing document: ordered rules, time limits, budget, and how answers are written."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from core.llm.types import Purpose

NONE = "none"
ROLES = ("cheap", "balanced", "reasoning", "long_context")
Share = Annotated[float, Field(ge=0, le=1)]
Seconds = Annotated[float, Field(gt=0, le=600)]
Amount = Annotated[Decimal, Field(ge=0)]


class _StrictRule(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Conditions(_StrictRule):
    """Conditions that must all hold; without any, the rule always matches."""

    approved: bool | None = None
    complexity_below: Share | None = None
    complexity_above: Share | None = None
    context_above: Annotated[int, Field(ge=0)] | None = None
    """Number of tokens in the prompt."""
    purposes: tuple[Purpose, ...] | None = None
    """None: answers only. Rewriting, summarising and judging use the cheap role unless a rule names them here."""


class Rule(_StrictRule):
    """One rule; the first match decides. ``use`` is "none", a role, or the id of a model."""

    name: Annotated[str, Field(min_length=1, max_length=64)]
    when: Conditions = Conditions()
    use: Annotated[str, Field(min_length=1)]


class RoutingLimits(_StrictRule):
    """Time limits for each call to a model."""

    connect_seconds: Seconds = 5.0
    """Time to connect; included in the time to the first token, which is the only limit for Gemini."""
    first_token_seconds: Seconds = 10.0
    """A reasoning model gets ``THINKING`` times as long."""
    between_tokens_seconds: Seconds = 5.0
    total_seconds: Seconds = 30.0


class Budget(_StrictRule):
    """Limits in the currency of ``models.yml``; None: unlimited, 0: no model at all."""

    tenant_per_day: Amount | None = None
    per_conversation: Amount | None = None
    day: Amount | None = None
    """For all tenants together, per UTC day."""
    at_limit: Literal["none", "cheapest"] = "none"


APPROVED = Rule(name="approved", when=Conditions(approved=True), use=NONE)
DEFAULT_RULES = (
    APPROVED,
    Rule(name="long context", when=Conditions(context_above=100_000), use="long_context"),
    Rule(name="simple", when=Conditions(complexity_below=0.3), use="cheap"),
    Rule(name="complex", when=Conditions(complexity_above=0.7), use="reasoning"),
    Rule(name="otherwise", use="balanced"),
)


class RoutingDocument(_StrictRule):
    """All routing settings of a tenant; ``APPROVED`` is always the first rule."""

    rules: Annotated[tuple[Rule, ...], Field(max_length=50)] = DEFAULT_RULES
    limits: RoutingLimits = RoutingLimits()
    budget: Budget = Budget()
    hedge: bool = False
    """Call a second model when the first is slower than usual."""
    candidates: Annotated[int, Field(ge=1, le=5)] = 1
    """How many answers are written; the best one is sent."""
    judge: bool = False
    """Let a model choose among the candidates, instead of their groundedness."""
    rewrite: bool = True
    """Let a model rewrite questions that depend on previous messages before retrieval."""
    mask: bool = True
    """Send personal data to models only as placeholders."""


DEFAULT = RoutingDocument()
