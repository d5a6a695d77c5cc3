"""What the pages of reuse, feedback and the dashboard say, and their settings."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from console.pages.staff.filters import MINUS
from core.db import Database
from core.db.models import (
    Conversation,
    InteractionFeedback,
    Message,
    PerformanceDay,
    ReuseObservation,
    SurveyResponse,
    Turn,
    get_current_time,
)
from core.feedback import settings
from evaluation.performance import COUNTED, get_period_start
from tests.console.staff import ANA, BOB, VERA, Staff, hidden, open_console
from tests.knowledge.review.doubles import T, add_entry, add_item


@pytest.fixture
def staff(sqlite: Database) -> Staff:
    made = open_console(sqlite)
    made.index.sync(T)
    return made


def answer(database: Database, entry: str, *, helpful: bool | None = None, comment: str | None = None, intent: str = "wrap") -> str:  # fmt: skip
    """A stored answer with what the customer made of it; its turn."""
    with database.session() as session:
        talk = Conversation(tenant_id=T, channel="web")
        session.add(talk)
        session.flush()
        common = {"tenant_id": T, "conversation_id": talk.id}
        said = Message(**common, seq=1, speaker="customer", text="Wrapped?")
        session.add(said)
        session.flush()
        used = [{"id": entry, "version": 1, "score": 0.9}]
        turn = Turn(**common, message_id=said.id, channel="web", intent=intent, entries=used, outcome="answered")
        session.add(turn)
        session.flush()
        bot = Message(**common, seq=2, speaker="bot", text="No.", turn_id=turn.id)
        session.add(bot)
        session.flush()
        row = {"helpful": helpful, "comment": comment, "implicit_score": 0.5, "left": True}
        session.add(InteractionFeedback(**common, turn_id=turn.id, message_id=bot.id, **row))
        return turn.id


def observe(database: Database, entry: str, **fields: object) -> None:
    values = {"text": "Wrapped?", "score": 0.9, "reused": True, **fields}
    with database.session() as session:
        session.add(ReuseObservation(tenant_id=T, entry_id=entry, **values))


def week(database: Database, weeks_ago: int, right: int, asked: int) -> date:
    """All of a week's questions on its Monday."""
    monday = get_period_start(get_current_time().date(), "week") - timedelta(weeks=weeks_ago)
    figures = {**dict.fromkeys(COUNTED, 0), "answered": right, "unknown": asked - right}
    with database.session() as session:
        session.add(PerformanceDay(tenant_id=T, day=monday, channel="", figures=figures))
    return monday


async def read(staff: Staff, path: str, email: str = VERA) -> str:
    async with staff.browser(email) as browser:
        response = await browser.get(path)
        assert response.status_code == 200
        return " ".join(response.text.split())


async def test_the_dashboard_says_by_how_much_it_gets_better(staff: Staff) -> None:
    for ago, right in ((5, 600), (4, 640), (3, 690), (2, 720), (1, 770)):
        week(staff.database, ago, right, 1000)
    page = await read(staff, "/")
    assert "+4.2 points a week</strong> answered right" in page and "it gets better." in page
    assert "77% of 1,000 questions, +5 points against the week before (+1 to +9)." in page


async def test_small_numbers_are_not_taken_for_more_than_chance(staff: Staff) -> None:
    for ago, right in ((3, 5), (2, 7), (1, 8)):
        week(staff.database, ago, right, 10)
    page = await read(staff, "/")
    assert "points a week</strong>" in page and "it gets better" not in page
    assert f"+10 points against the week before ({MINUS}26 to +44): that may be chance." in page


async def test_before_there_are_two_weeks_the_dashboard_says_so(staff: Staff) -> None:
    week(staff.database, 1, 9, 10)
    assert "It can be said when there are questions in two weeks" in await read(staff, "/")


async def test_reuse_shows_errors_lift_and_what_waits(staff: Staff) -> None:
    entry = add_entry(staff.database)
    assert "No approved answer has met a new phrasing yet" in await read(staff, "/reuse")
    for n in range(20):
        good = answer(staff.database, entry, helpful=True)
        observe(staff.database, entry, turn_id=good, correct=n != 0, judged_by="thumb")
        bad = answer(staff.database, entry, helpful=False)
        observe(staff.database, entry, turn_id=bad, reused=False, held_out=True)
    observe(staff.database, entry, reused=False, text="Wrapping paper?")
    add_item(staff.database, "Is it in paper?", kind="phrasing", entry_id=entry)
    page = await read(staff, "/reuse")
    assert "1 of 20" in page and "5.0%<small>0.9% to 23.6%</small>" in page
    assert 'lift up">+100</span>' in page
    assert "Is it in paper?" in page and "1 more near miss of the last week" in page


