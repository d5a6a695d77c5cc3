"""A correction from its approval to its effect: committed, indexed, asked again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import structlog
from sqlalchemy.orm import Session

from core.db import Database
from core.db.models import HumanCorrection
from knowledge.curation.corrections import decisions, queries, verification
from knowledge.curation.corrections.verification import Answers
from knowledge.index.synchroniser import Synchroniser, sync_quietly

log = structlog.get_logger()

LATER = "It is stored, and goes live by its meaning when the index is back; by its words it is found at once."


class Corrections:
    """Decides about corrections and sees to it that a decision is lived by at once."""

    def __init__(
        self,
        database: Database,
        synchroniser: Synchroniser,
        answers: Answers,
        close: Callable[[], None] = lambda: None,
    ) -> None:
        self._database = database
        self._synchroniser = synchroniser
        self._answers = answers
        self.close = close
        """Lets go of connections."""

    def approve(self, tenant_id: str, correction_id: str, by: str) -> dict[str, Any]:
        """Approve it; what its questions get now is in its effects.

        Raises:
            NotFound: there is no such correction.
            Conflict: somebody decided already, or the entry that misled is gone or was changed.
        """
        with self._database.session() as session:
            decisions.approve_correction(session, tenant_id, correction_id, by)
        return self._sync_and_verify(tenant_id, correction_id)

    def undo(self, tenant_id: str, correction_id: str, by: str) -> dict[str, Any]:
        """Take an approved one back.

        Raises:
            NotFound: there is no such correction.
            Conflict: it is not approved, or an entry was changed since.
        """
        with self._database.session() as session:
            decisions.undo_correction(session, tenant_id, correction_id, by)
        return self._sync_and_verify(tenant_id, correction_id)

    def check(self, tenant_id: str, correction_id: str) -> dict[str, Any]:
        """Index what is not indexed yet, and ask its questions again.

        Raises:
            NotFound: there is no such correction.
        """
        with self._database.session() as session:
            queries.get_correction(session, tenant_id, correction_id)
        return self._sync_and_verify(tenant_id, correction_id)

    def _sync_and_verify(self, tenant_id: str, correction_id: str) -> dict[str, Any]:
        late = sync_quietly(self._synchroniser, tenant_id)
        with self._database.session() as session:
            correction = queries.get_correction(session, tenant_id, correction_id)
            again = verification.list_check_questions(session, correction)
        asked = verification.ask_check_questions(self._answers, correction, again)
        counts = dict(Counter(row["served"] for row in asked))
        log.info("correction decided", correction=correction_id, status=correction.status, served=counts)
        shown = {"asked": asked, "served": counts, "note": f"{late} {LATER}" if late else ""}
        with self._database.session() as session:
            return _store_verification(session, tenant_id, correction_id, correction.status, shown)


def _store_verification(
    session: Session, tenant_id: str, correction_id: str, status: str, shown: dict[str, Any]
) -> dict[str, Any]:
    """What was found beside what was done, unless somebody decided anew meanwhile."""
    correction: HumanCorrection = queries.get_correction(session, tenant_id, correction_id)
    if correction.status == status:
        correction.effects = {**correction.effects, **shown}
        session.flush()
    return queries.describe_correction(session, correction)
