"""How probable an answer must be: bars for a stated share of wrong answers."""

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
    """Probabilities from which a first answer is sent as sure, sent as likely, and from which one is asked back."""

    answered: float
    suggested: float
    clarified: float
    clarified_foreign: float | None = None
    """The same as ``clarified`` where the best entry is not English; None: no other."""

    @classmethod
    def shipped(cls, wrong: float | None = None, file: Path = SHIPPED / "ranking.json") -> Bars:
        """The bars for a share of sure answers that may be wrong, 0 to 1; the default where none is given.

        Between the shares for which bars were measured, those of the stricter one hold.
        """
        stored = json.loads(file.read_text(encoding="utf-8"))
        wanted = stored["wrong"] if wrong is None else wrong
        shares = sorted((float(share) for share in stored["bars"]), reverse=True)
        share = next((s for s in shares if s <= wanted), shares[-1])
        return cls(**stored["bars"][f"{share:g}"])

    def outcome(self, ranking: Ranking) -> AnswerOutcome:
        """What may be done with a ranking."""
        if ranking.first >= self.answered:
            return "answered"
        if ranking.known < self.asking_back(ranking):
            return "unknown"
        return "suggested" if ranking.first >= self.suggested else "clarified"

    def asking_back(self, ranking: Ranking) -> float:
        """The bar from which one is asked back, by the calibration that the ranking has."""
        return self.clarified if ranking.is_english or self.clarified_foreign is None else self.clarified_foreign


BarsOf = Callable[[str], Bars]
"""The bars of a tenant."""
FRESH_SECONDS = 30.0


@cache
def shipped_bars(wrong: float | None = None) -> Bars:
    """The bars that ship, read once."""
    return Bars.shipped(wrong)


class TenantBars:
    """The bars for the share of wrong answers that each tenant set; looked up again after a while."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: dict[str, tuple[float, Bars]] = {}

    def __call__(self, tenant_id: str) -> Bars:
        """Those of a tenant."""
        until, bars = self._known.get(tenant_id, (0.0, None))
        if bars is None or until < monotonic():
            with self._database.session() as session:
                bars = shipped_bars(settings.get_learning_settings(session, tenant_id).wrong_answers)
            self._known[tenant_id] = monotonic() + FRESH_SECONDS, bars
        return bars
