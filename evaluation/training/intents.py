"""Judge the quality of an intent's examples: whether it can act, how well it is understood, and what contradicts it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from evaluation.training.comparison import NONE, Prediction, is_prediction_right

SHOWN = 3
NEAR_VERBATIM = "near-verbatim"
"""Value of ``can_act`` for an intent that hardly acts on anything but its examples."""
ACTS_FROM = 0.5
"""Minimum share of held-back examples acted on for an intent to count as acting on unseen messages."""


@dataclass(frozen=True)
class IntentFigures:
    """How well a model understands unseen messages of an intent."""

    intent: str
    messages: int
    understood: float
    """Share for which the intent is the likeliest, 0 to 1."""
    acted: float
    """Share for which the model is confident enough to act, 0 to 1."""
    rival: str
    """The most similar other intent; empty if there is none."""
    contradicting: tuple[str, ...]
    """Messages of this intent taken for another one, then messages of other intents taken for this one."""
    has_rule: bool = True

    @property
    def can_act(self) -> str:
        """Whether the intent can act, as a short text."""
        if not self.has_rule:
            return "no: no rule"
        return "yes" if self.acted >= ACTS_FROM else NEAR_VERBATIM

    def figures(self) -> dict[str, Any]:
        shares = {"understood": round(self.understood, 4), "acted": round(self.acted, 4)}
        return {**asdict(self), **shares, "can act": self.can_act, "contradicting": list(self.contradicting)}


def intent_figures(predictions: Sequence[Prediction], ruled: Container[str] | None = None) -> list[IntentFigures]:
    """Return the figures of each intent with messages, the least understood first; out-of-scope has none.

    ``ruled`` are the intents used by a rule or story, if known.
    """
    by_intent: dict[str, list[Prediction]] = defaultdict(list)
    for prediction in predictions:
        by_intent[prediction["intent"]].append(prediction)
    taken = [p for p in predictions if p["predicted"] not in {None, p["intent"]} and p["intent"] != NONE]
    found = [_build_figures(intent, some, taken) for intent, some in by_intent.items() if intent != NONE]
    found = [replace(one, has_rule=ruled is None or one.intent in ruled) for one in found]
    return sorted(found, key=lambda one: (one.understood, one.intent))


def _build_figures(intent: str, predictions: Sequence[Prediction], taken: Iterable[Prediction]) -> IntentFigures:
    count = len(predictions)
    lost = [f'"{p["text"]}" is taken for {p["predicted"]}' for p in taken if p["intent"] == intent]
    won = [f'"{p["text"]}" of {p["intent"]} is taken for it' for p in taken if p["predicted"] == intent]
    return IntentFigures(
        intent,
        count,
        understood=sum(map(is_prediction_right, predictions)) / count,
        acted=sum(p["predicted"] == intent for p in predictions) / count,
        rival=_find_rival(predictions),
        contradicting=(*lost[:SHOWN], *won[:SHOWN]),
    )


def _find_rival(predictions: Sequence[Prediction]) -> str:
    shares: Counter[str] = Counter()
    for prediction in predictions:
        if prediction["rival"]:
            shares[prediction["rival"]["name"]] += prediction["rival"]["confidence"]
    return max(shares, key=lambda name: shares[name], default="")
