"""Asks recorded questions again, each with the turns before it, and writes down what comes back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any, Protocol
from uuid import uuid4

import httpx

from core.conversations.knowledge_lookup import PATH
from core.errors import InvalidInput, Unavailable
from core.rasa import Rasa, escape_commands
from core.rasa.answer import RasaAnswer, parse_rasa_answer
from knowledge.answers.decision import Answering
from knowledge.types import SPEAKERS, Question, Utterance

WAYS_OUT = ("/talk_to_person", "/out_of_scope")
"""Payloads of buttons that choose nothing: a person, and something else."""
KNOWLEDGE = ("answered", "suggested", "unknown")
"""Outcomes that only the knowledge has."""
LOOKUP_SECONDS = 60.0
TURN_ID = 26
"""So long is the id of a turn at most."""


@dataclass(frozen=True)
class Probe:
    """A question to ask: the last turn, with its history."""

    dialogue_id: str
    text: str
    history: tuple[Utterance, ...]


@dataclass(frozen=True)
class Result:
    """What came back for one probe; ``latency_ms`` is the whole wait.

    ``choices`` are the titles that were offered, without the ways out (a person, something else). ``skill`` is the
    intent that took the message where it was not the knowledge.
    """

    dialogue_id: str
    reply: str
    outcome: str
    confidence: float | None
    entry_ids: list[str]
    external_ids: list[str]
    sources: list[dict[str, Any]]
    latency_ms: float
    choices: tuple[str, ...] = ()
    skill: str = ""


class ReplayTarget(Protocol):
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
            choices=tuple(dict.fromkeys(choice.title for part in answer.parts for choice in part.choices)),
        )


class Door:
    """The door of ``app`` by which a message is looked up in the knowledge, as it is before Rasa hears it."""

    def __init__(self, base_url: str, secret: str, transport: httpx.AsyncBaseTransport | None = None) -> None:
        headers = {"Authorization": f"Bearer {secret}"}
        self._http = httpx.AsyncClient(base_url=base_url, headers=headers, timeout=LOOKUP_SECONDS, transport=transport)

    async def metadata(self, tenant_id: str, conversation_id: str, turn_id: str, probe: Probe) -> dict[str, Any]:
        """What goes into the message's metadata.

        Raises:
            Unavailable: app does not answer.
        """
        said = [{"speaker": each.speaker, "text": each.text} for each in probe.history]
        names = {"tenant_id": tenant_id, "conversation_id": conversation_id, "turn_id": turn_id}
        try:
            response = await self._http.post(PATH, json={**names, "text": escape_commands(probe.text), "history": said})
            response.raise_for_status()
        except httpx.HTTPError as error:
            raise Unavailable(f"app does not look messages up: {type(error).__name__} {error}") from error
        found: dict[str, Any] = response.json()
        return found


@dataclass(frozen=True)
class BotTarget:
    """The running bot: Rasa with its actions."""

    rasa: Rasa
    tenant_id: str
    run_id: str
    """Keeps the conversations of this run apart from those of others."""
    door: Door

    async def ask(self, probe: Probe) -> Result:
        """Tell Rasa the history, then look the last turn up and say it."""
        conversation_id = f"replay-{self.run_id}-{probe.dialogue_id}"
        await self.rasa.record(conversation_id, [(u.speaker, u.text) for u in probe.history])
        started, turn_id = perf_counter(), uuid4().hex[:TURN_ID]
        metadata = {"tenant_id": self.tenant_id, "turn_id": turn_id}
        metadata |= await self.door.metadata(self.tenant_id, conversation_id, turn_id, probe)
        items = await self.rasa.say(conversation_id, probe.text, "replay", metadata)
        reading, latency = parse_rasa_answer(items), (perf_counter() - started) * 1000
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
            choices=tuple(button["title"] for button in _collect_buttons(reading) if button["payload"] not in WAYS_OUT),
            skill=await self._get_skill_name(conversation_id, reading),
        )

    async def _get_skill_name(self, conversation_id: str, reading: RasaAnswer) -> str:
        if _is_knowledge(reading):
            return ""
        understood = reading.note.get("understanding") or await self._get_understanding(conversation_id)
        return str(understood.get("intent") or "unknown")

    async def _get_understanding(self, conversation_id: str) -> dict[str, Any]:
        """Responses without an action have no note; the tracker knows."""
        latest = await self.rasa.latest_message(conversation_id)
        return {"intent": (latest.get("intent") or {}).get("name")}


def _collect_buttons(reading: RasaAnswer) -> list[dict[str, Any]]:
    return [button for reply in reading.replies for button in reply.buttons]


def _is_knowledge(reading: RasaAnswer) -> bool:
    """Did ``rejoinder_answer`` take the message? It alone notes how long it looked; an ask-back about intents does not."""
    return reading.outcome in KNOWLEDGE or (
        reading.outcome == "clarified" and reading.note.get("retrieval_ms") is not None
    )
