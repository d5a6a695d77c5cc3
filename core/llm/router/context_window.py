"""Shortens prompts that exceed a model's context window: first the oldest history, then the last evidence."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise

from core.llm.types import ChatMessage, Request

BLOCK = re.compile(r"^----- (?P<name>[^\n]+?) (?P<code>[0-9a-f]{12}) -----\n", re.MULTILINE)
"""How prompts delimit their data; see ``knowledge/answers/prompt_texts.py``."""
HISTORY, EVIDENCE = "conversation so far", "evidence"
ENTRY = re.compile(r"\n\n(?=\[\d+\] )")
LEFT_OUT = "(left out: too long)"


def fit_request(request: Request, room: int, count: Callable[[Request], int]) -> tuple[Request, str]:
    """Fit a request into ``room`` tokens; also return what was removed ("" if nothing).

    A request that cannot fit is shortened as far as possible; system message and question are always kept.
    """
    if count(request) <= room:
        return request, ""
    history = evidence = 0
    for what, shorter in _yield_shorter_requests(request):
        history, evidence = history + (what == HISTORY), evidence + (what == EVIDENCE)
        request = shorter
        if count(request) <= room:
            break
    return request, f"shortened: {history} of the oldest turns and {evidence} of the last evidence left out"


def normalise_messages(request: Request) -> tuple[ChatMessage, ...]:
    """Return the messages without the random codes of their blocks, to make equal prompts compare equal."""
    return tuple(_without_code(message) for message in request.messages)


def _without_code(message: ChatMessage) -> ChatMessage:
    found = BLOCK.search(message.text)
    return replace(message, text=message.text.replace(found["code"], "")) if found else message


def _yield_shorter_requests(request: Request) -> Iterator[tuple[str, Request]]:
    """Yield ever shorter requests, each with the part that was shortened."""
    while (oldest := _find_oldest_turn(request)) is not None:
        request = replace(request, messages=tuple(m for n, m in enumerate(request.messages) if n != oldest))
        yield HISTORY, request
    for name, cut in ((HISTORY, _without_first_line), (EVIDENCE, _without_last_entry)):
        while (shorter := _cut_block(request, name, cut)) is not None:
            request = shorter
            yield name, request


def _find_oldest_turn(request: Request) -> int | None:
    """Return the index of the first message that is not the system's, not the last, and has no data block."""
    for index, message in enumerate(request.messages[:-1]):
        if message.role != "system" and not BLOCK.search(message.text):
            return index
    return None


def _cut_block(request: Request, name: str, cut: Callable[[str], str | None]) -> Request | None:
    for index, message in enumerate(request.messages):
        blocks = list(BLOCK.finditer(message.text))
        for block, following in pairwise(blocks):
            if block["name"] != name:
                continue
            shorter = cut(message.text[block.end() : following.start()])
            if shorter is not None:
                text = message.text[: block.end()] + shorter + message.text[following.start() :]
                messages = (*request.messages[:index], replace(message, text=text), *request.messages[index + 1 :])
                return replace(request, messages=messages)
    return None


def _without_first_line(text: str) -> str | None:
    lines = text.rstrip("\n").split("\n")
    if lines == [LEFT_OUT]:
        return None
    return "\n".join([*(lines[1:] or [LEFT_OUT]), ""])


def _without_last_entry(text: str) -> str | None:
    entries = ENTRY.split(text.rstrip("\n"))
    return "\n\n".join(entries[:-1]) + "\n" if len(entries) > 1 else None
