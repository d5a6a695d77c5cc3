"""What the fake turns answer."""

from __future__ import annotations

from core.events import Typing
from tests.connectors.doubles import FakeTurns

ANSWER = ("You can return **anything unused** within 30 days, ", "and it costs you nothing:\n\n- pack it\n- post it\n\n",
          "See [the policy](https://shop.example/returns).")  # fmt: skip
SOURCES = ({"title": "Returns and refunds", "url": "https://shop.example/returns"},)
CHOICES = ("Where is my order?", "How long does a refund take?")


def shop(turns: FakeTurns, conversation_id: str, turn_id: str, text: str) -> None:
    """Answers, asks back, or keeps the visitor waiting, as the words demand."""
    if "return" in text:
        turns.answer(conversation_id, turn_id, *ANSWER, sources=SOURCES)
    elif "how long" in text:
        turns.say(conversation_id, "Are you asking about:", turn_id=turn_id, buttons=CHOICES)
    elif "wait" in text:
        turns.hub.publish(conversation_id, Typing(turn_id))
    else:
        turns.answer(conversation_id, turn_id, f"You said: {text}")
