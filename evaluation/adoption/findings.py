"""What there is to say about a project before anything is written or started."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["fits", "merged", "attend", "unresolved"]
"""``merged``: it collided, and the merge resolves it; ``attend``: it works, and something is for the team to do;
``unresolved``: nothing is written until the team has changed it."""
TITLES: dict[Kind, str] = {
    "fits": "What fits",
    "merged": "What conflicts, and the merge that is made",
    "attend": "What is yours to do",
    "unresolved": "What cannot be resolved here",
}


@dataclass(frozen=True)
class Finding:
    """One line of the report."""

    kind: Kind
    text: str
    place: str = ""
    """``file:line`` in the project, where that is known."""

    def row(self) -> dict[str, str]:
        return {"kind": self.kind, "text": self.text, "place": self.place}


def format_findings(findings: list[Finding]) -> str:
    """For a person: a section a kind, none where there is nothing to say."""
    sections = []
    for kind, title in TITLES.items():
        lines = [f"  {one.place + ': ' if one.place else ''}{one.text}" for one in findings if one.kind == kind]
        sections += ["\n".join([title, *lines])] if lines else []
    return "\n\n".join(sections)
