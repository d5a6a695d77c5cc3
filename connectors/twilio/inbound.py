"""Handle each incoming event: an opt-out keyword, a rating, an event without content, or a message for the bot or an agent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from time import perf_counter

import structlog
from sqlalchemy import update
from sqlalchemy.orm import Session

from connectors.base import Inbound, RawRequest
from connectors.base.inbound import receive_inbound
from connectors.twilio import ratings
from connectors.twilio.channel import Fields, TwilioChannel, choice_in, files_in
from connectors.twilio.keywords import Rating, rating_in, wants_messages
from connectors.twilio.media import Media
from connectors.twilio.ratings import Rated
from connectors.twilio.renderer import RATE
from connectors.twilio.system_messages import (
    LEFT_ALONE,
    NOTICE,
    OPT_OUT,
    first_time,
    is_event_handled,
    send_system_message,
)
from connectors.twilio.texts import ChannelTexts
from connectors.twilio.voice import VoiceNotes
from core import customers
from core.conversations.feedback import Feedback
from core.conversations.inbox import InboundSender
from core.conversations.turns import Turns
from core.db import Database
from core.db.models import Conversation, Delivery, get_current_time
from core.errors import InvalidInput, NotFound
from core.feedback.types import Source
from core.handoffs.transitions import may_speak

log = structlog.get_logger()
_UNREADABLE = ("audio", "sticker")


@dataclass(frozen=True)
class InboundHandler:
    """Handles verified events; idempotent, since any event may be repeated."""

    channel: TwilioChannel
    turns: Turns
    feedback: Feedback
    database: Database
    texts: ChannelTexts
    media: Media
    wake: Callable[[], None]
    voice: VoiceNotes | None = None
    """If None, customers are asked to write instead."""
    clock: Callable[[], datetime] = get_current_time
    """Returns the time at which the customer wrote."""

    async def take(self, fields: Fields) -> None:
        """Store an event, or act on it.

        Raises:
            InvalidInput: the event cannot be read.
            NotFound: the event is for a number that is not ours.
        """
        sender = self.channel.sender(fields)
        if _is_group(fields):
            log.info("a group's message is left alone", sid=fields["MessageSid"])
            await self._leave_alone(sender, fields)
        elif not (await self._handle_opt_request(sender, fields) or await self._handle_rating(sender, fields)):
            await self._handle_message(sender, fields)
        self.wake()

    async def too_fast(self, fields: Fields) -> None:
        """Tell a rate-limited customer that they are writing too fast."""
        await self._send_notice(self.channel.sender(fields), fields, self.texts.too_fast)
        self.wake()

    async def _handle_opt_request(self, sender: InboundSender, fields: Fields) -> bool:
        wanted = wants_messages(fields.get("Body", ""))
        if wanted is None or (sender.channel == "sms" and fields.get("OptOutType") == "HELP"):
            return False

        def store_opt_state(session: Session) -> None:
            conversation = customers.conversation_at(session, *_get_address_key(sender), self.clock())
            row = customers.address_of(session, *_get_address_key(sender))
            action = "opted_in" if wanted else "opted_out"
            if not first_time(session, sender.tenant_id, fields["MessageSid"], action, sender.channel):
                return
            row.opted_out_at = None if wanted else self.clock()
            send_system_message(
                session, conversation.id, self.texts.opted_in if wanted else self.texts.opted_out, OPT_OUT
            )

        await self.database.run(store_opt_state)
        return True

    async def _handle_rating(self, sender: InboundSender, fields: Fields) -> bool:
        choice, worded = choice_in(fields), self._parse_rating(fields.get("Body", ""))
        pressed = choice if choice and choice.what == RATE else None
        is_reaction = fields.get("MessageType") == "reaction"
        if pressed is None and worded is None:
            if is_reaction:  # a reaction with an emoji that is not a rating
                await self._leave_alone(sender, fields)
            return is_reaction
        helpful = pressed.place == 0 if pressed else bool(worded and worded.helpful)
        quoted = fields.get("OriginalRepliedMessageSid")

        def match_rated_answer(session: Session) -> Rated | None:
            found: Rated | None = None
            if pressed and pressed.message_id:
                found = ratings.by_button(session, sender, pressed.message_id)
            if found is None and quoted:
                found = ratings.by_quote(session, sender, quoted)
            if found is None and worded and choice is None and not is_reaction:
                found = ratings.by_words(session, sender, worded, self.clock())
            return found

        seen, rated = await self.database.run(
            lambda session: (
                is_event_handled(session, sender.tenant_id, fields["MessageSid"]),
                match_rated_answer(session),
            )
        )
        if seen:
            return True
        if rated:
            await self._store_rating(sender, rated, fields["MessageSid"], helpful=helpful)
        elif is_reaction or pressed:
            await self._leave_alone(sender, fields)
        return rated is not None or is_reaction or pressed is not None

    def _parse_rating(self, text: str) -> Rating | None:
        """Parse a rating; also accept button titles, since Twilio's log contains only the title of a press."""
        if text in self.texts.rate:
            return Rating(helpful=text == self.texts.rate[0], sure=True)
        return rating_in(text)

    async def _store_rating(self, sender: InboundSender, rated: Rated, sid: str, *, helpful: bool) -> None:
        """Store the rating, then send thanks; Twilio's retry repeats both if the handling breaks off in between."""
        source: Source = "whatsapp" if sender.channel == "whatsapp" else "sms"
        await self.feedback.rate(rated.conversation_id, rated.message_id, helpful=helpful, comment=None, source=source)

        def send_thanks(session: Session) -> None:
            Conversation.lock(session, rated.conversation_id)
            customers.heard_from(session, customers.address_of(session, *_get_address_key(sender)), self.clock())
            if first_time(session, sender.tenant_id, sid, "rated", sender.channel) and rated.first:
                send_system_message(session, rated.conversation_id, self.texts.rated)

        await self.database.run(send_thanks)

    async def _handle_message(self, sender: InboundSender, fields: Fields) -> None:
        (inbound,) = self.channel.parse(fields, RawRequest())
        files = files_in(fields)
        spoken, unreadable = self.voice is not None and _is_voice(fields, files), _is_unreadable(fields, files)
        if unreadable and not spoken and await self._bot_has_word(sender):
            await self._send_notice(sender, fields, self.texts.write)
            return
        started = perf_counter()
        kept, refused = await self.media.fetch(files)
        if refused:
            await self._send_notice(sender, fields, self.texts.file_refused, about=":file")
        if spoken and self.voice and not inbound.text:
            text, kept = await self.voice.written_out(kept, started)
            if not text and kept and await self._bot_has_word(sender):
                await self._send_notice(sender, fields, self.texts.write)
                return
            inbound = replace(inbound, text=text)
        inbound = replace(inbound, attachments=(*inbound.attachments, *kept), sent_at=self.clock())
        if inbound.text or inbound.press or inbound.attachments:
            await self._receive_message(inbound, fields, sender)
        elif not refused:
            await self._send_notice(sender, fields, self.texts.write)
        else:
            await self._leave_alone(sender, fields)

    async def _receive_message(self, inbound: Inbound, fields: Fields, sender: InboundSender) -> None:
        try:
            await receive_inbound(self.turns, inbound)
        except NotFound:  # a button of an earlier conversation: use its title as text
            await receive_inbound(
                self.turns, replace(inbound, press=None, text=fields.get("ButtonText") or fields.get("Body"))
            )
        except InvalidInput as error:
            log.info("a message was refused", error=str(error))
            await self._send_notice(sender, fields, self.texts.too_long)
        await self.database.run(lambda session: _release_deliveries(session, sender, self.clock()))

    async def _bot_has_word(self, sender: InboundSender) -> bool:
        def can_bot_speak(session: Session) -> bool:
            found = customers.open_conversation(session, *_get_address_key(sender))
            return found is None or may_speak(session, found)

        return await self.database.run(can_bot_speak)

    async def _send_notice(self, sender: InboundSender, fields: Fields, text: str, about: str = "") -> None:
        """Send a notice once per event; ``about`` distinguishes notices that do not finish the event."""

        def store_notice(session: Session) -> None:
            conversation = customers.conversation_at(session, *_get_address_key(sender), self.clock())
            if first_time(session, sender.tenant_id, fields["MessageSid"] + about, NOTICE, sender.channel):
                send_system_message(session, conversation.id, text)

        await self.database.run(store_notice)

    async def _leave_alone(self, sender: InboundSender, fields: Fields) -> None:
        """Record an event that needs no action, so that the backfill does not treat it as missing."""
        await self.database.run(
            lambda s: first_time(s, sender.tenant_id, fields["MessageSid"], LEFT_ALONE, sender.channel)
        )


