"""`bench growth`: knowledge that grows by the real way, and what later customers get after every 25 approvals.

The conversations of `kb_growth` are imported and harvested; what lands in the review queue is approved as it was suggested, in the
order of the conversations; a conversation that gave no suggestion teaches nothing. After every 25 approvals the reported probes are
asked, at the end all. Then the entries of `kb_dstc11` come in as well, without those that answer a probe that must stay unknown.
"""

from __future__ import annotations

import asyncio
import html
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright
from sqlalchemy import select
from sqlalchemy.orm import Session

from benchmarks.knowledge import Asked, judged, shares
from benchmarks.public_data import read_rows
from benchmarks.report import Result, at_least, at_most
from benchmarks.split import part_of
from core.db import Database
from core.db.models import Conversation, ReviewItem
from core.db.upgrade import upgrade_database
from core.settings import Settings
from knowledge.answers.decision import Answering
from knowledge.curation.conversation_import import parse_conversations, store_conversations
from knowledge.curation.review import decisions
from knowledge.curation.review.types import Claim
from knowledge.entries.content import Content
from knowledge.entries.editor import Change, EntryEditor
from knowledge.jobs import make_harvest
from knowledge.services import Knowledge
from knowledge.text.features import content_words
from knowledge.text.names import matches_name
from knowledge.types import SPEAKERS, Question, Utterance
from testing.instance import chroma_server

TENANT = "bench"
EVERY = 25
SHARED_WORDS = 2
"""Words with a meaning of their own that a review shares with an FAQ question, from which it may answer it."""
PLOT = Path(__file__).parent / "results" / "growth.png"
COLOURS = {"right or honest %": "#1b7f4b", "right %": "#3367d6", "honestly unknown %": "#8a8a8a", "wrong %": "#c5221f"}


def run(data: Path) -> Result:
    """The learning curve, then the same with much else in the knowledge base."""
    probes = read_rows(data / "kb_growth/probes.jsonl")
    reported = [p for p in probes if part_of(p["dialogue_id"], p["target_doc_ids"][0]) == "report"]
    with tempfile.TemporaryDirectory() as folder, chroma_server(Path(folder)) as url:
        growing = Growing(Settings.load(home=Path(folder), chroma_url=url))
        suggested = growing.harvest(data / "kb_growth/seed_conversations.jsonl")
        curve = [{"approved": done, **growing.asked(reported)} for done in growing.approvals()]
        whole = growing.asked(probes)
        added = growing.add(list(_noise(data, probes)))
        crowded = growing.asked(reported)
        growing.database.close()
    end = {name: value for name, value in curve[-1].items() if name != "approved"}
    _plot(curve, PLOT)
    figures: dict[str, Any] = {
        "conversations": len(read_rows(data / "kb_growth/seed_conversations.jsonl")),
        "suggestions": suggested,
        "learning curve (reported part)": {f"after {row['approved']} approvals": _line(row) for row in curve},
        "reported part at the end": end,
        "all probes at the end": whole,
        f"reported part with {added} more entries": crowded,
        "reported part, expects an answer": _answerable(reported),
    }
    targets = [
        at_least("right or honestly unknown at the end, %", end["right or honest %"], 85.0),
        at_most("wrong at the end, %", end["wrong %"], 5.0),
    ]
    return {"figures": figures, "targets": targets, "notes": [f"the curve as a picture: {PLOT.name}"]}


@dataclass
class Growing:
    """One instance's knowledge, from the first conversation on."""

    settings: Settings

    def __post_init__(self) -> None:
        self.database = Database(self.settings.database())
        upgrade_database(self.database)
        self._documents: dict[str, str] = {}

    def harvest(self, seeds: Path) -> int:
        """Import and harvest; how many suggestions wait."""
        conversations, _ = parse_conversations(seeds.read_text(encoding="utf-8").splitlines())
        store_conversations(self.database, TENANT, conversations, Change("bench", "import"), approve=False)
        self._document_of = _by_conversation(seeds, self.database)
        make_harvest(self.settings, self.database).harvester.process(TENANT)
        return len(self._items())

    def approvals(self) -> Iterator[int]:
        """Approve in the order of the conversations; how many are approved, at the start, after every 25, and at the end."""
        desk = Knowledge(self.settings, self.database).make_review()
        items = sorted(self._items(), key=lambda item: min(self._conversations(item)))
        yield 0
        for done, item in enumerate(items, start=1):
            claim = Claim(TENANT, item.id, item.revision, "bench")
            approved = asyncio.run(desk.decide(TENANT, partial(_approve, claim)))
            self._documents[approved] = self._document_of[min(self._conversations(item))]
            if done % EVERY == 0 or done == len(items):
                yield done

    def add(self, contents: Sequence[tuple[str, Content]]) -> int:
        """Much else, each with the document it stands for."""
        with self.database.session() as session:
            editor = EntryEditor(session, TENANT, Change("bench", "import"))
            for document, content in contents:
                self._documents[editor.add(content.checked(), approved=True).id] = document
        Knowledge(self.settings, self.database).sync_indexes()
        return len(contents)

    def asked(self, probes: Sequence[dict[str, Any]]) -> dict[str, float]:
        """What customers get now."""
        answering = Knowledge(self.settings, self.database).answering
        return shares([self._ask(answering, probe) for probe in probes])

    def _ask(self, answering: Answering, probe: dict[str, Any]) -> Asked:
        turns = tuple(Utterance(SPEAKERS[turn["speaker"]], turn["text"]) for turn in probe["turns"])
        answer = answering.answer(Question(TENANT, turns[-1].text, turns[:-1]))
        return Asked(probe, judged(probe, answer, self._documents.__getitem__), 0.0)

    def _items(self) -> list[ReviewItem]:
        with self.database.session() as session:
            return list(session.scalars(select(ReviewItem).where(ReviewItem.kind == "entry")))

    @staticmethod
    def _conversations(item: ReviewItem) -> list[str]:
        return [each["conversation_id"] for each in item.evidence]


