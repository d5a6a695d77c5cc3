"""Audio files: transcripts, and the duration of formats where it is easy to read."""

from __future__ import annotations

import struct
from dataclasses import dataclass

_OPUS_RATE = 48_000
"""Ogg Opus counts samples at this rate, independent of the recording's rate (RFC 7845)."""
_PAGE = struct.Struct("<4sBBq")


@dataclass(frozen=True)
class Heard:
    """A transcript and its duration."""

    text: str
    seconds: float | None = None
    """Duration in seconds, if the vendor reports it."""


def seconds_of(sound: bytes) -> float | None:
    """Return the duration of Ogg Opus audio, as in voice notes, from the last page's granule position; otherwise None."""
    if b"OpusHead" not in sound[:200]:
        return None
    last = sound.rfind(b"OggS")
    if last < 0 or len(sound) - last < _PAGE.size:
        return None
    samples = int(_PAGE.unpack_from(sound, last)[-1])
    return max(samples, 0) / _OPUS_RATE
