"""Counts what came back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.answers.score import Case, Reply, Verdict, is_called_for, is_captured, is_shown, verdict
from benchmarks.answers.worlds import World

GOOD: tuple[Verdict, ...] = ("right", "unknown_right")


@dataclass(frozen=True)
class Asked:
    """A question with what came."""

    world: World
    case: Case
    reply: Reply

    @property
    def verdict(self) -> Verdict:
        """What it is worth."""
        return verdict(self.case, self.reply)

    @property
    def row(self) -> dict[str, Any]:
        """As a miss is written down."""
        return {
            "world": self.world.name,
            "part": self.world.part(self.case),
            "id": self.case.id,
            "style": self.case.style,
            "verdict": self.verdict,
            "shown": is_shown(self.case, self.reply),
            "turns": [f"{speaker}: {text}" for speaker, text in self.case.turns],
            "outcome": self.reply.outcome,
            "skill": self.reply.skill,
            "reply": self.reply.text,
            "choices": self.reply.choices,
            "gold heading": self.case.heading,
            "gold": self.case.quote,
        }


def shares(asked: Sequence[Asked]) -> dict[str, float]:
    """Percentages of the answerable and of the unanswerable ones."""
    yes, no = [a for a in asked if a.case.expects_answer], [a for a in asked if not a.case.expects_answer]
    count, among = Counter(a.verdict for a in asked), max(len(yes), 1)
    right, shown = count["right"], sum(is_shown(a.case, a.reply) for a in yes)
    figures = {
        "answerable": float(len(yes)),
        "right %": 100 * right / among,
        "right or shown %": 100 * (right + shown) / among,
        "half %": 100 * count["partly"] / among,
        "wrong and sure %": 100 * count["wrong"] / among,
        "wrong, hedged %": 100 * count["wrong_hedged"] / among,
        "list %": 100 * count["list"] / among,
        "unknown %": 100 * count["unknown_wrong"] / among,
        "other %": 100 * count["other"] / among,
        "angry, passed on to a person %": 100 * sum(is_called_for(a.case, a.reply) for a in asked) / max(len(asked), 1),
        "captured by a skill %": 100 * sum(is_captured(a.case, a.reply) for a in asked) / max(len(asked), 1),
    }
    among = max(len(no), 1)
    return figures | {
        "unanswerable": float(len(no)),
        "honest %": 100 * count["unknown_right"] / among,
        "invented and sure %": 100 * count["answered_unanswerable"] / among,
        "invented, hedged %": 100 * count["hedged_unanswerable"] / among,
        "list (unanswerable) %": 100 * count["list_unanswerable"] / among,
        "other (unanswerable) %": 100 * count["other_unanswerable"] / among,
    }


def line(asked: Sequence[Asked]) -> str:
    """The same, short, on one line."""
    s = shares(asked)
    yes = (
        f"{s['answerable']:.0f} answerable: right {s['right %']:.0f}, or shown {s['right or shown %']:.0f}, half {s['half %']:.0f}, "
        f"wrong {s['wrong and sure %']:.0f}, hedged {s['wrong, hedged %']:.0f}, list {s['list %']:.0f}, unknown {s['unknown %']:.0f}, "
        f"other {s['other %']:.0f}"
    )
    no = (
        f"{s['unanswerable']:.0f} not: honest {s['honest %']:.0f}, invented {s['invented and sure %']:.0f}, "
        f"hedged {s['invented, hedged %']:.0f}, list {s['list (unanswerable) %']:.0f}, other {s['other (unanswerable) %']:.0f}"
    )
    return "; ".join([*([yes] if s["answerable"] else []), *([no] if s["unanswerable"] else [])])


def lines_by(asked: Iterable[Asked], key: Callable[[Asked], str]) -> dict[str, str]:
    """One line for each value of the key."""
    asked = list(asked)
    return {value: line([a for a in asked if key(a) == value]) for value in sorted(set(map(key, asked)))}


def misses(asked: Iterable[Asked]) -> list[dict[str, Any]]:
    """Everything that did not go well."""
    return [a.row for a in asked if a.verdict not in GOOD or is_captured(a.case, a.reply)]
