"""Goes through conversations: analyses each one once and puts what others may ask into the review queue."""

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
"""Conversations that are looked up together."""
QUIET = timedelta(hours=1)
"""A conversation with a person that nobody closed is over when nothing was said for so long."""
WORST_RATING = 0.5
"""A conversation that its customer rated worse teaches nothing."""


@dataclass(frozen=True)
class Harvested:
    """What one conversation gave."""

    conversation_id: str
    analysis: Analysis
    pairs: tuple[QuestionAnswerPair, ...]
    new: int
    grown: int


@dataclass(frozen=True)
class Run:
    """What a run over many conversations did."""

    conversations: int
    candidates: int
    new: int
    grown: int
    failed: int


class ConversationReader(Protocol):
    """Reads a conversation before the rules do; ``ModelReader`` is the one."""

    def read(
        self, tenant_id: str, transcript: Transcript, categories: Sequence[str] = ()
    ) -> ConversationReading | None:
        """None: the rules go on alone."""


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
        """Analyse one conversation now, again if that was done before; the same twice is harmless.

        Raises:
            NotFound: this tenant has no such conversation.
        """
        with self._database.session() as session:
            read_transcript(session, tenant_id, conversation_id)  # before what takes longer
            surroundings = self._load_surroundings(session, tenant_id)
        return self._process_transcript(tenant_id, conversation_id, surroundings)

    def process(
        self, tenant_id: str, since: datetime | None = None, tell: Callable[[Run], None] = lambda _: None
    ) -> Run:
        """Every finished conversation without an analysis of its present state; ``tell`` hears how far it is.

        Each conversation is stored by itself, so that a run that was stopped goes on where it was.
        """
        counts = Counter[str]()
        with self._database.session() as session:
            surroundings = self._load_surroundings(session, tenant_id)
        for conversation_id in self._list_waiting_ids(tenant_id, since):
            try:
                done = self._process_transcript(tenant_id, conversation_id, surroundings)
            except Exception:  # one conversation must not keep the others from being read
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
        """Ids of the finished conversations whose analysis is missing or old, oldest first, some at a time."""
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
    """What one run reads once."""

    house: CompanyVocabulary
    subjects: list[str]
    queue: Queue
    categories: list[str]
    """What the tenant's conversations were about so far."""


def _list_categories(session: Session, tenant_id: str) -> list[str]:
    used = select(Turn.intent).join(Conversation).where(Conversation.tenant_id == tenant_id, Turn.intent.is_not(None))
    return sorted({intent for intent in session.scalars(used.distinct()) if intent} - NEVER_A_CATEGORY)


def _store_analysis(
    session: Session, tenant_id: str, transcript: Transcript, analysis: Analysis, candidates: int
) -> bool:
    """Store the analysis; False where another run was faster."""
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
