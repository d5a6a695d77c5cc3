"""When the bot steps back: each trigger checks the stored data and returns a reason, or None."""

from __future__ import annotations

import re
from functools import lru_cache

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from core.bot.parts import VALUE
from core.db.models import Conversation, Customer, InteractionFeedback, Message, Turn
from core.db.models.statuses import Urgency
from core.handoffs.settings import Handoffs
from core.handoffs.summary import summarise_conversation
from core.handoffs.transitions import HandoffReason, Trigger

NOT_UNDERSTOOD = ("nlu_fallback", "out_of_scope")
_WHO = r"(?:someone|somebody|a (?:person|human|colleague|specialist|representative|member of (?:our|the) team|team member))"
_TEAM = rf"(?:{_WHO}|one of (?:our|my) (?:team|colleagues|agents)|(?:our|the) (?:support |service )?team|an agent|an advis[eo]r)"
_PROMISES = re.compile(
    rf"\b{_TEAM} (?:will|is going to|'ll) (?:\w+ )?(?:contact|call|reach|get back|be in touch|reply|answer|help|e-?mail|write|join|take over|follow up)"
    rf"|\bI(?:'ll| will|'m going to| am going to|'m| am) (?:\w+ )?(?:connect|connecting|transfer|transferring|pass|passing|hand|handing|forward|forwarding|escalate|escalating) "
    rf"(?:you|this|it|your \w+)(?: \w+){{0,3}} (?:to|on to|over to) {_TEAM}",
    re.IGNORECASE,
)
_CONTACT = re.compile(r"[^@\s<>]+@[^@\s.<>]+(?:\.[^@\s.<>]+)+|\+?\d(?:[\s().-]?\d){6,14}")


def from_message(
    session: Session, settings: Handoffs, conversation: Conversation, message: Message
) -> HandoffReason | None:
    """Check what the customer wrote and who they are, before the bot is asked."""
    topic = _find_risky_topic(settings, message.text)
    if topic:
        return _build_handoff_reason(session, conversation, "risky_topic", f"The customer wrote of “{topic}”.", "high")
    customer = session.get(Customer, conversation.customer_id) if conversation.customer_id else None
    if settings.vip and customer is not None and customer.vip:
        return _build_handoff_reason(session, conversation, "vip", "The customer is a VIP.", "high")
    return None


def from_feeling(
    session: Session, settings: Handoffs, conversation: Conversation, message: Message, *, is_answered: bool = False
) -> HandoffReason | None:
    """Check the customer's sentiment, alongside the bot's reply.

    A message that got a sure answer ("badge lost") or an action ("not now") is no sign of frustration.
    """
    if settings.angry and message.sentiment == "angry":
        return _build_handoff_reason(session, conversation, "sentiment", "The customer is angry.", "high")
    if settings.negative and not is_answered and _negative_in_a_row(session, message, settings.negative):
        return _build_handoff_reason(session, conversation, "sentiment", "The customer is getting frustrated.")
    return None


def from_answer(
    session: Session, settings: Handoffs, conversation: Conversation, turn: Turn, said: str
) -> HandoffReason | None:
    """Check how the bot's reply came about and what it says, before it is stored. The turn has its new values."""
    if turn.outcome == "handoff" and settings.asked:
        return _build_handoff_reason(session, conversation, "asked", "The customer asked for a person.")
    is_done = turn.outcome == "action" and turn.intent not in (None, *NOT_UNDERSTOOD)
    is_answered = is_done or (turn.outcome == "answered" and bool(turn.entries))
    message = session.get_one(Message, turn.message_id)
    feels = from_feeling(session, settings, conversation, message, is_answered=is_answered)
    if feels or turn.outcome == "handoff":
        return feels
    if settings.unknown and _unknown_in_a_row(session, turn) >= settings.unknown:
        return _build_handoff_reason(
            session, conversation, "unknown", f"The bot did not know an answer {settings.unknown} times."
        )
    sure = turn.intent_confidence
    if turn.outcome == "action" and turn.entries == [] and sure is not None and sure < settings.action_confidence:
        reason = f"The bot did something on an understanding of {sure:.0%}."
        return _build_handoff_reason(session, conversation, "low_confidence", reason)
    if settings.promised and _PROMISES.search(said):
        return _build_handoff_reason(session, conversation, "promised", "The bot's answer promises a person.")
    return None


