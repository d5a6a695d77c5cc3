"""Transcripts in files: JSON lines, or plain text in which each line begins with its speaker."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from core.errors import InvalidInput
from knowledge.curation.conversation_import import LONGEST_ID, ImportedConversation, parse_conversations
from knowledge.imports.sources.document import Failure
from knowledge.imports.sources.encodings import decode_text
from knowledge.types import Speaker, Utterance

AT_ONCE = 200
SPEAKERS: dict[str, Speaker] = {
    **dict.fromkeys(("customer", "caller", "client", "user", "guest", "visitor", "member", "patient"), "customer"),
    **dict.fromkeys(
        ("agent", "representative", "rep", "advisor", "adviser", "operator", "support", "staff", "employee", "human"),
        "agent",
    ),
    **dict.fromkeys(("bot", "assistant", "system", "ivr"), "bot"),
}
_LINE = re.compile(
    rf"^\s*(?:[\[(]?\d{{1,2}}:\d\d(?::\d\d)?[\])]?\s*[-–]?\s*)?(?P<who>{'|'.join(SPEAKERS)})\s*(?:\d+|\([^)]{{1,40}}\))?\s*:\s*(?P<text>.*)$",  # noqa: RUF001
    re.IGNORECASE,
)
_BETWEEN = re.compile(r"^\s*(?:-{3,}|={3,}|\*{3,})\s*$", re.MULTILINE)


def read_conversation_file(path: Path) -> Iterator[tuple[list[ImportedConversation], list[Failure]]]:
    """Yield the conversations of a file and its failures, in batches.

    Raises:
        InvalidInput: The format is unknown.
    """
    with path.open("rb") as file:
        begin = file.read(4096).lstrip(b"\xef\xbb\xbf \t\r\n")
    if begin.startswith(b"{"):
        yield from _of_lines(path)
    else:
        yield [*parse_spoken_text(decode_text(path.read_bytes()), path.stem)], []


def parse_spoken_text(text: str, name: str) -> Iterator[ImportedConversation]:
    """Yield the conversations of a text such as "Agent: ... Customer: ..."; a line of dashes separates them.

    Raises:
        InvalidInput: No line names a speaker, or one of the two never speaks.
    """
    pieces = [piece for piece in _BETWEEN.split(text) if piece.strip()]
    if not pieces:
        raise InvalidInput(f"{name} is empty.")
    for number, piece in enumerate(pieces, start=1):
        said = _parse_turns(piece, name)
        if {"customer", "agent"} - {turn.speaker for turn in said}:
            raise InvalidInput(f'{name}: conversation {number} needs lines of "Customer:" and of "Agent:".')
        yield ImportedConversation(f"{name}-{number}"[-LONGEST_ID:], tuple(said), approved=False)


def _parse_turns(piece: str, name: str) -> list[Utterance]:
    turns: list[Utterance] = []
    for line in piece.splitlines():
        begun = _LINE.match(line)
        if begun:
            turns.append(Utterance(SPEAKERS[begun["who"].lower()], begun["text"].strip()))
        elif line.strip() and not turns:
            raise InvalidInput(
                f'{name} is in no format that we know: JSON lines with "turns", or lines such as "Customer: ..." and "Agent: ...".'
            )
        elif line.strip():
            turns[-1] = Utterance(turns[-1].speaker, f"{turns[-1].text} {line.strip()}".strip())
    return [turn for turn in turns if turn.text]


def _of_lines(path: Path) -> Iterator[tuple[list[ImportedConversation], list[Failure]]]:
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        start, lines = 1, list[str]()
        for line in file:
            lines.append(line)
            if len(lines) == AT_ONCE:
                yield _parse_lines(lines, start)
                start, lines = start + len(lines), []
        if lines:
            yield _parse_lines(lines, start)


def _parse_lines(lines: Iterable[str], start: int) -> tuple[list[ImportedConversation], list[Failure]]:
    found, failed = parse_conversations(lines)
    shifted = [Failure(f"line {int(f.uri.split()[1]) + start - 1}", f.reason) for f in failed]
    return found, shifted
