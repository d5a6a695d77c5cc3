"""`bench answers`: what customers get who ask a help centre, through the whole running bot.

The demo shop as `make run` gives it, and the public help centres of `help_centres`, each imported by the command line into
an instance without the demo, and fictional ones in four other languages. Every question is said to Rasa with its history and scored by the facts that its answer must
name (`score.py`). Beside that: the team's own questions word for word, plain paraphrases, conversations in which a question
leans on those before it, with the bot's own answers between, and where the section that answers stands among the candidates. `--set rasa=0` asks the knowledge alone, in this process: for tuning, and no evidence.
"""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from benchmarks.answers import evidence, offline, running, stackfaq
from benchmarks.answers.figures import Asked, line, lines_by, misses, shares
from benchmarks.answers.own import OwnQuestion, own_questions
from benchmarks.answers.score import Case, Reply
from benchmarks.answers.worlds import (
    DEMO,
    LANGUAGES_REPORTED,
    LANGUAGES_TUNED,
    REPORTED,
    TUNED,
    World,
    demo_world,
    help_centres,
    language_worlds,
)
from benchmarks.report import Goal, Result, at_least, at_most

OPTIONS = {"rasa": 1.0, "reported": 1.0, "demo": 1.0, "centres": 1.0, "languages": 1.0, "threads": 1.0}
"""rasa=0: the knowledge alone, without Rasa. reported=0: only what may be tuned on. demo=0, centres=0, languages=0, threads=0: without these."""
WITHOUT_BOT = "the knowledge alone, without Rasa: for tuning, and no evidence of what customers get"
MISSES = Path(__file__).parent.parent / "results" / "answers_misses.jsonl"


@dataclass
class Seen:
    """Everything that was asked of one world."""

    world: World
    asked: list[Asked] = field(default_factory=list)
    paraphrased: list[Asked] = field(default_factory=list)
    talked: list[Asked] = field(default_factory=list)
    own: list[tuple[OwnQuestion, Reply]] = field(default_factory=list)
    headings: list[tuple[OwnQuestion, Reply]] = field(default_factory=list)
    found: list[tuple[Case, int | None]] = field(default_factory=list)
    shown: list[tuple[Case, int | None]] = field(default_factory=list)


def run(
    data: Path,
    *,
    rasa: float = 1.0,
    reported: float = 1.0,
    demo: float = 1.0,
    centres: float = 1.0,
    languages: float = 1.0,
    threads: float = 1.0,
) -> Result:
    """Ask everything, count, and write down every miss."""
    worlds = [
        *([demo_world()] if demo else []),
        *(help_centres(data) if centres else []),
        *(language_worlds() if languages else []),
    ]
    seen = list((running_seen if rasa else offline_seen)(worlds, reported=bool(reported)))
    missed = misses(a for each in seen for a in (*each.asked, *each.paraphrased, *each.talked))
    _write([*missed, *(row for each in seen for row in _own_misses(each))])
    figures = _figures(seen)
    if threads:
        figures["StackFAQ, a quarter unknown, the knowledge alone"] = stackfaq.figures(data)
    notes = [f"every miss: {MISSES.name}"]
    return {"figures": figures, "targets": _targets(figures), "notes": notes if rasa else [*notes, WITHOUT_BOT]}


def running_seen(worlds: Sequence[World], *, reported: bool = True) -> Iterator[Seen]:
    """The demo shop, and then the help centres one after the other in an instance that knows no demo."""
    for is_demo in (True, False):
        chosen = [world for world in worlds if (world.name == DEMO) == is_demo]
        if not chosen:
            continue
        _say("starting the demo shop" if is_demo else "starting an empty instance")
        with running.bot(demo=is_demo) as bot, offline.attached(bot.settings) as knowledge:
            for world in chosen:
                if not is_demo:
                    bot.fill(world)
                yield ask(world, bot, knowledge, bot.settings.tenant, reported=reported)
                if not is_demo:
                    bot.empty(world)


def offline_seen(worlds: Sequence[World], *, reported: bool = True) -> Iterator[Seen]:
    """All worlds, the knowledge alone."""
    _say("importing")
    with offline.opened(worlds) as knowledge:
        for world in worlds:
            yield ask(world, offline.Tenant(knowledge, world.name), knowledge, world.name, reported=reported)


class Asks(Protocol):
    """Who is asked."""

    def ask(self, case: Case) -> Reply:
        """One question, in a conversation of its own."""

    def talk(self, case: Case) -> Reply:
        """A conversation; what came of its last turn."""


def ask(world: World, asks: Asks, knowledge: offline.Offline, tenant: str, *, reported: bool = True) -> Seen:
    """Everything of one world."""
    seen = Seen(world)
    cases = [case for case in world.cases if reported or world.part(case) == "tuned"]
    seen.asked = [Asked(world, case, asks.ask(case)) for case in cases]
    seen.paraphrased = [Asked(world, case, asks.ask(case)) for case in world.paraphrases]
    seen.talked = [Asked(world, case, asks.talk(case)) for case in world.conversations]
    faq, headings = own_questions(knowledge.database, tenant)
    seen.own = [(own, asks.ask(own.case)) for own in faq]
    seen.headings = [(own, asks.ask(own.case)) for own in headings]
    for case in (c for c in cases if c.expects_answer and c.quote):
        seen.found.append((case, evidence.place(knowledge.candidates(tenant, case), case)))
        seen.shown.append((case, evidence.place(knowledge.evidence(tenant, case), case)))
    _say(f"{world.name}: {line(seen.asked) or 'no questions'}")
    return seen


