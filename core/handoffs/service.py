"""Staff operations on handoffs, as coroutines. Every desk and the staff API go through them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.bot.texts import Texts
from core.db import Database
from core.db.models import Conversation, Handoff, HandoffNote, get_current_time
from core.errors import Conflict, InvalidInput, NotFound
from core.events import MessageStored
from core.handoffs import messages, policy, requests, settings
from core.handoffs.staff.queries import HandoffFilter, History, get_handoff_history, list_handoffs
from core.handoffs.staff.views import HandoffView, build_handoff_view
from core.handoffs.transitions import Applied, HandoffEvent, apply_transition, known_event, person_has_word
from core.messages import as_event

T = TypeVar("T")


class HandoffService:
    """Claims, answers, returns and closes handoffs; ``by`` is the agent who acts.

    ``event_id`` is the desk's own id of the event, prefixed with the desk ("console:..."). A repeated id changes nothing
    and returns the existing result. All methods raise NotFound if the tenant has no such handoff, and Conflict if its
    state does not allow the operation, for example after it ended.
    """

    def __init__(
        self,
        database: Database,
        texts: Texts,
        wake: Callable[[], None] = lambda: None,
        clock: Callable[[], datetime] = get_current_time,
    ) -> None:
        self._database, self._texts, self._wake, self._clock = database, texts, wake, clock

    async def listed(
        self, tenant_id: str, wanted: HandoffFilter, limit: int = 50, offset: int = 0
    ) -> tuple[int, list[HandoffView]]:
        """Return the number of matches and one page of them: urgent first, then longest waiting."""
        return await self._database.run(lambda session: list_handoffs(session, tenant_id, wanted, limit, offset))

    async def one(self, tenant_id: str, handoff_id: str) -> HandoffView:
        """Return one handoff as it stands."""
        return await self._database.run(
            lambda session: build_handoff_view(session, get_handoff(session, tenant_id, handoff_id))
        )

    async def history(self, tenant_id: str, handoff_id: str) -> History:
        """Return a handoff with its messages, transitions and notes."""
        return await self._database.run(
            lambda session: get_handoff_history(session, get_handoff(session, tenant_id, handoff_id))
        )

    async def claim(
        self, tenant_id: str, handoff_id: str, by: str, event_id: str | None = None, *, held_by: str | None = None
    ) -> HandoffView:
        """Assign the handoff to ``by``, even from a colleague. The desks are notified, the customer is not.

        ``held_by`` is the owner that the agent last saw, empty for none; a Conflict then names who has claimed it since.
        """
        happening = HandoffEvent("claim", by, event_id=event_id)
        return await self._apply_happening(tenant_id, handoff_id, happening, held_by=held_by)

    async def reply(
        self,
        tenant_id: str,
        handoff_id: str,
        text: str,
        by: str,
        *,
        desk: str,
        event_id: str | None = None,
        attachments: list[dict[str, Any]] | None = None,
        held_by: str | None = None,
    ) -> MessageStored:
        """Send a reply on the customer's current channel; this claims an unclaimed handoff.

        Here ``event_id`` has no prefix and at most 50 characters. See ``core.attachments`` for ``attachments``, and
        ``claim`` for ``held_by``.

        Raises:
            InvalidInput: the text is empty or longer than 4,000 characters.
        """

        def store_reply(session: Session) -> MessageStored:
            if event_id and (known := messages.said_before(session, tenant_id, desk, event_id)):
                return as_event(known)
            conversation = lock_conversation(session, tenant_id, handoff_id)
            refuse_if_taken(session, handoff_id, by, held_by)
            message, _ = messages.store_staff_reply(
                session, conversation, text, by, desk=desk, event_id=event_id, attachments=attachments
            )
            return as_event(message)

        return await self._run_and_wake(store_reply)

    async def give_back(self, tenant_id: str, handoff_id: str, by: str, event_id: str | None = None) -> HandoffView:
        """Return the conversation to the bot, which announces it; its tracker receives what was said meanwhile."""

        def announce_return(session: Session, conversation: Conversation, _: Applied) -> None:
            texts = self._texts.of(session, conversation.id)
            messages.store_announcement(session, conversation, texts.handoff_returned)

        return await self._apply_happening(
            tenant_id, handoff_id, HandoffEvent("give_back", by, event_id=event_id), announce_return
        )

    async def close(
        self, tenant_id: str, handoff_id: str, by: str, *, resolved: bool | None = None, event_id: str | None = None
    ) -> HandoffView:
        """Close the handoff and its conversation; ``resolved`` says whether the customer was helped."""
        return await self._apply_happening(
            tenant_id, handoff_id, HandoffEvent("close", by, event_id=event_id, resolved=resolved)
        )

    async def take_over(
        self, tenant_id: str, conversation_id: str, by: str, event_id: str | None = None, *, held_by: str | None = None
    ) -> HandoffView:
        """Take over without a request, or claim an open handoff; see ``claim`` for ``held_by``."""

        def apply_take_over(session: Session) -> HandoffView:
            conversation = Conversation.lock(session, conversation_id)
            if conversation is None or conversation.tenant_id != tenant_id:
                raise NotFound("There is no such conversation.")
            if conversation.handoff_id:
                refuse_if_taken(session, conversation.handoff_id, by, held_by)
            why = policy.taken_over(session, conversation, by)
            event = "claim" if conversation.handoff_id else "take_over"
            happening = HandoffEvent(event, by, event_id=event_id, why=why)  # type: ignore[arg-type]
            return build_handoff_view(session, apply_transition(session, conversation, happening).handoff)

        return await self._run_and_wake(apply_take_over)

    async def note(self, tenant_id: str, handoff_id: str, text: str, by: str, event_id: str | None = None) -> None:
        """Add an internal staff note.

        Raises:
            InvalidInput: the note is empty or longer than 4,000 characters.
        """

        def store_note(session: Session) -> None:
            handoff = get_handoff(session, tenant_id, handoff_id)
            if not 0 < len(text.strip()) <= messages.LONGEST:
                raise InvalidInput(f"A note has 1 to {messages.LONGEST} characters.")
            same = {"tenant_id": tenant_id, "event_id": event_id}
            if event_id and session.scalar(select(HandoffNote.id).filter_by(**same)):
                return
            session.add(HandoffNote(**same, handoff_id=handoff.id, text=text.strip(), by=by))

        await self._run_and_wake(store_note)

    async def consider_thumbs(self, conversation_id: str) -> None:
        """Request a handoff if too many answers were rated not helpful."""

        def request_from_thumbs(session: Session) -> None:
            conversation = Conversation.lock(session, conversation_id)
            if conversation is None or person_has_word(session, conversation):
                return
            chosen = settings.get_handoff_settings(session, conversation.tenant_id)
            if why := policy.from_thumbs(session, chosen, conversation):
                there = chosen.attended(self._clock())
                text = self._texts.of(session, conversation.id).handoff_announced(there=there)
                messages.store_announcement(session, conversation, text)
                requests.request_handoff(session, conversation, why, there=there)

        await self._run_and_wake(request_from_thumbs)

    async def _apply_happening(
        self,
        tenant_id: str,
        handoff_id: str,
        happening: HandoffEvent,
        then: Callable[[Session, Conversation, Applied], None] = lambda *_: None,
        held_by: str | None = None,
    ) -> HandoffView:
        def apply_unless_known(session: Session) -> HandoffView:
            if known_event(session, tenant_id, happening.key):
                return build_handoff_view(session, get_handoff(session, tenant_id, handoff_id))
            conversation = lock_conversation(session, tenant_id, handoff_id)
            refuse_if_taken(session, handoff_id, happening.by, held_by)
            applied = apply_transition(session, conversation, happening)
            then(session, conversation, applied)
            return build_handoff_view(session, applied.handoff)

        return await self._run_and_wake(apply_unless_known)

    async def _run_and_wake(self, work: Callable[[Session], T]) -> T:
        done = await self._database.run(work)
        self._wake()
        return done


def get_handoff(session: Session, tenant_id: str, handoff_id: str) -> Handoff:
    """Return a handoff of the tenant.

    Raises:
        NotFound: the tenant has no such handoff.
    """
    handoff = session.get(Handoff, handoff_id)
    if handoff is None or handoff.tenant_id != tenant_id:
        raise NotFound(f"There is no handoff {handoff_id!r}.")
    return handoff


def lock_conversation(session: Session, tenant_id: str, handoff_id: str) -> Conversation:
    """Lock and return the conversation of an open handoff.

    Raises:
        NotFound: the tenant has no such handoff.
        Conflict: the handoff has ended; the message says how.
    """
    conversation = Conversation.lock(session, get_handoff(session, tenant_id, handoff_id).conversation_id)
    if conversation is None or conversation.handoff_id != handoff_id:
        handoff = session.get_one(Handoff, handoff_id, populate_existing=True)
        raise Conflict(f"This handoff is over: {handoff.state.replace('_', ' ')}.")
    return conversation


def refuse_if_taken(session: Session, handoff_id: str, by: str, held_by: str | None) -> None:
    """Refuse an agent who does not know the current owner; ``held_by`` None skips the check.

    Raises:
        Conflict: a colleague claimed the handoff meanwhile; the message says who.
    """
    holder = session.get_one(Handoff, handoff_id, populate_existing=True).claimed_by
    if held_by is not None and holder and holder not in {by, held_by}:
        raise Conflict(f"{holder} took this meanwhile.")
