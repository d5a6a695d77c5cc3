"""What the knowledge has for a message is known before a skill acts, and is found once."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from core.conversations.knowledge_lookup import Asked
from core.db import Database
from core.errors import KnowledgeUnavailable
from knowledge.answers.decision import merge_answer_parts
from knowledge.answers.lookup import KEPT, DeferredReuseStore, Lookup, level_of
from knowledge.answers.reuse.decision import EmptyBook, ReuseDecision
from knowledge.entries import editor as entries
from knowledge.entries.content import Content
from knowledge.entries.editor import Change, EntryEditor
from knowledge.types import Answer, AnswerPart, Question


def part(outcome: str = "answered", *, exact: bool = False) -> AnswerPart:
    return AnswerPart("how fast?", outcome, "Two days.", 0.7, exact=exact)  # type: ignore[arg-type]


@dataclass
class Book(EmptyBook):
    """Writes down what it is told."""

    noted: list[str] = field(default_factory=list)
    confirmed: list[str] = field(default_factory=list)

    def confirm(self, question: Question, entry_id: str) -> None:
        self.confirmed.append(entry_id)

    def note(self, question: Question, entry_id: str, decision: ReuseDecision) -> None:
        self.noted.append(entry_id)


@dataclass
class Answers:
    """Answers everything alike, and counts."""

    book: DeferredReuseStore
    asked: int = 0
    away: bool = False

    def answer(self, question: Question) -> Answer:
        if self.away:
            raise KnowledgeUnavailable
        self.asked += 1
        self.book.note(question, "e1", ReuseDecision("verbatim", 0.9))
        return merge_answer_parts([part()])


@dataclass
class Rig:
    answers: Answers
    book: Book
    lookup: Lookup


@pytest.fixture
def rig(database: Database) -> Rig:
    book = Book()
    held = DeferredReuseStore(book)
    answers = Answers(held)
    return Rig(answers, book, Lookup(answers, database, held))


def asked(text: str = "how fast?", turn_id: str = "t1") -> Asked:
    return Asked("shop", "c1", turn_id, text, (("customer", "hello"), ("bot", "Hi! [1]")))


def question(text: str = "how fast?", turn_id: str | None = "t1") -> Question:
    return Question("shop", text, conversation_id="c1", turn_id=turn_id)


def test_what_was_looked_up_is_served_without_looking_again(rig: Rig) -> None:
    match = rig.lookup.match(asked())
    assert match is not None and (match.level, match.confidence) == ("sure", 0.7)
    assert rig.lookup.answer(question()) == rig.lookup.answer(question())
    assert rig.answers.asked == 1


def test_another_text_turn_or_trial_is_looked_up_anew(rig: Rig) -> None:
    rig.lookup.match(asked())
    for other in (question("how dear?"), question(turn_id="t2"), question(turn_id=None)):
        rig.lookup.answer(other)
    assert rig.answers.asked == 4


def test_only_what_is_served_teaches(rig: Rig) -> None:
    rig.lookup.match(asked())
    assert rig.book.noted == []
    rig.lookup.answer(question())
    rig.lookup.answer(question())
    assert rig.book.noted == ["e1"]
    rig.lookup.answer(question("how dear?"))
    assert rig.book.noted == ["e1", "e1"]


def test_knowledge_that_is_away_leaves_the_message_to_the_skills(rig: Rig) -> None:
    rig.answers.away = True
    assert rig.lookup.match(asked()) is None


def test_a_chosen_entry_is_served_as_it_is_until_it_is_retired(rig: Rig, database: Database) -> None:
    with database.session() as session:
        editor = EntryEditor(session, "shop", Change("ann", "test"))
        entry = editor.add(Content("faq", "Two days.", ("How long?",)), approved=True)
        entry_id = entry.id
    answer = rig.lookup.answer_entry(question("Standard"), entry_id)
    assert answer is not None
    assert (answer.parts[0].text, answer.parts[0].written_by, answer.entries[0].id) == (
        "Two days.",
        "approved",
        entry_id,
    )
    assert rig.book.confirmed == [entry_id]
    with database.session() as session:
        EntryEditor(session, "shop", Change("ann", "test")).retire(entries.get_entry(session, "shop", entry_id))
    assert rig.lookup.answer_entry(question("Standard"), entry_id) is None


def test_what_is_kept_has_a_bound(rig: Rig) -> None:
    for number in range(KEPT + 5):
        rig.lookup.match(asked(turn_id=f"t{number}"))
    assert len(rig.lookup._kept) == KEPT


@pytest.mark.parametrize(
    ("parts", "level"),
    [
        ([part(exact=True)], "exact"),
        ([part()], "sure"),
        ([part("suggested")], "probable"),
        ([part("clarified")], "unsure"),
        ([part("unknown")], "none"),
        ([], "none"),
        ([part(exact=True), part()], "sure"),
        ([part(exact=True), part("unknown")], "probable"),
    ],
)
def test_levels(parts: list[AnswerPart], level: str) -> None:
    assert level_of(parts) == level
