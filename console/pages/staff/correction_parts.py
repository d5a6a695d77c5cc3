"""Data for the pages of a correction: the answer it corrects, and the effects of its approval."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.db.models import AuditEvent, HumanCorrection, KnowledgeEntry, Message, RegressionCase, TrainingExample, Turn
from core.errors import NotFound
from knowledge.curation.corrections import queries, turn_context
from knowledge.curation.corrections.edits import version_of
from knowledge.curation.review.differences import diff_texts
from knowledge.entries import editor

ALIKE = 0.3
"""Below this share of equal text, word-by-word marks would only confuse."""


def find_stored_answer(session: Session, tenant_id: str, message_id: str) -> dict[str, Any] | None:
    """Return the stored answer of a message with the entries used for it, or None if no message is named.

    Raises:
        NotFound: there is no such answer.
    """
    if not message_id:
        return None
    message = session.get(Message, message_id)
    if message is None or message.tenant_id != tenant_id or message.turn_id is None:
        raise NotFound("There is no such answer.")
    turn = session.get_one(Turn, message.turn_id)
    used = sorted(turn.entries, key=lambda each: -(each.get("score") or 0))
    return {
        "message": message,
        "turn": turn,
        "question": turn_context.question_of(session, turn),
        "bot_answer": turn_context.answer_of(session, turn),
        "before": turn_context.list_turns_before(session, turn),
        "entries": [named for each in used if (named := _describe_entry(session, each["id"]))],
    }


def load_correction(session: Session, tenant_id: str, correction_id: str) -> dict[str, Any]:
    """Return a correction with its differences, effects and history.

    Raises:
        NotFound: there is no such correction.
    """
    correction = queries.get_correction(session, tenant_id, correction_id)
    pieces = diff_texts(correction.bot_answer, correction.answer)
    same = sum(len(piece.text) for piece in pieces if piece.change == "same")
    longest = max(len(correction.bot_answer), len(correction.answer), 1)
    changes = select(AuditEvent).filter_by(tenant_id=tenant_id, kind="correction", subject_id=correction_id)
    return {
        "correction": queries.describe_correction(session, correction),
        "diff": pieces if same / longest >= ALIKE else None,
        "misled": _describe_entry(session, correction.entry_id) if correction.entry_id else None,
        "message_id": _message_of(session, correction),
        "effects": _describe_effects(session, tenant_id, correction),
        "history": list(session.scalars(changes.order_by(AuditEvent.id))),
    }


def _message_of(session: Session, correction: HumanCorrection) -> str | None:
    """Return the id of the answer's last message, for a link."""
    query = select(Message.id).filter_by(turn_id=correction.turn_id).order_by(Message.seq.desc()).limit(1)
    return session.scalar(query) if correction.turn_id else None


def _describe_effects(session: Session, tenant_id: str, correction: HumanCorrection) -> dict[str, Any]:
    """Describe the effects of approval: entries, regression case, training example."""
    done = correction.effects
    case, example = done.get("regression_case"), done.get("training_example")
    return {
        "entries": [_describe_change(session, tenant_id, change) for change in done.get("entries", [])],
        "case": session.get(RegressionCase, case) if case else None,
        "example": session.get(TrainingExample, example) if example else None,
    }


def _describe_change(session: Session, tenant_id: str, change: dict[str, Any]) -> dict[str, Any]:
    entry = editor.get_entry(session, tenant_id, change["id"])
    after = version_of(session, entry.id, change["after"])
    return {
        **_describe_entry(session, entry.id),
        "action": "new" if change["before"] is None else "retired" if after["status"] == "retired" else "amended",
        "before": change["before"],
        "after": change["after"],
    }


def _describe_entry(session: Session, entry_id: str) -> dict[str, str]:
    """Return an entry's id and display name, or an empty dict if it no longer exists."""
    entry = session.get(KnowledgeEntry, entry_id)
    if entry is None:
        return {}
    return {"id": entry.id, "name": entry.questions[0].text if entry.questions else entry.title or "Untitled"}
