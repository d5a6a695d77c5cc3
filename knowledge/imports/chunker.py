"""Split documents into entries: a question with a short text becomes an faq, everything else passages."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from knowledge.entries.content import Content, clean_for_storage
from knowledge.imports.sources.blocks import (
    Block,
    End,
    Heading,
    Items,
    Rows,
    Table,
    Text,
    is_linked,
    lines_of,
    marked_items,
    render_block,
)

LONGEST_HEADING = 300
LONGEST_TITLE = 500
FEWEST_WORDS = 4
LONGEST_ANSWER = 1500
"""The maximum length of an answer in characters; a longer text under a question becomes passages."""
WHOLE_WORDS = 350
"""The maximum number of words of a section that stays one entry."""
PART_WORDS = 250
"""The approximate maximum number of words of the parts of a longer section."""
STEPS_WORDS = 400
"""The maximum number of words of numbered steps that stay together."""
LEAD_WORDS = 60
"""The maximum number of words of a paragraph that introduces a list; of a longer one only the last sentence does."""
TOO_SHORT = 3
"""The maximum number of words of a section that becomes a line of its parent section."""
SMALL_PART = 40
"""A last part with fewer words is joined to the one before it."""
MARKS = ("?", "؟", "？")  # noqa: RUF001 -- the mark in other scripts
ASKING = re.compile(
    r"^(who|what|when|where|which|whose|why|how|can|could|do|does|did|is|are|was|will|would|should|may|must|have|has"
    r"|am|i)\b.*\S\s+\S",
    re.IGNORECASE,
)
SENTENCE_END = re.compile(r"(?<=[.!?。！？۔؟])[\"')\]”]*\s+(?=[^\sa-z])|(?<=[。！？])")  # noqa: RUF001
NUMBERED_NAME = re.compile(r"^\d{1,2}[.):]\s+")
MARKUP = re.compile(r"!?\[([^\]]*)\]\([^)]*\)|[*_`>#|]+")


@dataclass(frozen=True)
class Chunk:
    """A future entry, with the key that identifies it when its document is imported again."""

    key: str
    content: Content


@dataclass
class Section:
    """A heading with its parent headings, and the blocks under it."""

    headings: tuple[Heading, ...] = ()
    blocks: list[Block] = field(default_factory=list)

    @property
    def path(self) -> tuple[str, ...]:
        """The headings' texts, from the outermost to the section's own."""
        return tuple(heading.text for heading in self.headings)

    @property
    def asks(self) -> bool:
        """Whether the section's own heading is a question."""
        return bool(self.headings) and (self.headings[-1].asks or is_question(self.headings[-1].text))


@dataclass(frozen=True)
class Article:
    """The blocks and metadata of a document."""

    title: str
    blocks: list[Block]
    language: str = "en"
    subject: str | None = None


def pieces_of(article: Article) -> list[Chunk]:
    """Return the entries of an article, without sections that hold only links ("Related articles")."""
    sections = merge_short_sections(append_subsection_names(sections_of(article.blocks)), article.title)
    sections = [section for section in sections if not all(map(is_linked, section.blocks))]
    return make_keys_unique([piece for section in sections for piece in _build_section_pieces(article, section)])


def make_keys_unique(pieces: list[Chunk]) -> list[Chunk]:
    """Return the chunks with unique keys."""
    seen: Counter[str] = Counter()
    unique: list[Chunk] = []
    for piece in pieces:
        key = clean_for_storage(piece.key)[:480]
        seen[key] += 1
        unique.append(replace(piece, key=f"{key} #{seen[key]}" if seen[key] > 1 else key))
    return unique


def sections_of(blocks: Iterable[Block]) -> list[Section]:
    """Return the sections in order; after an ``End``, blocks continue the section above."""
    current = Section()
    sections = [current]
    for block in blocks:
        if isinstance(block, Heading):
            above = [heading for heading in current.headings if heading.level < block.level]
            current = Section((*above, block))
            sections.append(current)
        elif isinstance(block, End):
            current = _section_above(sections, current, block.level)
        else:
            current.blocks.append(block)
    return sections


def _section_above(sections: list[Section], current: Section, level: float) -> Section:
    above = tuple(heading for heading in current.headings if heading.level < level)
    for section in reversed(sections):
        if len(section.headings) == len(above) and all(a is b for a, b in zip(section.headings, above, strict=True)):
            return section
    return current


