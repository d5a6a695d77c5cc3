"""The incoming side: Twilio's form, its signature and its fields."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from twilio.request_validator import RequestValidator

from connectors.base import Inbound, RawRequest
from connectors.twilio.profile import Kind, TwilioConfig
from connectors.twilio.renderer import PRESS, RATE
from core.conversations.inbox import InboundSender, Press
from core.errors import InvalidInput, NotFound, Unauthorised

_CHOICE = re.compile(rf"({RATE}|{PRESS}):([0-9A-Z]{{26}})?[^:]*:(\d{{1,2}})")
_NUMBER = re.compile(r"\+?\d{3,20}")
Fields = Mapping[str, str]


@dataclass(frozen=True)
class PressedChoice:
    """A press on a button or list row sent by us."""

    what: str
    """Either ``RATE`` or ``PRESS``."""
    message_id: str | None
    """The message that offered the choice, if Twilio sent it; otherwise use the quoted message."""
    place: int


@dataclass(frozen=True)
class TwilioChannel:
    """Twilio's webhooks as a ``connectors.base.Channel``; the signature proves Twilio, which vouches for the number."""

    config: TwilioConfig
    kinds: Sequence[Kind]
    name: str = "twilio"

    def verify(self, request: RawRequest) -> Fields:
        """Verify the signature and return the form's fields.

        Raises:
            Unauthorised: the signature is missing or wrong, or the account is another one.
        """
        fields = dict(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))
        signature = request.headers.get("x-twilio-signature", "")
        validator = RequestValidator(self.config.auth_token)
        if not signature or not any(
            validator.validate(url, fields, signature) for url in self._list_candidate_urls(request)
        ):
            raise Unauthorised("The signature of this request is missing or wrong.")
        if fields.get("AccountSid", self.config.account_sid) != self.config.account_sid:
            raise Unauthorised("This is another account.")
        return fields

    def parse(self, sender: Fields, request: RawRequest) -> Sequence[Inbound]:  # noqa: ARG002 - the form was parsed by verify
        """Return the message, without its files.

        Raises:
            InvalidInput: the form is not a message.
            NotFound: the message is for a number that is not ours.
        """
        choice, place = choice_in(sender), location_in(sender)
        press = (
            Press(choice.message_id, choice.place) if choice and choice.what == PRESS and choice.message_id else None
        )
        text = sender.get("ButtonText") or sender.get("ListTitle") or sender.get("Body") or None
        quoted, edited = sender.get("OriginalRepliedMessageSid"), sender.get("MessageType") == "edit"
        return [
            Inbound(
                conversation_id=None,
                client_id=sender["MessageSid"],
                text=None if press else text,
                press=press,
                sender=self.sender(sender),
                attachments=(place,) if place else (),
                reply_to=None if edited else quoted,
                edits=quoted if edited else None,
                raw=dict(sender),
            )
        ]

    def sender(self, fields: Fields) -> InboundSender:
        """Return the sender of a message.

        Raises:
            InvalidInput: a field is missing or malformed.
            NotFound: the message is for a number that is not ours.
        """
        from_, to = fields.get("From", ""), fields.get("To", "")
        kind = self.kind(from_)
        number = from_.removeprefix(kind.prefix)
        if not _NUMBER.fullmatch(number) or not 0 < len(fields.get("MessageSid", "")) <= 64:  # noqa: PLR2004 - length of our column
            raise InvalidInput("From and MessageSid are needed.")
        if to.removeprefix(kind.prefix) != self.config.numbers.get(kind.name):
            raise NotFound(f"{to[:40]} is not a number of this installation: see REJOINDER_TWILIO_*_NUMBER.")
        return InboundSender(self.config.tenant, kind.name, number)

    def kind(self, address: str) -> Kind:
        """Return WhatsApp or SMS, based on the address prefix."""
        return next(
            kind for kind in sorted(self.kinds, key=lambda k: -len(k.prefix)) if address.startswith(kind.prefix)
        )

    def _list_candidate_urls(self, request: RawRequest) -> list[str]:
        """Return the URLs that Twilio may have signed: by the configured address, by the proxy headers, and as received."""
        asked = urlsplit(request.url)
        forwarded = request.headers.get("x-forwarded-host", "").split(",")[0].strip()
        scheme = request.headers.get("x-forwarded-proto", "").split(",")[0].strip() or asked.scheme
        urls = [urlunsplit((scheme, forwarded or asked.netloc, asked.path, asked.query, "")), request.url]
        if base := self.config.public_address:
            urls.insert(0, base + urlunsplit(("", "", asked.path, asked.query, "")))
        return urls


def choice_in(fields: Fields) -> PressedChoice | None:
    """Return the pressed button or list row, or None."""
    found = _CHOICE.fullmatch(fields.get("ButtonPayload") or fields.get("ListId") or "")
    return PressedChoice(found.group(1), found.group(2), int(found.group(3))) if found else None


def location_in(fields: Fields) -> dict[str, Any] | None:
    """Return a shared location as an attachment, or None."""
    try:
        latitude, longitude = float(fields["Latitude"]), float(fields["Longitude"])
    except (KeyError, ValueError):
        return None
    named = {"name": fields.get("Label"), "address": fields.get("Address")}
    return {"kind": "location", "latitude": latitude, "longitude": longitude} | {k: v for k, v in named.items() if v}


def files_in(fields: Fields) -> list[tuple[str, str]]:
    """Return the address and declared content type of each file."""
    count = int(number) if (number := fields.get("NumMedia", "")).isdigit() else 0
    return [
        (url, fields.get(f"MediaContentType{n}", ""))
        for n in range(min(count, 10))
        if (url := fields.get(f"MediaUrl{n}"))
    ]
