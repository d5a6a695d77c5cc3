"""docs/your-own-bot.md to the letter: two small projects become bots behind Rejoinder, answer, hand over and learn."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from benchmarks.adopt import rejoinder
from console.chat import Chat
from testing import services
from testing.action_server import rasa_sdk_server
from testing.instance import ROOT, Instance, instance
from tests.guides import write_files
from tests.whole.test_bot import says, turns

pytestmark = pytest.mark.timeout(1800)
FAQ = {"question": "What are your opening hours?", "answer": "We are open from nine to five, Monday to Saturday."}


@pytest.fixture(scope="module")
def projects(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not (ROOT / ".venv-bot/bin/rasa").exists():
        services.missing("the Rasa environment is not set up: run `make setup`")
    folder = tmp_path_factory.mktemp("projects")
    write_files(ROOT / "docs/your-own-bot.md", folder)
    return folder


@contextmanager
def adopted(project: Path) -> Iterator[Instance]:
    """Started with the project, the opening hours known."""
    faq = project.parent / "faq.jsonl"
    faq.write_text(json.dumps(FAQ) + "\n")

    def prepare(env: dict[str, str]) -> None:
        rejoinder(env, "bot", "adopt", str(project))
        rejoinder(env, "train", "--no-report")

    env = {"REJOINDER_MESSAGES_PER_MINUTE": "1000"}
    with instance(env, project.parent / "none", prepare=prepare) as running:
        rejoinder(place(running), "knowledge", "import", str(faq))
        yield running


def place(bot: Instance) -> dict[str, str]:
    return {"REJOINDER_HOME": str(bot.home), "REJOINDER_PORT": str(bot.port), "COLUMNS": "160"}


@contextmanager
def chatting(bot: Instance) -> Iterator[Chat]:
    with httpx.Client(base_url=bot.url, timeout=120) as http:
        yield Chat.open(http)


@pytest.fixture(scope="module")
def bikes(projects: Path) -> Iterator[Instance]:
    project = projects / "bikes"
    with rasa_sdk_server(project.parent, (project / "actions.py").read_text()) as url:
        (project / "endpoints.yml").write_text(
            (project / "endpoints.yml").read_text().replace("http://localhost:5055/webhook", url)
        )
        with adopted(project) as running:
            yield running


@pytest.fixture(scope="module")
def library(projects: Path) -> Iterator[Instance]:
    with adopted(projects / "library") as running:
        yield running


def test_a_form_of_theirs_runs_to_its_end_with_a_question_in_the_middle(bikes: Instance) -> None:
    with chatting(bikes) as chat:
        assert "bicycle workshop" in says(chat, "hello")
        assert "What kind of bicycle" in says(chat, "please mend my bike")
        aside = says(chat, "What are your opening hours?")
        assert "nine to five" in aside and "What kind of bicycle" in aside
        assert "What is wrong" in says(chat, "a tandem")
        assert says(chat, "the brakes squeak") == "Booked: tandem, the brakes squeak."
        assert [turn["outcome"] for turn in turns(bikes, chat)].count("failed") == 0


def test_what_they_do_not_know_the_knowledge_answers_and_a_person_comes(bikes: Instance) -> None:
    with chatting(bikes) as chat:
        assert "nine to five" in says(chat, "when are you open?")
        says(chat, "Which planet has the most moons?")
        assert turns(bikes, chat)[-1]["outcome"] == "unknown"
        says(chat, "can I speak to a human")
        assert turns(bikes, chat)[-1]["outcome"] == "handoff"


def test_what_is_learnt_is_written_beside_their_files_and_can_be_taken_back(bikes: Instance, projects: Path) -> None:
    theirs = {file: file.read_bytes() for file in (projects / "bikes").rglob("*") if file.is_file()}
    example = rejoinder(place(bikes), "nlu", "add", "my two-wheeler is poorly", "book_repair").strip()
    rejoinder(place(bikes), "nlu", "approve", example)
    rejoinder(place(bikes), "nlu", "export", "--write")
    assert "my two-wheeler is poorly" in (bikes.home / "bot/data/nlu/learnt.yml").read_text()
    row = json.loads(rejoinder(place(bikes), "train", "--new", "--json"))
    assert (row["status"], row["metrics"]["new examples understood"]) == ("deployed", 1)
    with chatting(bikes) as chat:
        assert "What kind of bicycle" in says(chat, "my two-wheeler is poorly")
    rejoinder(place(bikes), "models", "rollback", "--reason", "a test")
    assert {file: file.read_bytes() for file in (projects / "bikes").rglob("*") if file.is_file()} == theirs


def test_stories_and_a_response_selector_work_beside_the_rules(library: Instance) -> None:
    with chatting(library) as chat:
        assert "Welcome to the library" in says(chat, "hello")
        assert "proof of address" in says(chat, "how do I get a library card")
        assert "free for everybody" in says(chat, "is there a membership fee")
        assert "renew all your books" in says(chat, "please renew everything")
        assert says(chat, "yes please") == "All of them are renewed."
        assert "nine to five" in says(chat, "What are your opening hours?")
        assert re.search("person", says(chat, "I want to talk to a person"))
        assert turns(library, chat)[-1]["outcome"] == "handoff"
