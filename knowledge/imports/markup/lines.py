"""Convert the lines of a plain text into blocks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from knowledge.imports.chunker import MARKS, is_question
from knowledge.imports.sources.blocks import Block, Heading, Items, Text
from knowledge.imports.sources.questions import ANSWER, QUESTION

SIGNS = r"[-–—*•●○◦▪■□▸►»·‣⁃∙➢➤✓✔\uf000-\uf8ff\x00-\x08\x0e-\x1f\x7f-\x9f]|\(cid:\d+\)"  # noqa: RUF001 -- what bullets are
BULLET = re.compile(rf"^(?:{SIGNS}|o(?=\s{{2,}}|\t))[ \t\u00a0]*(?=\S)")
STEP = re.compile(r"^\(?(\d{1,3})[.)][ \t\u00a0]+(?=\S)")
UNDERLINE = re.compile(r"^\s*(={3,}|-{3,}|~{3,})\s*$")
HASHES = re.compile(r"^(#{1,6})\s+(\S.*?)\s*#*$")
NUMBERED = re.compile(r"^(\d{1,2}(?:\.\d{1,2})*)\.?\s+[A-Z]")
LONGEST_NAME = 10
SHORT_LINE = 45
"""The length below which lines were broken on purpose, as in an address."""
CONTENTS = re.compile(r"(?:\.\s?){4,}\s*\d+\s*$")
WIDE = re.compile(r"[\u2e80-\u9fff\uff00-\uffef]")


def blocks_of_lines(lines: Iterable[str]) -> list[Block]:
    """Return the blocks of a text whose paragraphs are separated by blank lines."""
    groups = list(_group_lines(lines))
    blocks: list[Block] = []
    for at, group in enumerate(groups):
        following = groups[at + 1] if at + 1 < len(groups) else []
        blocks += _group_blocks(group, following)
    return joined_lists(blocks)


def joined_lists(blocks: list[Block]) -> list[Block]:
    """Join lists that are separated only by blank lines or paragraphs of their own."""
    kept: list[Block] = []
    for block in blocks:
        last = kept[-1] if kept else None
        if isinstance(block, Items) and isinstance(last, Items) and _is_continuation(last, block):
            kept[-1] = Items((*last.items, *block.items), last.first)
        else:
            kept.append(block)
    return kept


def join_wrapped_lines(lines: list[str]) -> str:
    """Join lines that were wrapped at a page's width; short lines stay separate."""
    if len(lines) > 1 and all(len(line) < SHORT_LINE for line in lines) and not _is_prose(lines):
        return "\n".join(line.strip() for line in lines)
    text = ""
    for line in (line.strip() for line in lines):
        if text.endswith("-") and not text.endswith(" -") and line[:1].islower():
            text = text[:-1] + line
        elif text and WIDE.match(text[-1]) and WIDE.match(line):
            text += line
        else:
            text = f"{text} {line}" if text else line
    return text


def _is_prose(lines: list[str]) -> bool:
    """Whether a sentence continues on the next line."""
    return any(line.lstrip()[:1].islower() for line in lines[1:])


def _group_lines(lines: Iterable[str]) -> Iterator[list[str]]:
    group: list[str] = []
    for line in lines:
        if line.strip():
            group.append(line.rstrip())
        elif group:
            yield group
            group = []
    if group:
        yield group


def _group_blocks(group: list[str], following: list[str]) -> Iterator[Block]:
    group = [line for line in group if not CONTENTS.search(line)]
    while group:
        heading = _find_heading(group, following)
        if heading is not None:
            yield heading[0]
            group = group[heading[1] :]
            continue
        taken, block = _first_block(group)
        yield block
        group = group[taken:]


def _find_heading(group: list[str], following: list[str]) -> tuple[Heading, int] | None:
    first = group[0].strip()
    hashes = HASHES.match(first)
    if hashes:
        return Heading(len(hashes.group(1)), hashes.group(2)), 1
    if len(group) > 1 and UNDERLINE.match(group[1]) and re.search(r"\w", first):
        return Heading(1 if group[1].strip()[0] == "=" else 2, first), 2
    if len(group) == 1 and following and can_be_heading(first):
        numbered = NUMBERED.match(first)
        level = 1 + numbered.group(1).count(".") if numbered else 2
        if first.isupper() or numbered or _is_body_text(following):
            return Heading(1 if first.isupper() else level + 1, first), 1
    return None


def can_be_heading(line: str) -> bool:
    """Whether a single line may be the heading of the following text."""
    ends = line.endswith((".", "!", ";", ",", ":", *MARKS))
    return (
        not ends
        and len(line.split()) <= LONGEST_NAME
        and bool(re.match(r"[\W\d_]*[^\W\d_]", line))
        and not BULLET.match(line)
    )


def _is_body_text(group: list[str]) -> bool:
    text = " ".join(group)
    return (
        bool(BULLET.match(text) or STEP.match(text))
        or len(text.split()) >= LONGEST_NAME
        or text.rstrip().endswith((".", "!", ":"))
    )


def _first_block(group: list[str]) -> tuple[int, Block]:
    """Return the first block of a group and its number of lines."""
    first = group[0].strip()
    bullet, step = BULLET.match(first), STEP.match(first)
    if bullet or step:
        return _parse_list(group, BULLET if bullet else STEP)
    if QUESTION.match(first) or ANSWER.match(first):
        taken = 1 + _count_lines_until(
            group[1:], lambda line: bool(QUESTION.match(line) or ANSWER.match(line) or BULLET.match(line))
        )
        return taken, Text(join_wrapped_lines(group[:taken]))
    if len(group) > 1 and first.endswith(MARKS) and is_question(first):
        return 1, Text(first, first)
    taken = 1 + _count_lines_until(
        group[1:], lambda line: bool(BULLET.match(line) or STEP.match(line) or QUESTION.match(line))
    )
    return taken, Text(join_wrapped_lines(group[:taken]))


def _count_lines_until(lines: list[str], stops: object) -> int:
    return next((at for at, line in enumerate(lines) if stops(line.strip())), len(lines))  # type: ignore[operator]


def _parse_list(group: list[str], mark: re.Pattern[str]) -> tuple[int, Block]:
    items: list[list[str]] = []
    first = STEP.match(group[0].strip())
    taken = 0
    for line in group:
        text = line.strip()
        if mark.match(text):
            items.append([mark.sub("", text)])
        elif (BULLET.match(text) or STEP.match(text) or QUESTION.match(text)) and not line.startswith("  "):
            break
        else:
            items[-1].append(text)
        taken += 1
    return taken, Items(
        tuple((Text(join_wrapped_lines(item) if len(item) == 1 else " ".join(item)),) for item in items),
        int(first.group(1)) if first else None,
    )


def _is_continuation(last: Items, block: Items) -> bool:
    if last.first is None or block.first is None:
        return last.first is block.first
    return block.first == last.first + len(last.items)
