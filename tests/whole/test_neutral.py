"""A bot without the demo shop, with its own name and a skill made by docs/adding-a-skill.md to the letter."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from console.chat import Chat
from testing.instance import ROOT, Instance, instance
from tests.whole.test_bot import says, turns

pytestmark = pytest.mark.timeout(1500)
GUIDE = ROOT / "docs/adding-a-skill.md"
_FILE = re.compile(r"^`(booking/[\w./]+)`:\n\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def write_skill(folder: Path) -> Path:
    """Every file that the guide shows, as it shows it."""
    files = _FILE.findall(GUIDE.read_text(encoding="utf-8"))
    assert len(files) == 5
    for name, content in files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content, encoding="utf-8")
    return folder / "booking"


@pytest.fixture(scope="module")
def neutral(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    folder = tmp_path_factory.mktemp("skills")
    env = {
        "REJOINDER_SKILLS": str(write_skill(folder)),
        "REJOINDER_BOT_NAME": "Ada of Fitwell",
        "REJOINDER_TONE": "formal",
        "REJOINDER_MESSAGES_PER_MINUTE": "1000",
    }
    with instance(env, folder / "no-models", ["--no-demo"]) as running:
        yield running


@pytest.fixture
def chat(neutral: Instance) -> Iterator[Chat]:
    with httpx.Client(base_url=neutral.url, timeout=60) as http:
        yield Chat.open(http)


def test_it_has_its_name_and_tone_everywhere(neutral: Instance, chat: Chat) -> None:
    assert says(chat, "hello") == "Good day, I am Ada of Fitwell. How may I help you?"
    assert "I am Ada of Fitwell" in says(chat, "are you a robot?")
    assert says(chat, "thanks a lot") == "You are welcome. Is there anything else that I can do for you?"
    page, script = (httpx.get(f"{neutral.url}{path}").text for path in ("/", "/widget.js"))
    assert "<title>Ada of Fitwell</title>" in page and "Marlow" not in page
    assert '"name": "Ada of Fitwell"' in script


@pytest.mark.parametrize(
    "text",
    [
        "What happens if I cancel my membership?",
        "where is my order?",
        "please change my delivery address",
        "thanks, bye! oh and do you ship to Spain?",
        "bye bye birdie poster price?",
    ],
)
def test_nothing_of_the_shop_and_no_goodbye_takes_a_question(neutral: Instance, chat: Chat, text: str) -> None:
    answer = says(chat, text)
    assert not {"order", "bye"} & {*re.findall(r"\w+", answer.lower())}
    assert turns(neutral, chat)[0]["outcome"] == "unknown", answer


def test_the_skill_of_the_guide_books_a_visit(neutral: Instance, chat: Chat) -> None:
    assert "Which day" in says(chat, "I want to book a visit")
    assert "How many" in says(chat, "on 24 December")
    assert "1 to 20" in says(chat, "quite a few of us")
    answer = says(chat, "How long does a visit take?")
    assert "do not know" in answer and "How many" in answer
    assert says(chat, "4 of us") == "Your visit is booked: 24 December, number of visitors: 4."
    assert turns(neutral, chat)[-1]["outcome"] == "action"


def test_its_form_is_left_by_stopping(chat: Chat) -> None:
    assert "How many" in says(chat, "can I book a visit for tomorrow")
    assert says(chat, "stop") == "I have stopped there. What else can I do for you?"
    assert "Which day" in says(chat, "book a visit")


def test_a_question_about_the_skills_subject_is_for_the_knowledge(neutral: Instance, chat: Chat) -> None:
    says(chat, "What happens if I miss my booking?")
    assert turns(neutral, chat)[0]["outcome"] == "unknown"
