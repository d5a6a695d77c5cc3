"""The web channel as a ``connectors.base.Channel``: bearer token, JSON body, JSON messages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from connectors.base import RawRequest
from connectors.web.bodies import MessageBody, parse_body
from connectors.web.tokens import SessionTokens, Visitor
from core.conversations.inbox import Inbound, Press
from core.errors import Unauthorised
from core.events import MessageStored


@dataclass(frozen=True)
class WebChannel:
    """The channel of customers who use the widget."""

    tokens: SessionTokens
    name: str = "web"

    def verify(self, request: RawRequest) -> Visitor:
        """Return the visitor that the bearer token identifies.

        Raises:
            Unauthorised: the token is missing or invalid.
        """
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Unauthorised("A session token is needed.")
        return self.tokens.visitor(token.strip())

    def parse(self, sender: Visitor, request: RawRequest) -> Sequence[Inbound]:
        """Return the message in the body.

        Raises:
            InvalidInput: the body is not a valid message.
        """
        body = parse_body(MessageBody, request.body)
        press = Press(body.press.message_id, body.press.index) if body.press else None
        return [Inbound(sender.conversation_id, body.client_id, body.text, press)]

    def render(self, message: MessageStored) -> dict[str, object]:
        """Return a message as the widget shows it; the name of the agent who wrote it stays internal."""
        shown = asdict(message) | {"created_at": message.created_at.isoformat()}
        del shown["author"]
        return shown
