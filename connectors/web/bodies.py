"""Request bodies of the chat API, validated by pydantic; invalid bodies are rejected with a readable message."""

from __future__ import annotations

from typing import Annotated, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from core.errors import InvalidInput


class _WebBody(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class SessionBody(_WebBody):
    """Opens a session or resumes an earlier one."""

    token: Annotated[str, Field(max_length=1000)] | None = None
    fresh: bool = False
    """Start a new conversation even though the browser has this token."""


class PressBody(_WebBody):
    """A press on a button of an earlier message."""

    message_id: Annotated[str, Field(min_length=1, max_length=64)]
    index: Annotated[int, Field(ge=0, le=100)]


class MessageBody(_WebBody):
    """A customer message: either text or a press, never a payload for the bot."""

    client_id: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]
    text: str | None = None
    press: PressBody | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.text is None) == (self.press is None):
            raise ValueError("exactly one of text and press is needed")
        return self


class FeedbackBody(_WebBody):
    """A thumbs up or down, with an optional comment."""

    helpful: bool
    comment: Annotated[str, Field(max_length=1000)] | None = None


class SubmitBody(FeedbackBody):
    """A thumbs up or down with either the signed token of a link, or a session token and the rated message."""

    token: Annotated[str, Field(max_length=1000)] | None = None
    message_id: Annotated[str, Field(min_length=1, max_length=64)] | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.token is None) == (self.message_id is None):
            raise ValueError("exactly one of token and message_id is needed")
        return self


class SurveyBody(_WebBody):
    """A survey score with an optional comment; a null score dismisses the survey."""

    score: int | None
    comment: Annotated[str, Field(max_length=1000)] | None = None


class TransferBody(_WebBody):
    """Transfers the conversation to WhatsApp."""

    number: Annotated[str, Field(max_length=40)]
    """The phone number, such as +447700900123."""
    consent: Literal[True]
    """The visitor agreed to receive messages there."""
    code: Annotated[str, Field(max_length=10)] | None = None
    """The confirmation code; None requests one."""


class SignsBody(_WebBody):
    """The visitor's typing and read receipts while an agent owns the conversation."""

    typing: bool = False
    """Whether the visitor is typing."""
    seen: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = None
    """Number of the last message that the visitor has read."""


Body = TypeVar("Body", bound=_WebBody)


def parse_body(kind: type[Body], raw: bytes) -> Body:
    """Parse a body as the given type.

    Raises:
        InvalidInput: the body is invalid; the message names the first error.
    """
    try:
        return kind.model_validate_json(raw or b"{}")
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise InvalidInput(f"{place}: {first['msg']}" if place else first["msg"]) from None
