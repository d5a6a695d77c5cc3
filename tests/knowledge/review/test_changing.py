"""Entries that staff change by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from core.db import Database
from core.errors import Conflict, InvalidInput, KnowledgeUnavailable, NotFound
from knowledge.curation.review import decisions, entry_changes, entry_queries
from knowledge.curation.review.differences import diff_texts
from knowledge.curation.review.entry_changes import Outcome
from knowledge.curation.review.service import ReviewService
from knowledge.curation.review.types import Editor, ItemEvidence
from knowledge.entries import editor
from knowledge.entries.content import Content
from tests.knowledge.conftest import Shop
from tests.knowledge.review.doubles import ANA, BEN, T, add_entry, claim, events, four_eyes, served

HAND = Editor(T, ANA, "it is dearer now")
NEW = Content("faq", "Yes, £5.", ("Is it wrapped?", "Gift wrap?"))


def do(database: Database, change: Callable[..., Any], *values: Any) -> Outcome:
    with database.session() as session:
        return change(session, *values)


def test_a_change_is_a_version_with_who_and_why(database: Database) -> None:
    entry = add_entry(database, subject="Gifts")
    do(database, entry_changes.change_entry, HAND, ItemEvidence(entry, 1), NEW)
    assert served(database) == {"Is it wrapped?": "Yes, £5."}
    with database.session() as session:
        versions = editor.list_entry_versions(session, editor.get_entry(session, T, entry))
        assert [(v.version, v.author, v.reason) for v in versions] == [
            (1, "import", "imported"),
            (2, ANA, "it is dearer now"),
        ]
    do(database, entry_changes.restore_version, HAND, ItemEvidence(entry, 2), 1)
    assert served(database) == {"Is it wrapped?": "No, never."}
    do(database, entry_changes.retire_entry, HAND, ItemEvidence(entry, 3))
    assert served(database) == {}
    do(database, entry_changes.approve_entry, HAND, ItemEvidence(entry, 4))
    assert len(served(database)) == 1
    assert [action for action, _ in events(database, "entry")] == ["changed", "changed", "retired", "approved"]


def test_who_is_second_loses_nothing_of_the_first(database: Database) -> None:
    entry = add_entry(database)
    do(database, entry_changes.change_entry, HAND, ItemEvidence(entry, 1), NEW)
    for change, values in (
        (entry_changes.change_entry, [NEW]),
        (entry_changes.retire_entry, []),
        (entry_changes.restore_version, [1]),
    ):
        with pytest.raises(Conflict, match=ANA):
            do(database, change, replace(HAND, by=BEN), ItemEvidence(entry, 1), *values)
    assert served(database) == {"Is it wrapped?": "Yes, £5."}


def test_what_cannot_be_is_refused(database: Database) -> None:
    entry = add_entry(database)
    with pytest.raises(InvalidInput):
        do(database, entry_changes.create_entry, HAND, Content("faq", " ", ("q",)))
    with pytest.raises(NotFound):
        do(database, entry_changes.restore_version, HAND, ItemEvidence(entry, 1), 7)
    with pytest.raises(NotFound):
        do(database, entry_changes.retire_entry, replace(HAND, tenant_id="other"), ItemEvidence(entry, 1))


def test_with_four_eyes_a_change_waits_for_a_second_person(database: Database) -> None:
    four_eyes(database)
    entry = add_entry(database)
    outcome = do(database, entry_changes.change_entry, HAND, ItemEvidence(entry, 1), replace(NEW, title="Wrapping"))
    assert outcome.waits
    assert served(database) == {"Is it wrapped?": "No, never."}
    with pytest.raises(Conflict, match="second person"), database.session() as session:
        decisions.approve_item(session, claim(database, outcome.item_id or "", ANA))
    with database.session() as session:
        decisions.approve_item(session, claim(database, outcome.item_id or "", BEN))
    assert served(database) == {"Is it wrapped?": "Yes, £5."}
    with database.session() as session:
        assert editor.get_entry(session, T, entry).title == "Wrapping"
        decisions.undo_decision(session, claim(database, outcome.item_id or "", BEN))
    assert served(database) == {"Is it wrapped?": "No, never."}


def test_with_four_eyes_a_change_of_what_changed_meanwhile_is_not_published(database: Database) -> None:
    four_eyes(database)
    entry = add_entry(database)
    outcomes = [
        do(database, entry_changes.change_entry, HAND, ItemEvidence(entry, 1), replace(NEW, answer=a))
        for a in ("one", "two")
    ]
    with database.session() as session:
        decisions.approve_item(session, claim(database, outcomes[0].item_id or "", BEN))
    with pytest.raises(Conflict, match="since this was proposed"), database.session() as session:
        decisions.approve_item(session, claim(database, outcomes[1].item_id or "", BEN))
    assert served(database) == {"Is it wrapped?": "one"}


def test_entries_are_found_by_what_they_say(database: Database) -> None:
    add_entry(database, "Where is the shop?", "In Leeds.", subject="Showroom")
    add_entry(database)
    with database.session() as session:
        for search, total in (("leeds", 1), ("showroom", 1), ("WRAPPED", 1), ("_", 0), ("", 2)):
            wanted = entry_queries.EntryFilter("approved", "faq", search or None)
            assert entry_queries.search_entries(session, T, wanted, 10, 0)[0] == total, search


def test_differences_are_told_by_words() -> None:
    pieces = diff_texts("It takes two to four days.", "It takes one to three working days.")
    assert "".join(p.text for p in pieces if p.change != "added") == "It takes two to four days."
    assert "".join(p.text for p in pieces if p.change != "removed") == "It takes one to three working days."
    assert [p.text for p in pieces if p.change == "removed"] == ["two", "four"]


async def test_what_is_decided_is_found_at_once(small_shop: Shop) -> None:
    forgotten: list[str] = []
    desk = ReviewService(small_shop.knowledge.database, small_shop.knowledge.synchroniser, forgotten.append)
    hand = Editor(small_shop.tenant, ANA)
    await desk.decide(small_shop.tenant, lambda session: entry_changes.create_entry(session, hand, NEW))
    assert small_shop.best("Can you gift wrap it?") == "Yes, £5."
    assert forgotten == [small_shop.tenant] * 2
    await desk.decide(small_shop.tenant, lambda session: entry_queries.search_entries(session, small_shop.tenant, entry_queries.EntryFilter(), 1, 0))  # fmt: skip
    assert len(forgotten) == 2


async def test_without_the_index_it_is_stored_and_not_called_live(sqlite: Database) -> None:
    class Away:
        def sync(self, _tenant: str, _progress: object) -> int:
            raise KnowledgeUnavailable

    outcome = await ReviewService(sqlite, Away()).decide(
        T, lambda session: entry_changes.create_entry(session, HAND, NEW)
    )
    with sqlite.session() as session:
        stored = entry_queries.describe_knowledge_entry(session, editor.get_entry(session, T, outcome.entry_id or ""))
    assert (stored["status"], stored["live"]) == ("approved", False)