def merge_short_sections(sections: list[Section], title: str = "") -> list[Section]:
    """Merge sections of a word or two into their parents, each as one line."""
    above = {_get_heading_ids(section.headings): section for section in sections}
    children = Counter(
        _get_heading_ids(s.headings[:depth]) for s in sections if s.blocks for depth in range(len(s.headings))
    )
    gone: set[int] = set()
    for section in reversed(sections):
        short = 0 < _measure_blocks(section.blocks) <= TOO_SHORT and not children[_get_heading_ids(section.headings)]
        parent = above.get(_get_heading_ids(section.headings[:-1])) if section.headings else None
        if parent is None or section.asks or not short or section.path == (title,):
            continue
        _prepend_line(parent, f"{section.path[-1]}: {_flatten_blocks(section.blocks)}")
        children.subtract(_get_heading_ids(section.headings[:depth]) for depth in range(len(section.headings)))
        gone.add(id(section))
    return [section for section in sections if section.blocks and id(section) not in gone]


def _get_heading_ids(headings: tuple[Heading, ...]) -> tuple[int, ...]:
    return tuple(map(id, headings))


def append_subsection_names(sections: list[Section]) -> list[Section]:
    """Append the names of the subsections to a section that ends with "...:" and so only introduces them."""
    below: dict[tuple[int, ...], list[str]] = {}
    for section in sections:
        if section.headings:
            below.setdefault(_get_heading_ids(section.headings[:-1]), []).append(section.path[-1])
    for section in sections:
        names = below.get(_get_heading_ids(section.headings), [])
        last = section.blocks[-1] if section.blocks else None
        if names and isinstance(last, Text) and last.text.endswith((":", "：")):  # noqa: RUF001 -- the colon of Chinese
            numbered_names = all(map(NUMBERED_NAME.match, names))
            items = tuple((Text(NUMBERED_NAME.sub("", name) if numbered_names else name),) for name in names)
            section.blocks.append(Items(items, 1 if numbered_names else None))
    return sections


def _prepend_line(section: Section, line: str) -> None:
    """Insert a line before those already added; sections are merged from last to first."""
    if section.blocks and isinstance(section.blocks[-1], Rows):
        section.blocks[-1] = Rows((line, *section.blocks[-1].lines))
    else:
        section.blocks.append(Rows((line,)))


def is_question(heading: str) -> bool:
    """Whether a heading is a question."""
    text = heading.strip()
    asks = text.endswith(MARKS) or bool(ASKING.match(text) and len(text.split()) >= FEWEST_WORDS)
    return asks and len(text) <= LONGEST_HEADING


def strip_markdown(markdown: str) -> str:
    """Return the plain text of a Markdown text."""
    return re.sub(r"[ \t]+", " ", MARKUP.sub(lambda found: found.group(1) or "", markdown)).strip()


def _build_section_pieces(article: Article, section: Section) -> Iterator[Chunk]:
    heading = section.path[-1] if section.headings else article.title
    key = " > ".join(section.path) or article.title
    content = Content("passage", "", language=article.language, subject=article.subject)
    text = join_blocks(section.blocks)
    if (section.asks or is_question(heading)) and 0 < len(text) <= LONGEST_ANSWER:
        path = title_of_path((article.title, *section.path[:-1])) if article.title != heading else None
        question = (heading[:LONGEST_HEADING],)
        yield Chunk(key, replace(content, kind="faq", answer=text, questions=question, title=path))
        return
    title = title_of_path((article.title, *section.path))
    for part in parts_of(section.blocks, heading):
        yield Chunk(key, replace(content, answer=part, title=title))


def title_of_path(headings: Iterable[str]) -> str:
    """Join headings into a path without repetitions."""
    kept: list[str] = []
    for heading in headings:
        text = heading.strip().rstrip(":")
        if text and text.casefold() not in (known.casefold() for known in kept):
            kept.append(text)
    while len(kept) > 1 and len(" > ".join(kept)) > LONGEST_TITLE:
        del kept[0]
    return " > ".join(kept)[:LONGEST_TITLE]


def join_blocks(blocks: Iterable[Block]) -> str:
    """Join the texts of blocks with blank lines."""
    return "\n\n".join(filter(None, map(render_block, blocks)))


