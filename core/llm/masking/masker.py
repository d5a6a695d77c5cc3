"""Replaces personal data in the messages of a request with placeholders."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from core.llm.masking.names import list_name_spans
from core.llm.masking.vault import Vault
from core.llm.types import Request

CACHED_LINES = 4096
"""Evidence repeats between requests; each line of it is scanned once."""


@dataclass(frozen=True, order=True)
class Found:
    """Personal data in a text, from ``start`` up to ``end`` (exclusive); the lower rank wins when two overlap."""

    rank: int
    start: int
    end: int
    kind: str


Finder = Callable[[str], Sequence[Found]]


class Masker:
    """Masks all messages of a request with one vault, so that a value has the same placeholder in all of them."""

    def __init__(self, finder: Finder) -> None:
        self._line = lru_cache(CACHED_LINES)(lambda line: tuple(finder(line)))

    def mask(self, request: Request) -> tuple[Request, Vault]:
        """Return the masked request and the vault that restores the reply."""
        vault = Vault(message.text for message in request.messages)
        masked = tuple(replace(message, text=self._mask_text(message.text, vault)) for message in request.messages)
        return replace(request, messages=masked), vault

    def found(self, text: str) -> list[Found]:
        """Return the personal data in a text, in order and without overlaps."""
        everything = [Found(9, start, end, "NAME") for start, end in list_name_spans(text)]
        place = 0
        for line in text.splitlines(keepends=True):
            everything += (replace(f, start=f.start + place, end=f.end + place) for f in self._line(line))
            place += len(line)
        kept: list[Found] = []
        for each in sorted(everything):
            if all(each.end <= other.start or each.start >= other.end for other in kept):
                kept.append(each)
        return sorted(kept, key=lambda f: f.start)

    def _mask_text(self, text: str, vault: Vault) -> str:
        pieces, place = [], 0
        for found in self.found(text):
            pieces += [text[place : found.start], vault.placeholder(found.kind, text[found.start : found.end])]
            place = found.end
        return "".join([*pieces, text[place:]])


def make_masker() -> Masker:
    """Create a masker with Presidio's recognisers, which take seconds to import and are only imported here."""
    from core.llm.masking.recognisers import PersonalDataFinder  # noqa: PLC0415

    return Masker(PersonalDataFinder())
