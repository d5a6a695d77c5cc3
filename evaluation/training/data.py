"""Reads the examples of Rasa's training files."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from core.errors import InvalidInput

_ANNOTATED = re.compile(r"\[([^\]]+)\](?:\([^)]*\)|\{[^}]*\})")


@dataclass(frozen=True)
class Example:
    """A message with its intent, and the file that has it."""

    text: str
    """As a customer writes it: without the marks of entities."""
    intent: str
    file: str = ""

    @property
    def key(self) -> str:
        """The same for what the bot cannot tell apart."""
        return " ".join(self.text.casefold().split())


def read_folder(folder: Path) -> list[Example]:
    """Every example below the folder, file by file.

    Raises:
        InvalidInput: a file is not what Rasa reads; names it.
    """
    if not folder.is_dir():
        raise InvalidInput(f"There is no folder {folder} with training data.")
    return [
        example for file in sorted(folder.rglob("*.yml")) for example in read_file(file, str(file.relative_to(folder)))
    ]


def read_file(file: Path, name: str = "") -> list[Example]:
    """The examples of one file; none where it has only rules or stories.

    Raises:
        InvalidInput: it is not YAML, or not in Rasa's shape.
    """
    name = name or file.name
    found: list[Example] = []
    for part in _document(file, name).get("nlu") or ():
        if not isinstance(part, dict):
            raise InvalidInput(f"{name}: under nlu there is {part!r}, where an intent should be")
        if "intent" in part:
            found += [Example(text, str(part["intent"]), name) for text in _texts(part, name)]
    return found


def write_rows(file: Path, examples: Iterable[Example]) -> None:
    """One ``{"text", "intent"}`` a line."""
    rows = ({"text": example.text, "intent": example.intent} for example in examples)
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


def read_rows(file: Path) -> list[Example]:
    """What ``write_rows`` wrote."""
    return [Example(**json.loads(line)) for line in file.read_text(encoding="utf-8").splitlines()]


def _document(file: Path, name: str) -> dict[str, Any]:
    try:
        document = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{name} is not valid YAML: {error}") from None
    if not isinstance(document, dict) or not isinstance(document.get("nlu") or [], list):
        raise InvalidInput(f"{name} is not a file of Rasa's: it needs `nlu:` with a list of intents")
    return document


def _texts(part: dict[str, Any], name: str) -> list[str]:
    examples = part.get("examples") or ""
    if not isinstance(examples, str):
        raise InvalidInput(f"{name}: the examples of {part['intent']} must be one text (`examples: |`)")
    lines = [line.strip() for line in examples.splitlines() if line.strip()]
    if wrong := next((line for line in lines if not line.startswith("-")), None):
        raise InvalidInput(f"{name}: an example of {part['intent']} does not begin with a dash: {wrong}")
    return [_ANNOTATED.sub(r"\1", line[1:].strip()) for line in lines]
