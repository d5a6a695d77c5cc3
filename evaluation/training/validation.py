"""Validate training data and report all problems at once, before any training."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from difflib import get_close_matches

from core.errors import InvalidInput
from evaluation.training.data import Example


def check_examples(examples: Iterable[Example], intents: Iterable[str]) -> None:
    """Check that the examples can be trained on.

    Raises:
        InvalidInput: the examples are invalid; the message has a line per problem.
    """
    if found := list_example_problems(list(examples), set(intents)):
        raise InvalidInput("The training data cannot be used:\n" + "\n".join(f"  {problem}" for problem in found))


def list_example_problems(examples: list[Example], intents: set[str]) -> list[str]:
    """Return one line per problem."""
    return [
        *_find_invalid_texts(examples),
        *_find_unknown_intents(examples, intents),
        *_find_duplicate_examples(examples),
    ]


def _find_invalid_texts(examples: list[Example]) -> list[str]:
    empty = [f"{_format_location(e)}an example of {e.intent} is empty" for e in examples if not e.key]
    commands = [
        f'{_format_location(e)}"{e.text}" ({e.intent}) begins with a slash: Rasa takes it for a command'
        for e in examples
        if e.key.startswith("/")
    ]  # fmt: skip
    return empty + commands


def _find_unknown_intents(examples: list[Example], intents: set[str]) -> list[str]:
    found = []
    for intent in sorted({e.base for e in examples} - intents):
        near = get_close_matches(intent, intents, n=1)
        hint = (
            f"did you mean {near[0]}?"
            if near
            else "add it to the domain.yml of a skill, with a rule that says what happens then"
        )
        files = ", ".join(sorted({e.file for e in examples if e.base == intent and e.file}))
        found.append(f"{files}: the intent {intent} is in no domain; {hint}".removeprefix(": "))
    return found


def _find_duplicate_examples(examples: list[Example]) -> list[str]:
    by_key: dict[str, list[Example]] = defaultdict(list)
    for example in examples:
        by_key[example.key].append(example)
    return [
        f'"{same[0].text}" is an example of several intents: '
        + ", ".join(sorted({f"{e.intent} ({e.file})" if e.file else e.intent for e in same}))
        for same in by_key.values()
        if len({e.intent for e in same}) > 1
    ]


def _format_location(example: Example) -> str:
    return f"{example.file}: " if example.file else ""
