"""Examples, the reviewed export, trainings, deployments and rollbacks on the console's pages."""

from __future__ import annotations

import asyncio
from html import unescape

import httpx
import pytest

from console.pages.staff.filters import MINUS
from core.db import Database
from core.db.models import TrainingExample, TrainingSession
from core.jobs import heartbeat
from tests.console.staff import ANA, BEN, BOB, VERA, Browser, Staff, hidden, open_console

FIGURES = {"messages": 40, "before": 0.9, "after": 0.75, "lost": 6, "won": 0, "p": 0.0156}
EACH = {
    "intent": "refund", "messages": 4, "can act": "near-verbatim", "understood": 0.75, "acted": 0.25, "rival": "greet",
    "contradicting": ['"where is it" is taken for greet'],
}  # fmt: skip


@pytest.fixture
def staff(sqlite: Database) -> Staff:
    return open_console(sqlite)


async def started(browser: Browser, reason: str = "") -> str:
    sent = await browser.send("/trainings", reason=reason)
    assert sent.status_code == 303, sent.text
    return sent.headers["location"].rpartition("/")[2]


async def trained(browser: Browser, staff: Staff, reason: str = "") -> str:
    id_ = await started(browser, reason)
    await worked(staff, id_)
    return id_


async def worked(staff: Staff, id_: str) -> None:
    """The worker does it."""
    await asyncio.to_thread(staff.training.run, id_)


def statuses(staff: Staff) -> dict[str, str]:
    with staff.database.session() as session:
        return {row.text: row.status for row in session.query(TrainingExample)}


async def test_examples_are_added_approved_under_another_intent_and_rejected(staff: Staff) -> None:
    async with staff.browser(BEN) as ben:
        for text in ("hi there", "oi you", "hello bot"):
            await ben.send("/examples", text=text, intent="greet")
        page = (await ben.get("/examples")).text
        ids = page.split('name="example" value="')[1:]
        first, second, third = (id_.partition('"')[0] for id_ in ids)
        await ben.send("/examples/decisions", decision="approve", example=[first, second], intent="refund")
        await ben.send("/examples/decisions", decision="reject", example=third, intent="no such name!")
        assert statuses(staff) == {"hi there": "approved", "oi you": "approved", "hello bot": "rejected"}
        page = (await ben.get("/examples?status=approved")).text
        assert "refund" in page and "oi you" in page and "hello bot" not in page
        late = await ben.send("/examples/decisions", decision="approve", example=[first, third])
        assert late.status_code == 409


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"decision": "approve"}, "Tick at least one"),
        ({"decision": "dance", "example": "x"}, "Tick at least one"),
        ({"decision": "approve", "example": "none"}, "no training example"),
        ({"decision": "approve", "example": "ID", "intent": "Two Words"}, "no name for an intent"),
    ],
)
async def test_bad_decisions_change_nothing(staff: Staff, fields: dict[str, str], said: str) -> None:
    async with staff.browser(BEN) as ben:
        assert (await ben.send("/examples", text="/restart", intent="greet")).status_code == 422
        await ben.send("/examples", text="hi there", intent="greet")
        id_ = (await ben.get("/examples")).text.split('name="example" value="')[1].partition('"')[0]
        given = {name: id_ if value == "ID" else value for name, value in fields.items()}
        refused = await ben.send("/examples/decisions", **given)
        assert refused.status_code in {404, 422}
        assert said in unescape(refused.text)
        assert statuses(staff) == {"hi there": "proposed"}


async def test_suggestions_are_told_and_wait(staff: Staff) -> None:
    async with staff.browser(BEN) as ben:
        page = (await ben.send("/examples/suggestions")).text
        assert "1 group of messages" in page and "gift_card (new) with 3" in page
        assert "needs a line in" in page and "do you sell gift cards" in page


async def test_the_export_is_looked_at_before_it_is_written(staff: Staff) -> None:
    learnt = staff.training.model.parts.data / "nlu/learnt.yml"
    async with staff.browser(BOB) as bob:
        assert "Nothing to change" in (await bob.get("/examples/export")).text
        await approved(bob, "give it back to me")
        page = (await bob.get("/examples/export")).text
        assert "<ins>+      - give it back to me</ins>" in page
        digest = hidden(page, "digest")
        await approved(bob, "money back now")
        late = await bob.send("/examples/export", digest=digest)
        assert late.status_code == 409
        assert "have changed since" in late.text
        assert (await bob.send("/examples/export", digest="")).status_code == 422
        assert not learnt.exists()
        sent = await bob.send("/examples/export", digest=hidden(late.text, "digest"))
        assert sent.status_code == 303
        assert "money back now" in learnt.read_text()
        assert set(statuses(staff).values()) == {"exported"}


async def test_an_export_that_would_break_the_data_names_the_problem(staff: Staff) -> None:
    async with staff.browser(BOB) as bob:
        await approved(bob, "good morning")
        page = unescape((await bob.get("/examples/export")).text)
        assert "good morning" in page and "several intents" in page and "Write exactly this" not in page


async def approved(browser: Browser, text: str, intent: str = "refund") -> None:
    await browser.send("/examples", text=text, intent=intent)
    id_ = (await browser.get("/examples")).text.split('name="example" value="')[1].partition('"')[0]
    assert (await browser.send("/examples/decisions", decision="approve", example=id_)).status_code == 303


