"""A customer's first visit and an operator's first hour, through the whole running bot."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from console.chat import Chat
from testing.instance import Instance, _descendants, _read
from testing.waiting import eventually


def rejoinder(bot: Instance, *words: str, code: int = 0) -> str:
    env = {**os.environ, "REJOINDER_HOME": str(bot.home), "REJOINDER_PORT": str(bot.port)}
    command = [str(Path(sys.executable).parent / "rejoinder"), *words]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout


@pytest.fixture
def chat(bot: Instance) -> Any:
    with httpx.Client(base_url=bot.url, timeout=60) as http:
        yield Chat.open(http)


def says(chat: Chat, text: str) -> str:
    return "\n".join(message["text"] for message in chat.ask(text))


def turns(bot: Instance, chat: Chat) -> list[dict[str, Any]]:
    with sqlite3.connect(bot.home / "rejoinder.db") as database:
        database.row_factory = sqlite3.Row
        rows = database.execute("SELECT * FROM turns WHERE conversation_id = ? ORDER BY id", (chat.conversation_id,))
        return [dict(row) for row in rows]


def kill(bot: Instance, what: str) -> None:
    victims = [pid for pid in _descendants(bot.pid) if what in _read(pid, "cmdline").replace("\0", " ")]
    victims = [pid for pid in victims if "deploy/keep" not in _read(pid, "cmdline")]
    assert victims, f"no process {what}"
    for pid in victims:
        os.kill(pid, signal.SIGKILL)


def test_everything_is_ready(bot: Instance) -> None:
    parts = httpx.get(f"{bot.url}/ready").json()["parts"]
    assert parts == {"rasa": True, "chroma": True, "database": True, "worker": True}


def test_a_question_gets_an_approved_sourced_answer_and_all_is_stored(bot: Instance, chat: Chat) -> None:
    (answer,) = chat.ask("How long does delivery take?")
    assert "working days" in answer["text"]
    assert answer["sources"][0]["title"]
    assert answer["rateable"]
    (turn,) = turns(bot, chat)
    assert (turn["status"], turn["outcome"], turn["channel"]) == ("answered", "answered", "web")
    assert turn["intent"] and 0 < turn["confidence"] <= 1 and json.loads(turn["entries"])
    assert all(turn[part] is not None for part in ("nlu_ms", "retrieval_ms", "generation_ms", "total_ms"))


def test_a_question_with_two_parts_gets_both_answered(chat: Chat) -> None:
    answer = says(chat, "How much is express delivery, and do you sell gift cards?")
    assert "Express delivery costs £6.95" in answer
    assert "from £10 to £500" in answer


def test_what_nobody_knows_is_admitted_and_a_person_offered(bot: Instance, chat: Chat) -> None:
    (answer,) = chat.ask("What is the airspeed of an unladen swallow?")
    assert "don't know" in answer["text"]
    assert answer["buttons"] == ["Talk to a person"]
    assert turns(bot, chat)[0]["outcome"] == "unknown"


def test_an_order_is_looked_up_for_its_owner_only(bot: Instance, chat: Chat) -> None:
    assert "order number" in says(chat, "where is my parcel?")
    assert "e-mail" in says(chat, "R104233")
    assert "doesn't belong" in says(chat, "mallory@example.com")
    assert "on its way" in says(chat, "ada@example.com")
    assert turns(bot, chat)[-1]["outcome"] == "action"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("where is my order R104233? my e-mail is ada@example.com", "on its way"),
        ("track 104233 ada@example.com", "on its way"),
        ("please cancel R103990, cleo@example.com", "already left us"),
    ],
)
def test_number_and_email_in_the_first_message_are_enough(bot: Instance, chat: Chat, text: str, said: str) -> None:
    assert said in says(chat, text)
    assert turns(bot, chat)[-1]["outcome"] == "action"


@pytest.mark.parametrize("written", ["ada at example dot com", "ada@example", "it is ada@example,com", "ada@"])
def test_what_is_no_email_is_told_so(chat: Chat, written: str) -> None:
    assert "e-mail" in says(chat, "where is my order R104233?")
    assert "doesn't look like an e-mail" in says(chat, written)
    assert "on its way" in says(chat, "ada@example.com")


def test_a_bare_value_is_no_question(chat: Chat) -> None:
    assert "What would you like me to do" in says(chat, "R104233")
    assert "What would you like me to do" in says(chat, "ada@example.com")


def test_number_and_email_in_one_message_fill_the_form(chat: Chat) -> None:
    assert "order number" in says(chat, "where is my parcel?")
    assert "on its way" in says(chat, "104233 and ada@example.com")


@pytest.mark.parametrize("text", ["when will it arrive?", "and where is it now", "track my order"])
def test_a_verified_order_is_spoken_of_until_another_is_named(bot: Instance, chat: Chat, text: str) -> None:
    says(chat, "where is my order R104233? my e-mail is ada@example.com")
    assert "Order R104233" in says(chat, text)
    assert "order number" in says(chat, "where is my other order?")
    assert "doesn't belong" in says(chat, "R103990")


@pytest.mark.parametrize("text", ["thanks, bye! oh and do you ship to Spain?", "bye bye birdie poster price?"])
def test_a_goodbye_is_never_the_answer_to_a_question(bot: Instance, chat: Chat, text: str) -> None:
    assert "bye" not in says(chat, text).lower()
    assert turns(bot, chat)[0]["intent"] in {"ask_knowledge", "out_of_scope", "nlu_fallback"}


def test_a_question_in_the_middle_of_a_form_is_answered_and_the_form_goes_on(chat: Chat) -> None:
    says(chat, "I want to track my order")
    answer = says(chat, "do you sell gift cards?")
    assert "letterpress" in answer and "order number" in answer
    assert "on its way" in says(chat, "R104233") + says(chat, "ada@example.com")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("where is my order", "only need this"),
        ("I don't have one", "in the e-mail that confirmed"),
        ("do elephants like jazz?", "know"),
        ("good morning", "help"),
        ("purple", "didn't quite get that"),
    ],
)
def test_what_a_form_cannot_use_gets_a_sentence_and_the_form_goes_on(
    bot: Instance, chat: Chat, text: str, said: str
) -> None:
    says(chat, "where is my order")
    answer = says(chat, text)
    assert said in answer and "What is your order number" in answer
    assert turns(bot, chat)[-1]["status"] == "answered"
    assert "e-mail" in says(chat, "R104233")


def test_a_correction_and_an_answer_in_a_sentence_are_taken(bot: Instance, chat: Chat) -> None:
    says(chat, "I want to cancel my order")
    says(chat, "R104233")
    assert "e-mail" in says(chat, "no, I meant R104871")
    assert "Shall I cancel order R104871?" in says(chat, "ben@example.com")
    assert "Shall I cancel order R104871?" in says(chat, "yes, but not before Monday")
    assert "Shall I cancel" not in says(chat, "no please keep my order")
    assert {turn["status"] for turn in turns(bot, chat)} == {"answered"}


@pytest.mark.parametrize(
    "question",
    [
        "Can I cancel my order?",
        "How can I track my order?",
        "What can I do if my parcel is late?",
        "I was charged twice",
    ],
)
def test_a_question_of_the_help_centre_word_for_word_is_no_command(bot: Instance, chat: Chat, question: str) -> None:
    assert "What is your order number" not in says(chat, question)
    (turn,) = turns(bot, chat)
    assert turn["outcome"] == "answered"
    assert json.loads(turn["decision"])["why"] in {"exact", "wording"}


@pytest.mark.parametrize(
    ("command", "asked"),
    [
        ("please cancel my order", "order number"),
        ("track my order", "order number"),
        ("I need to change my delivery address", "order number"),
    ],
)
def test_a_command_is_no_question(bot: Instance, chat: Chat, command: str, asked: str) -> None:
    assert asked in says(chat, command)


def test_an_address_is_taken_by_the_form_that_waits_for_it(bot: Instance, chat: Chat) -> None:
    says(chat, "I need to change my delivery address")
    says(chat, "R104871")
    form = says(chat, "ben@example.com")
    assert "where" in form.lower()
    where = says(chat, "where is your London store?")
    assert "Lamb" in where and "where" in where.lower()
    assert "14 Lamb's Conduit Street" in says(chat, "14 Lamb's Conduit Street, London WC1N 3LE")


def test_a_person_is_asked_for(bot: Instance, chat: Chat) -> None:
    assert "person for you" in says(chat, "let me talk to a human please")
    assert turns(bot, chat)[0]["outcome"] == "handoff"


def test_commands_of_rasa_are_only_words(bot: Instance, chat: Chat) -> None:
    says(chat, "where is my parcel?")
    assert says(chat, "/session_start")
    # the tracker was not reset: the form still waits
    assert "e-mail" in says(chat, "R104233")


@pytest.mark.parametrize(
    "text",
    [
        "🙂🙂🙂",
        "שלום, איפה ההזמנה שלי?",
        "<script>alert(1)</script>",
        '{"a": [1, 2]}',
        "' OR 1=1; --",
        "Где my заказ",
        "a " * 1900,
    ],
)
def test_odd_messages_get_a_sentence(bot: Instance, chat: Chat, text: str) -> None:
    assert says(chat, text)
    assert turns(bot, chat)[0]["status"] == "answered"


def test_an_imported_help_centre_is_known_with_the_next_question(bot: Instance, chat: Chat, tmp_path: Path) -> None:
    assert "glaze" not in says(chat, "Can I bring my own cup to the pottery evening?")
    page = tmp_path / "help" / "pottery.md"
    page.parent.mkdir()
    page.write_text(
        "# Pottery evenings\n\n## Can I bring my own cup to the pottery evening?\n\nYes, and we glaze it for £5.\n"
    )
    report = json.loads(rejoinder(bot, "knowledge", "import", str(page.parent), "--json"))
    assert report
    assert "we glaze it for £5" in says(chat, "Can I bring my own cup to the pottery evening?")
    page.write_text(page.read_text().replace("£5", "£6"))
    rejoinder(bot, "knowledge", "import", str(page.parent))
    assert "£6" in says(chat, "Can I bring my own cup to the pottery evening?")


def test_the_command_line_asks_and_searches(bot: Instance) -> None:
    asked = json.loads(rejoinder(bot, "ask", "Do you sell gift cards?", "--json"))
    assert "letterpress" in asked["messages"][0]["text"]
    assert "gift" in rejoinder(bot, "knowledge", "search", "gift cards").lower()


@pytest.mark.parametrize("target", ["bot", "answering"])
def test_probes_are_replayed_with_their_history(bot: Instance, tmp_path: Path, target: str) -> None:
    learn = {
        "conversation_id": f"c-{target}",
        "turns": [
            {"speaker": "user", "text": "Tell me about the Heron lamp."},
            {"speaker": "system", "text": "The Heron lamp is a brass reading lamp."},
            {"speaker": "user", "text": "Can the Heron lamp be folded flat?"},
            {"speaker": "agent", "text": "Yes, the Heron lamp folds flat for a suitcase."},
        ],
        "approved": True,
    }
    (tmp_path / "seeds.jsonl").write_text(json.dumps(learn) + "\n")
    rejoinder(bot, "conversations", "import", str(tmp_path / "seeds.jsonl"), "--approve")
    probe = {
        "dialogue_id": "p1",
        "turns": [*learn["turns"][:2], {"speaker": "user", "text": "Can it be folded flat?"}],
    }
    (tmp_path / "probes.jsonl").write_text(json.dumps(probe) + "\n")
    out = tmp_path / "out.jsonl"
    rejoinder(bot, "replay", str(tmp_path / "probes.jsonl"), "--target", target, "--out", str(out))
    (line,) = [json.loads(row) for row in out.read_text().splitlines()]
    keys = ["dialogue_id", "reply", "outcome", "confidence", "entry_ids", "external_ids", "sources", "latency_ms"]
    assert list(line) == [*keys, "choices", "skill"] and line["skill"] == ""
    assert line["outcome"] == "answered" and "folds flat" in line["reply"]
    assert line["external_ids"][0].startswith("c-")


def test_wrong_input_on_the_command_line_is_one_line(bot: Instance, tmp_path: Path) -> None:
    (tmp_path / "bad.jsonl").write_text('{"dialogue_id": 1}\n')
    rejoinder(bot, "replay", str(tmp_path / "bad.jsonl"), code=1)
    rejoinder(bot, "knowledge", "show", "no-such-id", code=1)
    rejoinder(bot, "replay", str(tmp_path / "not-there.jsonl"), code=2)


@pytest.mark.parametrize("victim", ["rasa_server run", "chroma run"])
def test_a_part_that_dies_comes_back_and_no_message_is_lost_or_answered_twice(
    bot: Instance, chat: Chat, victim: str
) -> None:
    assert "letterpress" in says(chat, "Do you sell gift cards?")
    kill(bot, victim)
    assert says(chat, "How long does delivery take?")
    eventually(lambda: httpx.get(f"{bot.url}/ready").is_success, seconds=90)
    eventually(lambda: turns(bot, chat)[-1]["status"] == "answered", seconds=60)
    assert "letterpress" in says(chat, "Do you sell gift cards?")
    assert [turn["status"] for turn in turns(bot, chat)] == ["answered"] * 3
    history = chat.history()
    answers = [m for m in history if m["speaker"] == "bot" and "working days" in m["text"]]
    assert len(answers) == 1


def test_when_app_dies_the_conversation_goes_on(bot: Instance, chat: Chat) -> None:
    says(chat, "Do you sell gift cards?")
    kill(bot, "uvicorn")
    eventually(lambda: alive(bot), seconds=60)
    assert "working days" in says(chat, "How long does delivery take?")
    assert len(chat.history()) == 4


def alive(bot: Instance) -> bool:
    try:
        return httpx.get(f"{bot.url}/health").is_success
    except httpx.HTTPError:
        return False
