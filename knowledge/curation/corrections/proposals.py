"""Accept proposed corrections and validate them against the answer and entry that they concern."""

from __future__ import annotations

from typing import get_args

from sqlalchemy.orm import Session

from core.db.models import AuditEvent, HumanCorrection, Message, Turn
from core.errors import InvalidInput, NotFound
from knowledge.curation.corrections import turn_context
from knowledge.curation.corrections.types import (
    BEST_QUALITY,
    LONGEST,
    MISUNDERSTOOD,
    Category,
    EntryAction,
    Proposal,
    Subject,
)
from knowledge.entries import editor
from knowledge.entries.content import clean_for_storage
from knowledge.text.features import normalise_text


def propose_correction(session: Session, tenant_id: str, proposal: Proposal) -> HumanCorrection:
    """Store a correction that waits for approval.

    Raises:
        NotFound: There is no such answer or entry.
        InvalidInput: Something is missing, too long, or would change nothing.
    """
    subject = _get_subject(session, tenant_id, proposal)
    entry_id = proposal.entry_id or subject.entry_id
    action = proposal.entry_action or _usual_action(proposal.category, entry_id)
    _check_proposal(proposal, subject, entry_id, action)
    version = None
    if entry_id is not None:
        entry = editor.get_entry(session, tenant_id, entry_id)
        version = entry.version
        if action != "keep" and entry.status != "approved":
            raise InvalidInput(f"Entry {entry_id} is not served any more, so it cannot mislead: say keep.")
    correction = HumanCorrection(
        tenant_id=tenant_id,
        conversation_id=subject.conversation_id,
        turn_id=subject.turn_id,
        question=subject.question,
        bot_answer=subject.bot_answer,
        answer=clean_for_storage(proposal.answer),
        reason=clean_for_storage(proposal.reason),
        category=proposal.category,
        quality=proposal.quality,
        intent=proposal.intent or None,
        entry_id=entry_id,
        entry_action=action,
        author=proposal.author,
        effects={"seen_version": version} if version else {},
    )
    session.add(correction)
    session.flush()
    note_correction(session, correction, "proposed", proposal.author)
    return correction


def note_correction(session: Session, correction: HumanCorrection, action: str, by: str) -> None:
    """Record an action on a correction in the audit trail."""
    session.add(
        AuditEvent(
            tenant_id=correction.tenant_id,
            kind="correction",
            subject_id=correction.id,
            action=action,
            by=by,
            details={"entry_id": correction.entry_id, "category": correction.category},
        )
    )


def _get_subject(session: Session, tenant_id: str, proposal: Proposal) -> Subject:
    turn_id = proposal.turn_id
    if proposal.message_id is not None:
        message = session.get(Message, proposal.message_id)
        if message is None or message.tenant_id != tenant_id or message.turn_id is None:
            raise NotFound("There is no such answer.")
        turn_id = message.turn_id
    if turn_id is None:
        if not clean_for_storage(proposal.question or ""):
            raise InvalidInput("Say which answer is corrected: its turn or message, or the question in words.")
        return Subject(clean_for_storage(proposal.question or ""), clean_for_storage(proposal.bot_answer or ""))
    turn = session.get(Turn, turn_id)
    if turn is None or turn.tenant_id != tenant_id:
        raise NotFound("There is no such answer.")
    used = max(turn.entries, key=lambda entry: entry.get("score") or 0, default=None)
    asked = clean_for_storage(proposal.question or "") or turn_context.question_of(session, turn)
    entry_id = used["id"] if used else None
    return Subject(asked, turn_context.answer_of(session, turn), turn.conversation_id, turn.id, entry_id)


def _usual_action(category: Category, entry_id: str | None) -> EntryAction:
    return "keep" if entry_id is None or category in MISUNDERSTOOD else "amend"


def _check_proposal(proposal: Proposal, subject: Subject, entry_id: str | None, action: EntryAction) -> None:
    if proposal.category not in get_args(Category):
        raise InvalidInput(f"The category is one of {', '.join(get_args(Category))}.")
    if action not in get_args(EntryAction):
        raise InvalidInput(f"What becomes of the entry is one of {', '.join(get_args(EntryAction))}.")
    if proposal.quality is not None and not 0 <= proposal.quality <= BEST_QUALITY:
        raise InvalidInput(f"The quality is a whole number from 0 to {BEST_QUALITY}.")
    if max(len(proposal.answer), len(proposal.reason), len(subject.question)) > LONGEST:
        raise InvalidInput(f"A text is longer than {LONGEST} characters.")
    if entry_id is None and action != "keep":
        raise InvalidInput("No entry misled, so there is none to amend or retire.")
    if proposal.category == "wrong_intent" and not proposal.intent:
        raise InvalidInput("Say the intent that would have been right.")
    if not clean_for_storage(proposal.answer):
        if proposal.category not in MISUNDERSTOOD or not proposal.intent or action != "keep":
            raise InvalidInput("The answer is empty.")
    elif (
        normalise_text(proposal.answer) == normalise_text(subject.bot_answer) and proposal.category not in MISUNDERSTOOD
    ):
        raise InvalidInput("The answer says what the bot has said.")
