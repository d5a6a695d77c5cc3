"""Phrasings that belong together, from a tenant's approved entries, corrections and confirmed answers."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.db.models import KnowledgeEntry, RegressionCase, ReuseObservation
from core.errors import InvalidInput
from knowledge.entries import editor
from knowledge.text.features import normalise_text
from knowledge.types import Entry

HELD_BACK = 0.3
"""Share of the entries used only for evaluation."""
PAIRS_NEEDED, HELD_BACK_NEEDED = 100, 20


@dataclass(frozen=True)
class Phrased:
    """An approved entry with other phrasings that customers are known to have used."""

    entry: Entry
    confirmed: tuple[str, ...] = ()

    @property
    def held_back(self) -> bool:
        """Whether the entry is held back; fixed per entry, so no training ever sees a held-back one."""
        return int(hashlib.sha256(self.entry.id.encode()).hexdigest()[:8], 16) < HELD_BACK * 2**32

    @property
    def phrasings(self) -> tuple[str, ...]:
        """All phrasings, the entry's own first."""
        return (*self.entry.questions, *self.confirmed)

    def named(self, text: str) -> str:
        """Return the text followed by the entry's subject."""
        return f"{text} {self.entry.subject}" if self.entry.subject else text

    @property
    def answer_key(self) -> str:
        """Key that is equal for entries with the same answer."""
        return normalise_text(self.entry.answer)


def load_phrased_entries(session: Session, tenant_id: str) -> list[Phrased]:
    """Return all approved entries in a fixed order."""
    approved = select(KnowledgeEntry.id).filter_by(tenant_id=tenant_id, status="approved")
    served = editor.load_served_entries(session, tenant_id, list(session.scalars(approved.order_by(KnowledgeEntry.id))))
    confirmed = _collect_confirmed_texts(session, tenant_id)
    return [Phrased(entry, _select_new_texts(entry, confirmed[entry.id])) for entry in served.values()]


def _collect_confirmed_texts(session: Session, tenant_id: str) -> dict[str, list[str]]:
    """Map entries to texts for which they were correctly reused, or which a correction assigns to them."""
    seen = select(ReuseObservation.entry_id, ReuseObservation.text, ReuseObservation.correct)
    judged = session.execute(seen.filter_by(tenant_id=tenant_id).order_by(ReuseObservation.id)).all()
    wrong = {(entry_id, text) for entry_id, text, correct in judged if correct is False}
    cases = select(RegressionCase).filter_by(tenant_id=tenant_id, active=True).order_by(RegressionCase.id)
    corrected = [(c.entry_id, c.question) for c in session.scalars(cases) if c.entry_id and not c.context]
    found: dict[str, list[str]] = defaultdict(list)
    for entry_id, text in [(entry_id, text) for entry_id, text, correct in judged if correct] + corrected:
        if (entry_id, text) not in wrong:
            found[entry_id].append(text)
    return found


def _select_new_texts(entry: Entry, texts: Sequence[str]) -> tuple[str, ...]:
    known = {normalise_text(question) for question in entry.questions}
    return tuple({normalise_text(text): text for text in texts if normalise_text(text) not in known}.values())


def require_enough_pairs(phrased: Sequence[Phrased]) -> None:
    """Check that there is enough data for training and evaluation.

    Raises:
        InvalidInput: there is too little data; the message says how much there is and how much is needed.
    """
    several = [one for one in phrased if one.entry.questions and len(one.phrasings) > 1]
    pairs = sum(len(one.phrasings) - 1 for one in several if not one.held_back)
    held_back = sum(one.held_back for one in several)
    if pairs < PAIRS_NEEDED or held_back < HELD_BACK_NEEDED:
        raise InvalidInput(
            f"There is too little to fine-tune the embedding with: {pairs} pairs to learn from ({PAIRS_NEEDED} are "
            f"needed) and {held_back} held-back entries to evaluate on ({HELD_BACK_NEEDED} are needed). A pair is a "
            "second phrasing of an approved entry, or a customer's phrasing that was confirmed."
        )