def _figures(seen: Sequence[Seen]) -> dict[str, Any]:
    centres = [s for s in seen if s.world.name != DEMO]
    asked = [a for s in seen for a in s.asked]
    demo = [a for a in asked if a.world.name == DEMO]
    times = [a.reply.milliseconds for a in asked] or [0.0, 0.0]
    own, paraphrased = [o for s in seen for o in s.own], [a for s in seen for a in s.paraphrased]
    talked = [a for s in seen for a in s.talked]
    return {
        "help centres, reported": shares([a for a in asked if a.world.name in REPORTED]),
        "help centres, tuned on": shares([a for a in asked if a.world.name in TUNED]),
        "demo shop, reported half": shares([a for a in demo if a.world.part(a.case) == "reported"]),
        "demo shop, tuning half": shares([a for a in demo if a.world.part(a.case) == "tuned"]),
        "other languages, reported": shares([a for a in asked if a.world.name in LANGUAGES_REPORTED]),
        "other languages, tuned on": shares([a for a in asked if a.world.name in LANGUAGES_TUNED]),
        "worlds": lines_by(asked, lambda a: a.world.name),
        "styles of the demo": lines_by(demo, lambda a: a.case.style),
        "styles of the help centres": lines_by(
            [a for a in asked if a.world.name != DEMO], lambda a: f"{a.world.name}, {a.case.style}"
        ),
        "own questions word for word": _own_shares(own),
        "own questions by source": {s.world.name: _own_line(s.own) for s in seen},
        "headings that ask": {s.world.name: f"{_served(s.headings)} of {len(s.headings)} served" for s in seen},
        "plain paraphrases": {"questions": len(paraphrased), "right %": shares(paraphrased)["right %"]},
        "plain paraphrases, all": line(paraphrased),
        "conversations": shares(talked),
        "conversations, all": line(talked),
        "evidence, reported": _evidence([s for s in centres if s.world.name in REPORTED]),
        "evidence, tuned on": _evidence([s for s in centres if s.world.name in TUNED]),
        "evidence, demo": _evidence([s for s in seen if s.world.name == DEMO]),
        "one customer, ms": {"p50": statistics.median(times), "p95": statistics.quantiles(times, n=20)[-1]},
    }


def _evidence(seen: Sequence[Seen]) -> dict[str, Any]:
    found, shown = [p for s in seen for _, p in s.found], [p for s in seen for _, p in s.shown]
    return {"questions": len(found), "candidates": evidence.shares(found), "shown to a model": evidence.shares(shown)}


def _own_shares(own: Sequence[tuple[OwnQuestion, Reply]]) -> dict[str, float]:
    clear = [(question, reply) for question, reply in own if not question.is_contradicted]
    answered = sum(question.is_answered(reply) for question, reply in clear)
    return {
        "questions": float(len(clear)),
        "right %": 100 * answered / max(len(clear), 1),
        "with different answers, not counted": float(len(own) - len(clear)),
    }


def _own_line(own: Sequence[tuple[OwnQuestion, Reply]]) -> str:
    s = _own_shares(own)
    return f"{s['right %']:.1f} % of {s['questions']:.0f}"


def _own_misses(seen: Seen) -> Iterator[dict[str, Any]]:
    """Own questions that are not answered whole, as they are written down."""
    for own, reply in seen.own:
        if not own.is_contradicted and not own.is_answered(reply):
            came = {"outcome": reply.outcome, "skill": reply.skill, "reply": reply.text, "choices": reply.choices}
            yield {
                "world": seen.world.name,
                "style": "own question",
                "turns": [own.text],
                **came,
                "gold": own.answers[0],
            }


def _served(headings: Sequence[tuple[OwnQuestion, Reply]]) -> int:
    return sum(question.is_served(reply) for question, reply in headings)


def _targets(figures: dict[str, Any]) -> list[Goal]:
    """The work order's table."""
    centres, demo = figures["help centres, reported"], figures["demo shop, reported half"]
    plain, shown = figures["plain paraphrases"], figures["evidence, reported"]["shown to a model"]
    goals = []
    for name, part, right, offered in (("help centres", centres, 60, 82), ("demo shop", demo, 55, 78)):
        if not part["answerable"]:
            continue
        goals += [
            at_least(f"{name}: right, %", part["right %"], right),
            at_least(f"{name}: right or shown, %", part["right or shown %"], offered),
            at_most(f"{name}: wrong and sure, %", part["wrong and sure %"], 5),
            at_least(f"{name}: honest where there is no answer, %", part["honest %"], 80),
            at_most(f"{name}: invented and sure, %", part["invented and sure %"], 3),
            at_most(f"{name}: captured by a skill, %", part["captured by a skill %"], 1),
        ]
    return [
        *goals,
        at_least("own questions word for word, %", figures["own questions word for word"]["right %"], 99),
        *([at_least("plain paraphrases: right, %", plain["right %"], 90)] if plain["questions"] else []),
        at_least("the right section among five shown to a model, %", shown["first 5 %"], 90),
        at_most("one customer, p95 ms", figures["one customer, ms"]["p95"], 120),
    ]


def _write(rows: Sequence[dict[str, Any]]) -> None:
    MISSES.parent.mkdir(parents=True, exist_ok=True)
    MISSES.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


def _say(text: str) -> None:
    print(f"answers: {text}", file=sys.stderr, flush=True)
