"""Find entries that answer the same question differently, mark them as disputed and queue them for review.

Two entries share a question if its wording is the same (``EntryQuestion``), or if one was found to contradict the
other's answer to its own question (``EntryConflict``).

The mark is stored with the entries so that answering reads both together. It is updated in the transaction of every
change: when staff retire or amend one side, the other is no longer disputed.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Select, delete, func, or_, select, union_all, update
from sqlalchemy.orm import Session, aliased

from core.db.models import (
    EntryConflict,
    EntryQuestion,
    KnowledgeEntry,
    KnowledgeRevision,
    ReviewItem,
    SourceDocument,
    get_current_time,
)
from knowledge.entries.content import Content
from knowledge.text.features import content_words

KIND = "contradiction"
MARKS = "?!.,:;\"'()[]…¿¡؟。？！、“”‘’«»*_`"  # noqa: RUF001 -- the marks of other scripts
KEYS_AT_ONCE = 400
MOST_SIDES = 20
"""The maximum number of entries shown for one contradiction."""
UNDECIDED = ("open", "half_approved", "snoozed")
CLEAR_WORDS = 3
"""The number of content words from which a question is clear without its title."""
ASKED = (EntryQuestion, EntryConflict)
"""The tables that hold the questions of entries."""
Asked = type[EntryQuestion] | type[EntryConflict]
T = TypeVar("T")


@dataclass(frozen=True)
class Side:
    """An approved entry that takes part in a contradiction."""

    entry_id: str
    answer: str
    source: str | None
    """The name of its source, or None if it was written by hand or learnt."""
    document: str | None


@dataclass(frozen=True)
class Contradiction:
    """A question with different answers; ``count`` covers all entries, ``sides`` holds only the first of them."""

    key: str
    question: str
    subject: str | None
    language: str
    answers: frozenset[str]
    count: int
    sides: tuple[Side, ...]


def normalise_text(text: str) -> str:
    """Normalise case, whitespace and punctuation around words."""
    words = unicodedata.normalize("NFKC", text).casefold().split()
    return " ".join(filter(None, (word.strip(MARKS) for word in words))) or " ".join(words)


def question_keys(content: Content) -> dict[str, str | None]:
    """Map each question to its key, or to None if its meaning depends on the conversation before it."""
    if content.kind != "faq" or content.context:
        return dict.fromkeys(content.questions)
    return {question: _hash_texts(question, *_get_question_scope(content, question)) for question in content.questions}


def _get_question_scope(content: Content, question: str) -> tuple[str, ...]:
    """Return the texts that, with the question, determine its meaning.

    A short question ("How do I delete it?") is also scoped by the title of its article.
    """
    is_clear = len(content_words(question)) >= CLEAR_WORDS
    return (content.subject or "", content.language, *(() if is_clear else (content.title or "",)))


def answer_key(answer: str) -> str:
    """Return a key that is equal for answers with the same wording."""
    return _hash_texts(answer)


def find_disputed_ids(session: Session, tenant_id: str, entry_ids: Sequence[str]) -> set[str]:
    """Return the given entries that are disputed."""
    query = select(KnowledgeEntry.id, KnowledgeEntry.tenant_id).where(
        KnowledgeEntry.id.in_(entry_ids), KnowledgeEntry.disputed, KnowledgeEntry.status == "approved"
    )
    return {row.id for row in session.execute(query) if row.tenant_id == tenant_id}


def mark_disputed_entries(
    session: Session, tenant_id: str, keys: Iterable[str], revision: int, ids: Iterable[str] = ()
) -> None:
    """Update the marks of the given entries and of all entries that share one of these question keys."""
    concerned = set(ids)
    for some in _split_batches(sorted(set(keys))):
        for table in ASKED:
            asked = select(table.entry_id).where(table.tenant_id == tenant_id, table.key.in_(some))
            concerned.update(session.scalars(asked.distinct()))
    for part in _split_batches(sorted(concerned)):
        _update_disputed_marks(session, tenant_id, part, revision)


def find_contradictions(
    session: Session, tenant_id: str, *, source: str | None = None, keys: Sequence[str] | None = None
) -> list[Contradiction]:
    """Return the contradictions that no reviewer has accepted, optionally only those of a source or of some keys."""
    accepted = _list_accepted_answers(session, tenant_id, keys)
    asked = _list_disputed_keys(session, tenant_id, keys)
    rows = defaultdict(list)
    for some in _split_batches(asked):
        for table in ASKED:
            for row in session.execute(_select_sides(table, tenant_id, some)):
                rows[row.key].append(row)
    contradictions = [_build_contradiction(key, rows[key]) for key in asked if rows[key]]
    return [
        one
        for one in contradictions
        if len(one.answers) > 1
        and not _is_accepted(one.answers, accepted.get(one.key, ()))
        and (source is None or any(row.origin == source for row in rows[one.key]))
    ]


def sync_contradiction_items(session: Session, tenant_id: str) -> int:
    """Add new contradictions to the review queue and settle those that no longer exist. Return how many are new."""
    alone = update(KnowledgeRevision).where(KnowledgeRevision.tenant_id == tenant_id)
    session.execute(alone.values(tenant_id=tenant_id))
    present = {one.key: one for one in find_contradictions(session, tenant_id)}
    waiting = _list_contradiction_items(session, tenant_id, UNDECIDED)
    for item in waiting:
        one = present.pop(item.key or "", None)
        if one is None:
            item.status, item.reason, item.decided_by = "settled", "The answers differ no longer.", "knowledge"
            item.decided_at = item.updated_at = get_current_time()
            item.revision += 1
        elif _shown_ids(item) != [side.entry_id for side in one.sides]:
            item.near, item.updated_at = _describe_sides(one), get_current_time()
            item.revision += 1
    session.add_all(_build_item(tenant_id, one) for one in present.values())
    session.flush()
    return len(present)


def settle_contradictions(session: Session, tenant_id: str) -> None:
    """Synchronise the review queue after a manual change, if any contradiction waits in it."""
    if _list_contradiction_items(session, tenant_id, UNDECIDED):
        sync_contradiction_items(session, tenant_id)


def entries_of(session: Session, tenant_id: str, key: str) -> list[KnowledgeEntry]:
    """Return the approved entries with this question key."""
    asked = union_all(
        *(select(table.entry_id).where(table.tenant_id == tenant_id, table.key == key) for table in ASKED)
    )
    query = select(KnowledgeEntry).where(KnowledgeEntry.id.in_(asked), KnowledgeEntry.status == "approved")
    return list(session.scalars(query.order_by(KnowledgeEntry.id)))


def answers_of(session: Session, tenant_id: str, key: str) -> frozenset[str]:
    """Return the keys of all served answers to this question."""
    return frozenset(entry.answer_key or "" for entry in entries_of(session, tenant_id, key))


def conflict_key(entry_ids: Iterable[str]) -> str:
    """Return the key of a conflict between these entries."""
    return _hash_texts("conflict", *sorted(entry_ids))


def conflict_keys(session: Session, entry_ids: Iterable[str]) -> set[str]:
    """Return the keys of all conflicts of these entries."""
    keys: set[str] = set()
    for some in _split_batches(sorted(entry_ids)):
        keys.update(session.scalars(select(EntryConflict.key).where(EntryConflict.entry_id.in_(some))))
    return keys


def drop_conflicts(session: Session, entry_id: str) -> set[str]:
    """Delete the conflicts of an entry and return the ids of all entries involved."""
    keys = list(session.scalars(select(EntryConflict.key).where(EntryConflict.entry_id == entry_id)))
    if not keys:
        return set()
    gone = delete(EntryConflict).where(EntryConflict.key.in_(keys)).returning(EntryConflict.entry_id)
    return set(session.scalars(gone, execution_options={"synchronize_session": False}))


def _hash_texts(*texts: str) -> str:
    return hashlib.sha256("\x1f".join(map(normalise_text, texts)).encode()).hexdigest()[:32]


def _update_disputed_marks(session: Session, tenant_id: str, ids: Sequence[str], revision: int) -> None:
    against = _build_dispute_condition(_accepted_keys(session, tenant_id, ids))
    mine = update(KnowledgeEntry).where(KnowledgeEntry.id.in_(ids))
    served = KnowledgeEntry.status == "approved"
    changes = (
        mine.where(~KnowledgeEntry.disputed, served, against).values(disputed=True, revision=revision),
        mine.where(KnowledgeEntry.disputed, ~(served & against)).values(disputed=False, revision=revision),
    )
    for change in changes:
        session.execute(change, execution_options={"synchronize_session": False})


def _build_dispute_condition(accepted: Sequence[str]) -> ColumnElement[bool]:
    """Match entries with a question that another approved entry answers differently.

    The tenants are joined, not named: otherwise SQLite starts from all questions of the tenant for each entry.
    """
    return or_(*(_against_by(table, accepted) for table in ASKED))


def _against_by(table: Asked, accepted: Sequence[str]) -> ColumnElement[bool]:
    mine, others, other = aliased(table), aliased(table), aliased(KnowledgeEntry)
    query = (
        select(mine.id)
        .join(others, (others.key == mine.key) & (others.tenant_id == mine.tenant_id))
        .join(other, other.id == others.entry_id)
        .where(
            mine.entry_id == KnowledgeEntry.id,
            other.status == "approved",
            other.answer_key != KnowledgeEntry.answer_key,
        )
    )
    if accepted:
        query = query.where(mine.key.not_in(accepted))
    return query.correlate(KnowledgeEntry).exists()


def _accepted_keys(session: Session, tenant_id: str, ids: Sequence[str]) -> list[str]:
    """Return the questions of these entries whose differences a reviewer accepted and that got no new answer since."""
    asked = union_all(*(select(table.key).where(table.entry_id.in_(ids), table.key.is_not(None)) for table in ASKED))
    rejected = select(ReviewItem.key).where(
        ReviewItem.tenant_id == tenant_id,
        ReviewItem.kind == KIND,
        ReviewItem.status == "rejected",
        ReviewItem.key.in_(asked),
    )
    keys = [key for key in session.scalars(rejected.distinct()) if key]
    accepted = _list_accepted_answers(session, tenant_id, keys) if keys else {}
    return [key for key in keys if _is_accepted(answers_of(session, tenant_id, key), accepted.get(key, ()))]


def _list_accepted_answers(
    session: Session, tenant_id: str, keys: Sequence[str] | None
) -> dict[str, list[frozenset[str]]]:
    accepted = defaultdict(list)
    for item in _list_contradiction_items(session, tenant_id, ("rejected",)):
        if item.key and (keys is None or item.key in keys):
            accepted[item.key].append(frozenset(item.undo.get("answers", ())))
    return accepted


def _is_accepted(answers: frozenset[str], accepted: Iterable[frozenset[str]]) -> bool:
    return any(answers <= some for some in accepted)


def _list_contradiction_items(session: Session, tenant_id: str, statuses: Sequence[str]) -> list[ReviewItem]:
    query = select(ReviewItem).where(
        ReviewItem.tenant_id == tenant_id, ReviewItem.status.in_(statuses), ReviewItem.kind == KIND
    )
    return list(session.scalars(query))


def _list_disputed_keys(session: Session, tenant_id: str, keys: Sequence[str] | None) -> list[str]:
    """Return the keys of questions with several answers."""
    return [key for table in ASKED for key in session.scalars(_select_disputed_keys(table, tenant_id, keys)) if key]


def _select_disputed_keys(table: Asked, tenant_id: str, keys: Sequence[str] | None) -> Select[str | None]:
    query = (
        select(table.key)
        .join(KnowledgeEntry, KnowledgeEntry.id == table.entry_id)
        .where(table.tenant_id == tenant_id, table.key.is_not(None))
        .where(KnowledgeEntry.status == "approved")
        .group_by(table.key)
        .having(func.min(KnowledgeEntry.answer_key) != func.max(KnowledgeEntry.answer_key))
        .order_by(func.min(table.id))
    )
    return query if keys is None else query.where(table.key.in_(keys))


def _select_sides(table: Asked, tenant_id: str, keys: Sequence[str]) -> Any:
    return (
        select(
            table.key,
            table.text,
            KnowledgeEntry.id,
            KnowledgeEntry.answer,
            KnowledgeEntry.answer_key,
            KnowledgeEntry.subject,
            KnowledgeEntry.language,
            SourceDocument.origin,
            SourceDocument.uri,
        )
        .join(KnowledgeEntry, KnowledgeEntry.id == table.entry_id)
        .outerjoin(SourceDocument, SourceDocument.id == KnowledgeEntry.source_id)
        .where(table.tenant_id == tenant_id, table.key.in_(keys), KnowledgeEntry.status == "approved")
        .order_by(KnowledgeEntry.id)
    )


def _build_contradiction(key: str, rows: Sequence[Any]) -> Contradiction:
    own = {row.id: row for row in rows}
    sides = [Side(row.id, row.answer, row.origin, row.uri) for row in _different_first(list(own.values()))]
    first = rows[0]
    answers = frozenset(row.answer_key or "" for row in rows)
    return Contradiction(key, first.text, first.subject, first.language, answers, len(sides), tuple(sides[:MOST_SIDES]))


def _different_first(rows: Sequence[Any]) -> Iterator[Any]:
    """Yield one entry of each answer before any answer repeats."""
    seen: set[str] = set()
    later = []
    for row in rows:
        if row.answer_key in seen:
            later.append(row)
        else:
            seen.add(row.answer_key)
            yield row
    yield from later


def _build_item(tenant_id: str, one: Contradiction) -> ReviewItem:
    return ReviewItem(
        tenant_id=tenant_id,
        kind=KIND,
        key=one.key,
        questions=[one.question],
        subject=one.subject,
        language=one.language,
        effect=float(len(one.answers)),
        near=_describe_sides(one),
    )


def _describe_sides(one: Contradiction) -> list[dict[str, Any]]:
    return [{"entry_id": side.entry_id, "similarity": None, "contradicts": True} for side in one.sides]


def _split_batches(values: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(values), KEYS_AT_ONCE):
        yield values[start : start + KEYS_AT_ONCE]


def _shown_ids(item: ReviewItem) -> list[str]:
    return [near["entry_id"] for near in item.near]
