"""What `app` words itself: responses of ``domain.yml``, so that all texts stand in one place."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import yaml


@dataclass(frozen=True)
class Texts:
    """The sentences a customer gets when something behind us fails, and what is said of a part that is not known."""

    failed: str
    """This message could not be answered."""
    waiting: str
    """It is stored and will be answered."""
    unknown_part: str = "{part}?"
    """One part of a question is not known; ``{part}`` stands for it."""

    @classmethod
    def load(cls, domain: Path) -> Texts:
        """From ``utter_failed``, ``utter_waiting`` and ``utter_unknown_part``."""
        responses = yaml.safe_load(domain.read_text())["responses"]
        return cls(*(responses[f"utter_{name}"][0]["text"] for name in ("failed", "waiting", "unknown_part")))
