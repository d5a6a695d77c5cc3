"""Edits of entries that are recorded and can be reverted."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.db.models import EntryVersion, KnowledgeEntry
from core.errors import Conflict
from knowledge.entries import editor as entries
from knowledge.entries.content import Content
from knowledge.entries.editor import EntryEditor
from knowledge.types import Utterance


class Edits:
    """Passes changes on to an editor; ``record`` is the input of ``restore_entries``."""

    def __init__(self, editor: EntryEditor) -> None:
        self._editor = editor
        self._before: dict[str, int] = {}
        self._touched: dict[str, KnowledgeEntry] = {}

    def add(self, content: Content) -> KnowledgeEntry:
        """Add an entry, which is served at once."""
        entry = self._editor.add(content, approved=True)
        self._touched[entry.id] = entry
        return entry

    def amend(self, entry: KnowledgeEntry, content: Content) -> None:
        """Store the next version of an entry, unless its content is unchanged."""
        if content.checked() != entries.content_of(entry):
            self._note_version(entry)
            self._editor.amend(entry, content)

    def retire(self, entry: KnowledgeEntry) -> None:
        """Stop serving the entry."""
        self._note_version(entry)
        self._editor.retire(entry)

    @property
    def record(self) -> list[dict[str, Any]]:
        """The changed entries as [{"id", "before", "after"}] with version numbers; before is None for a new entry."""
        return [
            {"id": id_, "before": self._before.get(id_), "after": entry.version} for id_, entry in self._touched.items()
        ]

    def _note_version(self, entry: KnowledgeEntry) -> None:
        if entry.id not in self._touched:
            self._before[entry.id] = entry.version
            self._touched[entry.id] = entry


def restore_entries(session: Session, tenant_id: str, editor: EntryEditor, record: list[dict[str, Any]]) -> None:
    """Revert every entry to its earlier content, as a new version.

    Raises:
        Conflict: An entry was changed since, so that reverting would lose that change.
    """
    for change in record:
        entry = entries.get_entry(session, tenant_id, change["id"])
        left = version_of(session, entry.id, change["after"])
        if (entries.content_of(entry), entry.status) != (content_of(left), left["status"]):
            raise Conflict(
                f"Entry {entry.id} was changed since (version {change['after']}, now {entry.version}): "
                "undo what came later first, or change it by hand."
            )
        if change["before"] is None:
            editor.retire(entry)
            continue
        earlier = version_of(session, entry.id, change["before"])
        editor.amend(entry, content_of(earlier), approved=earlier["status"] == "approved")


def version_of(session: Session, entry_id: str, version: int) -> dict[str, Any]:
    """Return the stored content of an entry at a version."""
    query = select(EntryVersion.content).filter_by(entry_id=entry_id, version=version)
    content: dict[str, Any] = session.scalars(query).one()
    return content


def content_of(stored: dict[str, Any]) -> Content:
    """Convert a stored version to content."""
    fields = {name: value for name, value in stored.items() if name != "status"}
    fields["questions"] = tuple(fields["questions"])
    fields["context"] = tuple(Utterance(**turn) for turn in fields["context"])
    return Content(**fields)
