"""What browsers may send, checked by pydantic; anything else is refused with a sentence."""

from __future__ import annotations

from typing import Annotated, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from core.errors import InvalidInput


class _WebBody(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class SessionBody(_WebBody):
    """Opens a session, or takes an earlier one up again."""

    token: Annotated[str, Field(max_length=1000)] | None = None
    fresh: bool = False
    """A new conversation all the same, of the browser that had this token."""


class PressBody(_WebBody):
    """A press on a button of an earlier message."""

    message_id: Annotated[str, Field(min_length=1, max_length=64)]
    index: Annotated[int, Field(ge=0, le=100)]


class MessageBody(_WebBody):
    """What the customer says: words or a press, never both, and never a payload for the bot."""

    client_id: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]
    text: str | None = None
    press: PressBody | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.text is None) == (self.press is None):
            raise ValueError("exactly one of text and press is needed")
        return self


class FeedbackBody(_WebBody):
    """A thumb, and why."""

    helpful: bool
    comment: Annotated[str, Field(max_length=1000)] | None = None


class SubmitBody(FeedbackBody):
    """A thumb with the signed token of a link, or with a session token and the message that it is for."""

    token: Annotated[str, Field(max_length=1000)] | None = None
    message_id: Annotated[str, Field(min_length=1, max_length=64)] | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.token is None) == (self.message_id is None):
            raise ValueError("exactly one of token and message_id is needed")
        return self


class SurveyBody(_WebBody):
    """A mark, and why; null: they would rather not say."""

    score: int | None
    comment: Annotated[str, Field(max_length=1000)] | None = None


class TransferBody(_WebBody):
    """Goes on on WhatsApp."""

    number: Annotated[str, Field(max_length=40)]
    """Such as +447700900123"""
    consent: Literal[True]
    """The visitor agreed to be written to there."""
    code: Annotated[str, Field(max_length=10)] | None = None
    """None: send one."""


class SignsBody(_WebBody):
    """What the visitor does while a person has the word."""

    typing: bool = False
    """They are writing."""
    seen: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = None
    """Up to which message they have read."""


Body = TypeVar("Body", bound=_WebBody)


def parse_body(kind: type[Body], raw: bytes) -> Body:
    """The body as this kind.

    Raises:
        InvalidInput: naming the first thing that is wrong.
    """
    try:
        return kind.model_validate_json(raw or b"{}")
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise InvalidInput(f"{place}: {first['msg']}" if place else first["msg"]) from None
