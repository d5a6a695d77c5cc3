"""The answer cache, masking, estimates, the operator's test."""

import re
from dataclasses import replace
from decimal import Decimal

import pytest

from core.db import Database
from core.llm.catalogue import Catalogue
from core.llm.types import ChatMessage, Request, RequestSignals
from tests.core.llm.scripted import CATALOGUE, Say, ask, bench, drafted


class Masker:
    """Knows one name."""

    def __init__(self) -> None:
        self.broken = False

    def mask(self, request: Request):
        if self.broken:
            raise RuntimeError
        messages = tuple(replace(m, text=m.text.replace("Ann", "<NAME_1>")) for m in request.messages)
        return replace(request, messages=messages), self

    def restore(self, text: str) -> str:
        return text.replace("<NAME_1>", "Ann")

    def restorer(self):
        return Restorer()


class Restorer:
    held = ""

    def feed(self, text: str) -> str:
        self.held += text
        cut = self.held.find("<") if re.search(r"<[^>]*$", self.held) else len(self.held)
        said, self.held = self.held[:cut], self.held[cut:]
        return said.replace("<NAME_1>", "Ann")

    def flush(self) -> str:
        return self.held


async def test_the_same_question_is_answered_from_the_cache(sqlite: Database):
    b = bench(sqlite)
    b.rules()
    first = await drafted(b.router, ask())
    again = await drafted(b.router, ask())
    assert again[0] == first[0]
    assert (again[1].served.cache_hit, again[1].served.cost, len(b.scripted.asked)) == (True, 0, 1)
    hit = (await b.rows())[-1]
    assert (hit.cache_hit, hit.cost, hit.success, hit.model) == (True, 0, True, "a/cheap")
    b.clock.now += 61
    await drafted(b.router, ask())
    assert len(b.scripted.asked) == 2


@pytest.mark.parametrize(
    "other",
    [
        ask("Other?"),
        ask(signals=RequestSignals("What colour is it?", retrieval_confidence=0.6, evidence=("e@2",))),
        ask(messages=(ChatMessage("user", "history"), *ask().messages)),
        ask(caller=replace(ask().caller, tenant_id="other")),
        ask(caller=replace(ask().caller, prompt_version="v2")),
        ask(temperature=0.7),
    ],
)
async def test_another_question_is_not(sqlite: Database, other):
    b = bench(sqlite)
    await drafted(b.router, ask())
    await drafted(b.router, other)
    assert len(b.scripted.asked) == 2


async def test_codes_of_blocks_make_no_difference(sqlite: Database):
    b = bench(sqlite)
    for code in ("0123456789ab", "ba9876543210"):
        await drafted(b.router, ask(messages=(ChatMessage("user", f"----- evidence {code} -----\nx"),)))
    assert len(b.scripted.asked) == 1


async def test_invalidating_and_a_change_of_health_empty_the_cache(sqlite: Database):
    b = bench(sqlite)
    await drafted(b.router, ask())
    b.router.invalidate("default")
    await drafted(b.router, ask())
    assert len(b.scripted.asked) == 2
    b.router.reset()
    await drafted(b.router, ask())
    assert len(b.scripted.asked) == 3


async def test_personal_data_stays_here_and_comes_back(sqlite: Database):
    b = bench(sqlite, masker=Masker())
    b.scripted.plan("cheap", Say("Hello <NA", fail="server"))
    b.scripted.plan("cheap2", Say("Hello <NAM E_1>, ".replace(" E", "E") + "bye <NAME_1>"))
    draft, _, restarts = await drafted(b.router, ask("I am Ann. You?"))
    assert (draft, restarts) == ("Hello Ann, bye Ann", 1)
    assert all("Ann" not in message.text for request in b.scripted.asked for message in request.messages)
    b.scripted.plan("cheap2", Say("Yes, <NAME_1>."))
    assert (await b.router.complete(ask("Ann again?"))).text == "Yes, Ann."


async def test_what_cannot_be_masked_is_not_sent(sqlite: Database):
    masker = Masker()
    masker.broken = True
    b = bench(sqlite, masker=masker)
    assert (await b.router.complete(ask(extract="E."))).served.model == "extract"
    assert not b.scripted.asked


async def test_masking_can_be_turned_off(sqlite: Database):
    b = bench(sqlite, masker=Masker())
    b.rules(mask=False)
    await b.router.complete(ask("Ann?"))
    assert b.scripted.asked[0].messages[-1].text == "Ann?"


async def test_the_estimate_comes_from_recent_calls(sqlite: Database):
    b = bench(sqlite)
    decision = b.router.decide(ask())
    assert b.router.estimate_seconds(decision) is None
    b.router._health.succeeded("a/cheap", 1500)
    assert b.router.estimate_seconds(decision) == pytest.approx(1.5)


async def test_the_operators_test(sqlite: Database):
    b = bench(sqlite)
    report = await b.router.test("a")
    assert (report.ok, report.model, report.cost) == (True, "a/cheap", Decimal("0.00014"))
    assert (await b.rows())[0].purpose == "test"
    b.scripted.plan("cheap", Say("", fail="unauthorised"))
    failed = await b.router.test("a")
    assert (failed.ok, failed.error_kind) == (False, "unauthorised")
    assert "key" in failed.mend
    away = await b.router.test("openai")
    assert "REJOINDER_OPENAI_API_KEY" in away.mend
    assert "no provider" in (await b.router.test("nonsense")).cause


async def test_a_missing_price_is_named(sqlite: Database):
    unpriced = CATALOGUE.models["a/cheap"].model_copy(update={"price": None})
    b = bench(sqlite, catalogue=Catalogue({"a/cheap": unpriced}, {"cheap": ("a/cheap",)}))
    report = await b.router.test("a")
    assert (report.ok, report.cost) == (True, None)
    assert "price" in report.mend
    await b.router.complete(ask())
    assert (await b.rows())[-1].cost is None
