"""Decisions about items; each is one transaction, and only the first of two people succeeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta

from sqlalchemy import update
from sqlalchemy.orm import Session

from core.audit import add_audit_event
from core.db.models import ReviewItem, TrainingExample, get_current_time
from core.errors import Conflict, InvalidInput
from core.feedback import settings
from knowledge.curation.corrections.edits import Edits, restore_entries
from knowledge.curation.review import publication
from knowledge.curation.review.queries import get_review_item
from knowledge.curation.review.types import LONGEST, MOST_QUESTIONS, UNDECIDED, Claim, ItemWording, Wording
from knowledge.entries import contradictions
from knowledge.entries.content import clean_for_storage
from knowledge.entries.editor import Change, EntryEditor

LONGEST_SNOOZE = timedelta(days=365)
SAID = {"half_approved": "approved once", "open": "put back into the queue"}


def approve_item(session: Session, claim: Claim) -> ReviewItem:
    """Publish an item; with four-eyes approval, the first one waits for a second person.

    Raises:
        NotFound: There is no such item, or no such entry to change.
        Conflict: Somebody else decided first, or the same person approves twice.
        InvalidInput: The item is incomplete.
    """
    item = _claim_item(session, claim)
    return _record_approval(
        session, item, ItemWording.stored(item.undo.get("wanted")) or publication.get_default_action(item), claim.by
    )


def merge_item(session: Session, claim: Claim, entry_id: str, *, take_answer: bool = False) -> ReviewItem:
    """Add the questions of an item to an existing entry as phrasings, and optionally replace its answer.

    Raises:
        NotFound: There is no such item or entry.
        Conflict: Somebody else decided first, or the entry is retired.
        InvalidInput: The entry has no phrasings.
    """
    item = _claim_item(session, claim)
    if item.kind == "example":
        raise InvalidInput("Examples of an intent cannot be merged into an entry.")
    if item.kind == contradictions.KIND:
        raise InvalidInput("These are entries already: choose which one stays.")
    return _record_approval(session, item, ItemWording("merge", entry_id, take_answer), claim.by)


def keep_entry(session: Session, claim: Claim, entry_id: str) -> ReviewItem:
    """Keep one side of a contradiction and retire the entries with other answers.

    Raises:
        NotFound: There is no such item.
        Conflict: Somebody else decided first, or the entry is no longer a side of it.
        InvalidInput: The item is no contradiction.
    """
    item = _claim_item(session, claim)
    if item.kind != contradictions.KIND:
        raise InvalidInput("Only of a contradiction one side can be kept.")
    return _record_approval(session, item, ItemWording("keep", entry_id), claim.by)


def edit_item(session: Session, claim: Claim, wording: Wording) -> ReviewItem:
    """Change the wording of an item; it stays in the queue.

    Raises:
        NotFound: There is no such item.
        Conflict: Somebody else decided first.
        InvalidInput: The wording is empty or too long.
    """
    item = _claim_item(session, claim)
    if item.kind == contradictions.KIND:
        raise InvalidInput("Change one of its entries instead: the contradiction then goes away by itself.")
    before = {"questions": item.questions, "answer": item.answer, "subject": item.subject, "intent": item.intent}
    asked = list(dict.fromkeys(text for text in map(clean_for_storage, wording.questions) if text))
    _refuse_sizes(asked, wording.answer)
    item.questions, item.answer = asked, clean_for_storage(wording.answer)
    item.subject, item.intent = (
        clean_for_storage(wording.subject or "") or None,
        clean_for_storage(wording.intent or "") or None,
    )
    if item.kind in {"entry", "faq"}:
        publication.build_item_content(item).checked()
    if item.status == "half_approved":
        item.first_by = claim.by
    add_audit_event(session, item.tenant_id, "review", item.id, "edited", claim.by, before=before)
    return item


def reject_item(session: Session, claim: Claim, reason: str) -> ReviewItem:
    """Reject an item with a reason. A rejected contradiction is accepted until one of its answers changes.

    Raises:
        NotFound: There is no such item.
        Conflict: Somebody else decided first.
        InvalidInput: No reason is given.
    """
    item = _claim_item(session, claim)
    if not clean_for_storage(reason):
        raise InvalidInput("Say why it is rejected: whoever proposes it next can learn from it.")
    if item.kind == contradictions.KIND:
        answers = contradictions.answers_of(session, item.tenant_id, item.key or "")
        item.undo = {"answers": sorted(answers)}
        _recheck_contradiction(session, item, claim.by)
    return _set_decision(session, item, "rejected", claim.by, clean_for_storage(reason)[:1000])


def snooze_item(session: Session, claim: Claim, until: datetime, reason: str = "") -> ReviewItem:
    """Remove an item from the queue until the given time.

    Raises:
        NotFound: There is no such item.
        Conflict: Somebody else decided first.
        InvalidInput: The time is not within the coming year.
    """
    item = _claim_item(session, claim)
    if not get_current_time() < until <= get_current_time() + LONGEST_SNOOZE:
        raise InvalidInput("Snooze it until a day within the coming year.")
    item.snoozed_until = until
    if item.expires_at:
        item.expires_at = max(item.expires_at, until + timedelta(days=7))
    return _set_decision(session, item, "snoozed", claim.by, clean_for_storage(reason)[:1000])


def undo_decision(session: Session, claim: Claim) -> ReviewItem:
    """Undo a decision with all its effects and reopen the item.

    Raises:
        NotFound: There is no such item.
        Conflict: There is no decision, or an entry was changed since.
    """
    item = _claim_item(session, claim, ("half_approved", "approved", "merged", "rejected", "snoozed", "expired"))
    if record := item.undo.get("entries"):
        editor = EntryEditor(session, item.tenant_id, Change(claim.by, f"review {item.id} undone"))
        editor.lock()
        restore_entries(session, item.tenant_id, editor, record)
    if examples := item.undo.get("examples"):
        session.execute(update(TrainingExample).where(TrainingExample.id.in_(examples)).values(status="undone"))
    if item.kind == contradictions.KIND and item.status == "rejected":
        _recheck_contradiction(session, item, claim.by)
    wanted = ItemWording.stored(item.undo.get("wanted"))
    add_audit_event(session, item.tenant_id, "review", item.id, "undone", claim.by, status=item.status)
    item.entry_id = item.undo.get("near", item.entry_id)
    item.undo = {"wanted": asdict(wanted)} if wanted and wanted.action == "amend" else {}
    item.status, item.reason, item.first_by = "open", "", None
    item.decided_by = item.decided_at = item.snoozed_until = None
    if item.expires_at and item.expires_at <= get_current_time():
        item.expires_at = get_current_time() + timedelta(
            weeks=settings.get_learning_settings(session, item.tenant_id).expire_weeks
        )
    return item


def _record_approval(session: Session, item: ReviewItem, wanted: ItemWording, by: str) -> ReviewItem:
    seconded = item.status == "half_approved" and item.undo.get("wanted") == asdict(wanted)
    if settings.get_learning_settings(session, item.tenant_id).four_eyes:
        if seconded and item.first_by == by:
            raise Conflict("You approved this already; a second person must approve it too.")
        if not seconded:
            publication.check_publication(session, item, wanted)
            item.first_by, item.undo = by, {"wanted": asdict(wanted)}
            return _set_decision(session, item, "half_approved", by, "")
    near, reason = item.entry_id, f"review {item.id}: {wanted.action}"
    if item.first_by and item.first_by != by:
        reason += f", approved first by {item.first_by}"
    editor = EntryEditor(session, item.tenant_id, Change(by, reason))
    if item.kind != "example":
        editor.lock()
    done = publication.publish_item(session, item, wanted, Edits(editor), by)
    item.undo = {**done, "wanted": asdict(wanted), "near": near}
    merged = wanted.action == "merge" and item.kind != "phrasing"
    return _set_decision(session, item, "merged" if merged else "approved", by, "")


def _recheck_contradiction(session: Session, item: ReviewItem, by: str) -> None:
    """Update the disputed marks of a contradiction's entries after a decision."""
    EntryEditor(session, item.tenant_id, Change(by, f"review {item.id}")).recheck([item.key or ""])


