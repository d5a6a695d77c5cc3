"""Training data of its own, a Rasa that is only a wire, and a model that needs no Rasa to be made."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from core.bot.parts import BotParts
from core.db import Database
from core.rasa import Rasa
from evaluation.training.data import read_parts, write_rows
from evaluation.training.model import BotModel, Release
from evaluation.training.service import TrainingService
from evaluation.training.trials import Verdict

TOPIC = """version: "3.1"
# by hand
nlu:
  - intent: greet
    examples: |
      - hello
      - good morning
  - intent: refund
    examples: |
      - I want my money back
      - refund for [R104233](order_number) please
  - lookup: product
    examples: |
      - lamp
"""


DOMAIN = """version: "3.1"
intents: [greet, refund, gift_card]
slots:
  bot_name: {type: text, mappings: [{type: custom}]}
  greeting: {type: text, mappings: [{type: custom}]}
  language: {type: text, mappings: [{type: custom}]}
  tone: {type: text, mappings: [{type: custom}]}
"""


@dataclass
class WiredRasa:
    """Answers as Rasa does to a new model."""

    loaded: str = "first.tar.gz"
    refuses: bool = False
    away: bool = False

    def answer(self, request: httpx.Request) -> httpx.Response:
        if self.away:
            raise httpx.ConnectError("away")
        if request.url.path == "/status":
            return httpx.Response(200, json={"model_file": self.loaded})
        assert (request.method, request.url.path) == ("PUT", "/model")
        if self.refuses:
            return httpx.Response(400)
        self.loaded = Path(httpx.Response(200, content=request.content).json()["model_file"]).name
        return httpx.Response(204)

    def client(self) -> Rasa:
        return Rasa("http://rasa", transport=httpx.MockTransport(self.answer))


class QuickModel(BotModel):
    """Makes a file in place of a model."""

    def make(self) -> Release:
        made = [int(path.name.split("-")[1]) for path in (self.folder / "releases").glob("model-*")]
        name = f"model-{max(made, default=0) + 1:02}"
        release = Release(self.folder / "releases" / name)
        release.folder.mkdir(parents=True)
        release.archive.write_text(name)
        write_rows(release.rows, read_parts(self.parts))
        (self.folder / "made-from").write_text(self.fingerprint())
        return release


@dataclass
class Trials:
    """Says what it was told to say."""

    reasons: list[str] = field(default_factory=list)
    error: BaseException | None = None
    figures: dict[str, Any] = field(default_factory=lambda: {"examples": 4})

    def __call__(self, *_: object) -> Verdict:
        if self.error:
            raise self.error
        return Verdict(dict(self.figures), list(self.reasons))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    (folder / "nlu").mkdir(parents=True)
    (folder / "nlu" / "topic.yml").write_text(TOPIC)
    return folder


@pytest.fixture
def parts(data: Path) -> BotParts:
    (data.parent / "domain.yml").write_text(DOMAIN)
    return BotParts(data, base=data.parent / "domain.yml")


@pytest.fixture
def rasa() -> WiredRasa:
    return WiredRasa()


@pytest.fixture
def trials() -> Trials:
    return Trials()


@pytest.fixture
def training(tmp_path: Path, parts: BotParts, database: Database, rasa: WiredRasa, trials: Trials) -> TrainingService:
    return TrainingService(database, QuickModel(tmp_path / "var", parts), rasa.client, trials)
