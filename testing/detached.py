"""A fake in a process of its own, so that a benchmark does not share an interpreter with it."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Self

from testing.behaviour import Behaviour

ROOT = Path(__file__).parents[1]


class Detached:
    """``vendor`` is "openai" or "gemini"; every request gets the same behaviour."""

    def __init__(self, vendor: str, behaviour: Behaviour | None = None) -> None:
        self._command = [sys.executable, "-m", "testing", vendor, json.dumps(asdict(behaviour or Behaviour()))]
        self.url = ""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self._command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout
        self.url = self._process.stdout.readline().strip()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()  # closing its standard input ends it