def from_thumbs(session: Session, settings: Handoffs, conversation: Conversation) -> HandoffReason | None:
    """Check the number of thumbs down in the conversation."""
    down = select(func.count(InteractionFeedback.id)).filter_by(conversation_id=conversation.id, helpful=False)
    if settings.not_helpful and (session.scalar(down) or 0) >= settings.not_helpful:
        reason = f"The customer marked {settings.not_helpful} answers as not helpful."
        return _build_handoff_reason(session, conversation, "not_helpful", reason)
    return None


def taken_over(session: Session, conversation: Conversation, by: str) -> HandoffReason:
    """Return the reason for a takeover that was not requested."""
    return _build_handoff_reason(session, conversation, "taken_over", f"{by} took over.")


def contact_in(text: str) -> str | None:
    """Return the e-mail address or phone number in a message, or None."""
    found = _CONTACT.search(text)
    return found.group().strip() if found else None


def _build_handoff_reason(
    session: Session, conversation: Conversation, trigger: Trigger, reason: str, urgency: Urgency | None = None
) -> HandoffReason:
    summary = summarise_conversation(session, conversation.id)
    last = session.execute(
        select(Message.sentiment, Message.urgency)
        .filter_by(conversation_id=conversation.id, speaker="customer")
        .order_by(Message.seq.desc())
        .limit(1)
    ).first()
    feeling, felt = (last[0] or "neutral", last[1] or "normal") if last else ("neutral", "normal")
    return HandoffReason(trigger, reason, urgency or felt, feeling, summary.text, summary.sources)


def _find_risky_topic(settings: Handoffs, text: str) -> str | None:
    found = _compile_topic_pattern(tuple(settings.risky_topics)).search(text) if settings.risky_topics else None
    return found.group() if found else None


@lru_cache(maxsize=64)
def _compile_topic_pattern(topics: tuple[str, ...]) -> re.Pattern[str]:
    """Compile a pattern for the topics as whole words, ignoring case and spacing."""
    words = (r"\s+".join(map(re.escape, topic.split())) for topic in topics)
    return re.compile(rf"(?<!\w)(?:{'|'.join(words)})(?!\w)", re.IGNORECASE)


def _negative_in_a_row(session: Session, message: Message, count: int) -> bool:
    """Whether the last ``count`` messages up to this one are negative; form values ("low", "it is broken") do not count."""
    query = (
        select(Message.id, Message.sentiment)
        .outerjoin(Turn, Turn.message_id == Message.id)
        .where(Message.conversation_id == message.conversation_id, Message.speaker == "customer")
        .where(or_(Turn.intent.is_(None), Turn.intent != VALUE))
    )
    last = session.execute(query.order_by(Message.seq.desc()).limit(count)).all()
    feels = len(last) == count and all(sentiment in {"negative", "angry"} for _, sentiment in last)
    return feels and last[0].id == message.id


def _unknown_in_a_row(session: Session, turn: Turn) -> int:
    """Count the latest turns in a row without a known answer; clarified turns do not interrupt the row.

    Messages without letters or digits, such as emoji, are not questions and do not count.
    """
    query = (
        select(Turn.outcome, Message.text)
        .join(Message, Message.id == Turn.message_id)
        .where(Turn.conversation_id == turn.conversation_id)
    )
    count = 0
    for outcome, text in session.execute(query.order_by(Message.seq.desc()).limit(20)):
        if outcome == "unknown":
            count += re.search(r"\w", text) is not None
        elif outcome != "clarified":
            break
    return count
