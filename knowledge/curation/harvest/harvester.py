"""Harvest conversations: analyse each one once and queue what others may ask for review."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Protocol

import structlog
from sqlalchemy import and_, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.db import Database
from core.db.models import Conversation, ConversationAnalysis, KnowledgeEntry, Message, Turn, get_current_time
from knowledge.curation.harvest.analysis import NEVER_A_CATEGORY, Analysis, analyse_transcript, record_of
from knowledge.curation.harvest.llm_reader import ConversationReading, refine_analysis
from knowledge.curation.harvest.pairs import PairFinder, QuestionAnswerPair
from knowledge.curation.harvest.queue import Queue
from knowledge.curation.harvest.transcript import Transcript, read_transcript
from knowledge.curation.harvest.vocabulary import CompanyVocabulary
from knowledge.types import Retriever

log = structlog.get_logger()
AT_ONCE = 100
"""The batch size for conversations."""
QUIET = timedelta(hours=1)
"""The time without messages after which an open conversation with an agent counts as finished."""
WORST_RATING = 0.5
"""The customer rating below which a conversation suggests no entries."""


@dataclass(frozen=True)
class Harvested:
    """The result of harvesting one conversation."""

    conversation_id: str
    analysis: Analysis
    pairs: tuple[QuestionAnswerPair, ...]
    new: int
    grown: int


@dataclass(frozen=True)
class Run:
    """The result of a run over many conversations."""

    conversations: int
    candidates: int
    new: int
    grown: int
    failed: int


class ConversationReader(Protocol):
    """Reads a conversation before the rules do; implemented by ``ModelReader``."""

    def read(
        self, tenant_id: str, transcript: Transcript, categories: Sequence[str] = ()
    ) -> ConversationReading | None:
        """Return the reading, or None to use the rules alone."""


class Harvester:
    """Analyses a tenant's finished conversations and suggests entries."""

    def __init__(
        self,
        database: Database,
        finder: PairFinder,
        retriever: Retriever | None = None,
        reader: ConversationReader | None = None,
    ) -> None:
        self._database, self._finder, self._retriever, self._reader = database, finder, retriever, reader

    def process_conversation(self, tenant_id: str, conversation_id: str) -> Harvested:
        """Analyse one conversation now, even if it was analysed before; idempotent.

        Raises:
            NotFound: The tenant has no such conversation.
        """
        with self._database.session() as session:
            read_transcript(session, tenant_id, conversation_id)  # fails early if there is no such conversation
            surroundings = self._load_surroundings(session, tenant_id)
        return self._process_transcript(tenant_id, conversation_id, surroundings)

    def process(
        self, tenant_id: str, since: datetime | None = None, tell: Callable[[Run], None] = lambda _: None
    ) -> Run:
        """Analyse all finished conversations without an up-to-date analysis; ``tell`` receives the progress.

        Each conversation is stored separately, so an interrupted run resumes where it stopped.
        """
        counts = Counter[str]()
        with self._database.session() as session:
            surroundings = self._load_surroundings(session, tenant_id)
        for conversation_id in self._list_waiting_ids(tenant_id, since):
            try:
                done = self._process_transcript(tenant_id, conversation_id, surroundings)
            except Exception:  # one failure must not stop the run
                log.exception("conversation was not harvested", conversation_id=conversation_id)
                counts["failed"] += 1
                continue
            counts.update(conversations=1, candidates=len(done.pairs), new=done.new, grown=done.grown)
            if counts["conversations"] % AT_ONCE == 0:
                tell(_build_run(counts))
        tell(_build_run(counts))
        return _build_run(counts)

    def _load_surroundings(self, session: Session, tenant_id: str) -> _Surroundings:
        named = select(KnowledgeEntry.subject).where(
            KnowledgeEntry.tenant_id == tenant_id, KnowledgeEntry.subject.is_not(None)
        )
        return _Surroundings(
            CompanyVocabulary.of(session, tenant_id),
            [subject for subject in session.scalars(named.distinct()) if subject],
            Queue(session, tenant_id, self._finder.embedder, self._retriever),
            _list_categories(session, tenant_id),
        )

    def _process_transcript(self, tenant_id: str, conversation_id: str, around: _Surroundings) -> Harvested:
        with self._database.session() as session:
            transcript = read_transcript(session, tenant_id, conversation_id)
            record = record_of(session, conversation_id)
        analysis = analyse_transcript(transcript, record, self._finder.masker)
        teaches = record.rating is None or record.rating >= WORST_RATING
        reading = self._reader.read(tenant_id, transcript, around.categories) if self._reader and teaches else None
        if reading:
            analysis = refine_analysis(analysis, reading, transcript, self._finder.masker)
        proposals = reading.proposals if reading else None
        pairs = self._finder.pairs(transcript, around.house, around.subjects, proposals) if teaches else []
        placed = Counter[str]()
        try:
            with self._database.session() as session:
                if _store_analysis(session, tenant_id, transcript, analysis, len(pairs)):
                    for pair in pairs:
                        placed[around.queue.place(session, pair, badly=record.badly_answered)] += 1
        except IntegrityError:
            log.info("conversation is being harvested by another run", conversation_id=conversation_id)
        return Harvested(conversation_id, analysis, tuple(pairs), placed["new"], placed["grown"])

    def _list_waiting_ids(self, tenant_id: str, since: datetime | None) -> Iterator[str]:
        """Yield the ids of finished conversations whose analysis is missing or outdated, oldest first, in batches."""
        person = select(Message.id).where(Message.conversation_id == Conversation.id, Message.speaker == "agent")
        quiet = and_(person.exists(), Conversation.updated_at <= get_current_time() - QUIET)
        query = (
            select(Conversation.id)
            .outerjoin(ConversationAnalysis, ConversationAnalysis.conversation_id == Conversation.id)
            .where(
                Conversation.tenant_id == tenant_id,
                Conversation.last_seq > 0,
                or_(Conversation.status == "closed", quiet),
                or_(ConversationAnalysis.id.is_(None), ConversationAnalysis.last_seq < Conversation.last_seq),
            )
        )
        if since:
            query = query.where(Conversation.updated_at >= since)
        last = ""
        while True:
            with self._database.session() as session:
                ids = list(
                    session.scalars(query.where(Conversation.id > last).order_by(Conversation.id).limit(AT_ONCE))
                )
            yield from ids
            if not ids:
                return
            last = ids[-1]


