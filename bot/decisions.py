"""Writes a trained model's decisions on messages with given knowledge levels.

Run ``python -m bot.decisions --model FILE --rows FILE --out FILE`` in the bot environment. A row is ``{"text", "level"}``; its
decision, with the chosen intent, is written to the same line of ``--out``.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
from pathlib import Path
from typing import Any, Dict, List

from rasa.core.agent import Agent
from rasa.core.channels.channel import UserMessage
from rasa.utils.log_utils import configure_structlog


def main() -> None:
    """Parse the arguments and write the decisions."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("model", "rows", "out"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    given = parser.parse_args()
    configure_structlog(logging.WARNING)
    logging.getLogger().setLevel(logging.WARNING)
    rows = [json.loads(line) for line in given.rows.read_text(encoding="utf-8").splitlines()]
    decided = asyncio.run(_collect_decisions(Agent.load(str(given.model)), rows))
    given.out.write_text("".join(json.dumps(one) + "\n" for one in decided), encoding="utf-8")


async def _collect_decisions(agent: Agent, rows: List[Dict[str, Any]]) -> List[Dict[str, Any]]:
    return [await _decide_message(agent, row) for row in rows]


async def _decide_message(agent: Agent, row: Dict[str, Any]) -> Dict[str, Any]:
    metadata = {"knowledge": {"level": row["level"], "confidence": 0.0}}
    found = await agent.processor.parse_message(UserMessage(row["text"].lstrip("/ "), metadata=metadata))
    return {**found["decision"], "intent": found["intent"]["name"]}


if __name__ == "__main__":
    main()
