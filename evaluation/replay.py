"""Asks recorded questions again, each with the turns before it, and writes down what comes back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any, Protocol

from core.errors import InvalidInput
from core.rasa import Rasa
from core.turns.replies import read
from knowledge.answering import Answering
from knowledge.types import SPEAKERS, Question, Utterance


@dataclass(frozen=True)
class Probe:
    """A question to ask: the last turn, with its history."""

    dialogue_id: str
    text: str
    history: tuple[Utterance, ...]


@dataclass(frozen=True)
class Result:
    """What came back for one probe; ``latency_ms`` is the whole wait."""

    dialogue_id: str
    reply: str
    outcome: str
    confidence: float | None
    entry_ids: list[str]
    external_ids: list[str]
    sources: list[dict[str, Any]]
    latency_ms: float


class Target(Protocol):
    """What is asked."""

    async def ask(self, probe: Probe) -> Result:
        """One probe, in a conversation of its own."""


def read_probes(path: Path) -> Iterator[Probe]:
    """One probe a line: ``{"dialogue_id", "turns": [{"speaker", "text"}]}``.

    Raises:
        InvalidInput: with the number of the first wrong line.
    """
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            turns = [Utterance(SPEAKERS[turn["speaker"]], turn["text"]) for turn in row["turns"]]
            yield Probe(str(row["dialogue_id"]), turns[-1].text, tuple(turns[:-1]))
        except (ValueError, KeyError, TypeError, IndexError) as error:
            raise InvalidInput(f"{path} line {number} is not a probe: {type(error).__name__} {error}") from None


@dataclass(frozen=True)
class AnsweringTarget:
    """The knowledge base alone, without Rasa."""

    answering: Answering
    tenant_id: str

    async def ask(self, probe: Probe) -> Result:
        """Straight into the answering."""
        started = perf_counter()
        answer = self.answering.answer(Question(self.tenant_id, probe.text, probe.history))
        return Result(
            dialogue_id=probe.dialogue_id,
            reply="\n\n".join(part.text for part in answer.parts if part.text),
            outcome=answer.outcome,
            confidence=answer.confidence,
            entry_ids=[entry.id for entry in answer.entries],
            external_ids=[entry.external_id for entry in answer.entries if entry.external_id],
            sources=[{"title": source.title, "url": source.url} for source in answer.sources],
            latency_ms=round((perf_counter() - started) * 1000, 2),
        )


@dataclass(frozen=True)
class BotTarget:
    """The running bot: Rasa with its actions."""

    rasa: Rasa
    tenant_id: str
    run_id: str
    """Keeps the conversations of this run apart from those of others."""

    async def ask(self, probe: Probe) -> Result:
        """Tell Rasa the history, then say the last turn."""
        conversation_id = f"replay-{self.run_id}-{probe.dialogue_id}"
        await self.rasa.record(conversation_id, [(u.speaker, u.text) for u in probe.history])
        started = perf_counter()
        says = probe.text.lstrip("/ ")
        items = await self.rasa.say(conversation_id, says, "replay", {"tenant_id": self.tenant_id, "turn_id": ""})
        reading, latency = read(items), (perf_counter() - started) * 1000
        entries = reading.note.get("entries", [])
        return Result(
            dialogue_id=probe.dialogue_id,
            reply="\n\n".join(reply.text for reply in reading.replies),
            outcome=reading.outcome,
            confidence=reading.note.get("confidence"),
            entry_ids=[entry["id"] for entry in entries],
            external_ids=[entry["external_id"] for entry in entries if entry["external_id"]],
            sources=[source for reply in reading.replies for source in reply.sources],
            latency_ms=round(latency, 2),
        )