@dataclass(frozen=True)
class _Surroundings:
    """Data that a run loads once."""

    house: CompanyVocabulary
    subjects: list[str]
    queue: Queue
    categories: list[str]
    """The intents of the tenant's conversations so far."""


def _list_categories(session: Session, tenant_id: str) -> list[str]:
    used = select(Turn.intent).join(Conversation).where(Conversation.tenant_id == tenant_id, Turn.intent.is_not(None))
    return sorted({intent for intent in session.scalars(used.distinct()) if intent} - NEVER_A_CATEGORY)


def _store_analysis(
    session: Session, tenant_id: str, transcript: Transcript, analysis: Analysis, candidates: int
) -> bool:
    """Store the analysis. Return False if another run stored a newer one."""
    values = {
        **asdict(analysis),
        "key_phrases": list(analysis.key_phrases),
        "intents": list(analysis.intents),
        "last_seq": transcript.last_seq,
        "candidates": candidates,
        "created_at": get_current_time(),
    }
    mine = ConversationAnalysis.conversation_id == transcript.conversation_id
    older = update(ConversationAnalysis).where(mine, ConversationAnalysis.last_seq <= transcript.last_seq)
    if session.scalars(older.values(values).returning(ConversationAnalysis.id)).all():
        return True
    if session.scalar(select(ConversationAnalysis.id).where(mine)):
        return False
    session.add(ConversationAnalysis(tenant_id=tenant_id, conversation_id=transcript.conversation_id, **values))
    session.flush()
    return True


def _build_run(counts: Counter[str]) -> Run:
    return Run(*(counts[name] for name in ("conversations", "candidates", "new", "grown", "failed")))
