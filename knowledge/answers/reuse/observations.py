"""Observations of reuse: which phrasing an approved answer matched, and whether it was later judged right."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from core.db.models import HumanCorrection, InteractionFeedback, ReuseObservation, ReviewItem, Turn
from core.errors import InvalidInput
from knowledge.answers.reuse.bound import Experience, JudgedUse

Judge = Literal["model", "confirmation", "thumb", "reviewer", "correction"]
"""Source of a judgement, in ascending weight; a judge may change its own judgement."""
JUDGES: tuple[Judge, ...] = get_args(Judge)
MOST_SEEN = 500
"""Maximum recent observations used for an entry's bound."""
MOST_LEARNT = 3000
"""Maximum recent observations used for a tenant's curve."""


def record_observation(
    session: Session,
    tenant_id: str,
    entry_id: str,
    *,
    turn_id: str,
    text: str,
    score: float,
    reused: bool,
    held_out: bool = False,
) -> ReuseObservation:
    """Record that an entry matched a phrasing; idempotent per turn and entry."""
    row = session.scalar(select(ReuseObservation).filter_by(tenant_id=tenant_id, turn_id=turn_id, entry_id=entry_id))
    if row is None:
        row = ReuseObservation(tenant_id=tenant_id, turn_id=turn_id, entry_id=entry_id, text=text, score=score)
        session.add(row)
    row.text, row.score, row.reused, row.held_out = text, score, reused, held_out
    return row


def judge_reuse(session: Session, turn_id: str, *, correct: bool, by: str, entry_id: str | None = None) -> int:
    """Record whether the answer reused in a turn was right; return the number of changed observations.

    ``by`` is thumb, correction, reviewer, confirmation or model; ``entry_id`` limits it to one entry, for a turn with
    several parts.

    Raises:
        InvalidInput: ``by`` is not one of these.
    """
    if by not in JUDGES:
        raise InvalidInput(f"Reuse is judged by {', '.join(JUDGES)}; {by!r} is none of them.")
    query = select(ReuseObservation).filter_by(turn_id=turn_id, reused=True)
    rows = session.scalars(query.filter_by(entry_id=entry_id) if entry_id else query)
    return sum(set_judgement(row, correct=correct, by=by) for row in rows)


def set_judgement(row: ReuseObservation, *, correct: bool, by: Judge) -> bool:
    """Set the judgement unless a weightier one exists or it is unchanged; return whether it changed."""
    if row.judged_by and JUDGES.index(row.judged_by) > JUDGES.index(by):
        return False
    if (row.correct, row.judged_by) == (correct, by):
        return False
    row.correct, row.judged_by = correct, by
    return True


def confirm_entry(session: Session, turn_id: str, entry_id: str) -> int:
    """Record that a turn was an exact match of an entry, for example a pressed suggestion.

    It judges the previous turn's near misses: this entry was right, the others were wrong.
    """
    turn = session.get(Turn, turn_id)
    if turn is None:
        return 0
    earlier = select(Turn.id).where(Turn.conversation_id == turn.conversation_id, Turn.id < turn_id)
    last = session.scalar(earlier.order_by(Turn.id.desc()).limit(1))
    near = (
        session.scalars(select(ReuseObservation).filter_by(turn_id=last, reused=False, held_out=False)) if last else ()
    )
    return sum(set_judgement(row, correct=row.entry_id == entry_id, by="confirmation") for row in near)


def list_judged_scores(session: Session, tenant_id: str, entry_id: str) -> list[JudgedUse]:
    """Return the latest judged uses of an entry; a model's judgement alone does not count."""
    row = ReuseObservation
    query = select(row.score, row.correct).where(
        row.tenant_id == tenant_id, row.entry_id == entry_id, row.correct.is_not(None), row.judged_by != "model"
    )
    return [
        JudgedUse(score, bool(right))
        for score, right in session.execute(query.order_by(row.id.desc()).limit(MOST_SEEN))
    ]


def load_experience(session: Session, tenant_id: str) -> Experience:
    """Learn from a tenant's latest observations."""
    row = ReuseObservation
    query = select(row.score, row.correct, row.judged_by).filter_by(tenant_id=tenant_id)
    rows = session.execute(query.order_by(row.id.desc()).limit(MOST_LEARNT)).all()
    judged_ = [JudgedUse(score, bool(right)) for score, right, by in rows if right is not None and by != "model"]
    return Experience.of(judged_, [score for score, _, _ in rows])


def apply_judgements(session: Session) -> int:
    """Apply new ratings, approved corrections and review decisions; return the number of changed observations."""
    changed = sum(set_judgement(row, correct=helpful, by="thumb") for row, helpful in _list_rated_reuses(session))
    changed += sum(set_judgement(row, correct=False, by="correction") for row in _list_corrected_reuses(session))
    return changed + sum(
        set_judgement(row, correct=right, by="reviewer") for row, right in _list_reviewed_misses(session)
    )


def _list_rated_reuses(session: Session) -> Sequence[tuple[ReuseObservation, bool]]:
    row, thumb = ReuseObservation, InteractionFeedback.helpful
    new = or_(row.correct.is_(None), and_(row.judged_by.in_(["model", "confirmation", "thumb"]), row.correct != thumb))
    query = select(row, thumb).join(InteractionFeedback, InteractionFeedback.turn_id == row.turn_id)
    return [(r, bool(h)) for r, h in session.execute(query.where(row.reused, thumb.is_not(None), new))]


def _list_corrected_reuses(session: Session) -> Sequence[ReuseObservation]:
    """Reuses whose answer was corrected; a correction of tone leaves the answer right."""
    row, by = ReuseObservation, HumanCorrection
    query = select(row).join(by, by.turn_id == row.turn_id).where(by.status == "approved", by.category != "tone")
    mine = or_(by.entry_id.is_(None), by.entry_id == row.entry_id)
    return session.scalars(query.where(row.reused, mine, row.judged_by.is_distinct_from("correction"))).all()


def _list_reviewed_misses(session: Session) -> list[tuple[ReuseObservation, bool]]:
    """Near misses decided by a reviewer."""
    items = session.scalars(
        select(ReviewItem)
        .where(ReviewItem.kind == "phrasing", ReviewItem.status.in_(["approved", "rejected"]))
        .order_by(ReviewItem.decided_at.desc())
        .limit(MOST_SEEN)
    )
    right = {each.get("observation_id"): item.status == "approved" for item in items for each in item.evidence}
    rows = session.scalars(select(ReuseObservation).where(ReuseObservation.id.in_([i for i in right if i])))
    return [(row, right[row.id]) for row in rows]
