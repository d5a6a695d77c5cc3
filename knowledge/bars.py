"""How probable an answer must be: bars for a stated share of wrong answers."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from knowledge.ranking import Ranking
from knowledge.reader import SHIPPED
from knowledge.types import AnswerOutcome


@dataclass(frozen=True)
class Bars:
    """Probabilities from which a first answer is sent as sure, sent as likely, and from which one is asked back."""

    answered: float
    suggested: float
    clarified: float

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
        if ranking.first >= self.suggested and ranking.any >= self.clarified:
            return "suggested"
        return "clarified" if ranking.any >= self.clarified else "unknown"
