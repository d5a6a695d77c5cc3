"""Replay recorded questions, each with the turns before it, and record the results."""

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
"""Button payloads that choose no intent: a person, and something else."""
KNOWLEDGE = ("answered", "suggested", "unknown")
"""Outcomes that only the knowledge base produces."""
LOOKUP_SECONDS = 60.0
TURN_ID = 26
"""Maximum length of a turn id."""


@dataclass(frozen=True)
class Probe:
    """A question to replay: the last turn, with its history."""

    dialogue_id: str
    text: str
    history: tuple[Utterance, ...]


@dataclass(frozen=True)
class Result:
    """The result of a probe.

    ``latency_ms`` is the total wait. ``choices`` are the titles offered, without those for a person or something else.
    ``skill`` is the intent that handled the message if the knowledge base did not.
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
        """Ask a probe in a conversation of its own."""


def read_probes(path: Path) -> Iterator[Probe]:
    """Read probes, one per line: ``{"dialogue_id", "turns": [{"speaker", "text"}]}``.

    Raises:
        InvalidInput: a line is invalid; the message has its number.
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
        """Ask the knowledge base directly."""
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
    """Client of the ``app`` endpoint that looks a message up in the knowledge base before Rasa receives it."""

    def __init__(self, base_url: str, secret: str, transport: httpx.AsyncBaseTransport | None = None) -> None:
        headers = {"Authorization": f"Bearer {secret}"}
        self._http = httpx.AsyncClient(base_url=base_url, headers=headers, timeout=LOOKUP_SECONDS, transport=transport)

    async def metadata(self, tenant_id: str, conversation_id: str, turn_id: str, probe: Probe) -> dict[str, Any]:
        """Look a message up and return its metadata for Rasa.

        Raises:
            Unavailable: app does not respond.
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
    """Keeps the conversations of this run separate from other runs."""
    door: Door

    async def ask(self, probe: Probe) -> Result:
        """Record the history in Rasa, then look the last turn up and send it."""
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
        """Return the intent from the tracker, since responses without an action have no note."""
        latest = await self.rasa.latest_message(conversation_id)
        return {"intent": (latest.get("intent") or {}).get("name")}


def _collect_buttons(reading: RasaAnswer) -> list[dict[str, Any]]:
    return [button for reply in reading.replies for button in reply.buttons]


def _is_knowledge(reading: RasaAnswer) -> bool:
    """Whether ``rejoinder_answer`` handled the message; only it records ``retrieval_ms``, clarification of intents does not."""
    return reading.outcome in KNOWLEDGE or (
        reading.outcome == "clarified" and reading.note.get("retrieval_ms") is not None
    )
