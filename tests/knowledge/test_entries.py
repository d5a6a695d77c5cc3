"""Every change to an entry is a version with who, when and why."""

from __future__ import annotations

import pytest

from core.db import Database
from core.errors import InvalidInput, NotFound
from knowledge.entries import editor as entries
from knowledge.entries.content import Content
from knowledge.entries.editor import Change, EntryEditor
from knowledge.types import Utterance

TENANT = "t"
ANA = Change("ana", "customers asked")


def content(answer: str = "30 days", **more: object) -> Content:
    return Content("faq", answer, ("How long can I return it?", " How long can I return it? "), **more)


def test_an_entry_keeps_its_history(database: Database) -> None:
    with database.session() as session:
        entry_id = EntryEditor(session, TENANT, ANA).add(content(), approved=False).id
    with database.session() as session:
        editor = EntryEditor(session, TENANT, Change("ben", "longer now"))
        editor.amend(entries.get_entry(session, TENANT, entry_id), content("60 days"))
        editor.approve(entries.get_entry(session, TENANT, entry_id))
    with database.session() as session:
        EntryEditor(session, TENANT, Change("cleo", "gone")).retire(entries.get_entry(session, TENANT, entry_id))
    with database.session() as session:
        history = entries.list_entry_versions(session, entries.get_entry(session, TENANT, entry_id))
        told = [(v.version, v.content["answer"], v.content["status"], v.author, v.reason) for v in history]
    assert told == [
        (1, "30 days", "draft", "ana", "customers asked"),
        (2, "60 days", "draft", "ben", "longer now"),
        (3, "60 days", "approved", "ben", "longer now"),
        (4, "60 days", "retired", "cleo", "gone"),
    ]


def test_only_approved_entries_of_the_tenant_are_served(database: Database) -> None:
    turns = (Utterance("customer", "Hello"),)
    with database.session() as session:
        editor = EntryEditor(session, TENANT, ANA)
        approved = editor.add(content(subject="Oak table", context=turns, external_id="x1"), approved=True).id
        draft = editor.add(content(), approved=False).id
        foreign = EntryEditor(session, "other", ANA).add(content(), approved=True).id
    with database.session() as session:
        served = entries.load_served_entries(session, TENANT, [approved, draft, foreign, "unknown"])
    assert set(served) == {approved}
    entry = served[approved]
    assert (entry.questions, entry.subject) == (("How long can I return it?",), "Oak table")
    assert (entry.context, entry.external_id, entry.version) == (turns, "x1", 1)


def test_a_transaction_is_one_revision_and_a_change_of_nothing_is_none(database: Database) -> None:
    with database.session() as session:
        assert entries.revision_of(session, TENANT) is None
        editor = EntryEditor(session, TENANT, ANA)
        first = editor.add(content(), approved=True)
        editor.add(content(), approved=True)
        editor.approve(first)
    with database.session() as session:
        revision = entries.revision_of(session, TENANT)
        assert revision is not None
        assert (revision.number, revision.indexed) == (1, 0)
        assert len(entries.list_changed_entries(session, TENANT, (0, ""))) == 2
        assert entries.list_knowledge_tenants(session) == [TENANT]


def test_what_cannot_be_an_entry_is_refused(database: Database) -> None:
    with database.session() as session:
        editor = EntryEditor(session, TENANT, ANA)
        with pytest.raises(InvalidInput, match="answer is empty"):
            editor.add(content("  "), approved=True)
        with pytest.raises(InvalidInput, match="question is empty"):
            editor.add(Content("faq", "yes", (" ",)), approved=True)
        with pytest.raises(InvalidInput, match="has no word"):
            editor.add(Content("faq", "yes", ("???", "-")), approved=True)
        with pytest.raises(NotFound, match="no entry 'nope'"):
            entries.get_entry(session, TENANT, "nope")
        session.rollback()


def test_revisions_count_on_when_two_editors_write(database: Database) -> None:
    for _ in range(3):
        with database.session() as session:
            EntryEditor(session, TENANT, ANA).add(content(), approved=True)
    with database.session() as session:
        assert [c.revision for c in entries.list_changed_entries(session, TENANT, (0, ""))] == [1, 2, 3]
        entries.mark_indexed(session, TENANT, 3)
        entries.mark_indexed(session, TENANT, 2)
        revision = entries.revision_of(session, TENANT)
        assert revision is not None
        assert revision.indexed == 3
