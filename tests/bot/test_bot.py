"""The shipped bot: its components, its training data, its test stories, and `nlu evaluate`, all inside real Rasa."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from console.cli import app
from evaluation.training.model import BotModel
from evaluation.training.rasa import ROOT, environment

PYTHON = ROOT / ".venv-bot/bin/python"


def in_rasa(*words: str, cwd: Path = ROOT) -> str:
    done = subprocess.run(
        [PYTHON, *words], cwd=cwd, env=environment(), capture_output=True, text=True, check=False, timeout=280
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-3000:]
    return done.stdout + done.stderr


def test_settings_are_checked_and_bands_are_kept() -> None:
    in_rasa("-m", "tests.bot.check_components")


def test_training_data_is_valid() -> None:
    in_rasa("-m", "rasa", "data", "validate", "--data", "bot/data", "--domain", "domain.yml", "--config", "config.yml")


@pytest.mark.timeout(600)
def test_every_rule_and_form_goes_as_its_story_says(tmp_path: Path) -> None:
    model = BotModel(tmp_path)
    model.train()
    options = ["--model", str(model.deployed), "--stories", "tests/conversations", "--out", str(tmp_path / "results")]
    in_rasa("-m", "rasa", "test", "core", *options, "--no-plot", "--fail-on-prediction-errors")


@pytest.mark.timeout(600)
def test_nlu_evaluate_separates_what_is_known_from_what_is_not(tmp_path: Path) -> None:
    known = {
        "fruit": [f"I would like {n} {k}" for n in ("two", "five", "ten") for k in ("apples", "pears", "plums")],
        "weather": [f"will it {w} {d}" for w in ("rain", "snow", "hail") for d in ("today", "tomorrow", "on Monday")],
    }
    rows = [{"text": text, "intent": intent} for intent, texts in known.items() for text in texts]
    (tmp_path / "train.jsonl").write_text("\n".join(map(json.dumps, rows)))
    asked = [("I would like seven pears", "fruit"), ("will it rain on Tuesday", "weather"), ("who wrote Faust?", "oos")]
    lines = [json.dumps({"text": text, "intent": intent}) for text, intent in asked]
    (tmp_path / "test.jsonl").write_text("\n".join(lines))
    files = ["--train", str(tmp_path / "train.jsonl"), "--test", str(tmp_path / "test.jsonl")]
    done = CliRunner().invoke(app, ["nlu", "evaluate", *files, "--json"])
    figures = json.loads(done.stdout)
    assert (figures["in_scope_accuracy"], figures["oos_recall"], figures["oos_auroc"]) == (1.0, 1.0, 1.0)
    assert figures["train_seconds"] > 0
    assert figures["ms_per_message"] > 0


def test_nlu_evaluate_names_the_line_that_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "bad.jsonl").write_text('{"text": "hello"}\n')
    files = ["--train", str(tmp_path / "bad.jsonl"), "--test", str(tmp_path / "bad.jsonl")]
    done = CliRunner().invoke(app, ["nlu", "evaluate", *files])
    assert done.exit_code == 1
    assert "line 1: needs an object with text and intent" in str(done.exception)
