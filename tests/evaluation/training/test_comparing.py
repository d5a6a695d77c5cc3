"""A worse model is found, a better one and chance are let through."""

from __future__ import annotations

from evaluation.training.comparison import Prediction, compare_predictions


def said(intent: str, likeliest: str, *, sure: bool = False) -> Prediction:
    return {"text": "x", "intent": intent, "likeliest": likeliest, "predicted": likeliest if sure else None}


def many(count: int, intent: str, likeliest: str, *, sure: bool = False) -> list[Prediction]:
    return [said(intent, likeliest, sure=sure)] * count


def test_an_equal_model_is_not_worse() -> None:
    same = [*many(50, "refund", "refund"), *many(10, "greet", "goodbye")]
    figures, reasons = compare_predictions(same, same)
    assert reasons == []
    assert figures["understood"] == {"messages": 60, "before": 0.8333, "after": 0.8333, "lost": 0, "won": 0, "p": 1.0}


def test_an_intent_that_is_understood_less_often_is_named_with_its_confusion() -> None:
    before = [*many(300, "refund", "refund"), *many(20, "greet", "greet")]
    after = [*many(300, "refund", "refund"), *many(14, "greet", "greet"), *many(6, "greet", "goodbye")]
    figures, reasons = compare_predictions(before, after)
    assert any(
        reason.startswith("greet is understood less often: 100.0% -> 70.0% of 20 (6 lost, 0 won") for reason in reasons
    )
    assert not any("refund" in reason for reason in reasons)
    assert "new confusions: greet taken for goodbye (0 -> 6)" in reasons
    assert figures["intents"] == {
        "greet": {"messages": 20, "before": 1.0, "after": 0.7, "lost": 6, "won": 0, "p": 0.0156}
    }


def test_a_few_losses_and_wins_are_chance() -> None:
    before = [*many(96, "refund", "refund"), *many(2, "refund", "greet"), *many(2, "refund", "refund")]
    after = [*many(96, "refund", "refund"), *many(2, "refund", "refund"), *many(2, "refund", "greet")]
    assert compare_predictions(before, after)[1] == []


def test_a_large_loss_counts_however_few_the_messages_are() -> None:
    assert compare_predictions(many(10, "a", "a"), [*many(9, "a", "a"), said("a", "b")])[1][0].startswith(
        "fewer messages"
    )


def test_acting_on_the_wrong_intent_is_worse_than_asking_back() -> None:
    before, after = many(10, "refund", "greet"), many(10, "refund", "greet", sure=True)
    (reason,) = [r for r in compare_predictions(before, after)[1] if "acted on" in r]
    assert "10 lost" in reason


def test_what_is_out_of_scope_must_not_be_acted_on() -> None:
    before, after = many(10, "out_of_scope", "greet"), many(10, "out_of_scope", "greet", sure=True)
    assert "out_of_scope taken for greet (0 -> 10)" in compare_predictions(before, after)[1][-1]
