"""A person who takes over reads a model's summary, where there is a model."""

from __future__ import annotations

import pytest

from core.db import Database
from core.db.models import get_current_time
from core.events import MessageStored
from knowledge.answers.handoff_summary import Summariser
from knowledge.answers.prompt_texts import Prompts
from tests.core.llm import scripted

SAID = [
    MessageStored("m1", 1, "customer", "Where is my lamp?", get_current_time()),
    MessageStored("m2", 2, "bot", "I don't know.", get_current_time()),
    MessageStored("m3", 3, "agent", "Let me look.", get_current_time()),
]


@pytest.mark.parametrize(
    ("says", "summary"),
    [(scripted.Say("Ada asks for her lamp. "), "Ada asks for her lamp."), (scripted.Say("", fail="server"), None)],
)
async def test_the_model_is_told_all_that_was_said(sqlite: Database, says, summary) -> None:
    bench = scripted.bench(sqlite)
    bench.scripted.always = {model.name: says for model in scripted.CATALOGUE.models.values()}
    assert await Summariser(bench.router, Prompts.load())("default", "c1", SAID) == summary
    told = bench.scripted.asked[0].messages[-1].text
    assert "customer: Where is my lamp?\nbot: I don't know.\nagent: Let me look." in told


async def test_with_the_budget_spent_there_is_no_summary(sqlite: Database) -> None:
    bench = scripted.bench(sqlite)
    bench.rules(budget={"tenant_per_day": 0})
    assert await Summariser(bench.router, Prompts.load())("default", "c1", SAID) is None
