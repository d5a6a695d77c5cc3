"""Holds an approved answer back from a small share of its askings, so that it can be measured what it is worth."""

from __future__ import annotations

from hashlib import sha256

WHOLE = 2**64


def is_held_out(conversation_id: str, entry_id: str, share: float) -> bool:
    """The same for all of a conversation's askings of an entry, and evenly spread over conversations."""
    digest = sha256(f"{conversation_id}:{entry_id}".encode()).digest()
    return int.from_bytes(digest[:8], "big") < share * WHOLE
