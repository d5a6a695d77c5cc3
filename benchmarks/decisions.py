"""Who takes a message: questions of the demo's articles beside commands to its skills, by what the knowledge has for it.

``benchmarks/decisions.jsonl``: written by us. Its part "tune" chose the settings of ``OutOfScopeComponent`` and the
examples in ``contrasts.yml``; "report" was written before either was tried. A good third of the questions lies as near to
a skill as we could make it ("cancel order cost"), and each level is assumed for every message, so these are worst cases.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.report import Goal, Result, at_least, at_most
from core.settings import Settings
from evaluation.training.model import make_model
from evaluation.training.rasa import run_rasa

ROWS = Path(__file__).parent / "decisions.jsonl"
LEVELS = ("sure", "probable", "unsure", "none")
ANSWERED = {
    "change_order", "delivery_options", "return_item", "refund", "damaged_item", "payment_problem", "payment_methods",
    "invoice", "promo_code", "account", "password_reset", "newsletter", "ask_knowledge", "out_of_scope",
    "nlu_fallback",
}  # fmt: skip
"""Intents that no skill acts on: the knowledge answers them, or they are asked back."""
TASKS = {"order_status": "status", "delivery_delay": "status", "cancel_order": "cancel", "change_address": "address"}
"""Intents by the task that they begin."""


def run(data: Path) -> Result:  # noqa: ARG001 - every benchmark is given it
    """The shipped bot, by level and part."""
    rows = [json.loads(line) for line in ROWS.read_text(encoding="utf-8").splitlines()]
    asked = [{**row, "level": level} for level in LEVELS for row in rows]
    decided = [{**row, **found} for row, found in zip(asked, _decided(asked), strict=True)]
    figures = {
        part: {
            level: _shares([each for each in decided if (each["part"], each["level"]) == (part, level)])
            for level in LEVELS
        }
        for part in ("tune", "report")
    }
    return {"figures": figures, "targets": _targets(figures), "notes": []}


def _decided(asked: list[dict[str, Any]]) -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model = make_model(Settings.load(home=folder, skills="shop_orders"))
        model.train()
        rows, out = folder / "rows.jsonl", folder / "out.jsonl"
        rows.write_text("".join(json.dumps(each) + "\n" for each in asked), encoding="utf-8")
        words = ["--model", str(model.deployed), "--rows", str(rows), "--out", str(out)]
        run_rasa(words, folder / "log", module="bot.decisions")
        return [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]


def _shares(rows: list[dict[str, Any]]) -> dict[str, float]:
    questions = [row for row in rows if row["kind"] == "question"]
    tasks = [row for row in rows if row.get("wanted") in TASKS]
    others = [row for row in rows if row["kind"] == "command" and row.get("wanted") not in TASKS]
    return {
        "questions_captured": _share([row["intent"] not in ANSWERED for row in questions]),
        "tasks_done": _share([TASKS.get(row["intent"]) == TASKS[row["wanted"]] for row in tasks]),
        "other_commands_kept": _share([row["intent"] == row["wanted"] for row in others]),
    }


def _share(hits: list[bool]) -> float:
    return round(sum(hits) / len(hits), 3)


def _targets(figures: dict[str, Any]) -> list[Goal]:
    return [
        at_most(
            "questions captured where the knowledge is sure, tune", figures["tune"]["sure"]["questions_captured"], 0.03
        ),
        at_least("tasks done where the knowledge is sure, tune", figures["tune"]["sure"]["tasks_done"], 0.8),
        at_least("tasks done where the knowledge has nothing, tune", figures["tune"]["none"]["tasks_done"], 0.85),
    ]