async def test_a_training_from_its_start_to_the_rollback(staff: Staff) -> None:
    async with staff.browser(BOB) as bob:
        first = await trained(bob, staff, "the first")
        second = await started(bob, "new words")
        page = (await bob.get(f"/trainings/{second}")).text
        assert "the worker does not run" in page and f"/console/trainings/{second}/progress" in page
        assert (await bob.send("/trainings", reason="again")).status_code == 409
        with staff.database.session() as session:
            heartbeat.record_heartbeat(session, "worker")
        told = (await bob.get(f"/trainings/{second}/progress")).json()
        assert told == {"over": False, "progress": 0.0, "said": "Waiting for the worker."}
        await worked(staff, second)
        assert (await bob.get(f"/trainings/{second}/progress")).json()["over"]
        page = (await bob.get("/trainings")).text
        assert "model-02" in page and "new words" in page and "Start training" in page
        assert (await bob.send("/trainings/rollback", reason="")).status_code == 422
        back = await bob.send("/trainings/rollback", reason="worse with parcels")
        assert back.headers["location"] == f"/console/trainings/{first}?done=deployed"
        page = (await bob.get(f"/trainings/{first}?done=deployed")).text
        assert "Rasa understands by this model now" in page
        assert f"rolled back by {BOB}: worse with parcels" in page and "in place of model-02" in page
        assert staff.rasa.loaded == "model-01.tar.gz"
        assert (await bob.send("/trainings/rollback", reason="further")).status_code == 404


async def test_a_refusal_shows_its_reasons_and_can_be_forced(staff: Staff) -> None:
    async with staff.browser(BOB) as bob:
        await trained(bob, staff)
        confused = [{"intent": "refund", "taken for": "greet", "before": 1, "after": 7}]
        figures = {"understood": FIGURES, "not acted on wrongly": FIGURES, "intents": {"refund": FIGURES}}
        staff.trials.reasons = ["refund is understood less often: 90.0% -> 75.0%"]
        staff.trials.figures = {
            **figures,
            "examples": 44,
            "cases": 0,
            "confusions": confused,
            "compared with": "model-01",
            "each intent": [EACH],
        }
        refused = await trained(bob, staff, "many at once")
        page = unescape((await bob.get(f"/trainings/{refused}")).text)
        for text in (
            "it is worse than the running model",
            "90.0% -> 75.0%",
            f"{MINUS}15.0",
            "greet",
            "model-01",
            "0.016",
            "near-verbatim",
            '"where is it" is taken for greet',
        ):
            assert text in page
        late = await bob.send(f"/trainings/{refused}/deploy", reason="wanted")
        assert late.status_code == 409
        assert staff.rasa.loaded == "model-01.tar.gz"
        sent = await bob.send(f"/trainings/{refused}/deploy", reason="known and wanted", force="1")
        assert sent.status_code == 303
        page = (await bob.get(f"/trainings/{refused}")).text
        assert "deployed all the same" in page and f"deployed by {BOB}: known and wanted" in page
        assert staff.rasa.loaded == "model-02.tar.gz"


async def test_a_failure_is_shown_and_a_rasa_that_is_away_told(staff: Staff) -> None:
    async with staff.browser(BOB) as bob:
        first = await trained(bob, staff)
        staff.trials.error = RuntimeError("the disk is full")
        id_ = await started(bob)
        with pytest.raises(RuntimeError):
            await worked(staff, id_)
        page = (await bob.get(f"/trainings/{id_}")).text
        assert "It failed" in page and "the disk is full" in page
        staff.trials.error = None
        await trained(bob, staff)
        staff.rasa.away = True
        sent = await bob.send(f"/trainings/{first}/deploy", reason="back")
        assert "loads this model when it starts" in (await bob.http.get(sent.headers["location"])).text
        staff.rasa.away, staff.rasa.refuses = False, True
        refused = await bob.send("/trainings/rollback", reason="x" * 501)
        assert refused.status_code == 422


async def test_only_builders_change_the_model(staff: Staff) -> None:
    async with staff.browser(BOB) as bob:
        id_ = await trained(bob, staff)
    for email in (VERA, BEN):
        async with staff.browser(email) as person:
            for path in ("/trainings", f"/trainings/{id_}", "/examples", "/examples/export"):
                page = await person.get(path)
                assert page.status_code == 200
                assert not any(
                    word in page.text for word in ("Start training", "Roll back", ">Deploy<", "Write exactly")
                )
            for path in ("/trainings", "/trainings/rollback", f"/trainings/{id_}/deploy", "/examples/export"):
                assert (await person.send(path, reason="mine", digest="x")).status_code == 403, path
    async with staff.browser(VERA) as vera:
        for path in ("/examples", "/examples/decisions", "/examples/suggestions"):
            assert (await vera.send(path, text="hi", intent="greet", decision="approve")).status_code == 403
    assert statuses(staff) == {}
    with staff.database.session() as session:
        assert session.query(TrainingSession).count() == 1


async def test_what_is_not_there(staff: Staff) -> None:
    async with staff.browser(ANA) as ana:
        found: list[httpx.Response] = [await ana.get("/trainings/none"), await ana.get("/trainings/none/progress")]
        found += [await ana.send("/trainings/none/deploy", reason="why")]
        assert [response.status_code for response in found] == [404, 404, 404]
        assert "None is exported" in (await ana.get("/examples?status=exported")).text
        assert (await ana.get("/examples?status=nonsense&page=-3")).status_code == 200
