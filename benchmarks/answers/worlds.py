"""The help centres that are asked, and which of their questions may tune something.

The split is by source and fixed here: `TUNED` may be looked at while bars, weights and readers are chosen; `REPORTED`
is what is told. The questions to the demo shop are split by the hash of their pair, so that a contrast pair stays together.
Of each language other than English there are two fictional help centres of ours, one for each part.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import md5
from pathlib import Path
from typing import Literal

from benchmarks.answers.score import Case
from benchmarks.public_data import read_rows
from console.demo import HELP_CENTRE

Part = Literal["tuned", "reported"]
TUNED = ("chatwoot", "shop")
REPORTED = ("seafile", "awsdash")
LANGUAGES_TUNED = ("gartenmarkt", "zapateria", "librairie", "kapra")
LANGUAGES_REPORTED = ("stadtwerke", "gimnasio", "mutuelle", "paisa")
"""German, Spanish, French and Urdu."""
DEMO = "demo"
HERE = Path(__file__).parent
DEMO_QUESTIONS = HERE / "demo_shop.jsonl"
CONVERSATIONS = HERE / "demo_conversations.jsonl"
PARAPHRASES = HERE / "demo_paraphrases.jsonl"
LANGUAGES = HERE / "languages"


@dataclass(frozen=True)
class World:
    """One help centre with its questions; its name is the name of its tenant."""

    name: str
    documents: Path
    cases: tuple[Case, ...]
    paraphrases: tuple[Case, ...] = ()
    """Plain ones, counted apart."""
    conversations: tuple[Case, ...] = ()
    """Each with what the customer says, turn by turn; the bot's own answers stand between, and the last one is judged."""

    def part(self, case: Case) -> Part:
        """Which part a question belongs to."""
        if self.name == DEMO:
            return "tuned" if int(md5(case.group.encode(), usedforsecurity=False).hexdigest(), 16) % 2 else "reported"
        return "tuned" if self.name in (*TUNED, *LANGUAGES_TUNED) else "reported"


def help_centres(data: Path) -> list[World]:
    """Those of the public data, where they are there."""
    folders = [data / "help_centres" / name for name in (*TUNED, *REPORTED)]
    return [World(f.name, f / "docs", read_cases(f / "questions.jsonl")) for f in folders if f.is_dir()]


def language_worlds() -> list[World]:
    """The help centres in other languages than English."""
    rows = read_rows(LANGUAGES / "questions.jsonl")
    return [
        World(name, LANGUAGES / f"{name}.jsonl", tuple(Case.of(row) for row in rows if row["centre"] == name))
        for name in (*LANGUAGES_TUNED, *LANGUAGES_REPORTED)
    ]


def demo_world() -> World:
    """The demo shop."""
    return World(DEMO, HELP_CENTRE, read_cases(DEMO_QUESTIONS), read_cases(PARAPHRASES), read_cases(CONVERSATIONS))


def read_cases(path: Path) -> tuple[Case, ...]:
    """The questions of a file, none where it is not there."""
    return tuple(Case.of(row) for row in read_rows(path)) if path.exists() else ()


def cases_of(worlds: Sequence[World], part: Part) -> list[tuple[World, Case]]:
    """All questions of one part."""
    return [(world, case) for world in worlds for case in world.cases if world.part(case) == part]
