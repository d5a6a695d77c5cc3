"""What a trained model understands, one JSON object a line; run in the bot environment.

``python -m tests.bot.understood MODEL FILE``, FILE having one message a line.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from pathlib import Path

from rasa.core.agent import Agent
from rasa.utils.log_utils import configure_structlog


async def understand(model: str, texts: list[str]) -> None:
    agent = Agent.load(model)
    for text in texts:
        found = await agent.parse_message(text)
        ranking = [intent["name"] for intent in found["intent_ranking"]]
        print(json.dumps({"text": text, "intent": found["intent"]["name"], "ranking": ranking[:3]}))  # noqa: T201


if __name__ == "__main__":
    configure_structlog(logging.WARNING)
    logging.getLogger().setLevel(logging.WARNING)
    asyncio.run(understand(sys.argv[1], Path(sys.argv[2]).read_text(encoding="utf-8").splitlines()))
