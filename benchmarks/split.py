"""Which part of the growth probes trains, tunes the threshold, or is only reported."""

from __future__ import annotations

from hashlib import md5, sha256
from typing import Literal

Part = Literal["train", "tune", "report"]

ANY = "*"
"""The place of a service that has no name, as in "train:*:4"."""


def part_of(dialogue_id: str, doc_id: str) -> Part:
    """The part of one probe.

    Named places are split by name, so that neither the place nor its entries are seen in training. Trains and taxis
    have one set of entries for all, so there the dialogues are split.
    """
    domain, place, _ = doc_id.split(":")
    if place == ANY:
        bucket = _hash(f"d{dialogue_id}") % 6
        return ("report", "report", "tune", "train", "train", "train")[bucket]
    if _hash(f"x{domain}:{place}") % 3 == 0:
        return "report"
    return "tune" if _hash(f"t{domain}:{place}") % 5 == 0 else "train"


def _hash(text: str) -> int:
    return int(md5(text.encode(), usedforsecurity=False).hexdigest(), 16)


def in_training(text: str) -> bool:
    """The half that trains."""
    return sha256(text.encode()).digest()[0] % 2 == 0