def _set_decision(session: Session, item: ReviewItem, status: str, by: str, reason: str) -> ReviewItem:
    item.status, item.reason, item.decided_by, item.decided_at = status, reason, by, get_current_time()
    add_audit_event(session, item.tenant_id, "review", item.id, status, by, reason=reason, entry_id=item.entry_id)
    return item


def _claim_item(session: Session, claim: Claim, statuses: Sequence[str] = UNDECIDED) -> ReviewItem:
    """Lock the item with one UPDATE, so that the second of two people waits and then gets a Conflict."""
    row = update(ReviewItem).where(
        ReviewItem.id == claim.item_id,
        ReviewItem.tenant_id == claim.tenant_id,
        ReviewItem.revision == claim.revision,
        ReviewItem.status.in_(statuses),
    )
    taken = row.values(revision=claim.revision + 1, updated_at=get_current_time()).returning(ReviewItem.id)
    mine = session.scalar(taken, execution_options={"synchronize_session": False}) is not None
    item = get_review_item(session, claim.tenant_id, claim.item_id)
    if not mine:
        raise Conflict(_explain_conflict(item, claim))
    return item


def _explain_conflict(item: ReviewItem, claim: Claim) -> str:
    status = SAID.get(item.status, item.status)
    who = f" by {item.decided_by}" if item.decided_by else ""
    if item.revision == claim.revision:
        return f"This item is {status}{who}, so that cannot be done to it."
    if item.status == "open":
        return "Somebody changed this item while you looked at it. Look at it again before you decide."
    return f"While you looked at it, this item was {status}{who}. Look at it again before you decide."


def _refuse_sizes(questions: Sequence[str], answer: str) -> None:
    if not questions:
        raise InvalidInput("Say at least one question.")
    if len(questions) > MOST_QUESTIONS:
        raise InvalidInput(f"These are more than {MOST_QUESTIONS} questions.")
    if max(map(len, [*questions, answer])) > LONGEST:
        raise InvalidInput(f"A text is longer than {LONGEST} characters.")
