"""Findings about a project, reported before anything is written or started."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["fits", "merged", "attend", "unresolved"]
"""How a finding affects the adoption.

``merged``: a conflict that the merge resolves; ``attend``: works, but needs the team's attention; ``unresolved``: nothing
is written until the team has fixed it.
"""
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
    """``file:line`` in the project, if known."""

    def row(self) -> dict[str, str]:
        return {"kind": self.kind, "text": self.text, "place": self.place}


def format_findings(findings: list[Finding]) -> str:
    """Format findings for display, with one section per kind; empty kinds are left out."""
    sections = []
    for kind, title in TITLES.items():
        lines = [f"  {one.place + ': ' if one.place else ''}{one.text}" for one in findings if one.kind == kind]
        sections += ["\n".join([title, *lines])] if lines else []
    return "\n\n".join(sections)
