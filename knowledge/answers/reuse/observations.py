"""What is observed of reuse: an approved answer met a phrasing; later somebody says whether it was right."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from core.db.models import HumanCorrection, InteractionFeedback, ReuseObservation, ReviewItem, Turn
from core.errors import InvalidInput
from knowledge.answers.reuse.bound import Experience, JudgedUse

Judge = Literal["model", "confirmation", "thumb", "reviewer", "correction"]
"""Who says so; a later one outweighs an earlier one, and may change its own mind."""
JUDGES: tuple[Judge, ...] = get_args(Judge)
MOST_SEEN = 500
"""The latest so many make an entry's bound."""
MOST_LEARNT = 3000
"""The latest so many make a tenant's curve."""


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
    """Note that an entry met a phrasing; once for a turn and entry, however often that turn is tried."""
    row = session.scalar(select(ReuseObservation).filter_by(tenant_id=tenant_id, turn_id=turn_id, entry_id=entry_id))
    if row is None:
        row = ReuseObservation(tenant_id=tenant_id, turn_id=turn_id, entry_id=entry_id, text=text, score=score)
        session.add(row)
    row.text, row.score, row.reused, row.held_out = text, score, reused, held_out
    return row


def judge_reuse(session: Session, turn_id: str, *, correct: bool, by: str, entry_id: str | None = None) -> int:
    """Say whether the answer that was reused in a turn was right; how many observations that changes.

    ``by`` is thumb, correction, reviewer, confirmation or model; ``entry_id`` means one entry's alone, where a turn has
    several parts.

    Raises:
        InvalidInput: nobody judges by that.
    """
    if by not in JUDGES:
        raise InvalidInput(f"Reuse is judged by {', '.join(JUDGES)}; {by!r} is none of them.")
    query = select(ReuseObservation).filter_by(turn_id=turn_id, reused=True)
    rows = session.scalars(query.filter_by(entry_id=entry_id) if entry_id else query)
    return sum(set_judgement(row, correct=correct, by=by) for row in rows)


def set_judgement(row: ReuseObservation, *, correct: bool, by: Judge) -> bool:
    """Set it, unless somebody who outweighs this one has judged, or it says so already."""
    if row.judged_by and JUDGES.index(row.judged_by) > JUDGES.index(by):
        return False
    if (row.correct, row.judged_by) == (correct, by):
        return False
    row.correct, row.judged_by = correct, by
    return True


def confirm_entry(session: Session, turn_id: str, entry_id: str) -> int:
    """In this turn an entry was asked for in its own words, as by a press on a suggestion.

    So what nearly met in the turn before was it, and was none of the others.
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
    """What people said of an entry's latest askings; a model's opinion alone moves no bound."""
    row = ReuseObservation
    query = select(row.score, row.correct).where(
        row.tenant_id == tenant_id, row.entry_id == entry_id, row.correct.is_not(None), row.judged_by != "model"
    )
    return [
        JudgedUse(score, bool(right))
        for score, right in session.execute(query.order_by(row.id.desc()).limit(MOST_SEEN))
    ]


def load_experience(session: Session, tenant_id: str) -> Experience:
    """What a tenant's latest askings have taught."""
    row = ReuseObservation
    query = select(row.score, row.correct, row.judged_by).filter_by(tenant_id=tenant_id)
    rows = session.execute(query.order_by(row.id.desc()).limit(MOST_LEARNT)).all()
    judged_ = [JudgedUse(score, bool(right)) for score, right, by in rows if right is not None and by != "model"]
    return Experience.of(judged_, [score for score, _, _ in rows])


def apply_judgements(session: Session) -> int:
    """Take over what thumbs, approved corrections and reviewers have said since; how many observations that changed."""
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
    """Whose answer was replaced; a better tone leaves it right."""
    row, by = ReuseObservation, HumanCorrection
    query = select(row).join(by, by.turn_id == row.turn_id).where(by.status == "approved", by.category != "tone")
    mine = or_(by.entry_id.is_(None), by.entry_id == row.entry_id)
    return session.scalars(query.where(row.reused, mine, row.judged_by.is_distinct_from("correction"))).all()


def _list_reviewed_misses(session: Session) -> list[tuple[ReuseObservation, bool]]:
    """Near misses about which a reviewer has decided."""
    items = session.scalars(
        select(ReviewItem)
        .where(ReviewItem.kind == "phrasing", ReviewItem.status.in_(["approved", "rejected"]))
        .order_by(ReviewItem.decided_at.desc())
        .limit(MOST_SEEN)
    )
    right = {each.get("observation_id"): item.status == "approved" for item in items for each in item.evidence}
    rows = session.scalars(select(ReuseObservation).where(ReuseObservation.id.in_([i for i in right if i])))
    return [(row, right[row.id]) for row in rows]
