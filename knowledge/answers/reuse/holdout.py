"""Holds an approved answer out of a small share of conversations, to measure its worth."""

from __future__ import annotations

from hashlib import sha256

WHOLE = 2**64


def is_held_out(conversation_id: str, entry_id: str, share: float) -> bool:
    """Whether the entry is held out; constant within a conversation and evenly spread over conversations."""
    digest = sha256(f"{conversation_id}:{entry_id}".encode()).digest()
    return int.from_bytes(digest[:8], "big") < share * WHOLE