def _get_address_key(sender: InboundSender) -> tuple[str, str, str]:
    return sender.tenant_id, sender.channel, sender.address


def _is_group(fields: Fields) -> bool:
    return "GroupId" in fields or "OtherRecipients0" in fields or '"group' in fields.get("ChannelMetadata", "")


def _is_unreadable(fields: Fields, files: list[tuple[str, str]]) -> bool:
    """Whether the event has only audio files or a sticker, and no text."""
    kinds = {stated.split("/")[0] for _, stated in files}
    sticker = fields.get("MessageType") == "sticker"
    return not fields.get("Body") and (sticker or (bool(kinds) and kinds <= set(_UNREADABLE)))


def _is_voice(fields: Fields, files: list[tuple[str, str]]) -> bool:
    """Whether the event has only audio files and no text."""
    return not fields.get("Body") and bool(files) and all(stated.startswith("audio/") for _, stated in files)


def _release_deliveries(session: Session, sender: InboundSender, at: datetime) -> None:
    """Release deliveries that wait for the customer to reopen the session window."""
    where = {"tenant_id": sender.tenant_id, "destination": sender.channel, "address": sender.address, "state": "queued"}
    due = update(Delivery).filter_by(**where).where(Delivery.next_at > at, Delivery.waits_for == "customer")
    session.execute(due.values(next_at=at))
