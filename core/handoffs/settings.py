"""Handoff settings of a tenant: when the bot steps back, office hours, on-call order and waiting times."""

from __future__ import annotations

from datetime import datetime, time
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator
from sqlalchemy.orm import Session

from core import tenant_settings
from core.db.models import HandoffSettings as Row

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
Count = Annotated[int, Field(ge=0, le=20)]
Minutes = Annotated[float, Field(gt=0, le=7 * 24 * 60)]
CONSOLE = "console"


class Handoffs(BaseModel):
    """All handoff settings with their defaults; a count of 0 turns its trigger off."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    desks: Annotated[list[Name], Field(max_length=5)] = [CONSOLE]
    """Desks to notify; the console's inbox is always one of them."""
    asked: bool = True
    """Hand off when the customer asks for a person."""
    unknown: Count = 2
    """Hand off after this many messages in a row without a known answer."""
    not_helpful: Count = 2
    """Hand off after this many thumbs down in a conversation."""
    angry: bool = True
    """Hand off when a message is angry."""
    negative: Count = 2
    """Hand off after this many negative messages in a row."""
    risky_topics: Annotated[list[Name], Field(max_length=200)] = []
    """Hand off when a message contains one of these words or phrases."""
    action_confidence: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Hand off when the bot acts on an intent with a confidence below this; 0 turns it off."""
    promised: bool = True
    """Hand off when the bot's reply promises a person."""
    vip: bool = True
    """Hand off when the customer is marked as VIP."""
    timezone: str = "UTC"
    office_hours: dict[Day, list[str]] | None = None
    """Such as {"mon": ["09:00-12:30", "13:30-17:00"]}; days not listed are closed. None means always open."""
    on_call: Annotated[list[Name], Field(max_length=50)] = []
    """People to call in turn while nobody claims a handoff, by their names at the desk."""
    manager_phone: str = ""
    """Number that gets an SMS when an urgent handoff escalates, such as +447700900123; empty for none."""
    remind_minutes: Minutes = 3
    escalate_minutes: Minutes = 6
    """Time until the first person in the on-call order is called, and between further calls."""
    time_out_minutes: Minutes = 30
    """Time without an answer until the bot continues and the customer may leave contact details."""
    reply_mode: Literal["all", "marked"] = "all"
    """Which staff messages in a thread go to the customer: all, or only marked ones."""
    alerts_only: bool = False
    """Whether desks other than the console get only alerts, and none of the customer's messages."""

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError):
            raise ValueError(f"{value!r} is not a time zone such as Europe/London") from None
        return value

    @field_validator("office_hours")
    @classmethod
    def _readable_hours(cls, value: dict[Day, list[str]] | None) -> dict[Day, list[str]] | None:
        for spans in (value or {}).values():
            for span in spans:
                _parse_time_span(span)
        return value

    def destinations(self, *, alert: bool = True) -> list[str]:
        """Return the desks that get alerts or, with ``alert=False``, messages."""
        others = self.desks if alert or not self.alerts_only else []
        return list(dict.fromkeys([CONSOLE, *others]))

    def attended(self, at: datetime) -> bool:
        """Whether a moment (an aware time) is within office hours."""
        if self.office_hours is None:
            return True
        local = at.astimezone(ZoneInfo(self.timezone))
        spans = [_parse_time_span(span) for span in self.office_hours.get(DAYS[local.weekday()], [])]
        return any(start <= local.time() < end for start, end in spans)


def _parse_time_span(text: str) -> tuple[time, time]:
    """Return both ends of a span such as "09:00-17:00"; "24:00" is the end of the day.

    Raises:
        ValueError: the text is not such a span.
    """
    first, dash, last = text.partition("-")
    try:
        start = time.fromisoformat(first.strip())
        end = time.max if last.strip() == "24:00" else time.fromisoformat(last.strip())
    except ValueError:
        raise ValueError(f"{text!r} is not a span such as 09:00-17:00") from None
    if not dash or start >= end:
        raise ValueError(f"{text!r} is not a span such as 09:00-17:00")
    return start, end


def get_handoff_settings(session: Session, tenant_id: str) -> Handoffs:
    return tenant_settings.load_tenant_settings(session, tenant_id, Row, Handoffs)


def update_handoff_settings(session: Session, tenant_id: str, changes: dict[str, Any], by: str) -> Handoffs:
    """Change some settings; the others stay unchanged.

    Raises:
        InvalidInput: a name or value is wrong; nothing is changed.
    """
    return tenant_settings.change_tenant_settings(session, tenant_id, Row, Handoffs, changes, by)
