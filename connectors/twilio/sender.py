"""The outgoing side: send a part of a delivery as is inside the session window, and as a template outside."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from connectors.base import Capabilities
from connectors.twilio.client import OptedOut, OutboundDraft, OutsideWindow, Twilio
from connectors.twilio.links import FileLinks
from connectors.twilio.profile import Kind
from connectors.twilio.renderer import Part, flatten_text, render_parts
from connectors.twilio.system_messages import OPT_OUT
from connectors.twilio.templates import UPDATE, Contents
from connectors.twilio.texts import ChannelTexts
from core import customers
from core.db import Database
from core.db.models import Address, Delivery, Message, get_current_time
from core.delivery.payload import Outgoing, Sent
from core.errors import Permanent, Retry

log = structlog.get_logger()

MARGIN = timedelta(minutes=2)
"""A window that closes within this time counts as closed."""


@dataclass(frozen=True)
class TwilioSender:
    """Sends to the customers of a channel (``core.delivery.payload.Sender``)."""

    kind: Kind
    twilio: Twilio
    contents: Contents
    database: Database
    texts: ChannelTexts
    links: FileLinks
    clock: Callable[[], datetime] = get_current_time

    @property
    def capabilities(self) -> Capabilities:
        """The capabilities inside the session window."""
        return self.kind.capabilities

    async def send(self, outgoing: Outgoing) -> Sent:
        """Send the part that is due.

        Raises:
            Retry: Twilio is busy or unreachable, or no template is approved for use outside the window.
            Permanent: Twilio rejected the message, or the customer has opted out.
            Unknown: the connection broke off.
        """
        if self.kind.name not in self.twilio.config.numbers:
            raise Retry(f"no number for {self.kind.name}: set REJOINDER_TWILIO_{self.kind.name.upper()}_NUMBER")
        opted_out, last_inbound = await self.database.run(lambda s: self._get_address_state(s, outgoing))
        if opted_out and outgoing.event != OPT_OUT:
            raise OptedOut("the customer does not want to be written to here")
        is_open = self._is_window_open(last_inbound)
        can = self.capabilities if is_open else Capabilities(longest=self.capabilities.longest)
        links = await self.database.run(lambda s: self._build_file_links(s, outgoing))
        due = render_parts(outgoing, can, self.texts, links)
        if outgoing.part >= len(due):  # an earlier attempt had fewer parts
            return Sent(once=True)
        part, more = due[outgoing.part], outgoing.part + 1 < len(due)
        if outgoing.maybe_sent and (known := await self._sent_before(outgoing, part)):
            return Sent(known, more=more, once=True)
        draft = replace(part.draft, callback=None if more else self._build_callback_url(outgoing))
        return Sent(await self._send_part(outgoing, replace(part, draft=draft), is_open=is_open), more=more)

    async def _send_part(self, outgoing: Outgoing, part: Part, *, is_open: bool) -> str:
        try:
            return await (self._send_free_form(part) if is_open else self._as_template(part))
        except OutsideWindow:
            if not is_open:
                raise
            return await self._as_template(part)
        except OptedOut:
            address = outgoing.address
            await self.database.run(
                lambda s: customers.set_address_opt_out(s, outgoing.tenant_id, self.kind.name, address, self.clock())
            )
            raise

    async def _send_free_form(self, part: Part) -> str:
        if part.content is None:
            return await self._shown_or_told(part)
        try:
            sid = await self.contents.sid(part.content)
        except Permanent as error:
            log.warning("choices are told as text, their content was refused", error=str(error))
            return await self.twilio.send(self.kind, replace(part.draft, variables={}))
        return await self.twilio.send(self.kind, replace(part.draft, body="", content_sid=sid))

    async def _shown_or_told(self, part: Part) -> str:
        """Send the draft; if Twilio rejects its file, send the file's address as text."""
        try:
            return await self.twilio.send(self.kind, part.draft)
        except (OptedOut, OutsideWindow):
            raise
        except Permanent as error:
            if part.draft.media is None:
                raise
            log.warning("a file is told as text, it was refused", error=str(error))
            return await self.twilio.send(self.kind, replace(part.draft, body=part.words, media=None))

    async def _as_template(self, part: Part) -> str:
        draft = part.draft
        sid = await self.contents.template(UPDATE)
        if sid is None:
            raise Retry(
                "the customer last wrote over 24 hours ago, and WhatsApp has approved no template: "
                "`rejoinder channels templates create`",
                after=60,
                waits_for="customer",
            )
        variables = {"1": flatten_text(part.words or draft.body)}
        return await self.twilio.send(
            self.kind, OutboundDraft(draft.to, content_sid=sid, variables=variables, callback=draft.callback)
        )

    def _is_window_open(self, last_inbound: datetime | None) -> bool:
        if self.kind.window_hours is None:
            return True
        until = last_inbound + timedelta(hours=self.kind.window_hours) - MARGIN if last_inbound else None
        return until is not None and self.clock() < until

    def _build_callback_url(self, outgoing: Outgoing) -> str | None:
        base = self.twilio.config.public_address
        return f"{base}/channels/twilio/status/{self.kind.name}/{outgoing.id}" if base else None

    def _get_address_state(self, session: Session, outgoing: Outgoing) -> tuple[bool, datetime | None]:
        which = {"tenant_id": outgoing.tenant_id, "channel": self.kind.name, "address": outgoing.address}
        row = session.scalar(select(Address).filter_by(**which))
        return (row.opted_out_at is not None, row.last_inbound_at) if row else (False, None)

    def _build_file_links(self, session: Session, outgoing: Outgoing) -> dict[int, str]:
        """Return signed links for the attachments that are stored locally, by index."""
        message = session.get(Message, outgoing.message.id) if outgoing.message else None
        base = self.twilio.config.public_address
        if message is None or not base:
            return {}
        return {n: self.links.to(base, message.id, n) for n, a in enumerate(message.attachments) if a.get("path")}

    async def _sent_before(self, outgoing: Outgoing, part: Part) -> str | None:
        """Return the id of a message with this text that Twilio sent since and no delivery claims, or None."""
        since = outgoing.created_at.replace(microsecond=0)
        sent = await self.twilio.sent_since(self.kind, outgoing.address, since)
        body = part.draft.variables.get("1") or part.draft.body
        same = [sid for sid, said in sent if said and (said == body or flatten_text(body) in said)]

        def find_unclaimed_sid(session: Session) -> str | None:
            known = set(session.scalars(select(Delivery.vendor_id).where(Delivery.vendor_id.in_(same))))
            return next((sid for sid in same if sid not in known), None)

        return await self.database.run(find_unclaimed_sid)
