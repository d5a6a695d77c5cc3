"""Data types of the review queue."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["entry", "faq", "phrasing", "example", "contradiction"]
Status = Literal["open", "half_approved", "approved", "merged", "rejected", "snoozed", "expired", "settled"]
UNDECIDED: tuple[Status, ...] = ("open", "half_approved", "snoozed")
"""Statuses in which a decision is still possible."""
PUBLISHED: tuple[Status, ...] = ("approved", "merged")
LONGEST = 10_000
MOST_QUESTIONS = 200


@dataclass(frozen=True)
class Claim:
    """The item that somebody decides about, at the revision that they saw."""

    tenant_id: str
    item_id: str
    revision: int
    """The revision that the reviewer saw; if it is outdated, the decision is a Conflict."""
    by: str


@dataclass(frozen=True)
class ItemWording:
    """What an approval does: publish a new entry, merge into one, amend one, or keep one side of a contradiction."""

    action: Literal["publish", "merge", "amend", "keep"]
    entry_id: str | None = None
    take_answer: bool = False
    """When merging, whether the entry also takes the new answer."""
    version: int | None = None
    """When amending, the version that the proposer saw."""
    title: str | None = None

    @classmethod
    def stored(cls, value: dict[str, Any] | None) -> ItemWording | None:
        """Restore an action from its stored form."""
        return cls(**value) if value else None


@dataclass(frozen=True)
class Wording:
    """The wording of an item as edited by a reviewer."""

    questions: tuple[str, ...]
    answer: str
    subject: str | None = None
    intent: str | None = None


@dataclass(frozen=True)
class Editor:
    """The person who changes an entry by hand, and the reason."""

    tenant_id: str
    by: str
    reason: str = ""


@dataclass(frozen=True)
class ItemEvidence:
    """An entry at the version that the person saw."""

    entry_id: str
    version: int
