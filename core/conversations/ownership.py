"""How a handoff affects a turn: whether the bot is asked, what it may say, and what its tracker receives afterwards."""

from __future__ import annotations

from typing import Final

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from core.attachments import in_words
from core.bot.texts import Texts
from core.conversations import file_replies
from core.conversations.preamble import build_delay_apology
from core.conversations.replies import announce_handoff, write_replies
from core.db.models import Conversation, Handoff, Message, Turn, get_current_time
from core.handoffs import messages, policy, requests, settings
from core.handoffs.transitions import HandoffEvent, apply_transition, find_open_handoff, may_speak, person_has_word
from core.rasa.answer import Reply

PERSON: Final = "person"
"""The status of a turn that an agent handles."""


def instead_of_bot(
    session: Session, conversation: Conversation, message: Message, turn: Turn, texts: Texts
) -> list[Message] | None:
    """Store and return the messages sent instead of asking the bot, or return None to ask it; needs a locked conversation."""
    if handoff := person_has_word(session, conversation):
        turn.status = PERSON
        messages.forward_to_desks(session, conversation, handoff, message)
        return []
    texts = texts.of(session, conversation.id)
    if said := _contact_left(session, conversation, message, turn, texts):
        return said
    chosen = settings.get_handoff_settings(session, conversation.tenant_id)
    why = policy.from_message(session, chosen, conversation, message)
    if why is None:
        return _file_received(session, conversation, message, turn, texts)
    there = chosen.attended(get_current_time())
    announced = announce_handoff(texts, there=there)
    said = write_replies(session, conversation, turn, (*build_delay_apology(session, turn, message, texts), announced))
    turn.status, turn.outcome, turn.answered_at = "answered", "handoff", get_current_time()
    session.flush()
    requests.request_handoff(session, conversation, why, there=there)
    return said


def _contact_left(
    session: Session, conversation: Conversation, message: Message, turn: Turn, texts: Texts
) -> list[Message]:
    """Record contact details left right after a contact request; return the bot's confirmation, if any."""
    handoff, contact = find_open_handoff(session, conversation), policy.contact_in(message.text)
    if handoff is None or contact is None:
        return []
    before = session.scalar(select(Message).filter_by(conversation_id=conversation.id, seq=message.seq - 1))
    if before is None or before.kind != "contact_request":
        return []
    apply_transition(session, conversation, HandoffEvent("leave_contact", "customer", contact=contact))
    messages.forward_to_desks(session, conversation, handoff, message)
    turn.status, turn.answered_at = PERSON, get_current_time()
    return write_replies(session, conversation, turn, (Reply(texts.handoff_contact),))


def _file_received(
    session: Session, conversation: Conversation, message: Message, turn: Turn, texts: Texts
) -> list[Message] | None:
    """Acknowledge a photo or file sent without text, or return None."""
    said = file_replies.acknowledge_files(session, message, texts)
    if said is None:
        return None
    turn.status, turn.outcome, turn.answered_at = "answered", file_replies.OUTCOME, get_current_time()
    return write_replies(session, conversation, turn, (*build_delay_apology(session, turn, message, texts), *said))


def can_ask_bot(session: Session, conversation_id: str, turn_id: str) -> bool:
    """Whether the bot may be asked; if not, mark the turn as an agent's. Storing the reply checks again."""
    if may_speak(session, conversation_id):
        return True
    session.get_one(Turn, turn_id).status = PERSON
    return False


def list_unheard_messages(session: Session, conversation_id: str, turn_id: str) -> tuple[list[tuple[str, str]], int]:
    """Return (speaker, text) of what was said before this turn while an agent owned the conversation, and its last number."""
    handoff = _last_handoff(session, conversation_id)
    if handoff is None:
        return [], 0
    own = session.get_one(Message, session.get_one(Turn, turn_id).message_id)
    said = (
        select(Message.speaker, Message.text, Message.attachments)
        .outerjoin(Turn, Turn.message_id == Message.id)
        .where(Message.conversation_id == conversation_id, Message.seq > handoff.recorded_seq, Message.seq < own.seq)
        .where(or_(Message.speaker == "agent", Turn.status == PERSON))
        .order_by(Message.seq)
    )
    found = [(speaker, in_words(text, attachments)) for speaker, text, attachments in session.execute(said)]
    return found, own.seq - 1


def mark_messages_recorded(session: Session, conversation_id: str, up_to: int) -> None:
    """Record that the tracker has every message up to this number."""
    if handoff := _last_handoff(session, conversation_id):
        handoff.recorded_seq = max(handoff.recorded_seq, up_to)


def _last_handoff(session: Session, conversation_id: str) -> Handoff | None:
    query = select(Handoff).filter_by(conversation_id=conversation_id).order_by(Handoff.id.desc()).limit(1)
    return session.scalar(query)
