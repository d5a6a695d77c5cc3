"""Each entry learns from which score its answer may be sent."""

from __future__ import annotations

import numpy as np
import pytest

from knowledge.answers.reuse.bound import NEVER, Experience, JudgedUse, ReuseBound

USUAL = np.linspace(0.0, 0.999, 400).tolist()


@pytest.fixture
def bound() -> ReuseBound:
    return ReuseBound(1.0, USUAL)


def test_a_tenant_whose_score_is_better_than_usual_learns_it(bound: ReuseBound) -> None:
    draw = np.random.default_rng(3)
    scores = draw.uniform(0.3, 0.99, 300)
    good = [JudgedUse(float(s), bool(draw.random() < s**0.2)) for s in scores]
    poor = [JudgedUse(float(s), bool(draw.random() < s**4)) for s in scores]
    needed = [bound.needed([], 0.05, Experience.of(seen)) for seen in (good, [], poor)]
    assert needed == sorted(needed)
    assert needed[0] < needed[2]


def test_without_observations_it_is_stricter_than_with_confirmations(bound: ReuseBound) -> None:
    right = [JudgedUse(0.7, correct=True)] * 20
    assert bound.needed(right, 0.05) < bound.needed([], 0.05)


def test_a_wrong_answer_tightens_it(bound: ReuseBound) -> None:
    right = [JudgedUse(0.9, correct=True)] * 5
    assert bound.needed([*right, JudgedUse(0.95, correct=False)], 0.05) > bound.needed(right, 0.05)


def test_an_operator_who_allows_less_gets_less(bound: ReuseBound) -> None:
    needed = [bound.needed([JudgedUse(0.8, correct=True)] * 10, error) for error in (0.2, 0.05, 0.02)]
    assert needed == sorted(needed)
    assert needed[0] < needed[-1]


def test_an_entry_that_is_always_wrong_is_not_reused(bound: ReuseBound) -> None:
    assert bound.needed([JudgedUse(0.99, correct=False)] * 50, 0.02) == NEVER


def test_within_the_model_the_error_keeps_to_what_is_allowed() -> None:
    draw, spread = np.random.default_rng(5), 1.0
    scores = draw.beta(2, 1, 400).clip(0.001, 0.999)
    bound = ReuseBound(spread, scores.tolist())
    reused = wrong = 0
    for offset in draw.normal(0, spread, 150):
        chances = 1 / (1 + np.exp(-(np.log(scores / (1 - scores)) + offset)))
        seen = [JudgedUse(float(s), bool(draw.random() < c)) for s, c in zip(scores[:10], chances[:10], strict=True)]
        over = scores >= bound.needed(seen, 0.05)
        reused += int(over.sum())
        wrong += int((draw.random(len(scores)) > chances)[over].sum())
    assert reused > 5000
    assert wrong / reused <= 0.05
