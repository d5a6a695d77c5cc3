"""The console with members of staff, on a database of its own and without a search index."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Self

import httpx
from fastapi import FastAPI

from console.api.curation import router as learning_api
from console.api.services import LearningServices
from console.api.why import router as why_api
from console.auth import passwords, users
from console.auth.attempts import Attempts
from console.auth.gate import Gate
from console.explanations import Explanations
from console.inbox import Inbox
from console.pages.staff import StaffServices, router
from core.bot.parts import BotParts
from core.bot.texts import Texts
from core.db import Database
from core.errors import KnowledgeUnavailable
from core.events import Hub
from core.handoffs.service import HandoffService
from core.handoffs.staff.presence import Presence
from core.llm.masking import make_masker
from core.rasa import Rasa
from evaluation.training.data import Example
from evaluation.training.examples import propose_example
from evaluation.training.service import TrainingService
from evaluation.training.suggestions import Cluster
from knowledge.answers.decision import Answering
from knowledge.answers.suggestions import SuggestedReply
from knowledge.curation.corrections.service import Corrections
from knowledge.curation.review.service import ReviewService
from knowledge.embeddings.embedder import Embedder
from knowledge.entries import editor
from knowledge.text.features import normalise_text
from knowledge.types import Answer, AnswerPart, Question, UsedEntry
from testing.in_memory_answers import make_answering_in_memory
from tests.evaluation.training.conftest import DOMAIN, TOPIC, QuickModel, Trials, WiredRasa
from tests.knowledge.review.doubles import T

PASSWORD = "three green lamps"
ANA, BEN, VERA, BOB = "ana@example.com", "ben@example.com", "vera@example.com", "bob@example.com"
AMY = "amy@example.com"
STAFF = {ANA: "admin", BEN: "reviewer", VERA: "viewer", BOB: "builder", AMY: "agent"}
TEXTS = Texts(failed="That failed.", waiting="Saved for later.")
TOKEN = {"Authorization": "Bearer let me in"}


@cache
def password_hash() -> str:
    return passwords.hash_password(PASSWORD)


class Index:
    """A search index that only says how far it is."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.away = False

    def sync(self, tenant: str, _progress: object = None) -> int:
        if self.away:
            raise KnowledgeUnavailable
        with self.database.session() as session:
            if revision := editor.revision_of(session, tenant):
                editor.mark_indexed(session, tenant, revision.number)
        return 0


@dataclass
class Words:
    """Answers by the very words of a phrasing alone."""

    database: Database

    def answer(self, question: Question) -> Answer:
        with self.database.session() as session:
            for entry in editor.list_entries(session, question.tenant_id, "approved"):
                if normalise_text(question.text) in {normalise_text(each.text) for each in entry.questions}:
                    used = (UsedEntry(entry.id, entry.version, 1.0),)
                    part = AnswerPart(question.text, "answered", entry.answer, 1.0, used)
                    return Answer("answered", (part,), 1.0, entries=used)
        return Answer("unknown", (AnswerPart(question.text, "unknown", "", 0.0),), 0.0)


@dataclass
class Understanding:
    """A Rasa that understands every message alike."""

    away: bool = False

    def answer(self, request: httpx.Request) -> httpx.Response:
        if self.away:
            raise httpx.ConnectError("away")
        assert (request.method, request.url.path) == ("POST", "/model/parse")
        decision = {"by": "skill", "why": "sure", "likeliest": "order_status", "score": 0.21}
        decision["at"] = {"exact": {"intent": "ask_knowledge", "by": "knowledge", "why": "exact"}}
        ranking = [{"name": "order_status", "confidence": 0.4}]
        intent = {"name": "order_status", "confidence": 0.4}
        return httpx.Response(200, json={"intent": intent, "intent_ranking": ranking, "decision": decision})


@dataclass
class Staff:
    """The app with its people."""

    database: Database
    app: FastAPI
    index: Index
    training: TrainingService
    trials: Trials
    rasa: WiredRasa
    inbox: Inbox
    forgotten: list[str] = field(default_factory=list)
    understanding: Understanding = field(default_factory=Understanding)

    def browser(self, email: str | None = None, url: str = "http://app") -> Browser:
        return Browser(httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url=url), email)


