"""Training data that cannot be trained on is refused with a line for each problem."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.bot.parts import BotParts, find_skills
from core.errors import InvalidInput
from evaluation.training.data import Example, read_file, read_folder, read_parts
from evaluation.training.validation import check_examples, list_example_problems

GOOD = [Example("hello", "greet"), Example("hi", "greet"), Example("money back", "refund"), Example("refund", "refund")]
INTENTS = {"greet", "refund"}


@pytest.mark.parametrize("skills", [[], ["shop_orders"]])
def test_the_shipped_data_is_valid(skills: list[str]) -> None:
    parts = BotParts(skills=find_skills(skills))
    check_examples(read_parts(parts), parts.intents())


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (Example("Hello ", "refund", "a.yml"), '"hello" is an example of several intents: greet, refund (a.yml)'),
        (Example("", "greet", "a.yml"), "a.yml: an example of greet is empty"),
        (Example("/restart", "greet"), '"/restart" (greet) begins with a slash: Rasa takes it for a command'),
        (Example("a refund", "refunds", "a.yml"), "a.yml: the intent refunds is in no domain; did you mean refund?"),
        (Example("wrap it", "gift_wrap"), "add it to the domain.yml of a skill"),
    ],
)  # fmt: skip
def test_each_problem_is_named(wrong: Example, said: str) -> None:
    assert any(said in line for line in list_example_problems([*GOOD, wrong], INTENTS))


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(InvalidInput) as refused:
        check_examples([*GOOD, Example("", "greet"), Example("/x", "greet")], INTENTS)
    assert len(str(refused.value).splitlines()) == 3


def test_marks_of_entities_are_not_part_of_the_message(data: Path) -> None:
    texts = {example.text for example in read_folder(data)}
    assert "refund for R104233 please" in texts
    assert "lamp" not in texts


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("nlu: [", "bad.yml is not valid YAML"),
        ("- a\n- b\n", "bad.yml is not a file of Rasa's"),
        ("nlu:\n  - greet\n", "where an intent should be"),
        ("nlu:\n  - intent: greet\n    examples:\n      - hi\n", "the examples of greet must be one text"),
        ("nlu:\n  - intent: greet\n    examples: |\n      hi\n", "does not begin with a dash: hi"),
    ],
)
def test_a_file_that_is_not_rasas_is_named(tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / "bad.yml").write_text(content)
    with pytest.raises(InvalidInput, match="bad") as refused:
        read_file(tmp_path / "bad.yml")
    assert said in str(refused.value)
