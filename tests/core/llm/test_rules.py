"""Rules, their order, what is refused, and how complexity is scored."""

from dataclasses import replace

import pytest

from core.db import Database
from core.errors import RulesInvalid
from core.llm.router.complexity import WEIGHTS, complexity_of
from core.llm.router.rules import APPROVED, DEFAULT, RoutingDocument
from core.llm.router.store import RoutingStore
from core.llm.types import ChatMessage, RequestOrigin, RequestSignals
from tests.core.llm.scripted import CATALOGUE, Clock, ask, bench

FIRST = APPROVED.model_dump(mode="json")
HARD = (
    "Why does the refund depend on the contract, what happens if I don't return 2 of the 3 items within 30 days, and is "
    "it better to exchange them instead? Can you explain it step by step? "
    + "Also consider the other order please. " * 8
    + "And then?"
)


def rule(name: str, use: str = "cheap", **when):
    return {"name": name, "when": when, "use": use}


def test_the_weights_make_one():
    assert sum(WEIGHTS.values()) == pytest.approx(1)


def test_plain_questions_are_simple_and_hard_ones_are_not():
    plain = complexity_of(RequestSignals("Where are you?", retrieval_confidence=0.9))
    hard = complexity_of(RequestSignals(HARD, history_turns=8, retrieval_confidence=0.2))
    assert plain.score < 0.1
    assert hard.score > 0.7
    assert hard.score == pytest.approx(sum(hard.parts.values()), abs=1e-6)


@pytest.mark.parametrize(
    ("part", "signals"),
    [
        ("history", RequestSignals("x", history_turns=10)),
        ("length", RequestSignals("word " * 60)),
        ("keywords", RequestSignals("explain why")),
        ("questions", RequestSignals("a? b? c?")),
        ("comparison", RequestSignals("Is blue better?")),
        ("negation", RequestSignals("It doesn't work")),
        ("numbers", RequestSignals("1 and 2.50 and 3")),
        ("retrieval", RequestSignals("x", retrieval_confidence=0.0)),
    ],
)
def test_each_part_reaches_its_weight(part, signals):
    assert complexity_of(signals).parts[part] == pytest.approx(WEIGHTS[part])
    assert complexity_of(RequestSignals("x", retrieval_confidence=1.0)).score < 0.01


@pytest.mark.parametrize("confidence", [-3.0, 7.0])
def test_odd_signals_stay_in_bounds(confidence):
    assert 0 <= complexity_of(RequestSignals("", -5, confidence)).score <= 1


@pytest.mark.parametrize(
    ("request_", "route", "first"),
    [
        (ask(confidence=0.9), "simple", "a/cheap"),
        (ask(signals=RequestSignals(HARD, 8, 0.1)), "complex", "b/deep"),
        (ask(signals=RequestSignals("Why? And what else is better?", 5, 0.1)), "otherwise", "a/big"),
        (ask(messages=(ChatMessage("user", "word " * 100_000),)), "long context", "b/big"),
        (
            ask(signals=RequestSignals(HARD, 8, 0.1), caller=RequestOrigin("default", purpose="rewrite")),
            "rewrite",
            "a/cheap",
        ),
    ],
)
def test_the_default_rules(sqlite: Database, request_, route, first):
    decision = bench(sqlite).router.decide(request_)
    assert (decision.route, decision.models[0]) == (route, first)


def test_the_others_stand_in_by_price_and_the_extract_last(sqlite: Database):
    decision = bench(sqlite).router.decide(ask(extract="x"))
    assert decision.models == ("a/cheap", "b/cheap", "a/big", "b/big", "b/deep", "extract")


def test_decisions_are_remembered_until_the_rules_change(sqlite: Database):
    b = bench(sqlite)
    b.router.decide(ask())
    b.router.decide(ask())
    assert b.router.stats()["decisions"]["hits"] == 1
    b.rules(rules=[FIRST, rule("all", "b/deep")])
    b.clock.now += 4
    assert b.router.decide(ask()).route == "all"


def test_a_rule_may_name_a_purpose(sqlite: Database):
    b = bench(sqlite)
    b.rules(rules=[FIRST, rule("judging", "reasoning", purposes=["judge"]), rule("all")])
    assert b.router.decide(ask(caller=RequestOrigin("default", purpose="judge"))).models[0] == "b/deep"


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({"rules": [rule("all")]}, "first one is always"),
        ({"rules": []}, "first one is always"),
        ({"rules": [FIRST, rule("x", "gpt-0")]}, "'gpt-0'"),
        ({"rules": [FIRST, rule("x", "a/none")]}, "a/none"),
        ({"rules": [FIRST, rule("x"), rule("x", complexity_above=0.5)]}, "more than once"),
        ({"rules": [FIRST, rule("all"), rule("late", complexity_above=0.5)]}, "'late' is never reached"),
        ({"rules": [FIRST, rule("x", complexity_below=0.5), rule("y", complexity_below=0.3)]}, "'y' is never reached"),
        ({"rules": [FIRST, rule("x", complexity_below=0.3, complexity_above=0.6)]}, "never fit"),
        ({"rules": [FIRST, rule("x", complexity_below=1.5)]}, "less than or equal to 1"),
        ({"rules": [FIRST, rule("x", colour="red")]}, "colour"),
        ({"budget": {"day": -1}}, "budget.day"),
        ({"limits": {"total_seconds": 0}}, "total_seconds"),
        ({"limits": {"first_token_seconds": 50}}, "longer than total_seconds"),
        ({"candidates": 9}, "candidates"),
        ({"judge": True}, "nothing to choose"),
        ({"nonsense": 1}, "nonsense"),
    ],
)
def test_wrong_rules_are_refused_with_the_reason(sqlite: Database, document, reason):
    store = RoutingStore(sqlite, CATALOGUE.models)
    with pytest.raises(RulesInvalid, match=reason):
        store.put("default", document, "me")
    assert store.get("default") == DEFAULT


def test_every_reason_is_named(sqlite: Database):
    with pytest.raises(RulesInvalid) as refused:
        RoutingStore(sqlite, CATALOGUE.models).put("default", {"rules": [rule("x", "y"), rule("x", "z")]}, "me")
    assert all(said in str(refused.value) for said in ("first one", "more than once", "'y'", "'z'"))


def test_documents_are_kept_by_tenant_and_seen_by_others_soon(database: Database):
    clock = Clock()
    mine, other = RoutingStore(database, clock=clock), RoutingStore(database, clock=clock)
    assert other.get("shop") == DEFAULT
    mine.put("shop", {"hedge": True, "budget": {"day": "1.50"}}, "me")
    assert other.get("shop") == DEFAULT
    clock.now += 4
    assert other.get("shop").hedge
    mine.put("shop", {"hedge": False, "candidates": 2}, "me")
    clock.now += 4
    assert other.get("shop") == RoutingDocument(candidates=2)
    assert other.get("another") == DEFAULT
    mine.reset("shop")
    clock.now += 4
    assert other.get("shop") == DEFAULT


async def test_the_prompt_is_counted_only_where_it_may_matter(sqlite: Database):
    b = bench(sqlite)
    assert b.router.count_tokens(replace(ask(), messages=(ChatMessage("user", "x" * 40),))) == 10
