"""Days are counted as they were, and read by day, week and month."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from core.db import Database
from core.db.models import (
    Conversation,
    HumanCorrection,
    InteractionFeedback,
    Message,
    PerformanceDay,
    Turn,
    get_current_time,
)
from evaluation import performance

T = "shop"
MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)


def answer(database: Database, at: datetime, outcome: str = "answered", *, helpful: bool | None = None, corrected: bool = False, channel: str = "web") -> None:  # fmt: skip
    with database.session() as session:
        talk = Conversation(tenant_id=T, channel=channel)
        session.add(talk)
        session.flush()
        message = Message(tenant_id=T, conversation_id=talk.id, seq=1, speaker="customer", text="?")
        session.add(message)
        session.flush()
        turn = Turn(
            tenant_id=T, conversation_id=talk.id, message_id=message.id, channel=channel, status="answered",
            outcome=outcome, written_by="approved" if outcome == "answered" else None, total_ms=500, created_at=at,
        )  # fmt: skip
        session.add(turn)
        session.flush()
        common = {"tenant_id": T, "conversation_id": talk.id, "turn_id": turn.id}
        if helpful is not None:
            session.add(InteractionFeedback(**common, message_id=message.id, helpful=helpful))
        if corrected:
            session.add(
                HumanCorrection(
                    **common,
                    question="?",
                    bot_answer="no",
                    answer="yes",
                    category="wrong_fact",
                    author="ana",
                    status="approved",
                    decided_at=at,
                )
            )


def test_a_day_is_counted_by_channel_and_in_all(database: Database) -> None:
    answer(database, MONDAY, helpful=True)
    answer(database, MONDAY, helpful=False, corrected=True)
    answer(database, MONDAY, "unknown", channel="sms")
    answer(database, MONDAY - timedelta(days=1))
    with database.session() as session:
        counted = performance.count_day(session, T, MONDAY.date())
    expected = {"conversations": 3, "answered": 2, "unknown": 1, "wrong": 1, "helpful": 1, "not_helpful": 1}
    expected |= {"reused": 2, "corrections": 1}
    assert {name: counted[""][name] for name in expected} == expected
    assert (counted["sms"]["unknown"], counted["web"]["answered"]) == (1, 2)


def test_missed_days_are_made_up_for_and_late_thumbs_are_counted(database: Database) -> None:
    for day in range(3):
        answer(database, MONDAY + timedelta(days=day))
    assert performance.summarise_missing(database, MONDAY.date() + timedelta(days=3)) == 3
    answer(database, MONDAY, helpful=False)
    performance.summarise_missing(database, MONDAY.date() + timedelta(days=4))
    with database.session() as session:
        rows = session.query(PerformanceDay).filter_by(tenant_id=T, channel="").order_by(PerformanceDay.day).all()
        assert [row.figures["answered"] for row in rows] == [2, 1, 1, 0]
        assert rows[0].figures["wrong"] == 1


def test_weeks_and_months_are_sums_with_rates(database: Database) -> None:
    for day, outcome in ((0, "answered"), (6, "unknown"), (7, "answered"), (30, "answered")):
        answer(database, MONDAY + timedelta(days=day), outcome)
    performance.summarise_missing(database, MONDAY.date() + timedelta(days=40))
    first, last = MONDAY.date(), MONDAY.date() + timedelta(days=31)
    with database.session() as session:
        weeks = performance.list_periods(session, T, first, last, by="week")
        months = performance.list_periods(session, T, first, last, by="month")
    assert [(str(week["start"]), week["right_rate"]) for week in weeks if week["questions"]] == [
        ("2026-03-02", 0.5),
        ("2026-03-09", 1.0),
        ("2026-03-30", 1.0),
    ]
    assert [(str(month["start"]), month["questions"]) for month in months] == [("2026-03-01", 3), ("2026-04-01", 1)]


def test_a_period_is_compared_with_the_one_before_and_today_counts(database: Database) -> None:
    answer(database, get_current_time() - timedelta(days=7), "unknown")
    answer(database, get_current_time())
    today = get_current_time().date()
    with database.session() as session:
        found = performance.compare_periods(session, T, today - timedelta(days=6), today)
        empty = performance.compare_periods(session, "other", today, today)
    assert (found["figures"]["right_rate"], found["before"]["right_rate"]) == (1.0, 0.0)
    assert found["change"]["right_rate"] == 1.0
    assert (empty["figures"]["right_rate"], empty["change"]) == (None, {})
