"""The list of models: the shipped one is whole, a wrong one is refused with every mistake, prices are exact."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from core.errors import ModelsInvalid, NotFound
from core.llm.catalogue import Catalogue
from core.llm.types import Usage
from testing.instance import ROOT

LOCAL = ("ollama/", "vllm/", "llamacpp/", "local/")
MODELS = """
roles: {{cheap: [a/x], balanced: [], reasoning: [], long_context: []}}
models:
  a/x: {{provider: a, name: x, context_window: 1000{more}}}
"""


@pytest.fixture
def shipped() -> Catalogue:
    return Catalogue.load(ROOT / "models.yml")


def test_every_role_of_the_shipped_list_has_both_vendors_then_the_local_ones(shipped: Catalogue) -> None:
    assert set(shipped.roles) == {"cheap", "balanced", "reasoning", "long_context"}
    for ids in shipped.roles.values():
        assert {"openai", "gemini"} <= {shipped.model(id_).provider for id_ in ids}
        assert all(id_.startswith(LOCAL) for id_ in ids[-4:])


def test_the_shipped_ids_and_prices_are_in_order(shipped: Catalogue) -> None:
    for id_, model in shipped.models.items():
        assert id_ == f"{model.provider}/{model.name or 'default'}"
        assert model.price is not None and model.price.cached_input <= model.price.input <= model.price.output
    cheap, balanced = (shipped.model(shipped.roles[role][0]).price for role in ("cheap", "balanced"))
    assert cheap.input < balanced.input and cheap.output < balanced.output
    assert shipped.model(shipped.roles["long_context"][0]).context_window > 900_000


def test_cached_and_long_prompts_have_their_own_price(shipped: Catalogue) -> None:
    cost = shipped.cost("openai/gpt-6.1-sol", Usage(1000, 100, cached_tokens=400))
    assert cost == Decimal("0.00224")  # 600 at 2, 400 at 0.10, 100 at 10, of a million each
    assert shipped.cost("openai/gpt-6.1-sol", Usage(300_000, 0)) == Decimal("1.2")
    assert shipped.cost("llamacpp/default", Usage(1000, 100)) == 0


def test_a_model_without_a_price_costs_nobody_knows_what(tmp_path: Path) -> None:
    catalogue = Catalogue.load(_written(tmp_path, MODELS.format(more="")))
    assert catalogue.cost("a/x", Usage(1, 1)) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            MODELS.format(more=", price: {input: -1, cached_input: 0, output: 1, as_of: 2026-01-01}"),
            "models.a/x.price.input",
        ),
        (MODELS.format(more=", colour: red"), "models.a/x.colour"),
        (MODELS.format(more=", effort: enormous"), "models.a/x.effort"),
        (MODELS.format(more="").replace("[a/x]", "[a/y]"), "cheap: a/y"),
        ("roles: [", "no YAML"),
    ],
)
def test_a_wrong_list_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ModelsInvalid, match=said):
        Catalogue.load(_written(tmp_path, text))


def test_a_missing_list_and_a_missing_model(tmp_path: Path, shipped: Catalogue) -> None:
    with pytest.raises(ModelsInvalid, match="missing"):
        Catalogue.load(tmp_path / "models.yml")
    with pytest.raises(NotFound, match="gpt-0"):
        shipped.model("openai/gpt-0")


def _written(folder: Path, text: str) -> Path:
    path = folder / "models.yml"
    path.write_text(text)
    return path
