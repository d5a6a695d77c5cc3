"""What a fake does with one request."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle

FAULT_KINDS = {
    "closed": "connection",
    "rate_limited": "rate_limited",
    "quota": "quota",
    "payment": "quota",
    "unauthorised": "unauthorised",
    "forbidden": "unauthorised",
    "not_found": "not_found",
    "bad_request": "bad_request",
    "context_too_long": "context_too_long",
    "server": "server",
    "unavailable": "server",
    "malformed": "malformed",
    "html": "malformed",
    "no_choice": "empty",
    "no_text": "empty",
    "blocked": "blocked",
}
"""Every fault, and the kind of error that it is."""
FAULTS = tuple(FAULT_KINDS)
HTML = b"<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"
MALFORMED = b'{"id": "x", "choices": [{"index": 0, "mess'


@dataclass(frozen=True)
class Behaviour:
    """See ``testing``."""

    text: str | None = None
    headers_delay: float = 0.0
    first_token_delay: float = 0.0
    token_delay: float = 0.0
    cut_after: int | None = None
    stall_after: int | None = None
    error_after: int | None = None
    endless: bool = False
    finish: str = "stop"
    usage: bool = True
    cached_tokens: int = 0
    reasoning_tokens: int = 0
    wire_bytes: int | None = None
    fault: str = ""
    retry_after: float | None = None

    def __post_init__(self) -> None:
        if self.fault and self.fault not in FAULT_KINDS:
            raise ValueError(f"no fault {self.fault!r}; there are: {', '.join(FAULTS)}")

    def tokens(self, prompt: str, last_user: str) -> Iterator[str]:
        """The words of the answer; without an end where it is endless."""
        if self.fault == "no_text":
            return iter(())
        words = split(answer(prompt, last_user) if self.text is None else self.text)
        return cycle(words or ["and "]) if self.endless else iter(words)


def split(text: str) -> list[str]:
    """Words with the blanks after them: our tokens."""
    return re.findall(r"\s*\S+\s*", text)


def answer(prompt: str, last_user: str) -> str:
    """What a model would say from the evidence in its prompt."""
    evidence = re.findall(r"\[1\][:.)]?\s*(.+?)(?=\n\s*\[2\]|\n\s*\n|</|\Z)", prompt, re.DOTALL)
    if not evidence:
        return last_user.strip().splitlines()[-1] if last_user.strip() else "Hello."
    sentences = re.findall(r"[^.!?]+[.!?]*", evidence[0].strip())
    return "".join(sentences[:2]).strip() + " [1]"