def parts_of(blocks: list[Block], heading: str = "") -> list[str]:
    """Return the text of a section as one entry, or as several that can be read alone.

    A long list without an introduction is introduced by its heading.
    """
    whole = join_blocks(blocks)
    if _count_words(whole) <= WHOLE_WORDS:
        return [whole] if whole else []
    parts: list[list[str]] = [[]]
    for unit in (cut for group in _group_into_units(blocks) for cut in _split_unit(group, heading)):
        if parts[-1] and _count_words(*parts[-1], unit) > PART_WORDS:
            parts.append([])
        parts[-1].append(unit)
    if len(parts) > 1 and _count_words(*parts[-1]) < SMALL_PART and _count_words(*parts[-2], *parts[-1]) <= WHOLE_WORDS:
        parts[-2:] = [[*parts[-2], *parts[-1]]]
    return ["\n\n".join(part) for part in parts]


def _group_into_units(blocks: list[Block]) -> Iterator[list[Block]]:
    """Group blocks that must stay together: a list, table or code with its introduction, a bold line with its text."""
    unit: list[Block] = []
    for block in blocks:
        if unit and not _is_introduction(unit[-1], block):
            yield unit
            unit = []
        unit.append(block)
    if unit:
        yield unit


def _is_introduction(lead: Block, block: Block) -> bool:
    if not isinstance(lead, Text):
        return False
    if lead.text.endswith((":", "：")) or (lead.bold and lead.bold == lead.text):  # noqa: RUF001 -- the colon of Chinese
        return True
    return isinstance(block, Items | Table | Rows)


def _split_unit(unit: list[Block], heading: str) -> list[str]:
    """Return the text of a unit, split if it is too long."""
    text = join_blocks(unit)
    steps = isinstance(unit[-1], Items) and unit[-1].first is not None
    if _count_words(text) <= (STEPS_WORDS if steps else PART_WORDS):
        return [text]
    *before, last = unit
    if isinstance(last, Text):
        return _pack_parts(
            "", [*map(render_block, before), *_split_into_sentences(last.text)], " " if not before else "\n"
        )
    lead = join_blocks(before) or (f"{heading.rstrip(':')}:" if heading and isinstance(last, Items) else "")
    opening: list[str] = []
    if _count_words(lead) > LEAD_WORDS:
        opening, lead = [lead], _split_into_sentences(lead)[-1]
    lines = ["\n".join(item) for item in marked_items(last)] if isinstance(last, Items) else lines_of(last)
    return opening + _pack_parts(lead, [part for line in lines for part in _short_lines(line)], "\n")


def _short_lines(line: str) -> list[str]:
    return [line] if _count_words(line) <= PART_WORDS else _pack_parts("", _split_into_sentences(line), " ")


def _pack_parts(lead: str, parts: list[str], between: str) -> list[str]:
    """Pack the parts into as few texts as possible, each beginning with the line that introduces them."""
    packed: list[list[str]] = [[]]
    for part in parts:
        if packed[-1] and _count_words(lead, *packed[-1], part) > PART_WORDS:
            packed.append([])
        packed[-1].append(part)
    return ["\n\n".join(filter(None, (lead, between.join(group)))) for group in packed]


def _split_into_sentences(text: str) -> list[str]:
    sentences = [sentence.strip() for sentence in SENTENCE_END.split(text) if sentence and sentence.strip()]
    return [piece for sentence in sentences for piece in _by_words(sentence)]


def _by_words(text: str) -> list[str]:
    """Split a text without sentences after every ``PART_WORDS`` words."""
    words = text.split()
    if len(words) <= PART_WORDS:
        return [text]
    return [" ".join(words[at : at + PART_WORDS]) for at in range(0, len(words), PART_WORDS)]


def _measure_blocks(blocks: list[Block]) -> int:
    return _count_words(join_blocks(blocks))


def _flatten_blocks(blocks: list[Block]) -> str:
    return " ".join(re.sub(r"^- ", "", line.strip()) for block in blocks for line in lines_of(block))


def _count_words(*texts: str) -> int:
    """Count the words; in scripts without spaces, two characters count as one word."""
    return sum(len(text.split()) + sum("\u2e80" <= sign <= "\u9fff" for sign in text) // 2 for text in texts)
