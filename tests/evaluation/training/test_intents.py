"""What training says of each intent."""

from __future__ import annotations

from typing import Any

from core.bot.parts import BotParts, find_skills
from evaluation.training.intents import intent_figures
from evaluation.training.trials import ruled_intents


def predicted(text: str, intent: str, likeliest: str, *, acted: bool = True, rival: str = "greet") -> dict[str, Any]:
    nearest = {"name": rival, "confidence": 0.3}
    taken = likeliest if acted else None
    return {"text": text, "intent": intent, "likeliest": likeliest, "predicted": taken, "rival": nearest}


PREDICTIONS = [
    predicted("refund please", "refund", "refund", rival="cancel"),
    predicted("money back", "refund", "refund", acted=False, rival="cancel"),
    predicted("cancel it and pay me back", "refund", "cancel", rival="cancel"),
    predicted("cancel it", "cancel", "cancel", rival="refund"),
    predicted("hello", "greet", "greet", rival=""),
    predicted("who wrote Faust", "out_of_scope", "refund", acted=False),
]


def test_each_intent_has_its_share_its_rival_and_what_contradicts_it() -> None:
    refund, cancel, greet = (one.figures() for one in intent_figures(PREDICTIONS))
    assert (refund["intent"], refund["messages"], refund["can act"]) == ("refund", 3, "near-verbatim")
    assert (refund["understood"], refund["acted"], refund["rival"]) == (0.6667, 0.3333, "cancel")
    assert refund["contradicting"] == ['"cancel it and pay me back" is taken for cancel']
    assert cancel["contradicting"] == ['"cancel it and pay me back" of refund is taken for it']
    assert (cancel["can act"], cancel["rival"], greet["can act"]) == ("yes", "refund", "yes")


def test_an_intent_without_a_rule_leads_nowhere() -> None:
    found = {one.intent: one.can_act for one in intent_figures(PREDICTIONS, {"cancel", "greet"})}
    assert found == {"refund": "no: no rule", "cancel": "yes", "greet": "yes"}
    parts = BotParts(skills=find_skills(["shop_orders"]))
    assert set(parts.intents()) == ruled_intents(parts)
