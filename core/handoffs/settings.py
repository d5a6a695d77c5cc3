"""A tenant's settings of handoffs: when the bot steps back, who is there and when, and how long a customer waits."""

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
    """Every setting with its default; a count of 0 turns its trigger off."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    desks: Annotated[list[Name], Field(max_length=5)] = [CONSOLE]
    """Who is told: the console's inbox always, and the desks that are set up beside it."""
    asked: bool = True
    """When the customer asks for a person."""
    unknown: Count = 2
    """When the bot did not know an answer so often in a row."""
    not_helpful: Count = 2
    """When so many answers of a conversation got a thumb down."""
    angry: bool = True
    """When a message is angry ..."""
    negative: Count = 2
    """... or so many in a row are negative."""
    risky_topics: Annotated[list[Name], Field(max_length=200)] = []
    """When a message has one of these words or phrases in it."""
    action_confidence: Annotated[float, Field(ge=0, le=1)] = 0.0
    """When a task would be done on an understanding below this; 0: never."""
    promised: bool = True
    """When the bot's own words promise a person."""
    vip: bool = True
    """When the customer is marked as VIP."""
    timezone: str = "UTC"
    office_hours: dict[Day, list[str]] | None = None
    """Such as {"mon": ["09:00-12:30", "13:30-17:00"]}; a day that is not named is closed. None: always open."""
    on_call: Annotated[list[Name], Field(max_length=50)] = []
    """Who is called, one after the other, while nobody takes it: names as the desk knows them."""
    manager_phone: str = ""
    """Gets an SMS when an urgent one is escalated, such as +447700900123; empty: nobody does."""
    remind_minutes: Minutes = 3
    escalate_minutes: Minutes = 6
    """The first of the on-call order is called after so long, the next after as long again."""
    time_out_minutes: Minutes = 30
    """After so long without an answer the bot goes on, and the customer may leave an address."""
    reply_mode: Literal["all", "marked"] = "all"
    """What staff write in a thread goes to the customer: all of it, or only what is marked."""
    alerts_only: bool = False
    """Desks other than the console are told that a person is wanted, and nothing that the customer says."""

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
        """The desks that are told that a person is wanted, or else what is said."""
        others = self.desks if alert or not self.alerts_only else []
        return list(dict.fromkeys([CONSOLE, *others]))

    def attended(self, at: datetime) -> bool:
        """Whether somebody is there at that moment (an aware time)."""
        if self.office_hours is None:
            return True
        local = at.astimezone(ZoneInfo(self.timezone))
        spans = [_parse_time_span(span) for span in self.office_hours.get(DAYS[local.weekday()], [])]
        return any(start <= local.time() < end for start, end in spans)


def _parse_time_span(text: str) -> tuple[time, time]:
    """Both ends of "09:00-17:00"; "24:00" ends a day.

    Raises:
        ValueError: it is not one.
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
    """Set some of them; the others stay.

    Raises:
        InvalidInput: a name or value is wrong; nothing is changed.
    """
    return tenant_settings.change_tenant_settings(session, tenant_id, Row, Handoffs, changes, by)
