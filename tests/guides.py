"""Files that a guide shows, as it shows them."""

from __future__ import annotations

import re
from pathlib import Path

_FILE = re.compile(
    r"^`([\w./]+/[\w.]+\.\w+)`[^\n`]*(?:`[^`\n]*`[^\n`]*)*:\n\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL
)


def write_files(guide: Path, folder: Path) -> list[str]:
    """Below the folder; their names."""
    files = _FILE.findall(guide.read_text(encoding="utf-8"))
    for name, content in files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content, encoding="utf-8")
    return [name for name, _ in files]
