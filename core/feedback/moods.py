"""Shares of sentiments among customer messages in a period, by day, channel or intent."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any, Literal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.db.models import Message, Turn
from core.feedback.types import FeedbackFilter

MoodBy = Literal["day", "channel", "intent"]


def compute_moods(session: Session, tenant_id: str, wanted: FeedbackFilter, by: MoodBy) -> dict[str, Any]:
    """Count the sentiments of all classified messages.

    Of ``wanted``, only the period, channel and intent apply. Days are UTC.
    """
    name = {"day": func.date(Message.created_at), "channel": Turn.channel, "intent": Turn.intent}[by]
    query = (
        select(name, Message.sentiment, func.count())
        .join(Turn, Turn.message_id == Message.id)
        .where(Message.tenant_id == tenant_id, Message.sentiment.is_not(None))
        .group_by(name, Message.sentiment)
    )
    if wanted.start:
        query = query.where(Message.created_at >= wanted.start)
    if wanted.end:
        query = query.where(Message.created_at < wanted.end)
    if wanted.channel:
        query = query.where(Turn.channel == wanted.channel)
    if wanted.intent:
        query = query.where(Turn.intent == wanted.intent)
    groups: dict[str, Counter[str]] = defaultdict(Counter)
    for group, feeling, count in session.execute(query):
        groups[str(group or "unknown")][feeling or ""] += count
    found = [{"name": group, **_compute_mood_figures(counts)} for group, counts in groups.items()]
    found.sort(key=lambda group: group["name"] if by == "day" else (-group["messages"], group["name"]))
    return {"total": _compute_mood_figures(sum(groups.values(), Counter())), "by": by, "groups": found}


def _compute_mood_figures(counts: Counter[str]) -> dict[str, Any]:
    messages = counts.total()
    upset = counts["negative"] + counts["angry"]
    return {
        "messages": messages,
        **{feeling: counts[feeling] for feeling in ("positive", "neutral", "negative", "angry")},
        "negative_rate": round(upset / messages, 4) if messages else None,
        "angry_rate": round(counts["angry"] / messages, 4) if messages else None,
    }
