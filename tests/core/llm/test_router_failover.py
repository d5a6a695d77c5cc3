"""A model that fails is replaced, and the customer sees one answer; every call is one row."""

import asyncio
from contextlib import aclosing
from decimal import Decimal

import pytest

from core.db import Database
from core.errors import NoProviderLeft
from core.llm.catalogue import Catalogue
from core.llm.types import Delta, RequestSignals
from testing.waiting import soon
from tests.core.llm.scripted import DEFAULT_TEXT, Say, ask, bench, drafted, model

QUICK = {"first_token_seconds": 0.1, "between_tokens_seconds": 0.1, "connect_seconds": 0.1, "total_seconds": 1}


async def test_an_answer_comes_with_what_it_cost_and_one_row(sqlite: Database):
    b = bench(sqlite)
    b.rules()
    draft, completion, _ = await drafted(b.router, ask())
    assert draft == DEFAULT_TEXT
    assert completion.served.model == "a/cheap"
    (row,) = await b.rows()
    assert (row.provider, row.model, row.success, row.route) == ("a", "a/cheap", True, "simple")
    assert row.cost == completion.served.cost == Decimal("0.00014")
    assert row.complexity_parts["retrieval"] == pytest.approx(0.06)
    assert (row.conversation_id, row.turn_id, row.prompt_version) == ("c1", "t1", "v1")
    assert row.first_token_ms is not None


@pytest.mark.parametrize(
    "kind", ["timeout", "connection", "rate_limited", "unauthorised", "quota", "server", "malformed"]
)
async def test_a_failure_before_the_first_token_is_not_seen(sqlite: Database, kind):
    b = bench(sqlite)
    b.rules()
    b.scripted.plan("cheap", Say("", fail=kind))
    draft, completion, restarts = await drafted(b.router, ask())
    assert (draft, restarts) == (DEFAULT_TEXT, 0)
    first, second = await b.rows()
    assert (first.success, first.error_kind, first.cost) == (False, kind, 0 if kind != "timeout" else first.cost)
    assert (second.success, second.failover_from) == (True, "a/cheap")
    assert completion.served.failovers == 1
    await drafted(b.router, ask("Another?"))
    assert b.scripted.asked[-1].model != "cheap"  # passed over


async def test_a_stream_that_breaks_is_begun_anew_elsewhere(sqlite: Database):
    b = bench(sqlite)
    b.rules()
    b.scripted.plan("cheap", Say("It is gr", fail="connection"))
    draft, completion, restarts = await drafted(b.router, ask())
    assert (draft, restarts) == (DEFAULT_TEXT, 1)
    assert completion.served.provider == "b"
    first, _ = await b.rows()
    assert first.estimated and first.output_tokens > 0


@pytest.mark.parametrize("say", [Say("", hang=True), Say("It is", hang=True), Say("It is slow " * 30, pause=0.05)])
async def test_a_stalled_model_is_cancelled_and_replaced(sqlite: Database, say):
    b = bench(sqlite)
    b.rules(limits=QUICK)
    b.scripted.plan("cheap", say)
    draft, _, _ = await drafted(b.router, ask())
    assert draft == DEFAULT_TEXT
    assert (await b.rows())[0].error_kind == "timeout"
    await soon(lambda: b.scripted.cancelled == ["cheap"])


async def test_an_endless_stream_is_cut(sqlite: Database):
    b = bench(sqlite)
    b.rules()
    b.scripted.plan("cheap", Say("", endless=True))
    _, completion, _ = await drafted(b.router, ask(max_output_tokens=50))
    assert completion.finish == "length"
    assert len(completion.text) < 50 * 8
    await soon(lambda: b.scripted.cancelled == ["cheap"])
    assert len(await b.rows()) == 1


async def test_an_empty_reply_is_a_failure(sqlite: Database):
    b = bench(sqlite)
    b.rules()
    b.scripted.plan("cheap", Say(""))
    draft, _, _ = await drafted(b.router, ask())
    assert draft == DEFAULT_TEXT
    assert [row.error_kind for row in await b.rows()] == ["empty", None]


async def test_the_extract_is_said_when_all_fail(sqlite: Database):
    b = bench(sqlite)
    b.rules()
    for name in ("cheap", "cheap2", "big", "big2", "deep"):
        b.scripted.plan(name, Say("Half", fail="server"))
    draft, completion, restarts = await drafted(b.router, ask(extract="It is red. Really."))
    assert (draft, restarts, completion.served.model) == ("It is red. Really.", 5, "extract")
    assert [(row.model, row.cost) for row in await b.rows()][-1] == ("extract", 0)


