"""Reads the public data sets, which are files of one JSON object a line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def read_rows(path: Path) -> list[dict[str, Any]]:
    """The objects of a file; a text in them may hold any line separator but a newline."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line.strip()]
