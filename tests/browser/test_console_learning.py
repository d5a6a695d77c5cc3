"""Corrections, training, reuse and feedback in a real browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from core.db.models import TrainingSession
from core.jobs import heartbeat
from knowledge.curation.corrections import proposals
from knowledge.curation.corrections.types import Proposal
from tests.browser.console_page import PHONE, WIDE, address, enter, staff
from tests.console.staff import suggesting
from tests.console.test_corrections_pages import RIGHT, WRONG, answered
from tests.console.test_figures_pages import answer, observe, week
from tests.knowledge.review.doubles import T, add_entry, served

__all__ = ["address", "enter", "staff"]

FIGURES = {"messages": 40, "before": 0.9, "after": 0.75, "lost": 6, "won": 0, "p": 0.0156}
METRICS = {
    "understood": FIGURES, "not acted on wrongly": FIGURES, "intents": {"refund": FIGURES}, "examples": 44, "cases": 2,
    "confusions": [{"intent": "refund", "taken for": "greet", "before": 1, "after": 7}], "compared with": "model-01",
    "new examples": 3, "new examples understood": 2, "new examples not understood": ["money " * 40],
    "failed conversations": ["an order"], "reasons": ["refund is understood less often: 90.0% -> 75.0% " * 3],
}  # fmt: skip


def training(database, **fields) -> str:
    with database.session() as session:
        row = TrainingSession(tenant_id=T, kind="nlu", author="bob@example.com", reason="many " * 30, **fields)
        session.add(row)
        session.flush()
        return row.id


def changed(database, id_: str, **fields) -> None:
    with database.session() as session:
        for name, value in fields.items():
            setattr(session.get_one(TrainingSession, id_), name, value)


def test_a_wrong_answer_is_corrected_approved_and_undone_by_keys(sqlite, staff, enter):
    talk, _, _ = answered(sqlite)
    staff.index.sync(T)
    console = enter().go(f"/conversations/{talk}")
    console.page.get_by_role("link", name="Correct this answer").click()
    console.page.get_by_role("textbox", name="Right answer").fill(RIGHT)
    console.page.get_by_label("Quality of the bot").select_option("1")
    console.page.get_by_role("button", name="Propose").click()
    expect(console.page.get_by_role("status")).to_contain_text("Proposed")
    console.press("a")
    expect(console.page.get_by_role("status")).to_contain_text("Approved. It is live.")
    expect(console.page.locator("ins")).to_have_text("4")
    assert served(sqlite) == {"Is it wrapped?": RIGHT}
    console.press("u")
    expect(console.page.get_by_role("status")).to_contain_text("Undone")
    assert served(sqlite) == {"Is it wrapped?": WRONG}


def test_a_rejection_asks_why(sqlite, enter):
    with sqlite.session() as session:
        proposal = Proposal("Maybe.", "tone", "ben@example.com", question="When?", bot_answer="Soon.")
        id_ = proposals.propose_correction(session, T, proposal).id
    console = enter().go(f"/corrections/{id_}").press("r")
    expect(console.page.get_by_role("dialog", name="Reject")).to_be_visible()
    assert console.violations() == []
    console.page.keyboard.type("not an answer")
    console.press("Enter")
    expect(console.page.get_by_role("status")).to_contain_text("Rejected")
    expect(console.page.get_by_text("not an answer")).to_be_visible()


def test_the_progress_of_a_training_is_told_without_a_reload(sqlite, enter):
    with sqlite.session() as session:
        heartbeat.record_heartbeat(session, "worker")
    id_ = training(sqlite)
    console = enter().go(f"/trainings/{id_}")
    told = console.page.get_by_role("status")
    expect(told).to_have_text("Waiting for the worker.")
    changed(sqlite, id_, status="evaluating", step="trying it out", progress=0.4)
    expect(told).to_have_text("Trying it out")
    expect(console.page.get_by_role("progressbar")).to_have_attribute("value", "0.4")
    changed(sqlite, id_, status="refused", metrics=METRICS)
    expect(console.page.get_by_role("heading", name="Refused: it is worse than the running model")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "narrow"])
def test_axe_finds_nothing_and_nothing_sticks_out(sqlite, staff, enter, scheme, size):
    talk, message, entry = answered(sqlite, "Do you wrap gifts? " * 8)
    with sqlite.session() as session:
        common = {"category": "wrong_fact", "author": "ben@example.com"}
        one = proposals.propose_correction(session, T, Proposal(RIGHT, message_id=message, quality=1, **common)).id
        other = proposals.propose_correction(session, T, Proposal("x" * 200, question="y" * 200, **common)).id
    staff.index.sync(T)
    console = enter(color_scheme=scheme, bypass_csp=True, **size)
    console.go(f"/corrections/{one}").press("a")
    expect(console.page.get_by_role("status")).to_contain_text("Approved")
    for n in range(3):
        week(sqlite, n + 1, 80 - n, 100)
        observe(sqlite, entry, turn_id=answer(sqlite, entry, helpful=n > 0, comment="long " * 60), reused=n > 0, held_out=n == 0)  # fmt: skip
    add_entry(sqlite)
    suggesting(sqlite)(T)
    refused, _ = training(sqlite, status="refused", metrics=METRICS), training(sqlite, status="training", progress=0.3)
    paths = [
        "/", "/corrections", f"/corrections/{one}", f"/corrections/{other}", "/corrections/new",
        f"/corrections/new?message={message}", f"/conversations/{talk}", "/trainings", f"/trainings/{refused}",
        "/examples", "/examples/export", "/reuse", "/feedback", "/feedback?by=entry",
    ]  # fmt: skip
    for path in paths:
        console.go(path)
        assert console.violations() == [], path
        assert console.page.evaluate("document.documentElement.scrollWidth") <= size["viewport"]["width"], path
        if path != f"/conversations/{talk}":
            expect(console.page.locator(".side nav [aria-current]")).to_be_in_viewport()
