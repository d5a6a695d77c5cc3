"""Test whether a new model is worse than the running one, paired by message."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import comb
from typing import Any

Prediction = dict[str, Any]
"""A row of bot/evaluate.py: ``text``, ``intent`` (the correct one), ``likeliest``, ``predicted`` (None: not acted on)."""
NONE = "out_of_scope"
SIGNIFICANT = 0.05
"""Significance level of McNemar's exact one-sided test."""
MARGIN = 0.02
"""Maximum accepted loss of accuracy, however few messages there are."""
SHOWN = 10


@dataclass(frozen=True)
class Paired:
    """Paired results of two models: how often one was right and the other wrong."""

    messages: int
    before: float
    after: float
    lost: int
    won: int

    @property
    def p(self) -> float:
        """Probability of at least this many losses among the changes if losses and wins were equally likely."""
        changed = self.lost + self.won
        return float(sum(comb(changed, k) for k in range(self.lost, changed + 1)) / 2**changed)

    @property
    def worse(self) -> bool:
        """Whether there are significantly more losses than wins."""
        return self.lost > self.won and self.p < SIGNIFICANT

    def figures(self) -> dict[str, Any]:
        shares = {"before": round(self.before, 4), "after": round(self.after, 4)}
        return {"messages": self.messages, **shares, "lost": self.lost, "won": self.won, "p": round(self.p, 4)}


def compare_predictions(before: Sequence[Prediction], after: Sequence[Prediction]) -> tuple[dict[str, Any], list[str]]:
    """Return the figures, and the reasons why the new model is worse; no reasons if it is not."""
    pairs = list(zip(before, after, strict=True))
    understood, mistaken = (
        _compare_pairs(pairs, is_prediction_right),
        _compare_pairs(pairs, lambda p: not acted_wrongly(p)),
    )
    by_intent = {intent: _compare_pairs(some, is_prediction_right) for intent, some in _group_by_intent(pairs).items()}
    changed = {intent: one.figures() for intent, one in sorted(by_intent.items()) if one.lost or one.won}
    confusions = _find_confusions(pairs)
    figures = {
        "understood": understood.figures(),
        "not acted on wrongly": mistaken.figures(),
        "intents": changed,
        "confusions": confusions,
    }
    reasons = []
    if understood.worse or understood.after < understood.before - MARGIN:
        reasons.append(f"fewer messages are understood: {_format_change(understood)}")
    if mistaken.worse:
        reasons.append(
            f"more messages are taken for the wrong intent and acted on: right in {_format_change(mistaken)}"
        )
    reasons += [
        f"{i} is understood less often: {_format_change(one)}" for i, one in sorted(by_intent.items()) if one.worse
    ]
    if reasons and confusions:
        shown = (f"{c['intent']} taken for {c['taken for']} ({c['before']} -> {c['after']})" for c in confusions)
        reasons.append("new confusions: " + ", ".join(shown))
    return figures, reasons


def is_prediction_right(prediction: Prediction) -> bool:
    """Whether the likeliest intent is correct, or an out-of-scope message is not acted on."""
    if prediction["intent"] == NONE:
        return prediction["predicted"] is None
    return bool(prediction["likeliest"] == prediction["intent"])


def acted_wrongly(prediction: Prediction) -> bool:
    """Whether the prediction is confident enough to act on, but for another intent."""
    return prediction["predicted"] not in {None, prediction["intent"]}


def _compare_pairs(pairs: list[tuple[Prediction, Prediction]], good: Callable[[Prediction], bool]) -> Paired:
    marks = [(good(old), good(new)) for old, new in pairs]
    count = max(len(marks), 1)
    return Paired(
        messages=len(marks),
        before=sum(old for old, _ in marks) / count,
        after=sum(new for _, new in marks) / count,
        lost=marks.count((True, False)),
        won=marks.count((False, True)),
    )


def _group_by_intent(pairs: list[tuple[Prediction, Prediction]]) -> dict[str, list[tuple[Prediction, Prediction]]]:
    groups: dict[str, list[tuple[Prediction, Prediction]]] = {}
    for pair in pairs:
        groups.setdefault(pair[0]["intent"], []).append(pair)
    return groups


def _find_confusions(pairs: list[tuple[Prediction, Prediction]]) -> list[dict[str, Any]]:
    """Return the pairs of intents that are confused more often than before."""
    old, new = (
        (Counter(_mixed_up(p) for p in side if not is_prediction_right(p)) for side in zip(*pairs, strict=True))
        if pairs
        else ({}, {})
    )
    grown = sorted((key for key in new if new[key] > old.get(key, 0)), key=lambda key: old.get(key, 0) - new[key])
    return [
        {"intent": intent, "taken for": other, "before": old.get((intent, other), 0), "after": new[intent, other]}
        for intent, other in grown[:SHOWN]
    ]


def _mixed_up(prediction: Prediction) -> tuple[str, str]:
    acted = prediction["predicted"] if prediction["intent"] == NONE else prediction["likeliest"]
    return prediction["intent"], acted or NONE


def _format_change(one: Paired) -> str:
    return f"{one.before:.1%} -> {one.after:.1%} of {one.messages} ({one.lost} lost, {one.won} won, p = {one.p:.3f})"
