"""The words of this folder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["entry", "faq", "phrasing", "example", "contradiction"]
Status = Literal["open", "half_approved", "approved", "merged", "rejected", "snoozed", "expired", "settled"]
UNDECIDED: tuple[Status, ...] = ("open", "half_approved", "snoozed")
"""May still be decided about."""
PUBLISHED: tuple[Status, ...] = ("approved", "merged")
LONGEST = 10_000
MOST_QUESTIONS = 200


@dataclass(frozen=True)
class Claim:
    """Which item somebody decides about, as they saw it, and who they are."""

    tenant_id: str
    item_id: str
    revision: int
    """The item's revision on their page: the second of two reviewers is told."""
    by: str


@dataclass(frozen=True)
class ItemWording:
    """What an approval does: publish a new entry, merge into one, amend one, or keep one of several that contradict."""

    action: Literal["publish", "merge", "amend", "keep"]
    entry_id: str | None = None
    take_answer: bool = False
    """Merging: the entry also takes the new answer."""
    version: int | None = None
    """Amending: the version that was in front of whoever proposed it."""
    title: str | None = None

    @classmethod
    def stored(cls, value: dict[str, Any] | None) -> ItemWording | None:
        """As it was kept with the item."""
        return cls(**value) if value else None


@dataclass(frozen=True)
class Wording:
    """What an item says, as a reviewer puts it."""

    questions: tuple[str, ...]
    answer: str
    subject: str | None = None
    intent: str | None = None


@dataclass(frozen=True)
class Editor:
    """Who changes an entry by hand, and why."""

    tenant_id: str
    by: str
    reason: str = ""


@dataclass(frozen=True)
class ItemEvidence:
    """Which entry, at the version that was in front of whoever changes it."""

    entry_id: str
    version: int