async def test_the_error_bound_is_changed_by_admins_alone(staff: Staff) -> None:
    async with staff.browser(ANA) as ana:
        assert (await ana.send("/reuse", reuse_error="0.01", hold_out="0.1")).status_code == 303
        wrong = await ana.send("/reuse", reuse_error="0.9", hold_out="0.1")
        assert wrong.status_code == 422
        assert "reuse_error" in wrong.text and 'value="0.9"' in wrong.text
    async with staff.browser(BOB) as bob:
        assert "Admins change it" in (await bob.get("/reuse")).text
        assert (await bob.send("/reuse", reuse_error="0.4", hold_out="0")).status_code == 403
    with staff.database.session() as session:
        found = settings.get_learning_settings(session, T)
        assert (found.reuse_error, found.hold_out) == (0.01, 0.1)


async def test_feedback_is_read_by_day_intent_and_entry_with_its_comments(staff: Staff) -> None:
    entry = add_entry(staff.database)
    answer(staff.database, entry, helpful=False, comment="<b>Wrong</b> paper", intent="wrap")
    answer(staff.database, entry, helpful=True, comment="Thanks!", intent="thanks")
    with staff.database.session() as session:
        talk = session.query(Conversation).first()
        assert talk is not None
        session.add(SurveyResponse(tenant_id=T, conversation_id=talk.id, kind="csat", score=4))
    page = await read(staff, "/feedback")
    assert "&lt;b&gt;Wrong&lt;/b&gt; paper" in page and get_current_time().date().isoformat() in page
    assert "of 2 thumbs" in page and "1 of 1 answered, 100% gave 4 or 5" in page
    assert "Is it wrapped?" in await read(staff, "/feedback?by=entry")
    assert "Correct this answer" not in page
    down = await read(staff, "/feedback?by=intent&thumb=down&days=7")
    assert "Wrong" in down and "Thanks!" not in down
    assert "Wrong" not in await read(staff, "/feedback?intent=thanks")
    assert "No answer got a thumb" in await read(staff, "/feedback?channel=sms&by=nonsense&days=-1&page=x")


async def test_feedback_says_how_messages_sound(staff: Staff) -> None:
    assert "How messages sound" not in await read(staff, "/feedback")
    turn_id = answer(staff.database, add_entry(staff.database))
    with staff.database.session() as session:
        session.get_one(Message, session.get_one(Turn, turn_id).message_id).sentiment = "angry"
    page = await read(staff, "/feedback?by=channel")
    assert "How messages sound, by channel" in page and "100" in page.split("How messages sound, by channel")[1]


async def test_how_often_customers_are_asked_is_changed_by_admins_alone(staff: Staff) -> None:
    values = {"ask_feedback": "sometimes", "nps_days": "30", "nps": "1"}
    async with staff.browser(ANA) as ana:
        assert (await ana.send("/feedback", **values)).status_code == 303
        assert (await ana.send("/feedback", **{**values, "ask_feedback": "hourly"})).status_code == 422
        assert (await ana.send("/feedback", **{**values, "nps_days": ""})).status_code == 422
    async with staff.browser(BOB) as bob:
        assert (await bob.send("/feedback", **values)).status_code == 403
    with staff.database.session() as session:
        found = settings.get_learning_settings(session, T)
        assert (found.ask_feedback, found.csat, found.nps, found.nps_days) == ("sometimes", False, True, 30)


CHANGES = ("/corrections/new", "/corrections/x/approve", "/examples", "/examples/decisions", "/examples/suggestions", "/examples/export", "/trainings", "/trainings/rollback", "/trainings/x/deploy", "/reuse", "/feedback")  # fmt: skip


@pytest.mark.parametrize("path", CHANGES)
async def test_a_form_from_another_page_changes_nothing(staff: Staff, path: str) -> None:
    async with staff.browser(ANA) as ana, staff.browser(BOB) as bob:
        other = hidden((await bob.get("/account")).text, "csrf")
        for csrf in ("", "guess", other):
            response = await ana.http.post(f"/console{path}", data={"csrf": csrf, "reason": "r"})
            assert response.status_code == 403
            assert "did not come from this page" in response.text


@pytest.mark.parametrize("path", ["/corrections", "/corrections/new", "/examples", "/examples/export", "/trainings", "/trainings/x/progress", "/reuse", "/feedback"])  # fmt: skip
async def test_nothing_is_shown_before_the_sign_in(staff: Staff, path: str) -> None:
    async with staff.browser() as browser:
        assert (await browser.get(path)).status_code == 303
