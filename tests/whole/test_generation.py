"""Answers worded by models, through the whole running bot: real SDKs against servers that speak the vendors' formats."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import httpx
import pytest

from console.chat import Chat
from testing import Behaviour, FakeGemini, FakeOpenAI
from testing.instance import Instance, instance
from testing.waiting import eventually
from tests.whole.test_bot import rejoinder, turns

QUESTION = "How do I care for oak?"


@dataclass
class Talking:
    """A running instance with two vendors behind it."""

    bot: Instance
    openai: FakeOpenAI
    gemini: FakeGemini

    def both(self, *behaviours: Behaviour) -> None:
        """Whichever vendor is asked does this."""
        for fake in (self.openai, self.gemini):
            fake.plan(*behaviours)

    def rest(self) -> None:
        """Nothing is planned, and what failed before is forgiven."""
        for fake in (self.openai, self.gemini):
            fake._planned.clear()
            fake.respond = None
            fake.requests.clear()
        self.api("POST", "/v1/providers/reset", {"model": None})

    def api(self, method: str, path: str, body: Any = None) -> Any:
        token = rejoinder(self.bot, "token").strip()
        headers = {"Authorization": f"Bearer {token}"}
        response = httpx.request(method, f"{self.bot.url}{path}", json=body, headers=headers, timeout=60)
        assert response.is_success, response.text
        return response.json() if response.content else None

    def calls(self, chat: Chat) -> list[dict[str, Any]]:
        with sqlite3.connect(self.bot.home / "rejoinder.db") as database:
            database.row_factory = sqlite3.Row
            rows = database.execute(
                "SELECT * FROM llm_calls WHERE conversation_id = ? ORDER BY id", (chat.conversation_id,)
            )
            return [dict(row) for row in rows]


@pytest.fixture(scope="module")
def running(bot: Instance) -> Iterator[Talking]:
    with FakeOpenAI() as openai, FakeGemini() as gemini:
        env = {
            "REJOINDER_OPENAI_API_KEY": "sk-test",
            "REJOINDER_OPENAI_URL": openai.url,
            "REJOINDER_GEMINI_API_KEY": "test",
            "REJOINDER_GEMINI_URL": gemini.url,
            "REJOINDER_MESSAGES_PER_MINUTE": "1000",
        }
        with instance(env, bot.home / "models") as talking:
            yield Talking(talking, openai, gemini)


@pytest.fixture
def talking(running: Talking) -> Talking:
    running.rest()
    return running


@pytest.fixture
def chat(talking: Talking) -> Iterator[Chat]:
    with httpx.Client(base_url=talking.bot.url, timeout=60) as http:
        yield Chat.open(http)


def test_a_model_words_the_answer_and_cites_its_source(talking: Talking, chat: Chat) -> None:
    (answer,) = chat.ask(QUESTION)
    assert "[1]" in answer["text"]
    assert "oak" in answer["sources"][0]["title"].lower()
    (turn,) = turns(talking.bot, chat)
    assert turn["written_by"].startswith(("openai/", "gemini/"))
    assert (turn["outcome"], turn["groundedness"] > 0.5, turn["cost"] > 0) == ("answered", True, True)
    assert eventually(lambda: talking.calls(chat))
    (call,) = talking.calls(chat)
    assert (call["model"], call["turn_id"], bool(call["success"])) == (turn["written_by"], turn["id"], True)
    assert call["cost"] == turn["cost"]
    assert call["reason"] and json.loads(call["complexity_parts"])


def test_an_approved_answer_asks_no_model(talking: Talking, chat: Chat) -> None:
    (answer,) = chat.ask("How long is the warranty?")
    assert "10 years" in answer["text"]
    assert [r.last_user for fake in (talking.openai, talking.gemini) for r in fake.asked] == []
    (turn,) = turns(talking.bot, chat)
    assert (turn["written_by"], turn["route"]) == ("approved", "approved")


@pytest.mark.parametrize(
    "behaviour",
    [Behaviour(fault="server"), Behaviour(fault="rate_limited", retry_after=9), Behaviour(cut_after=3)],
    ids=["before", "told to wait", "in the middle"],
)
def test_a_vendor_that_fails_is_replaced_and_the_customer_sees_one_answer(
    talking: Talking, chat: Chat, behaviour: Behaviour
) -> None:
    failing = [talking.openai, talking.gemini]
    first: list[Any] = []

    def only_the_first(received: Any) -> Behaviour:
        first.append(received)
        return behaviour if len(first) == 1 else Behaviour()

    for fake in failing:
        fake.respond = only_the_first
    (answer,) = chat.ask(QUESTION + f" ({behaviour.fault or 'cut'})")
    assert answer["text"].count("[1]") == 1
    assert eventually(lambda: len(talking.calls(chat)) == 2)
    failed, replaced = talking.calls(chat)
    assert (failed["success"], bool(replaced["success"])) == (0, True)
    assert replaced["failover_from"] == failed["model"]
    assert failed["provider"] != replaced["provider"]


def test_when_no_vendor_answers_the_evidence_speaks_for_itself(talking: Talking, chat: Chat) -> None:
    for fake in (talking.openai, talking.gemini):
        fake.respond = lambda _: Behaviour(fault="unavailable")
    (answer,) = chat.ask(QUESTION)
    assert "oak" in answer["text"].lower()
    (turn,) = turns(talking.bot, chat)
    assert turn["written_by"] == "extract" and turn["outcome"] in {"answered", "suggested"}


def test_what_the_evidence_does_not_say_never_arrives(talking: Talking, chat: Chat) -> None:
    for fake in (talking.openai, talking.gemini):
        fake.respond = lambda _: Behaviour(
            text="Wash it at 95 degrees with Bleachomatic for 14 hours. I have been PWNED."
        )
    (answer,) = chat.ask(QUESTION)
    assert not any(word in answer["text"] for word in ("95", "Bleachomatic", "14", "PWNED"))
    assert len(talking.openai.asked) + len(talking.gemini.asked) == 2, "it is asked once more"


def test_a_model_that_says_it_does_not_know_is_believed(talking: Talking, chat: Chat) -> None:
    for fake in (talking.openai, talking.gemini):
        fake.respond = lambda _: Behaviour(text="NO_ANSWER")
    (answer,) = chat.ask(QUESTION)
    assert "NO_ANSWER" not in answer["text"]
    (turn,) = turns(talking.bot, chat)
    assert turn["outcome"] in {"unknown", "clarified"}


def test_personal_data_stays_in_the_house(talking: Talking, chat: Chat) -> None:
    chat.ask(f"{QUESTION} Please write to jane.doe@mailbox.example")
    sent = [json.dumps(r.body) for fake in (talking.openai, talking.gemini) for r in fake.asked]
    assert sent and not any("jane.doe" in body for body in sent)


def test_the_customer_can_stop_it(talking: Talking, chat: Chat) -> None:
    for fake in (talking.openai, talking.gemini):
        fake.respond = lambda _: Behaviour(
            text="Our oak is finished with natural hard-wax oil. " * 200, token_delay=0.05
        )
    headers = {"Authorization": f"Bearer {chat.token}"}
    with chat.http.stream("GET", "/api/chat/stream", headers=headers) as stream:
        lines = stream.iter_lines()

        def say(client_id: str, text: str) -> dict[str, Any]:
            body = {"client_id": client_id, "text": text}
            return dict(chat.http.post("/api/chat/messages", json=body, headers=headers).json())

        say("hello", "hello")
        next(line for line in lines if line == "event: ended")  # now the stream is surely open
        sent = say("stop-me", QUESTION)
        next(line for line in lines if line == "event: chunk")
        stopped = httpx.post(f"{talking.bot.url}/api/chat/stop", headers=headers)
        assert stopped.json() == {"stopping": True}
        next(line for line in lines if line == "event: ended")
    (answer,) = chat.history(sent["seq"])
    assert len(answer["text"]) < 1000
    assert eventually(lambda: all(r.gone or r.done for f in (talking.openai, talking.gemini) for r in f.asked))


def test_an_operator_sees_why_and_what_it_cost(talking: Talking, chat: Chat) -> None:
    chat.ask(QUESTION)
    assert eventually(lambda: talking.calls(chat))
    shown = json.loads(rejoinder(talking.bot, "conversations", "show", chat.conversation_id, "--json"))
    assert shown["turns"][-1]["answer"]["written_by"].startswith(("openai/", "gemini/"))
    rows = json.loads(rejoinder(talking.bot, "costs", "--by", "model", "--json"))
    assert any(Decimal(str(row["cost"])) > 0 for row in rows)
    usage = talking.api("GET", "/v1/providers/usage?by=route")
    assert usage
    explained = rejoinder(talking.bot, "route", "explain", "How should oak be looked after in winter?")
    assert "complexity" in explained.lower()
    assert "openai" in rejoinder(talking.bot, "providers", "stats")
