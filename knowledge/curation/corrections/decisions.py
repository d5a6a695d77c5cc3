"""Approve, reject and undo corrections; each is one transaction, and only the first of two people succeeds."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core.db.models import HumanCorrection, KnowledgeEntry, RegressionCase, TrainingExample, get_current_time
from core.errors import Conflict
from knowledge.curation.corrections.edits import Edits, restore_entries
from knowledge.curation.corrections.proposals import note_correction
from knowledge.curation.corrections.publication import history_of, publish_correction
from knowledge.curation.corrections.queries import get_correction
from knowledge.curation.corrections.types import MISUNDERSTOOD, Status
from knowledge.entries.editor import Change, EntryEditor


def approve_correction(session: Session, tenant_id: str, correction_id: str, by: str) -> HumanCorrection:
    """Publish the right answer, retract the wrong one, and store the case for regression tests.

    Raises:
        NotFound: There is no such correction.
        Conflict: It is already decided, or the misleading entry is gone or was changed.
    """
    correction = _decide_correction(session, tenant_id, correction_id, by, ("proposed", "approved"))
    editor = EntryEditor(session, tenant_id, _build_change(correction, by))
    editor.lock()
    edits = Edits(editor)
    target = publish_correction(session, correction, edits)
    effects: dict[str, Any] = {
        **correction.effects,
        "entries": edits.record,
        "entry_id": target.id if target else None,
        "regression_case": _store_regression_case(session, correction, target).id if target else None,
        "training_example": _store_training_example(session, correction, by),
    }
    correction.effects = effects
    note_correction(session, correction, "approved", by)
    return correction


def reject_correction(
    session: Session, tenant_id: str, correction_id: str, by: str, reason: str = ""
) -> HumanCorrection:
    """Reject a correction; nothing else changes.

    Raises:
        NotFound: There is no such correction.
        Conflict: It is already decided.
    """
    correction = _decide_correction(session, tenant_id, correction_id, by, ("proposed", "rejected"))
    correction.effects = {**correction.effects, "rejected_because": reason}
    note_correction(session, correction, "rejected", by)
    return correction


def undo_correction(session: Session, tenant_id: str, correction_id: str, by: str) -> HumanCorrection:
    """Undo all effects of an approval.

    Raises:
        NotFound: There is no such correction.
        Conflict: It is not approved, or an entry was changed since.
    """
    correction = _decide_correction(session, tenant_id, correction_id, by, ("approved", "undone"))
    editor = EntryEditor(session, tenant_id, Change(by, f"correction {correction.id} undone"))
    editor.lock()
    restore_entries(session, tenant_id, editor, correction.effects.get("entries", []))
    session.execute(update(RegressionCase).filter_by(correction_id=correction.id).values(active=False))
    examples = update(TrainingExample).filter_by(source="correction", source_id=correction.id)
    session.execute(examples.values(status="undone"))
    note_correction(session, correction, "undone", by)
    return correction


def _decide_correction(
    session: Session, tenant_id: str, correction_id: str, by: str, move: tuple[Status, Status]
) -> HumanCorrection:
    """Set the new status with one UPDATE, so that the second of two people waits and then gets a Conflict."""
    before, after = move
    row = update(HumanCorrection).where(
        HumanCorrection.id == correction_id, HumanCorrection.tenant_id == tenant_id, HumanCorrection.status == before
    )
    decided = row.values(status=after, decided_by=by, decided_at=get_current_time()).returning(HumanCorrection.id)
    taken = session.scalar(decided, execution_options={"synchronize_session": False}) is not None
    correction = get_correction(session, tenant_id, correction_id)
    if not taken:
        who = f" by {correction.decided_by}" if correction.decided_by else ""
        raise Conflict(f"This correction is {correction.status}{who}; only one that is {before} can be {after}.")
    return correction


def _build_change(correction: HumanCorrection, by: str) -> Change:
    return Change(by, f"correction {correction.id} ({correction.category}) {correction.reason}".strip())


def _store_regression_case(session: Session, correction: HumanCorrection, target: KnowledgeEntry) -> RegressionCase:
    case = RegressionCase(
        tenant_id=correction.tenant_id,
        question=correction.question,
        context=[asdict(turn) for turn in history_of(session, correction)],
        entry_id=target.id,
        answer=correction.answer,
        wrong_answer=correction.bot_answer or None,
        correction_id=correction.id,
    )
    session.add(case)
    session.flush()
    return case


def _store_training_example(session: Session, correction: HumanCorrection, by: str) -> str | None:
    """Store the intent that the message should have been classified as."""
    if correction.category not in MISUNDERSTOOD or not correction.intent:
        return None
    same = {"tenant_id": correction.tenant_id, "text": correction.question, "intent": correction.intent}
    known = select(TrainingExample.id).filter_by(**same).where(TrainingExample.status.in_(["approved", "exported"]))
    if session.scalar(known.limit(1)) is not None:
        return None
    example = TrainingExample(**same, status="approved", source="correction", source_id=correction.id, author=by)
    session.add(example)
    session.flush()
    return example.id
