"""Find the reply that a rating on WhatsApp or SMS refers to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from connectors.twilio.keywords import Rating
from connectors.twilio.system_messages import NOTICE, OPT_OUT
from core import messages
from core.conversations.inbox import InboundSender
from core.db.models import Delivery, InteractionFeedback, Message, Turn

REACTION = timedelta(seconds=2)
"""A message sent less than this ago and not marked as read cannot have been rated in words."""
_QUESTION = ("?", "؟")


@dataclass(frozen=True)
class Rated:
    """A rated reply of the bot."""

    conversation_id: str
    message_id: str
    first: bool
    """Whether the reply had no rating before."""


def by_button(session: Session, sender: InboundSender, message_id: str) -> Rated | None:
    """Return the reply that carries the button, or None if it was never sent to this number."""
    return _find_rated_answer(session, _find_sent_message(session, sender, Message.id == message_id))


def by_quote(session: Session, sender: InboundSender, vendor_id: str) -> Rated | None:
    """Return the reply that was quoted or reacted to."""
    return _find_rated_answer(session, _find_sent_message(session, sender, Delivery.vendor_id == vendor_id))


def by_words(session: Session, sender: InboundSender, rating: Rating, at: datetime) -> Rated | None:
    """Return the last message that the customer can have read, if it is a rateable reply.

    An ambiguous text counts only if we asked for a rating. None means that the text is a message, not a rating.
    """
    seen = or_(Delivery.state == "read", Delivery.sent_at <= at - REACTION)
    last = _find_sent_message(session, sender, seen, Delivery.sent_at <= at, Delivery.cause.not_in((NOTICE, OPT_OUT)))
    if last is None or last.buttons:
        return None
    if not rating.sure and not _has_rating_request(session, last):
        return None
    return _find_rated_answer(session, last)


def _has_rating_request(session: Session, message: Message) -> bool:
    """Whether the message asked for a rating and contains no other question."""
    return messages.build_message_event(session, message).rateable and not message.text.rstrip().endswith(_QUESTION)


def _find_sent_message(session: Session, sender: InboundSender, *conditions: object) -> Message | None:
    query = (
        select(Message)
        .join(Delivery, Delivery.message_id == Message.id)
        .where(
            Delivery.tenant_id == sender.tenant_id,
            Delivery.destination == sender.channel,
            Delivery.address == sender.address,
            Delivery.kind == "message",
            Delivery.state.in_(("sent", "delivered", "read")),
            *conditions,  # type: ignore[arg-type]
        )
    )
    return session.scalar(query.order_by(Delivery.sent_at.desc(), Delivery.id.desc()).limit(1))


def _find_rated_answer(session: Session, message: Message | None) -> Rated | None:
    turn = session.get(Turn, message.turn_id) if message and message.turn_id else None
    if message is None or turn is None or not turn.rateable:
        return None
    given = select(InteractionFeedback.helpful).filter_by(turn_id=turn.id)
    return Rated(message.conversation_id, message.id, first=session.scalar(given) is None)
