"""Review of near misses outside the answer path: by a model if one is configured, then by a reviewer.

After Krites (arXiv 2602.13165), where a judge's approval adds the phrasing at once; here only a reviewer may add it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session
from ulid import ULID

from core.db import Database
from core.db.models import Message, ReuseObservation, ReviewItem, Turn, get_current_time
from core.llm.client import request_completion
from core.llm.router.router import Router
from core.llm.types import Request, RequestOrigin, RequestSignals
from knowledge.answers.injection import OrderDetector
from knowledge.answers.prompt_texts import Prompts
from knowledge.answers.reuse.observations import set_judgement
from knowledge.curation.harvest.queue import claim_waiting_item, compute_expiry_date, with_evidence
from knowledge.entries import editor
from knowledge.text.features import normalise_text
from knowledge.types import Entry, Question

LOOKED_BACK = timedelta(days=7)
AT_ONCE = 100
MARK_TOKENS = 8
GOOD = 0.8
"""The model score from which a phrasing is shown to a reviewer."""


@dataclass(frozen=True)
class NearMiss:
    """A question that stayed below the threshold of its nearest entry."""

    observation_id: str
    tenant_id: str
    turn_id: str | None
    text: str
    entry: Entry
    confirmed: bool
    """Whether the customer confirmed it by pressing the entry's own question."""


class NearMissReview:
    """Asks a model about near misses and queues those that it does not reject for review."""

    def __init__(self, database: Database, router: Router, prompts: Prompts, orders: OrderDetector) -> None:
        self._database = database
        self._router = router
        self._prompts = prompts
        self._orders = orders

    async def run(self) -> int:
        """Review the latest near misses of all tenants and return how many were queued."""
        return sum([await self._review_near_miss(miss) for miss in await self._database.run(open_misses)])

    async def _review_near_miss(self, miss: NearMiss) -> bool:
        if self._orders.gives_orders(miss.text):
            return False
        opinion = None if miss.confirmed else await self._request_opinion(miss)

        def store_opinion(session: Session) -> bool:
            row = session.get(ReuseObservation, miss.observation_id)
            if row is None:
                return False
            if opinion is not None:
                set_judgement(row, correct=opinion, by="model")
            return opinion is not False and propose_phrasing(session, miss)

        return await self._database.run(store_opinion)

    async def _request_opinion(self, miss: NearMiss) -> bool | None:
        """Return whether the entry answers the question, or None if no model is available."""
        caller = RequestOrigin(
            miss.tenant_id, turn_id=miss.turn_id, purpose="judge", prompt_version=self._prompts.version
        )
        question = Question(miss.tenant_id, miss.text)
        messages = self._prompts.judge(question, [miss.entry], miss.entry.answer)
        request = Request(messages, caller, RequestSignals(miss.text), max_output_tokens=MARK_TOKENS)
        completion = await request_completion(self._router, request)
        return self._prompts.mark(completion.text) >= GOOD if completion else None


def open_misses(session: Session) -> list[NearMiss]:
    """Return near misses that were neither rejected nor shown to a reviewer, oldest first."""
    row, since = ReuseObservation, str(ULID.from_datetime(get_current_time() - LOOKED_BACK))
    query = select(row).where(
        row.id > since, ~row.reused, ~row.held_out, row.correct.is_not(False), row.judged_by.is_distinct_from("model")
    )
    rows = session.scalars(query.order_by(row.id)).all()
    shown = _collect_proposed_ids(session, rows)
    return _list_near_misses(session, [each for each in rows if each.id not in shown][:AT_ONCE])


def _collect_proposed_ids(session: Session, rows: Sequence[ReuseObservation]) -> set[str]:
    """Return the observations that are already evidence of an item."""
    items = select(ReviewItem.evidence).where(
        ReviewItem.kind == "phrasing", ReviewItem.entry_id.in_({row.entry_id for row in rows})
    )
    return {str(each.get("observation_id")) for evidence in session.scalars(items) for each in evidence}


def _list_near_misses(session: Session, rows: Sequence[ReuseObservation]) -> list[NearMiss]:
    found = []
    for row in rows:
        entry = editor.load_served_entries(session, row.tenant_id, [row.entry_id]).get(row.entry_id)
        if entry and normalise_text(row.text) not in map(normalise_text, entry.questions):
            found.append(NearMiss(row.id, row.tenant_id, row.turn_id, row.text, entry, row.correct is True))
    return found


def propose_phrasing(session: Session, miss: NearMiss) -> bool:
    """Queue a phrasing for review, or add to its item. Return False if it is decided or not new."""
    same = session.scalars(
        select(ReviewItem).filter_by(tenant_id=miss.tenant_id, kind="phrasing", entry_id=miss.entry.id)
    )
    item = next((i for i in same if normalise_text(miss.text) in map(normalise_text, i.questions)), None)
    if item is not None:
        item = claim_waiting_item(session, item.id)
        return bool(item and with_evidence(item, [_build_review_evidence(session, miss)]))
    item = ReviewItem(
        tenant_id=miss.tenant_id,
        kind="phrasing",
        questions=[miss.text],
        answer=miss.entry.answer,
        subject=miss.entry.subject,
        language=miss.entry.language,
        entry_id=miss.entry.id,
        evidence=[],
        expires_at=compute_expiry_date(session, miss.tenant_id),
    )
    session.add(item)
    with_evidence(item, [_build_review_evidence(session, miss)])
    return True


def _build_review_evidence(session: Session, miss: NearMiss) -> dict[str, object]:
    turn = session.get(Turn, miss.turn_id) if miss.turn_id else None
    message = session.get(Message, turn.message_id) if turn else None
    return {
        "conversation_id": turn.conversation_id if turn else miss.observation_id,
        "message_id": message.id if message else None,
        "question": miss.text,
        "answer": miss.entry.answer,
        "badly": True,
        "observation_id": miss.observation_id,
    }
