"""Continue a conversation at a phone number once its owner has entered the code sent there."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import phonenumbers
from limits import RateLimitItem, RateLimitItemPerHour, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from sqlalchemy import select
from sqlalchemy.orm import Session

from connectors.twilio.client import OutboundDraft, Twilio
from connectors.twilio.profile import Kind
from connectors.twilio.system_messages import send_system_message
from connectors.twilio.templates import CODE, Contents
from connectors.twilio.texts import ChannelTexts
from core import customers
from core.conversations import lifecycle
from core.db import Database
from core.db.models import Address, Conversation, get_current_time
from core.errors import Conflict, DeliveryFailed, InvalidInput, NotFound, TooManyRequests, Unavailable

CODE_SECONDS = 600
_SENDS, _TRIES = RateLimitItemPerHour(3, namespace="codes"), RateLimitItemPerMinute(5, 10, namespace="tries")


@dataclass(frozen=True)
class Transfer:
    """Sends and checks codes; a code is valid for ten to twenty minutes, for one conversation and number."""

    kind: Kind
    twilio: Twilio
    contents: Contents
    database: Database
    texts: ChannelTexts
    wake: Callable[[], None]
    clock: Callable[[], float] = time.time
    _windows: MovingWindowRateLimiter = field(default_factory=lambda: MovingWindowRateLimiter(MemoryStorage()))

    async def send_code(self, conversation_id: str, number: str) -> None:
        """Send a confirmation code to the number.

        Raises:
            InvalidInput: the number is invalid; `TooManyRequests` if codes were requested too often.
            Conflict: the owner of the number has opted out.
            Unavailable: Twilio does not accept the message, or WhatsApp has not approved the template.
        """
        number = _normalise_number(number)
        if await self.database.run(lambda session: self._opted_out(session, number)):
            raise Conflict("The owner of this number does not want to be written to.")
        self._check_rate_limit(_SENDS, conversation_id)
        self._check_rate_limit(_SENDS, number)
        try:
            sid = await self.contents.template(CODE)
            if sid is None:
                raise Unavailable(f"WhatsApp has not approved {CODE}: `rejoinder channels templates create`.")
            code = self._compute_transfer_code(conversation_id, number, 0)
            await self.twilio.send(self.kind, OutboundDraft(number, content_sid=sid, variables={"1": code}))
        except DeliveryFailed as error:
            raise Unavailable(f"The code could not be sent: {error}") from error

    async def confirm(self, conversation_id: str, number: str, code: str) -> None:
        """Move the conversation to the number; its messages stay, and the two customer records are merged.

        Raises:
            InvalidInput: the code is wrong or expired; `TooManyRequests` after five attempts.
            NotFound: there is no such conversation.
            Conflict: the owner of the number has opted out.
        """
        number = _normalise_number(number)
        self._check_rate_limit(_TRIES, conversation_id)
        self._check_rate_limit(_TRIES, number)
        good = [self._compute_transfer_code(conversation_id, number, ago) for ago in (0, 1)]
        if not any(hmac.compare_digest(code.strip().encode(), each.encode()) for each in good):
            raise InvalidInput("This code is wrong or too old.")
        await self.database.run(lambda session: self._move_conversation(session, conversation_id, number))
        self.wake()

    def _move_conversation(self, session: Session, conversation_id: str, number: str) -> None:
        conversation = Conversation.lock(session, conversation_id)
        if conversation is None:
            raise NotFound("There is no such conversation.")
        tenant_id, channel = conversation.tenant_id, self.kind.name
        if (conversation.channel, conversation.address) == (channel, number):
            return
        customers.verify_address(session, tenant_id, channel, number, get_current_time())
        there = {"tenant_id": tenant_id, "channel": channel, "address": number, "status": "open"}
        for other in session.scalars(select(Conversation.id).filter_by(**there)).all():
            lifecycle.close_conversation(session, other)  # new messages from there belong to this one
        customers.move_conversation(session, conversation, channel, number, "customer")
        lifecycle.reopen_conversation(conversation)
        session.flush()
        send_system_message(session, conversation_id, self.texts.moved)

    def _opted_out(self, session: Session, number: str) -> bool:
        which = {"tenant_id": self.twilio.config.tenant, "channel": self.kind.name, "address": number}
        row = session.scalar(select(Address).filter_by(**which))
        return row is not None and row.opted_out_at is not None

    def _compute_transfer_code(self, conversation_id: str, number: str, ago: int) -> str:
        slot = int(self.clock() // CODE_SECONDS) - ago
        told = f"{conversation_id} {number} {slot}".encode()
        digest = hmac.new(self.twilio.config.secret.encode(), told, hashlib.sha256).digest()
        return f"{int.from_bytes(digest[:8]) % 1_000_000:06d}"

    def _check_rate_limit(self, item: RateLimitItem, key: str) -> None:
        if not self._windows.hit(item, key):
            raise TooManyRequests("That was tried too often. Please wait some minutes.", item.get_expiry())


def _normalise_number(number: str) -> str:
    """Return the number in E.164 format.

    Raises:
        InvalidInput: the number is not valid.
    """
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        parsed = None
    if parsed is None or not phonenumbers.is_possible_number(parsed):
        raise InvalidInput("This is not a phone number: it begins with + and the country's code.")
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
