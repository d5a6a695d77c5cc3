"""The trials of a new model before deployment: held-back messages, regression cases and conversation tests."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from core.bot.parts import BotParts
from core.errors import InvalidInput
from evaluation.training.comparison import Prediction, compare_predictions
from evaluation.training.data import Example, read_rows, write_rows
from evaluation.training.intents import IntentFigures, intent_figures
from evaluation.training.model import Release
from evaluation.training.rasa import run_rasa

KNOWLEDGE = "rejoinder_answer"


@dataclass(frozen=True)
class Case:
    """A message that must still be understood."""

    text: str
    intent: str | None = None
    """None means any intent whose rule asks the knowledge base."""


@dataclass(frozen=True)
class Verdict:
    """The results, and the reasons not to deploy the model; no reasons if it may be deployed."""

    figures: dict[str, Any]
    reasons: list[str] = field(default_factory=list)


def compare_releases(new: Release, running: Release | None, parts: BotParts, cases: Sequence[Case]) -> Verdict:
    """Compare the new model with the running one, in parallel.

    Raises:
        InvalidInput: a trial ended with an error.
    """
    test = read_rows(new.rows)
    taught = _select_new_examples(test, read_rows(running.rows) if running else test)
    asked = [*(case.text for case in cases), *(example.text for example in taught)]
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(2) as pool:
        after = pool.submit(_collect_predictions, parts, new, new, asked, Path(folder) / "after")
        before = (
            pool.submit(_collect_predictions, parts, running, new, asked, Path(folder) / "before") if running else None
        )
        failed = pool.submit(_failed_conversations, new, parts, Path(folder))
        figures, reasons = (
            compare_predictions(before.result()["held_back"], after.result()["held_back"]) if before else ({}, [])
        )
        new_cases, old_cases = after.result()["cases"], before.result()["cases"] if before else []
        forgotten = _find_forgotten_cases(cases, old_cases, new_cases, knowledge_intents(parts))
        if forgotten:
            reasons.append("understood by the running model and not by this one: " + "; ".join(forgotten))
        if failed.result():
            reasons.append("conversation tests fail: " + "; ".join(failed.result()))
    learnt = [p for p, e in zip(new_cases[len(cases) :], taught, strict=True) if p["likeliest"] == e.base]
    figures |= {
        "each intent": [one.figures() for one in intent_figures(after.result()["held_back"], ruled_intents(parts))],
        "examples": len(test),
        "new examples": len(taught),
        "new examples understood": len(learnt),
        "new examples not understood": [e.text for e in taught if e.text not in {p["text"] for p in learnt}],
        "cases": len(cases),
        "failed conversations": failed.result(),
        "compared with": running.name if running else None,
    }
    return Verdict(figures, reasons)


def held_back(release: Release, parts: BotParts) -> list[IntentFigures]:
    """Return how well a model's recipe understands each intent, with a fourth of the examples held back in turn.

    Raises:
        InvalidInput: the evaluation ended with an error.
    """
    with tempfile.TemporaryDirectory() as folder:
        predicted = _collect_predictions(parts, release, release, [], Path(folder) / "intents")["held_back"]
    return intent_figures(predicted, ruled_intents(parts))


def knowledge_intents(parts: BotParts) -> set[str]:
    """Return the intents whose rule first asks the knowledge base, outside of forms."""
    found: set[str] = set()
    for rule in _read_data_items(parts, "rules"):
        first, then = [*rule["steps"], {}, {}][:2]
        if then.get("action") == KNOWLEDGE and not rule.get("condition"):
            found |= _list_step_intents(first)
    return found


def ruled_intents(parts: BotParts) -> set[str]:
    """Return the intents used by a rule or story; the others have no effect."""
    paths = (*_read_data_items(parts, "rules"), *_read_data_items(parts, "stories"))
    return {intent for path in paths for step in path["steps"] for intent in _list_step_intents(step)}


def _read_data_items(parts: BotParts, kind: str) -> Iterator[dict[str, Any]]:
    for file in sorted(file for folder in parts.data_folders for file in folder.rglob("*.yml")):
        yield from (yaml.safe_load(file.read_text(encoding="utf-8")) or {}).get(kind) or ()


def _list_step_intents(step: dict[str, Any]) -> set[str]:
    return {str(each["intent"]).partition("/")[0] for each in step.get("or", [step]) if "intent" in each}


def _select_new_examples(after: list[Example], before: list[Example]) -> list[Example]:
    known = {(example.key, example.intent) for example in before}
    return [example for example in after if (example.key, example.intent) not in known]


def _collect_predictions(
    parts: BotParts, release: Release, new: Release, asked: list[str], folder: Path
) -> dict[str, list[Prediction]]:
    folder.mkdir()
    write_rows(folder / "cases.jsonl", [Example(text, "case") for text in asked])
    words = ["--data", str(release.rows), "--config", str(release.config), "--test", str(new.rows)]
    words += ["--model", str(release.archive), "--cases", str(folder / "cases.jsonl")]
    words += ["--out", str(folder / "found.json")]
    run_rasa(words, new.folder / f"{folder.name}.log", "bot.held_back", project=parts.project)
    found: dict[str, list[Prediction]] = json.loads((folder / "found.json").read_text(encoding="utf-8"))
    return found


def _find_forgotten_cases(
    cases: Sequence[Case], old: list[Prediction], new: list[Prediction], knowledge: set[str]
) -> list[str]:
    return [
        f'"{case.text}" ({now["predicted"] or "not known"} instead of {case.intent or "a question"})'
        for case, was, now in zip(cases, old, new, strict=False)
        if _matches_case(case, was, knowledge) and not _matches_case(case, now, knowledge)
    ]


def _matches_case(case: Case, prediction: Prediction, knowledge: set[str]) -> bool:
    understood = prediction["predicted"] or prediction["band"]
    return bool(understood == case.intent.partition("/")[0] if case.intent else understood in knowledge)


def _failed_conversations(release: Release, parts: BotParts, folder: Path) -> list[str]:
    """Return the names of the test stories that failed."""
    if not parts.test_folders:
        return []
    stories, out = folder / "stories", folder / "results"
    for number, tests in enumerate(parts.test_folders):
        shutil.copytree(tests, stories / str(number))
    words = ["test", "core", "--model", str(release.archive), "--stories", str(stories), "--out", str(out)]
    log = release.folder / "conversations.log"
    try:
        run_rasa([*words, "--no-plot", "--fail-on-prediction-errors"], log, project=parts.project)
    except InvalidInput:
        failed = out / "failed_test_stories.yml"
        found = (yaml.safe_load(failed.read_text(encoding="utf-8")) or {}).get("stories") if failed.exists() else None
        if not found:
            raise
        return [str(story["story"]).partition(" (")[0] for story in found]
    return []
