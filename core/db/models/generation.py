"""Calls to language models, their daily and hourly summaries, and each tenant's routing."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, Date, Index, String, Text, TypeDecorator, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.db.models.base import Base, get_current_time

_PICO = -12


class Money(TypeDecorator[Decimal]):
    """A Decimal with twelve places, stored as an integer to keep sums exact on every database."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Any) -> int | None:  # noqa: ARG002
        return None if value is None else int(value.scaleb(-_PICO))

    def process_result_value(self, value: int | None, dialect: Any) -> Decimal | None:  # noqa: ARG002
        """Convert back to a Decimal; also accepts a sum, which PostgreSQL returns as a Decimal."""
        return None if value is None else Decimal(value).scaleb(_PICO)


class LlmCall(Base):
    """One call to a model, successful or not, or an answer from the cache."""

    __tablename__ = "llm_calls"
    __table_args__ = (
        Index("ix_llm_calls_tenant_created", "tenant_id", "created_at"),
        Index("ix_llm_calls_created", "created_at"),
    )

    conversation_id: Mapped[str | None] = mapped_column(String(26), default=None, index=True)
    turn_id: Mapped[str | None] = mapped_column(String(26), default=None, index=True)
    purpose: Mapped[str] = mapped_column(String(16), default="answer")
    provider: Mapped[str] = mapped_column(String(32))
    model: Mapped[str] = mapped_column(String(120))
    """The model's id in models.yml."""
    prompt_version: Mapped[str] = mapped_column(String(64), default="")
    input_tokens: Mapped[int] = mapped_column(default=0)
    output_tokens: Mapped[int] = mapped_column(default=0)
    cached_tokens: Mapped[int] = mapped_column(default=0)
    """Included in the input tokens."""
    estimated: Mapped[bool] = mapped_column(default=False)
    """The token counts are our own estimate, because the vendor reported none."""
    cost: Mapped[Decimal | None] = mapped_column(Money, default=None)
    """None: the model has no price."""
    currency: Mapped[str] = mapped_column(String(3), default="USD")
    latency_ms: Mapped[float] = mapped_column(default=0.0)
    first_token_ms: Mapped[float | None] = mapped_column(default=None)
    success: Mapped[bool]
    error_kind: Mapped[str | None] = mapped_column(String(32), default=None)
    error: Mapped[str | None] = mapped_column(Text, default=None)
    failover_from: Mapped[str | None] = mapped_column(String(120), default=None)
    """The id of the model that failed before this one was called."""
    hedge: Mapped[bool] = mapped_column(default=False)
    """Called in parallel with another model that was slow."""
    cache_hit: Mapped[bool] = mapped_column(default=False)
    route: Mapped[str] = mapped_column(String(64), default="")
    """The name of the routing rule."""
    reason: Mapped[str] = mapped_column(Text, default="")
    """Why that rule was chosen, and how the prompt was changed."""
    complexity: Mapped[float | None] = mapped_column(default=None)
    complexity_parts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_at: Mapped[datetime] = mapped_column(default=get_current_time)


class LlmDay(Base):
    """One tenant's calls to one model on one day."""

    __tablename__ = "llm_days"
    __table_args__ = (UniqueConstraint("tenant_id", "day", "provider", "model"),)

    day: Mapped[date] = mapped_column(Date)
    provider: Mapped[str] = mapped_column(String(32))
    model: Mapped[str] = mapped_column(String(120))
    calls: Mapped[int] = mapped_column(default=0)
    """Calls to the vendor; cached answers are counted separately."""
    successes: Mapped[int] = mapped_column(default=0)
    failures: Mapped[int] = mapped_column(default=0)
    cache_hits: Mapped[int] = mapped_column(default=0)
    failovers: Mapped[int] = mapped_column(default=0)
    input_tokens: Mapped[int] = mapped_column(BigInteger, default=0)
    output_tokens: Mapped[int] = mapped_column(BigInteger, default=0)
    cached_tokens: Mapped[int] = mapped_column(BigInteger, default=0)
    cost: Mapped[Decimal] = mapped_column(Money, default=Decimal(0))
    unpriced: Mapped[int] = mapped_column(default=0)
    """Calls to a model without a price."""
    currency: Mapped[str] = mapped_column(String(3), default="USD")
    latency_p50_ms: Mapped[float | None] = mapped_column(default=None)
    latency_p95_ms: Mapped[float | None] = mapped_column(default=None)
    latency_p99_ms: Mapped[float | None] = mapped_column(default=None)
    routes: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """{"rule": {"calls", "failures", "cache_hits", "failovers", "input_tokens", "output_tokens", "unpriced", "cost"}}; the cost is
    a string.
    """


class LlmHealth(Base):
    """The health of one model in one hour, over all tenants (the tenant is "*")."""

    __tablename__ = "llm_health"
    __table_args__ = (UniqueConstraint("tenant_id", "hour", "provider", "model"),)

    hour: Mapped[datetime]
    provider: Mapped[str] = mapped_column(String(32))
    model: Mapped[str] = mapped_column(String(120))
    calls: Mapped[int] = mapped_column(default=0)
    failures: Mapped[int] = mapped_column(default=0)
    errors: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """{"kind": count}"""
    latency_p50_ms: Mapped[float | None] = mapped_column(default=None)
    latency_p95_ms: Mapped[float | None] = mapped_column(default=None)


class Routing(Base):
    """A tenant's routing; without a row the defaults apply."""

    __tablename__ = "routing"
    __table_args__ = (UniqueConstraint("tenant_id"),)

    document: Mapped[dict[str, Any]] = mapped_column(default=dict)
    version: Mapped[int] = mapped_column(default=1)
    updated_by: Mapped[str] = mapped_column(String(100), default="")
    updated_at: Mapped[datetime] = mapped_column(default=get_current_time)
