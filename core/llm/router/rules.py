"""A tenant's routing as a document: rules in order, time limits, budget, and how answers are written."""

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
    """All that are given must hold; without any the rule always fits."""

    approved: bool | None = None
    complexity_below: Share | None = None
    complexity_above: Share | None = None
    context_above: Annotated[int, Field(ge=0)] | None = None
    """Tokens of the prompt."""
    purposes: tuple[Purpose, ...] | None = None
    """None: answers only. Rewriting, summing up and judging go to the cheap role unless a rule names them here."""


class Rule(_StrictRule):
    """The first rule that fits decides. ``use`` is "none", a role, or the id of a model."""

    name: Annotated[str, Field(min_length=1, max_length=64)]
    when: Conditions = Conditions()
    use: Annotated[str, Field(min_length=1)]


class RoutingLimits(_StrictRule):
    """How long each call to a model may take."""

    connect_seconds: Seconds = 5.0
    """Until a vendor's server takes the connection; a part of the time to the first token, which alone bounds Gemini."""
    first_token_seconds: Seconds = 10.0
    """A model that thinks first gets ``THINKING`` times as long."""
    between_tokens_seconds: Seconds = 5.0
    total_seconds: Seconds = 30.0


class Budget(_StrictRule):
    """In the currency of ``models.yml``; None: no bound, 0: no model at all."""

    tenant_per_day: Amount | None = None
    per_conversation: Amount | None = None
    day: Amount | None = None
    """Of all tenants together, in one UTC day."""
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
    """All that a tenant can set; ``APPROVED`` is always its first rule."""

    rules: Annotated[tuple[Rule, ...], Field(max_length=50)] = DEFAULT_RULES
    limits: RoutingLimits = RoutingLimits()
    budget: Budget = Budget()
    hedge: bool = False
    """Ask a second model when the first is slower than usual."""
    candidates: Annotated[int, Field(ge=1, le=5)] = 1
    """How many answers are written, of which the best is sent."""
    judge: bool = False
    """A model chooses among the candidates, instead of their groundedness."""
    rewrite: bool = True
    """A question that leans on the turns before is made whole by a model before it is looked up."""
    mask: bool = True
    """Personal data leaves the house only as placeholders."""


DEFAULT = RoutingDocument()
