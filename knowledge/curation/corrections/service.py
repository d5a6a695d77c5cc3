"""Apply decisions about corrections: commit, index, and check the answers again."""

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
    """Decides about corrections and puts decisions into effect at once."""

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
        """Closes the connections of the service."""

    def approve(self, tenant_id: str, correction_id: str, by: str) -> dict[str, Any]:
        """Approve a correction; its effects include what its questions are answered with now.

        Raises:
            NotFound: There is no such correction.
            Conflict: It is already decided, or the misleading entry is gone or was changed.
        """
        with self._database.session() as session:
            decisions.approve_correction(session, tenant_id, correction_id, by)
        return self._sync_and_verify(tenant_id, correction_id)

    def undo(self, tenant_id: str, correction_id: str, by: str) -> dict[str, Any]:
        """Undo an approved correction.

        Raises:
            NotFound: There is no such correction.
            Conflict: It is not approved, or an entry was changed since.
        """
        with self._database.session() as session:
            decisions.undo_correction(session, tenant_id, correction_id, by)
        return self._sync_and_verify(tenant_id, correction_id)

    def check(self, tenant_id: str, correction_id: str) -> dict[str, Any]:
        """Index pending changes and ask the questions of a correction again.

        Raises:
            NotFound: There is no such correction.
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
    """Store the check results in the effects, unless the correction was decided anew meanwhile."""
    correction: HumanCorrection = queries.get_correction(session, tenant_id, correction_id)
    if correction.status == status:
        correction.effects = {**correction.effects, **shown}
        session.flush()
    return queries.describe_correction(session, correction)
