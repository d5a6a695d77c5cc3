"""What the house itself says when Rasa cannot: responses of ``domain.yml``, so that all texts stand in one place."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import yaml


@dataclass(frozen=True)
class Texts:
    """The two sentences a customer gets when something behind us fails."""

    failed: str
    """This message could not be answered."""
    waiting: str
    """It is stored and will be answered."""

    @classmethod
    def load(cls, domain: Path) -> Texts:
        """From ``utter_failed`` and ``utter_waiting``."""
        responses = yaml.safe_load(domain.read_text())["responses"]
        return cls(failed=responses["utter_failed"][0]["text"], waiting=responses["utter_waiting"][0]["text"])
