"""Manual changes of entries, each versioned and audited; with four-eyes approval, they wait for a second person."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

from sqlalchemy.orm import Session

from core.audit import add_audit_event
from core.db.models import KnowledgeEntry, ReviewItem, get_current_time
from core.errors import Conflict, NotFound
from core.feedback import settings
from knowledge.curation.corrections.edits import content_of, version_of
from knowledge.curation.review.types import Editor, ItemEvidence, ItemWording
from knowledge.entries import editor as entries
from knowledge.entries.content import Content
from knowledge.entries.editor import Change, EntryEditor


@dataclass(frozen=True)
class Outcome:
    """The result of a change: done, or queued for a second approval."""

    entry_id: str | None
    item_id: str | None = None

    @property
    def waits(self) -> bool:
        """Whether somebody else must approve it first."""
        return self.item_id is not None


def create_entry(session: Session, hand: Editor, content: Content) -> Outcome:
    """Create an entry, which is served at once or waits for a second approval.

    Raises:
        InvalidInput: The content is empty or too long.
    """
    content = content.checked()
    if settings.get_learning_settings(session, hand.tenant_id).four_eyes:
        return _propose_entry(session, hand, content, ItemWording("publish"))
    editor = EntryEditor(session, hand.tenant_id, Change(hand.by, hand.reason or "written by hand"))
    entry = editor.add(content, approved=True)
    _note_entry_change(session, hand, entry, "created")
    return Outcome(entry.id)


def change_entry(session: Session, hand: Editor, seen: ItemEvidence, content: Content) -> Outcome:
    """Store the next version of an entry, or queue it for a second approval.

    Raises:
        NotFound: There is no such entry.
        Conflict: The entry was changed meanwhile.
        InvalidInput: The content is empty or too long.
    """
    editor, entry = _lock_entry(session, hand, seen, "changed by hand")
    return _change_content(session, hand, editor, entry, content)


def retire_entry(session: Session, hand: Editor, seen: ItemEvidence) -> Outcome:
    """Stop serving an entry; this never needs a second approval.

    Raises:
        NotFound: There is no such entry.
        Conflict: The entry was changed meanwhile.
    """
    editor, entry = _lock_entry(session, hand, seen, "retired by hand")
    editor.retire(entry)
    _note_entry_change(session, hand, entry, "retired")
    return Outcome(entry.id)


def approve_entry(session: Session, hand: Editor, seen: ItemEvidence) -> Outcome:
    """Serve an entry from now on; with four-eyes approval, its last author cannot approve it.

    Raises:
        NotFound: There is no such entry.
        Conflict: The entry was changed meanwhile, or a second person is needed.
    """
    editor, entry = _lock_entry(session, hand, seen, "approved by hand")
    if settings.get_learning_settings(session, hand.tenant_id).four_eyes and entry.author == hand.by:
        raise Conflict("You changed this entry last; a second person must approve it.")
    editor.approve(entry)
    _note_entry_change(session, hand, entry, "approved")
    return Outcome(entry.id)


def restore_version(session: Session, hand: Editor, seen: ItemEvidence, version: int) -> Outcome:
    """Restore the content of an earlier version as a new version.

    Raises:
        NotFound: There is no such entry or version.
        Conflict: The entry was changed meanwhile.
    """
    hand = replace(hand, reason=hand.reason or f"version {version} restored")
    editor, entry = _lock_entry(session, hand, seen, hand.reason)
    if not 1 <= version <= entry.version:
        raise NotFound(f"Entry {entry.id!r} has no version {version}.")
    return _change_content(session, hand, editor, entry, content_of(version_of(session, entry.id, version)))


def _change_content(
    session: Session, hand: Editor, editor: EntryEditor, entry: KnowledgeEntry, content: Content
) -> Outcome:
    before = entries.content_of(entry)
    wanted = replace(
        content,
        kind=before.kind,
        context=before.context,
        language=before.language,
        external_id=before.external_id,
        url=before.url,
    ).checked()
    if wanted == before:
        return Outcome(entry.id)
    if entry.status == "approved" and settings.get_learning_settings(session, hand.tenant_id).four_eyes:
        amend = ItemWording("amend", entry.id, version=entry.version, title=wanted.title)
        return _propose_entry(session, hand, wanted, amend)
    editor.amend(entry, wanted)
    _note_entry_change(session, hand, entry, "changed")
    return Outcome(entry.id)


def _lock_entry(session: Session, hand: Editor, seen: ItemEvidence, reason: str) -> tuple[EntryEditor, KnowledgeEntry]:
    editor = EntryEditor(session, hand.tenant_id, Change(hand.by, hand.reason or reason))
    editor.lock()
    entry = entries.get_entry(session, hand.tenant_id, seen.entry_id)
    if entry.version != seen.version:
        raise Conflict(
            f"{entry.author} changed this entry while you looked at it (version {seen.version}, now {entry.version})."
        )
    return editor, entry


def _propose_entry(session: Session, hand: Editor, content: Content, wanted: ItemWording) -> Outcome:
    """Queue a change with its first approval."""
    item = ReviewItem(
        tenant_id=hand.tenant_id,
        kind="entry",
        status="half_approved",
        questions=list(content.questions),
        answer=content.answer,
        subject=content.subject,
        language=content.language,
        entry_id=wanted.entry_id,
        reason=hand.reason[:1000],
        first_by=hand.by,
        decided_by=hand.by,
        decided_at=get_current_time(),
        undo={"wanted": asdict(wanted)},
    )
    session.add(item)
    session.flush()
    add_audit_event(session, hand.tenant_id, "review", item.id, "proposed", hand.by, entry_id=wanted.entry_id)
    return Outcome(wanted.entry_id, item.id)


def _note_entry_change(session: Session, hand: Editor, entry: KnowledgeEntry, action: str) -> None:
    details = {"version": entry.version, "reason": hand.reason}
    add_audit_event(session, hand.tenant_id, "entry", entry.id, action, hand.by, **details)
