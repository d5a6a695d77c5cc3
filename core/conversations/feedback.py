"""Feedback operations for channels, as coroutines."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from sqlalchemy.orm import Session

from core.conversations import lifecycle
from core.db import Database
from core.feedback import surveys, thumbs
from core.feedback.surveys import Ending
from core.feedback.types import Source

Consider = Callable[[str], Awaitable[None]]


class Feedback:
    """Stores ratings and survey answers, and ends conversations."""

    def __init__(self, database: Database, consider: Consider | None = None) -> None:
        """``consider`` is called with each conversation in which an answer was rated not helpful."""
        self._database = database
        self._consider = consider

    async def rate(
        self, conversation_id: str, message_id: str, *, helpful: bool, comment: str | None, source: Source = "widget"
    ) -> None:
        """Store or replace the customer's rating of an answer.

        Raises:
            NotFound: the message is not an answer of this conversation.
        """
        await self._database.run(
            lambda session: thumbs.store_rating(
                session, conversation_id, message_id, helpful=helpful, comment=comment, source=source
            )
        )
        if self._consider and not helpful:
            await self._consider(conversation_id)

    async def end(self, conversation_id: str) -> Ending:
        """End the conversation for the customer; return what to ask them now.

        Raises:
            NotFound: there is no such conversation.
        """

        def close_conversation(session: Session) -> Ending:
            lifecycle.close_conversation(session, conversation_id)
            return surveys.prepare_ending(session, conversation_id)

        return await self._database.run(close_conversation)

    async def ending(self, conversation_id: str) -> Ending:
        """Return whether the conversation is closed, and what to ask the customer now.

        Raises:
            NotFound: there is no such conversation.
        """
        return await self._database.run(lambda session: surveys.prepare_ending(session, conversation_id))

    async def answer(self, conversation_id: str, kind: str, score: int | None, comment: str | None) -> Ending:
        """Store a survey score, or None for a dismissed survey; return what to ask next.

        Raises:
            InvalidInput: the score is out of range.
            NotFound: the customer was not asked this.
        """

        def store_answer(session: Session) -> Ending:
            surveys.store_survey_answer(session, conversation_id, kind, score, comment)
            session.flush()
            return surveys.prepare_ending(session, conversation_id)

        return await self._database.run(store_answer)
