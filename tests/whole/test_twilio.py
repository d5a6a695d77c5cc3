"""A customer writes on WhatsApp while `app` is down, and is answered once it is up: the running instance, the real SDK, a fake Twilio."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from core.db.models import get_current_time
from testing.instance import Instance, instance
from testing.twilio import ACCOUNT, TOKEN, FakeTwilio
from testing.waiting import eventually
from tests.whole.test_bot import alive, kill

SHOP, CUSTOMER = "whatsapp:+14155238886", "whatsapp:+447700900123"


@pytest.fixture
def twilio() -> Iterator[FakeTwilio]:
    with FakeTwilio() as fake:
        yield fake


@pytest.fixture
def bot(twilio: FakeTwilio, trained_models: Path) -> Iterator[Instance]:
    number = SHOP.removeprefix("whatsapp:")
    env = {"ACCOUNT_SID": ACCOUNT, "AUTH_TOKEN": TOKEN, "WHATSAPP_NUMBER": number, "URL": twilio.url}
    with instance({f"REJOINDER_TWILIO_{name}": value for name, value in env.items()}, trained_models) as running:
        yield running


def reached(bot: Instance, *, set_to: str | None = None) -> str | None:
    """Up to when Twilio's log is known."""
    with sqlite3.connect(bot.home / "rejoinder.db") as database:
        if set_to:
            database.execute("UPDATE heartbeats SET beat_at = ? WHERE process = ?", (set_to, SHOP))
        row = database.execute("SELECT beat_at FROM heartbeats WHERE process = ?", (SHOP,)).fetchone()
        return row[0] if row else None


def test_what_was_written_while_app_was_down_is_answered_once_it_is_up(twilio: FakeTwilio, bot: Instance) -> None:
    eventually(lambda: reached(bot), seconds=60)
    kill(bot, "uvicorn")
    # as if it had been down for an hour, which no test waits for
    reached(bot, set_to=f"{get_current_time() - timedelta(hours=1):%Y-%m-%d %H:%M:%S.%f}")
    twilio.write(CUSTOMER, SHOP, "To the shop that had this number before", get_current_time() - timedelta(hours=2))
    twilio.write(CUSTOMER, SHOP, "How long does delivery take?", get_current_time() - timedelta(minutes=30))
    eventually(lambda: alive(bot), seconds=90)
    eventually(lambda: twilio.messages, seconds=90)

    assert ["working days" in text for text in twilio.said(CUSTOMER)] == [True]
