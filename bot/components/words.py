"""Phrases of all languages as one pattern; each file in ``bot/languages`` contributes its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, List, Text

import yaml

FOLDER = Path(__file__).parent.parent / "languages"


def _read_languages() -> List[Dict[Text, Any]]:
    files = sorted(FOLDER.glob("*.yml"))
    return [(yaml.safe_load(file.read_text(encoding="utf-8")) or {}).get("words") or {} for file in files]


LANGUAGES = _read_languages()


def build_phrase_pattern(*kinds: Text) -> Text:
    """Build a pattern for these kinds of phrases in any language, as whole words in languages with spaces."""
    return either_of(LANGUAGES, *kinds)


def either_of(languages: List[Dict[Text, Any]], *kinds: Text) -> Text:
    """Build the same pattern for some languages."""
    found = []
    for words in languages:
        alternatives = "|".join(str(each) for kind in kinds for each in words.get(kind) or ())
        if alternatives:
            found.append(rf"\b(?:{alternatives})\b" if words.get("spaces", True) else f"(?:{alternatives})")
    return f"(?:{'|'.join(found)})" if found else r"(?!)"