@dataclass
class Browser:
    """What a browser without scripts does."""

    http: httpx.AsyncClient
    email: str | None = None

    async def __aenter__(self) -> Self:
        if self.email:
            response = await self.sign_in(self.email)
            assert response.status_code == 303, response.text
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.http.aclose()

    async def get(self, path: str) -> httpx.Response:
        return await self.http.get(f"/console{path}")

    async def sign_in(self, email: str, password: str = PASSWORD, **more: str) -> httpx.Response:
        page = await self.get("/sign-in")
        fields = {"email": email, "password": password, "ticket": hidden(page.text, "ticket"), **more}
        return await self.http.post("/console/sign-in", data=fields)

    async def csrf(self) -> str:
        return hidden((await self.get("/account")).text, "csrf")

    async def send(self, path: str, **fields: Any) -> httpx.Response:
        return await self.http.post(f"/console{path}", data={"csrf": await self.csrf(), **fields})


def hidden(page: str, name: str) -> str:
    """A hidden field's value."""
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found, f"no field {name}"
    return found[1]


def open_console(database: Database, attempts: Attempts | None = None, **more: Any) -> Staff:
    """``corrections``, ``inbox`` and what the learning API takes may be others than the doubles."""
    with database.session() as session:
        for email, role in STAFF.items():
            users.add_user(session, T, email, role, password_hash(), "test")
    index, app, rasa, trials = Index(database), FastAPI(), WiredRasa(), Trials()
    training = TrainingService(database, QuickModel(*folders(database)), rasa.client, trials)
    staff = Staff(database, app, index, training, trials, rasa, more.pop("inbox", None) or open_inbox(database))
    gate, desk = Gate(database, T, "let me in", attempts or Attempts(1000, 1000)), ReviewService(database, index)
    corrections = more.pop("corrections", None) or Corrections(database, index, Words(database))
    services = StaffServices(
        gate, database, T, desk, corrections, staff.forgotten.append, training, starting(training),
        suggesting(database), cache(make_masker), staff.inbox, explaining(database, staff.understanding),
    )  # fmt: skip
    app.include_router(router(services))
    app.include_router(learning_api(LearningServices(gate, database, T, desk, **more)))
    app.include_router(why_api(gate, services.explanations))
    return staff


def open_inbox(
    database: Database, handoffs: HandoffService | None = None, hub: Hub | None = None, *suggested: SuggestedReply
) -> Inbox:
    """With a knowledge base that has these answers to everything."""
    hub = hub or Hub()
    home = Path(str(database.engine.url.database)).parent
    return Inbox(handoffs or HandoffService(database, TEXTS), hub, Presence(hub), lambda *_: list(suggested), home)


def explaining(database: Database, understanding: Understanding) -> Explanations:
    """With the shipped answering over what is approved when it is asked."""

    def answering() -> Answering:
        with database.session() as session:
            ids = [entry.id for entry in editor.list_entries(session, T, "approved")]
            return make_answering_in_memory(list(editor.load_served_entries(session, T, ids).values()), embedder())

    rasa = Rasa("http://rasa", transport=httpx.MockTransport(understanding.answer))
    return Explanations(database, answering, rasa)


@cache
def embedder() -> Embedder:
    return Embedder()


def folders(database: Database) -> tuple[Path, BotParts]:
    """For the models, and what they are trained on, beside the database."""
    home = Path(str(database.engine.url.database)).parent
    (home / "data/nlu").mkdir(parents=True, exist_ok=True)
    (home / "data/nlu/topic.yml").write_text(TOPIC)
    (home / "domain.yml").write_text(DOMAIN.replace(", gift_card", ""))
    return home / "var", BotParts(home / "data", base=home / "domain.yml")


def starting(training: TrainingService) -> Callable[[str, str, str, str], str]:
    """Puts it down; the test is the worker."""
    return lambda tenant, _kind, by, reason: training.start_training(tenant, by, reason)


def suggesting(database: Database) -> Callable[[str], list[Cluster]]:
    """Three messages that seem to be a new intent."""
    texts = ("do you sell gift cards", "gift card please", "buy a gift card")

    def suggest(tenant: str) -> list[Cluster]:
        with database.session() as session:
            for text in texts:
                propose_example(session, tenant, Example(text, "gift_card"), "suggestion", "cluster")
        return [Cluster("gift_card", known=False, texts=texts)]

    return suggest
