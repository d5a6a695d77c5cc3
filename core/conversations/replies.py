"""Store the bot's replies with their turn, unless an agent owns the conversation."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Literal

import structlog
from sqlalchemy.orm import Session

from core import outbox
from core.attachments import for_page_only
from core.bot.texts import Texts
from core.conversations.preamble import build_preamble
from core.db.models import Conversation, Message, Turn, get_current_time
from core.errors import NotFound
from core.events import MessageStored
from core.feedback import settings as learning
from core.feedback.thumbs import is_offered
from core.handoffs import policy, requests, settings
from core.handoffs.transitions import person_has_word
from core.messages import as_event
from core.rasa.answer import FAILED, RasaAnswer, Reply

log = structlog.get_logger()

NO_HELP = ("clarified", "unknown", "handoff")
"""Outcomes whose reply is dropped when an upset customer is handed to an agent."""


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
            kind=reply.kind,
            text=reply.text,
            buttons=list(reply.buttons),
            sources=list(reply.sources),
            attachments=list(reply.attachments),
            turn_id=turn.id if reply.answers else None,
        )
        for reply in replies
    ]
    session.add_all(messages)
    session.flush()
    if conversation.address is not None:
        for message in messages:
            if any(each["kind"] == "custom" for each in message.attachments):
                log.info("a custom payload is for the widget's page alone", channel=conversation.channel)
            outbox.to_customer(session, conversation, message)
    return messages


def finish_turn(  # noqa: PLR0917 - a turn and all that came of it
    session: Session, conversation_id: str, turn_id: str, reading: RasaAnswer, total_ms: float, texts: Texts
) -> list[MessageStored]:
    """Store a turn's reply and results, and return the messages; drop the reply if an agent has taken over."""
    conversation, turn = _lock_turn(session, conversation_id, turn_id)
    if turn.status == "answered":
        return []
    if handoff := person_has_word(session, conversation):
        turn.status = "person"
        log.info("answer dropped, a person has the word", handoff_id=handoff.id)
        return []
    _record_answer(turn, reading, total_ms)
    session.flush()
    messages = _write_answer(session, conversation, turn, reading, texts)
    last = next((m.id for m in reversed(messages) if not for_page_only(m.text, m.buttons, m.attachments)), "")
    offered = turn.rateable and is_offered(
        learning.get_learning_settings(session, turn.tenant_id).ask_feedback, turn.id
    )
    return [as_event(message, rateable=offered and message.id == last) for message in messages]


def _write_answer(
    session: Session, conversation: Conversation, turn: Turn, reading: RasaAnswer, texts: Texts
) -> list[Message]:
    """Store the bot's messages; if it has to step back, announce and request a handoff."""
    chosen, texts = settings.get_handoff_settings(session, turn.tenant_id), texts.of(session, conversation.id)
    words = "\n".join(reply.text for reply in reading.replies)
    why, there = policy.from_answer(session, chosen, conversation, turn, words), chosen.attended(get_current_time())
    told = why is None or why.trigger == "asked"  # rejoinder_handoff announces it itself
    outcome, answer = reading.outcome, _add_page_only_notice(conversation, reading.replies, texts)
    if why and why.trigger == "sentiment" and there:
        answer = tuple(_without_choices(reply, texts) for reply in answer)
        if outcome in NO_HELP:
            outcome, answer = "handoff", ()
            turn.outcome, turn.rateable = outcome, False
    announced = () if told else (announce_handoff(texts, there=there),)
    if why and told and not there and answer:
        answer = (*answer[:-1], replace(answer[-1], kind="contact_request"))
    replies = build_preamble(session, turn, outcome, texts) + answer + announced
    messages = write_replies(session, conversation, turn, replies)
    if why:
        requests.request_handoff(session, conversation, why, there=there)
    return messages


