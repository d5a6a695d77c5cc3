"""Files of sound: what was said in one, and how long it is where its format says so simply."""

from __future__ import annotations

import struct
from dataclasses import dataclass

_OPUS_RATE = 48_000
"""Ogg Opus counts its samples at this rate, whatever it was recorded at (RFC 7845)."""
_PAGE = struct.Struct("<4sBBq")


@dataclass(frozen=True)
class Heard:
    """What was said, and what the vendor counts."""

    text: str
    seconds: float | None = None
    """How long it is, where the vendor says so."""


def seconds_of(sound: bytes) -> float | None:
    """Of Ogg Opus, which voice notes are: the last page's granule position; None of anything else."""
    if b"OpusHead" not in sound[:200]:
        return None
    last = sound.rfind(b"OggS")
    if last < 0 or len(sound) - last < _PAGE.size:
        return None
    samples = int(_PAGE.unpack_from(sound, last)[-1])
    return max(samples, 0) / _OPUS_RATE
