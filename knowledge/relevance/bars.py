"""Thresholds on the probability of an answer, for a given share of wrong answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from time import monotonic

from core.db import Database
from core.feedback import settings
from knowledge.relevance.ranker import Ranking
from knowledge.relevance.reader import SHIPPED
from knowledge.types import AnswerOutcome


@dataclass(frozen=True)
class Bars:
    """Minimum probabilities for sending an answer as sure, sending it as likely, and asking back."""

    answered: float
    suggested: float
    clarified: float
    clarified_foreign: float | None = None
    """Replaces ``clarified`` if the best entry is not English; None if it does not differ."""

    @classmethod
    def shipped(cls, wrong: float | None = None, file: Path = SHIPPED / "ranking.json") -> Bars:
        """Load the thresholds for a share of wrong sure answers, 0 to 1; the shipped default if None.

        A share between two measured ones uses the thresholds of the stricter one.
        """
        stored = json.loads(file.read_text(encoding="utf-8"))
        wanted = stored["wrong"] if wrong is None else wrong
        shares = sorted((float(share) for share in stored["bars"]), reverse=True)
        share = next((s for s in shares if s <= wanted), shares[-1])
        return cls(**stored["bars"][f"{share:g}"])

    def outcome(self, ranking: Ranking) -> AnswerOutcome:
        """Return the outcome that a ranking allows."""
        if ranking.first >= self.answered:
            return "answered"
        if ranking.known < self.asking_back(ranking):
            return "unknown"
        return "suggested" if ranking.first >= self.suggested else "clarified"

    def asking_back(self, ranking: Ranking) -> float:
        """Return the threshold for asking back that fits the ranking's calibration."""
        return self.clarified if ranking.is_english or self.clarified_foreign is None else self.clarified_foreign


BarsOf = Callable[[str], Bars]
"""Returns the thresholds of a tenant."""
FRESH_SECONDS = 30.0


@cache
def shipped_bars(wrong: float | None = None) -> Bars:
    """Return the shipped thresholds, loaded once."""
    return Bars.shipped(wrong)


class TenantBars:
    """Thresholds for each tenant's allowed share of wrong answers, cached for a short time."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: dict[str, tuple[float, Bars]] = {}

    def __call__(self, tenant_id: str) -> Bars:
        """Return the thresholds of a tenant."""
        until, bars = self._known.get(tenant_id, (0.0, None))
        if bars is None or until < monotonic():
            with self._database.session() as session:
                bars = shipped_bars(settings.get_learning_settings(session, tenant_id).wrong_answers)
            self._known[tenant_id] = monotonic() + FRESH_SECONDS, bars
        return bars
