"""Build the Twilio channels from the settings."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from fastapi import APIRouter

from connectors.twilio import routes
from connectors.twilio.backfill import Backfill
from connectors.twilio.channel import TwilioChannel
from connectors.twilio.client import Twilio
from connectors.twilio.inbound import InboundHandler
from connectors.twilio.links import FileLinks
from connectors.twilio.media import Media
from connectors.twilio.profile import Kind, TwilioConfig
from connectors.twilio.sender import TwilioSender
from connectors.twilio.sms import SMS
from connectors.twilio.templates import Contents
from connectors.twilio.texts import ChannelTexts
from connectors.twilio.transfer import Transfer
from connectors.twilio.voice import Transcribes, VoiceNotes
from connectors.twilio.whatsapp import WHATSAPP
from core.bot.parts import BotParts
from core.conversations.feedback import Feedback
from core.conversations.turns import Turns
from core.db import Database
from core.delivery.payload import Sender
from core.secrets import derive_key
from core.settings import Settings

KINDS: tuple[Kind, ...] = (WHATSAPP, SMS)


def twilio_config(settings: Settings) -> TwilioConfig | None:
    """Return the Twilio configuration from the settings, or None without an account."""
    if not settings.twilio_account_sid:
        return None
    numbers = {WHATSAPP.name: settings.twilio_whatsapp_number, SMS.name: settings.twilio_sms_number}
    return TwilioConfig(
        tenant=settings.tenant,
        account_sid=settings.twilio_account_sid,
        auth_token=settings.twilio_auth_token.get_secret_value(),
        numbers={name: number for name, number in numbers.items() if number},
        home=settings.home,
        secret=derive_key(settings.secret_key(), "twilio"),
        public_address=settings.public_address.rstrip("/"),
        api_url=settings.twilio_url,
        messages_per_minute=settings.messages_per_minute,
    )


def make_twilio_senders(config: TwilioConfig | None, database: Database, parts: BotParts) -> dict[str, Sender]:
    """Return the senders by destination; empty without an account."""
    if config is None:
        return {}
    twilio, texts, links = Twilio(config), ChannelTexts.load(parts), FileLinks(config.secret, config.home)
    contents = Contents(twilio)
    return {kind.name: TwilioSender(kind, twilio, contents, database, texts, links) for kind in KINDS}


@dataclass(frozen=True)
class TwilioSide:
    """The incoming side: routes and backfill."""

    routes: APIRouter
    backfill: Backfill | None

    async def start(self) -> None:
        """Start to look for messages that arrived while the process was down."""
        if self.backfill:
            await self.backfill.start()

    async def stop(self) -> None:
        if self.backfill:
            await self.backfill.stop()


def make_twilio(  # noqa: PLR0917 - dependencies of the incoming side
    config: TwilioConfig | None,
    database: Database,
    parts: BotParts,
    turns: Turns,
    feedback: Feedback,
    wake: Callable[[], None],
    ready: Callable[[], Awaitable[bool]],
    transcriber: Transcribes | None = None,
) -> TwilioSide:
    """Return the incoming side, empty without an account; ``ready`` returns whether a message could be answered."""
    if config is None:
        return TwilioSide(APIRouter(), None)
    channel, media = TwilioChannel(config, KINDS), Media(config)
    voice = VoiceNotes(config, transcriber) if transcriber else None
    incoming = InboundHandler(channel, turns, feedback, database, ChannelTexts.load(parts), media, wake, voice)
    router = routes.router(channel, incoming, database, FileLinks(config.secret, config.home))
    return TwilioSide(router, Backfill(Twilio(config), incoming, database, ready))


def make_transfer(
    config: TwilioConfig | None, database: Database, parts: BotParts, wake: Callable[[], None]
) -> Transfer | None:
    """Return the transfer of conversations to WhatsApp, or None without a WhatsApp number."""
    if config is None or WHATSAPP.name not in config.numbers:
        return None
    twilio = Twilio(config)
    return Transfer(WHATSAPP, twilio, Contents(twilio), database, ChannelTexts.load(parts), wake)
