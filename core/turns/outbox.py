"""What goes out: answers stored with their turn, and how a customer sees a stored message."""

from __future__ import annotations

from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import learning
from core.db.models import Conversation, InteractionFeedback, Message, Turn, now
from core.errors import NotFound
from core.events import MessageStored
from core.feedback.thumbs import is_offered
from core.turns.replies import Reading, Reply


def write_replies(
    session: Session, conversation: Conversation, turn: Turn, replies: tuple[Reply, ...]
) -> list[Message]:
    """Store the bot's messages of a turn; the conversation must be locked."""
    messages = [
        Message(
            tenant_id=turn.tenant_id,
            conversation_id=turn.conversation_id,
            seq=conversation.next_seq(),
            speaker="bot",
            text=reply.text,
            buttons=list(reply.buttons),
            sources=list(reply.sources),
            turn_id=turn.id,
        )
        for reply in replies
    ]
    session.add_all(messages)
    return messages


def finish(
    session: Session, conversation_id: str, turn_id: str, reading: Reading, total_ms: float
) -> list[MessageStored]:
    """Store an answer and everything known about it."""
    conversation, turn = _locked(session, conversation_id, turn_id)
    if turn.status == "answered":
        return []
    messages = write_replies(session, conversation, turn, reading.replies)
    note = reading.note
    turn.status, turn.outcome, turn.error = "answered", reading.outcome, None
    turn.rateable = reading.rateable
    turn.confidence = note.get("confidence")
    turn.entries = list(note.get("entries", ()))
    turn.retrieval_ms, turn.generation_ms = note.get("retrieval_ms"), note.get("generation_ms")
    for field in ("written_by", "route", "complexity", "groundedness", "prompt_version"):
        setattr(turn, field, note.get(field))
    turn.cost = Decimal(note["cost"]) if note.get("cost") else None
    turn.total_ms, turn.answered_at = total_ms, now()
    note_understanding(turn, note.get("understanding") or {})
    session.flush()
    last = messages[-1].id
    offered = turn.rateable and is_offered(learning.of(session, turn.tenant_id).ask_feedback, turn.id)
    return [as_event(message, rateable=offered and message.id == last) for message in messages]


def _locked(session: Session, conversation_id: str, turn_id: str) -> tuple[Conversation, Turn]:
    """Both, for nobody else to write in until the end of the transaction.

    Raises:
        NotFound: the conversation is gone.
    """
    conversation = Conversation.lock(session, conversation_id)
    if conversation is None:
        raise NotFound("There is no such conversation.")
    return conversation, session.get_one(Turn, turn_id)


def note_understanding(turn: Turn, understanding: dict[str, object]) -> None:
    """How Rasa understood the message: intent, its confidence, milliseconds of the NLU pipeline."""
    turn.intent = str(understanding["intent"]) if understanding.get("intent") else turn.intent
    for field, key in (("intent_confidence", "confidence"), ("nlu_ms", "nlu_ms")):
        if isinstance(value := understanding.get(key), int | float):
            setattr(turn, field, float(value))


def apologise(
    session: Session, conversation_id: str, turn_id: str, *, status: str, text: str, error: str
) -> list[MessageStored]:
    """Tell the customer once that something failed; the turn is failed, or still waiting."""
    conversation, turn = _locked(session, conversation_id, turn_id)
    told = turn.error is not None
    turn.status, turn.error = status, error
    due = (Reply(text),) if not told or status == "failed" else ()
    messages = write_replies(session, conversation, turn, due)
    session.flush()
    return [as_event(message) for message in messages]


def messages_after(session: Session, conversation_id: str, after: int) -> list[MessageStored]:
    """The stored messages with a higher number, oldest first, with the thumbs that were given.

    Raises:
        NotFound: there is no such conversation.
    """
    conversation = session.get(Conversation, conversation_id)
    if conversation is None:
        raise NotFound("There is no such conversation.")
    messages = session.scalars(
        select(Message).where(Message.conversation_id == conversation_id, Message.seq > after).order_by(Message.seq)
    ).all()
    turns = {m.turn_id for m in messages if m.turn_id}
    frequency = learning.of(session, conversation.tenant_id).ask_feedback
    sensible = session.scalars(select(Turn.id).where(Turn.id.in_(turns), Turn.rateable))
    rateable = {turn_id for turn_id in sensible if is_offered(frequency, turn_id)}
    last: dict[str | None, str] = {m.turn_id: m.id for m in messages if m.speaker == "bot" and m.turn_id in rateable}
    thumbs = dict(
        session.execute(
            select(InteractionFeedback.turn_id, InteractionFeedback.helpful).where(
                InteractionFeedback.turn_id.in_(turns)
            )
        ).all()
    )
    return [
        as_event(m, rateable=last.get(m.turn_id) == m.id, helpful=thumbs.get(m.turn_id) if m.turn_id else None)
        for m in messages
    ]


def as_event(message: Message, *, rateable: bool = False, helpful: bool | None = None) -> MessageStored:
    """As the customer may see it: button payloads stay inside."""
    return MessageStored(
        id=message.id,
        seq=message.seq,
        speaker=message.speaker,
        text=message.text,
        created_at=message.created_at,
        buttons=tuple(button["title"] for button in message.buttons),
        sources=tuple(message.sources),
        client_id=message.client_id,
        turn_id=message.turn_id,
        rateable=rateable,
        helpful=helpful,
    )