def announce_handoff(texts: Texts, *, there: bool) -> Reply:
    """Return the announcement of a handoff, or a request for contact details if nobody is available."""
    return Reply(texts.handoff_announced(there=there), kind=None if there else "contact_request")


def _add_page_only_notice(conversation: Conversation, replies: tuple[Reply, ...], texts: Texts) -> tuple[Reply, ...]:
    """Add a notice for a customer outside the widget's page who could see none of the replies."""
    seen = [each for each in replies if not for_page_only(each.text, each.buttons, each.attachments)]
    return replies if seen or conversation.address is None else (*replies, Reply(texts.page_only))


def _without_choices(reply: Reply, texts: Texts) -> Reply:
    """Remove the choices from a reply before a handoff, since the bot would not handle a press."""
    return replace(reply, text=reply.text.removesuffix(texts.not_meant).rstrip(), buttons=())


def _record_answer(turn: Turn, reading: RasaAnswer, total_ms: float) -> None:
    note = reading.note
    turn.status, turn.outcome, turn.error = "answered", reading.outcome, note.get("error")
    if reading.outcome == FAILED:
        turn.status = "failed"
    turn.rateable = reading.rateable
    turn.confidence = note.get("confidence")
    turn.entries = list(note.get("entries", ()))
    turn.retrieval_ms, turn.generation_ms = note.get("retrieval_ms"), note.get("generation_ms")
    for field in ("written_by", "route", "complexity", "groundedness", "prompt_version"):
        setattr(turn, field, note.get(field))
    turn.cost = Decimal(note["cost"]) if note.get("cost") else None
    turn.total_ms, turn.answered_at = total_ms, get_current_time()
    note_understanding(turn, note.get("understanding") or {})


def _lock_turn(session: Session, conversation_id: str, turn_id: str) -> tuple[Conversation, Turn]:
    """Lock the conversation until the end of the transaction; return it and the turn.

    Raises:
        NotFound: the conversation is gone.
    """
    conversation = Conversation.lock(session, conversation_id)
    if conversation is None:
        raise NotFound("There is no such conversation.")
    return conversation, session.get_one(Turn, turn_id)


def note_understanding(turn: Turn, understanding: dict[str, object]) -> None:
    """Record how Rasa understood the message: intent, confidence, NLU time in milliseconds, and who took it and why."""
    turn.intent = str(understanding["intent"]) if understanding.get("intent") else turn.intent
    if isinstance(decision := understanding.get("decision"), dict):
        turn.decision = decision
    for field, key in (("intent_confidence", "confidence"), ("nlu_ms", "nlu_ms")):
        if isinstance(value := understanding.get(key), int | float):
            setattr(turn, field, float(value))


def apologise_for_failure(
    session: Session,
    conversation_id: str,
    turn_id: str,
    texts: Texts,
    *,
    status: Literal["waiting", "failed"],
    error: str,
) -> list[MessageStored]:
    """Tell the customer once that something failed, unless an agent owns the conversation.

    The turn becomes failed or stays waiting. An upset customer is handed to an agent at once.
    """
    conversation, turn = _lock_turn(session, conversation_id, turn_id)
    if person_has_word(session, conversation):
        turn.status = "person"
        return []
    told, texts = turn.error is not None, texts.of(session, conversation_id)
    turn.status, turn.error = status, error
    turn.outcome = FAILED if status == "failed" else turn.outcome
    text = texts.waiting if status == "waiting" else texts.failed
    due = (Reply(text),) if not told or status == "failed" else ()
    chosen = settings.get_handoff_settings(session, turn.tenant_id)
    there = chosen.attended(get_current_time())
    asked = session.get_one(Message, turn.message_id)
    why = policy.from_feeling(session, chosen, conversation, asked) if there or status == "failed" else None
    announced = (announce_handoff(texts, there=there),) if why else ()
    messages = write_replies(session, conversation, turn, due + announced)
    if why:
        requests.request_handoff(session, conversation, why, there=there)
    return [as_event(message) for message in messages]