def _approve(claim: Claim, session: Session) -> str:
    entry_id = decisions.approve_item(session, claim).entry_id
    assert entry_id is not None
    return entry_id


def _by_conversation(seeds: Path, database: Database) -> dict[str, str]:
    """The document that each stored conversation's last answer stands for; only the judge looks at it."""
    documents = {seed["turns"][-1]["text"].strip(): seed["doc_id"] for seed in read_rows(seeds)}
    with database.session() as session:
        stored = session.scalars(select(Conversation).order_by(Conversation.id))
        return {c.id: documents[c.messages[-1].text] for c in stored}


def _noise(data: Path, probes: Sequence[dict[str, Any]]) -> Iterator[tuple[str, Content]]:
    """FAQ and reviews of `kb_dstc11` without what answers a probe that must stay unknown."""
    rows = read_rows(data / "dstc_knowledge/kb_dstc11.jsonl")
    unknown = {document for p in probes if p["expect"] == "unknown" for document in p["target_doc_ids"]}
    questions = {d: r["text"].partition("?")[0] for r in rows if (d := _document(r["doc_id"])) in unknown}
    for row in rows:
        document = _document(row["doc_id"])
        place = document.rsplit(":", 1)[0]
        subject = (row["entity"] or row["domain"]).title() if row["entity"] else row["domain"]
        if row["type"] == "faq" and document not in unknown:
            question, _, answer = row["text"].partition("? ")
            yield document, Content("faq", answer or question, (f"{question}?",), subject=subject)
        elif row["type"] == "review" and not any(
            d.startswith(f"{place}:") and len(content_words(q) & content_words(row["text"])) >= SHARED_WORDS
            for d, q in questions.items()
        ):
            yield row["doc_id"], Content("passage", row["text"], title=subject)


def _document(doc_id: str) -> str:
    """The name that `kb_growth` has for it: hotel:0:faq:4 is hotel:0:4; of a review the place counts."""
    domain, place, kind, number = doc_id.split(":")[:4]
    return f"{domain}:{place}:{number}" if kind == "faq" else f"{domain}:{place}:review"


def _answerable(probes: Sequence[dict[str, Any]]) -> dict[str, int]:
    """How many can be answered at all from what is said: a place that is named nowhere cannot be known."""
    asked = [p for p in probes if p["expect"] == "answer"]
    unnamed = [
        p for p in asked if p["entity"] and not any(matches_name(t["text"], p["entity"].title()) for t in p["turns"])
    ]
    return {"questions": len(asked), "of them about a place that is named nowhere": len(unnamed)}


def _line(row: dict[str, Any]) -> str:
    return ", ".join(f"{name[:-2]} {row[name]:.1f} %" for name in COLOURS) + f", missed {row['missed %']:.1f} %"


def _plot(curve: Sequence[dict[str, Any]], target: Path) -> None:
    """The curve as a picture, drawn by the browser of the tests."""
    last = max(curve[-1]["approved"], 1)
    drawing = "".join(
        f'<line x1="50" x2="650" y1="{380 - 3.6 * p}" y2="{380 - 3.6 * p}" stroke="#ddd"/><text x="10" y="{384 - 3.6 * p}">{p} %</text>'
        for p in range(0, 101, 20)
    )
    drawing += "".join(
        f'<text x="{40 + 600 * row["approved"] / last}" y="400">{row["approved"]}</text>' for row in curve
    )
    for name, colour in COLOURS.items():
        points = " ".join(f"{50 + 600 * row['approved'] / last:.1f},{380 - 3.6 * row[name]:.1f}" for row in curve)
        drawing += f'<polyline fill="none" stroke="{colour}" stroke-width="3" points="{points}"/>'
        drawing += f'<text x="656" y="{384 - 3.6 * curve[-1][name]:.0f}" fill="{colour}">{html.escape(name[:-2])} {curve[-1][name]:.0f} %</text>'
    page_of = f'<body style="margin:0;background:#fff"><svg width="850" height="430" font-family="sans-serif" font-size="13">{drawing}<text x="270" y="424">approvals</text></svg>'
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 850, "height": 430})
        page.set_content(page_of)
        page.screenshot(path=str(target))
        browser.close()
