"""Stored messages as the customer may see them."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.attachments import for_page_only
from core.db.models import Conversation, InteractionFeedback, Message, Turn
from core.errors import NotFound
from core.events import MessageStored
from core.feedback import settings
from core.feedback.thumbs import is_offered


def messages_after(session: Session, conversation_id: str, after: int) -> list[MessageStored]:
    """Return the stored messages with a higher number, oldest first, with their ratings.

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
    frequency = settings.get_learning_settings(session, conversation.tenant_id).ask_feedback
    sensible = session.scalars(select(Turn.id).where(Turn.id.in_(turns), Turn.rateable))
    rateable = {turn_id for turn_id in sensible if is_offered(frequency, turn_id)}
    last: dict[str | None, str] = {m.turn_id: m.id for m in messages if m.turn_id in rateable and _is_answer(m)}
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


def _is_answer(message: Message) -> bool:
    return message.speaker == "bot" and not for_page_only(message.text, message.buttons, message.attachments)


def build_message_event(session: Session, message: Message) -> MessageStored:
    """Return one message as an event, with its rating; only a message that answers a turn can have one."""
    if message.turn_id is None:
        return as_event(message)
    return messages_after(session, message.conversation_id, message.seq - 1)[0]


def as_event(message: Message, *, rateable: bool = False, helpful: bool | None = None) -> MessageStored:
    """Convert a message to what the customer may see, without button payloads and attachment paths."""
    return MessageStored(
        id=message.id,
        seq=message.seq,
        speaker=message.speaker,
        text=message.text,
        created_at=message.created_at,
        buttons=tuple(button["title"] for button in message.buttons or ()),
        sources=tuple(message.sources or ()),
        client_id=message.client_id,
        turn_id=message.turn_id,
        rateable=rateable,
        helpful=helpful,
        author=message.author,
        attachments=tuple(
            {name: value for name, value in each.items() if name != "path"} for each in message.attachments or ()
        ),
    )
