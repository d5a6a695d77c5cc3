"""Trains the shipped pipeline in Rasa on one JSONL file and evaluates it on another.

Run ``python -m bot.evaluate --train FILE --test FILE [--config FILE]`` in the bot environment; it prints one JSON object.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

import numpy as np
from rasa.core.agent import Agent
from rasa.model_training import train_nlu
from rasa.utils.log_utils import configure_structlog
from sklearn.metrics import roc_auc_score

Row = Tuple[str, str]
OOS = "oos"
OUT_OF_SCOPE = "out_of_scope"
KEPT_OUT = (OUT_OF_SCOPE, "nlu_fallback", None)
"""Values that count as "not acted on": out of scope, or asked back."""


def main() -> None:
    """Parse the arguments and print the metrics."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--train", type=Path, required=True)
    parser.add_argument("--test", type=Path, required=True)
    parser.add_argument("--config", type=Path, default=Path("config.yml"))
    parser.add_argument("--predictions", type=Path, help="write one line a test row here")
    given = parser.parse_args()
    configure_structlog(logging.WARNING)
    logging.getLogger().setLevel(logging.WARNING)
    figures, predictions = evaluate_pipeline(
        read_labelled_rows(given.train), read_labelled_rows(given.test), given.config
    )
    if given.predictions:
        given.predictions.write_text("".join(json.dumps(p) + "\n" for p in predictions), encoding="utf-8")
    print(json.dumps(figures))


def read_labelled_rows(path: Path) -> List[Row]:
    """Read texts and intents; "oos" is converted to the assistant's own intent out_of_scope."""
    rows: List[Row] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            text, intent = str(row["text"]), str(row["intent"])
        except (ValueError, KeyError, TypeError) as error:
            sys.exit(f"{path}, line {number}: needs an object with text and intent ({error!r})")
        rows.append((text, OUT_OF_SCOPE if intent == OOS else intent))
    if not rows:
        sys.exit(f"{path}: no rows")
    return rows


def evaluate_pipeline(train: List[Row], test: List[Row], config: Path) -> Tuple[Dict[str, Any], List[Dict[str, Any]]]:
    """Return the metrics, and the prediction for every test row."""
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        agent = train_agent(train, config, Path(folder))
        seconds = time.perf_counter() - started
        predictions, cpu_ms = asyncio.run(parse_rows(agent, test))
    return {
        **_compute_metrics(predictions),
        "train_seconds": round(seconds, 1),
        "ms_per_message": round(cpu_ms, 2),
    }, predictions


def train_agent(rows: List[Row], config: Path, folder: Path) -> Agent:
    """Train an NLU agent on these rows alone."""
    # JSON, because in YAML a text with brackets would be parsed as containing entities
    examples = [{"text": _strip_leading_slash(text), "intent": intent} for text, intent in rows]
    data = folder / "nlu.json"
    data.write_text(json.dumps({"rasa_nlu_data": {"common_examples": examples}}), encoding="utf-8")
    model = train_nlu(str(config), str(data), str(folder), fixed_model_name="nlu")
    return Agent.load(model)


async def parse_rows(agent: Agent, rows: List[Row]) -> Tuple[List[Dict[str, Any]], float]:
    """Parse every row separately, as in serving; also return the CPU time per row in milliseconds."""
    for text, _ in rows[:5]:
        await agent.parse_message(text)
    started = time.process_time()
    parsed = [await agent.parse_message(_strip_leading_slash(text)) for text, _ in rows]
    cpu_ms = (time.process_time() - started) * 1000 / len(rows)
    return [_build_prediction(text, intent, found) for (text, intent), found in zip(rows, parsed)], cpu_ms


def _strip_leading_slash(text: str) -> str:
    """Strip leading slashes, which Rasa takes for commands."""
    return text.lstrip("/ ")


def _build_prediction(text: str, intent: str, found: Dict[str, Any]) -> Dict[str, Any]:
    chosen = (found.get("intent") or {}).get("name")
    ranking = [other for other in found.get("intent_ranking") or [] if other["name"] not in KEPT_OUT]
    return {
        "text": text,
        "intent": intent,
        "predicted": None if chosen in KEPT_OUT else chosen,
        "likeliest": ranking[0]["name"] if ranking else None,
        "rival": next((other for other in ranking if other["name"] != intent), None),
        "band": chosen if chosen in KEPT_OUT else "sure",
        "score": found.get("oos_score", (found.get("intent") or {}).get("confidence") or 0.0),
    }


def _compute_metrics(predictions: List[Dict[str, Any]]) -> Dict[str, Any]:
    """Compute the metrics; a rejected row in scope counts as wrong, one out of scope as found (CLINC150's convention)."""
    inside = [p for p in predictions if p["intent"] != OUT_OF_SCOPE]
    outside = [p for p in predictions if p["intent"] == OUT_OF_SCOPE]
    return {
        "in_scope_accuracy": _compute_share([p["predicted"] == p["intent"] for p in inside]),
        "oos_recall": _compute_share([p["predicted"] is None for p in outside]),
        "oos_auroc": _compute_auroc(inside, outside),
        "in_scope_accuracy_unrejected": _compute_share([p["likeliest"] == p["intent"] for p in inside]),
        "in_scope_asked_back": _compute_share([p["band"] == "nlu_fallback" for p in inside]),
        "oos_asked_back": _compute_share([p["band"] == "nlu_fallback" for p in outside]),
        "rows_in_scope": len(inside),
        "rows_out_of_scope": len(outside),
    }


def _compute_share(hits: List[bool]) -> Optional[float]:
    return round(float(np.mean(hits)), 4) if hits else None


def _compute_auroc(inside: List[Dict[str, Any]], outside: List[Dict[str, Any]]) -> Optional[float]:
    if not inside or not outside:
        return None
    labels = [1] * len(inside) + [0] * len(outside)
    # a message that the classifier itself calls out of scope ranks below all others
    scores = [p["score"] for p in (*inside, *outside)]
    return round(float(roc_auc_score(labels, scores)), 4)


if __name__ == "__main__":
    main()
