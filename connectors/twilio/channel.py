"""The way in: Twilio's form, its signature, and what stands in it."""

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
    """A button or row of ours that was pressed."""

    what: str
    """RATE or PRESS"""
    message_id: str | None
    """Under which message, where Twilio told us; else it is the one that is quoted."""
    place: int


@dataclass(frozen=True)
class TwilioChannel:
    """What Twilio posts (``connectors.base.Channel``): the signature proves Twilio, and Twilio vouches for the number."""

    config: TwilioConfig
    kinds: Sequence[Kind]
    name: str = "twilio"

    def verify(self, request: RawRequest) -> Fields:
        """The form's fields.

        Raises:
            Unauthorised: the signature is missing or wrong, or another account's.
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

    def parse(self, sender: Fields, request: RawRequest) -> Sequence[Inbound]:  # noqa: ARG002 - the form was read to verify it
        """The message, without its files.

        Raises:
            InvalidInput: it is no message.
            NotFound: it is for a number that is not ours.
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
        """Whose message it is.

        Raises:
            InvalidInput: a field is missing or strange.
            NotFound: it is for a number that is not ours.
        """
        from_, to = fields.get("From", ""), fields.get("To", "")
        kind = self.kind(from_)
        number = from_.removeprefix(kind.prefix)
        if not _NUMBER.fullmatch(number) or not 0 < len(fields.get("MessageSid", "")) <= 64:  # noqa: PLR2004 - our column
            raise InvalidInput("From and MessageSid are needed.")
        if to.removeprefix(kind.prefix) != self.config.numbers.get(kind.name):
            raise NotFound(f"{to[:40]} is not a number of this installation: see REJOINDER_TWILIO_*_NUMBER.")
        return InboundSender(self.config.tenant, kind.name, number)

    def kind(self, address: str) -> Kind:
        """WhatsApp or SMS, by the prefix."""
        return next(
            kind for kind in sorted(self.kinds, key=lambda k: -len(k.prefix)) if address.startswith(kind.prefix)
        )

    def _list_candidate_urls(self, request: RawRequest) -> list[str]:
        """As Twilio may have called it: where we say that we are, where a proxy says that it was asked, or as it is."""
        asked = urlsplit(request.url)
        forwarded = request.headers.get("x-forwarded-host", "").split(",")[0].strip()
        scheme = request.headers.get("x-forwarded-proto", "").split(",")[0].strip() or asked.scheme
        urls = [urlunsplit((scheme, forwarded or asked.netloc, asked.path, asked.query, "")), request.url]
        if base := self.config.public_address:
            urls.insert(0, base + urlunsplit(("", "", asked.path, asked.query, "")))
        return urls


def choice_in(fields: Fields) -> PressedChoice | None:
    """The button or row of ours that was pressed."""
    found = _CHOICE.fullmatch(fields.get("ButtonPayload") or fields.get("ListId") or "")
    return PressedChoice(found.group(1), found.group(2), int(found.group(3))) if found else None


def location_in(fields: Fields) -> dict[str, Any] | None:
    """A place on the map."""
    try:
        latitude, longitude = float(fields["Latitude"]), float(fields["Longitude"])
    except (KeyError, ValueError):
        return None
    named = {"name": fields.get("Label"), "address": fields.get("Address")}
    return {"kind": "location", "latitude": latitude, "longitude": longitude} | {k: v for k, v in named.items() if v}


def files_in(fields: Fields) -> list[tuple[str, str]]:
    """(address, stated content type) of each file."""
    count = int(number) if (number := fields.get("NumMedia", "")).isdigit() else 0
    return [
        (url, fields.get(f"MediaContentType{n}", ""))
        for n in range(min(count, 10))
        if (url := fields.get(f"MediaUrl{n}"))
    ]