async def test_nobody_left_says_what_was_tried(sqlite: Database):
    b = bench(sqlite)
    b.rules()
    b.scripted.always = {name: Say("", fail="server") for name in ("cheap", "cheap2", "big", "big2", "deep")}
    with pytest.raises(NoProviderLeft, match=r"a/cheap \(server\), b/cheap \(server\)"):
        await b.router.complete(ask())
    with pytest.raises(NoProviderLeft, match="passed over"):
        await b.router.complete(ask())
    assert len(await b.rows()) == 5


async def test_bad_requests_never_count_against_a_model(sqlite: Database):
    b = bench(sqlite)
    b.rules()
    for _ in range(8):
        b.scripted.plan("cheap", Say("", fail="bad_request"))
        await b.router.complete(ask())
    health = {known.model: known for known in b.router.health()}
    assert (health["a/cheap"].state, health["a/cheap"].failures) == ("closed", 0)


async def test_stop_closes_the_stream_and_is_recorded(sqlite: Database):
    b = bench(sqlite)
    b.rules()
    b.scripted.plan("cheap", Say("One two three ", hang=True))
    async with aclosing(b.router.stream(ask())) as items:
        async for item in items:
            if isinstance(item, Delta) and "two" in item.text:
                break
    await soon(lambda: b.scripted.cancelled == ["cheap"])
    (row,) = await b.rows()
    assert row.success and row.estimated and "stopped" in row.error


async def test_a_cancelled_customer_is_recorded_once(sqlite: Database):
    b = bench(sqlite)
    b.rules()
    b.scripted.plan("cheap", Say("", hang=True))
    waiting = asyncio.create_task(b.router.complete(ask()))
    await soon(lambda: b.scripted.asked)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert b.scripted.cancelled == ["cheap"]
    assert len(await b.rows()) == 1


async def test_hedging_takes_the_first_token_and_cancels_the_other(sqlite: Database):
    b = bench(sqlite)
    b.rules(hedge=True, limits={**QUICK, "first_token_seconds": 1})
    b.scripted.plan("cheap", Say(wait=5))
    draft, completion, restarts = await drafted(b.router, ask())
    assert (draft, completion.served.model, restarts) == (DEFAULT_TEXT, "b/cheap", 0)
    slow, quick = await b.rows()
    assert (slow.model, slow.hedge, slow.success) == ("a/cheap", True, True)
    assert (quick.model, quick.hedge) == ("b/cheap", True)
    await soon(lambda: b.scripted.cancelled == ["cheap"])


async def test_hedging_leaves_a_quick_model_alone(sqlite: Database):
    b = bench(sqlite)
    b.rules(hedge=True)
    await drafted(b.router, ask())
    assert [row.hedge for row in await b.rows()] == [False]


async def test_hedging_survives_both_failing(sqlite: Database):
    b = bench(sqlite)
    b.rules(hedge=True, limits=QUICK)
    b.scripted.plan("cheap", Say("", wait=0.08, fail="server"))
    b.scripted.plan("cheap2", Say("", wait=0.08, fail="server"))
    draft, _, _ = await drafted(b.router, ask())
    assert draft == DEFAULT_TEXT
    assert [row.success for row in await b.rows()] == [False, False, True]


async def test_too_long_a_prompt_is_shortened_and_said(sqlite: Database):
    tiny = Catalogue({"a/tiny": model("a", "tiny", "0.1", context_window=900)}, {"cheap": ("a/tiny",)})
    b = bench(sqlite, catalogue=tiny)
    b.rules()
    code = "0123456789ab"
    parts = [
        f"----- evidence {code} -----\n" + "\n\n".join(f"[{n}] Title\n{'text ' * 80}" for n in (1, 2, 3)),
        f"----- conversation so far {code} -----\ncustomer: {'old ' * 50}\nbot: new",
        f"----- customer's message {code} -----\nThe question",
        f"----- end of data {code} -----",
    ]
    request = ask()
    messages = (*request.messages[:1], type(request.messages[0])("user", "\n".join(parts)))
    await drafted(b.router, ask(messages=messages, max_output_tokens=600))
    sent = b.scripted.asked[0].messages[1].text
    assert "The question" in sent and "[1]" in sent and "[3]" not in sent and "old" not in sent
    assert "shortened" in (await b.rows())[0].reason


async def test_no_rule_wants_a_model_for_an_approved_answer(sqlite: Database):
    b = bench(sqlite)
    request = ask(signals=RequestSignals("q", approved=True), extract="As approved.")
    assert b.router.decide(request).models == ()
    assert (await b.router.complete(request)).text == "As approved."
    assert not b.scripted.asked
