"""A builder teaches the running bot: correct, look at the diff, train, swap, go back; and a worse model stays out."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from console.chat import Chat
from evaluation.training.data import read_folder
from testing.instance import ROOT, Instance
from testing.waiting import eventually
from tests.whole.test_bot import kill

SHOP = ROOT / "bot/skills/shop_orders/data"
TEXT = "my sofa has gone walkabout on its way to me"
pytestmark = pytest.mark.timeout(1500)  # a training is 110 s of CPU


@dataclass
class Builder:
    """Somebody at the command line, with training data of their own."""

    bot: Instance
    data: Path

    def __call__(self, *words: str, code: int = 0) -> str:
        place = {"REJOINDER_HOME": str(self.bot.home), "REJOINDER_PORT": str(self.bot.port)}
        env = {**os.environ, **place, "REJOINDER_BOT_DATA": str(self.data), "COLUMNS": "160"}
        command = [str(Path(sys.executable).parent / "rejoinder"), *words]
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done.stdout

    def models(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self("models", "list", "--json"))
        return found

    def running(self) -> str:
        return next(row["id"] for row in self.models() if row["status"] == "deployed")


@pytest.fixture
def builder(bot: Instance, tmp_path: Path) -> Iterator[Builder]:
    data = tmp_path / "data"
    shutil.copytree(ROOT / "bot/data", data)
    builder = Builder(bot, data)
    before = builder.running()
    yield builder
    if builder.running() != before:
        builder("models", "deploy", before, "--force")


@pytest.fixture
def chat(bot: Instance) -> Iterator[Chat]:
    with httpx.Client(base_url=bot.url, timeout=120) as http:
        yield Chat.open(http)


def understood(bot: Instance, chat: Chat) -> str:
    """The intent; of a turn without an action of ours it is stored shortly after the answer."""
    fresh = Chat.open(chat.http)
    fresh.ask(TEXT)

    def intent() -> str | None:
        with sqlite3.connect(bot.home / "rejoinder.db") as database:
            row = database.execute("SELECT intent FROM turns WHERE conversation_id = ?", (fresh.conversation_id,))
            found: str | None = row.fetchone()[0]
            return found

    return eventually(intent, seconds=60) or ""


def test_an_example_is_learnt_without_losing_a_conversation_and_taken_back(
    bot: Instance, chat: Chat, builder: Builder
) -> None:
    before = understood(bot, chat)
    assert before != "delivery_delay"
    assert "order number" in chat.ask("where is my parcel?")[-1]["text"]
    example = builder("nlu", "add", TEXT, "delivery_delay").strip()
    builder("nlu", "approve", example, "--author", "ana")
    assert f"+      - {TEXT}" in builder("nlu", "export")
    builder("nlu", "export", "--write", "--author", "ana")
    row = json.loads(builder("train", "--new", "--reason", "a sofa", "--author", "ana", "--json"))
    assert (row["status"], row["author"], row["reason"]) == ("deployed", "ana", "a sofa")
    assert row["metrics"]["new examples"] == row["metrics"]["new examples understood"] == 1
    assert row["metrics"]["failed conversations"] == []
    assert understood(bot, chat) == "delivery_delay"
    kill(bot, "rasa_server run")
    eventually(lambda: not httpx.get(f"{bot.url}/ready").is_success, seconds=30)
    eventually(lambda: httpx.get(f"{bot.url}/ready").is_success, seconds=120)
    assert understood(bot, chat) == "delivery_delay"
    said = [message["text"] for text in ("R104233", "ada@example.com") for message in chat.ask(text)]
    assert "on its way" in said[-1]
    builder("models", "rollback", "--reason", "only a test", "--author", "ana")
    assert understood(bot, chat) == before


def test_a_worse_model_is_refused_with_what_it_confuses(bot: Instance, builder: Builder) -> None:
    before = builder.running()
    parcels = [e.text for e in read_folder(SHOP) if e.intent in {"order_status", "delivery_delay"}]
    wrong = "".join(f"      - {text} now\n" for text in parcels)
    (builder.data / "nlu/wrong.yml").write_text(f"nlu:\n  - intent: greet\n    examples: |\n{wrong}")
    row = json.loads(builder("train", "--new", "--json", code=1))
    assert row["status"] == "refused"
    assert "order_status is understood less often" in row["error"]
    assert "order_status taken for greet" in row["error"]
    assert builder.running() == before


def test_data_that_cannot_be_trained_on_is_one_clear_error(builder: Builder) -> None:
    (builder.data / "nlu/wrong.yml").write_text(
        "nlu:\n  - intent: greet\n    examples: |\n      - I forgot my password\n"
    )
    builder("train", "--new", code=1)
    assert all(row["status"] != "training" for row in builder.models())
