# ruff: noqa: RUF001 -- people type these signs
"""Detection of personal data in a text: names, numbers, links, and details that a customer gave."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from knowledge.answers.grounding.instructions import is_instruction
from knowledge.curation.harvest.transcript import Transcript, TranscriptLine
from knowledge.curation.harvest.vocabulary import (
    CompanyVocabulary,
    find_capitals,
    find_links,
    is_plain,
    lower_words,
    strange_names,
)
from knowledge.text.facts import ADDRESS

_I = re.IGNORECASE
_MASKED_BEFORE = re.compile(
    r"<\s*[a-z_ ]+\s*>|\[\s*(?:name|email|phone|number|address|link|redacted|removed)\s*\]|\b(?:x{4,}|\*{3,})|@\w+", _I
)
_TIMES = r"(?:business |working |calendar )?(?:seconds?|secs?|minutes?|mins?|hours?|hrs?|days?|weeks?|months?|years?|yrs?|nights?)\b"
_SIZES = r"(?:%|percent|per ?cent|kgs?\b|g\b|grams?|lbs?\b|oz\b|cm\b|mm\b|ml\b|lit(?:er|re)s?|km\b|gb\b|mb\b|mbps|tb\b|px\b|watts?|°|degrees?)"
_MONEY = r"(?:euros?|eur|dollars?|usd|cents?|pence|pounds?|gbp|pkr)\b"
_MEASURED = re.compile(
    rf"[£$€]\s?\d[\d.,]*|\b\d[\d.,]*\s?{_MONEY}|\b\d{{1,3}}(?:[.,]\d+)?(?:\s?(?:-|–|to|or|and|x)\s?\d{{1,3}}(?:[.,]\d+)?)?\+?[\s-]?(?:{_TIMES}|{_SIZES})"
    r"|\b\d{1,2}:\d\d|24/7|^\s*\d{1,2}[.)]",
    _I,
)
"""Matches numbers that need no other source: amounts of money, times of up to three digits, sizes."""
_CODE = re.compile(r"(?=\w*\d)\w+(?:[-/.]\w+)*")
_LONGEST_NUMBER, _LONGEST_MODEL = 2, 3
"""The digits of a bare number, and the length of a mixture such as "PS4", that is no customer's code."""
_SIDE_BY_SIDE = re.compile(
    r"\b\d+[ -]\d+[ \w-]*\d*\b(?<=\d)(?! ?(?:%|days?|hours?|weeks?|months?|minutes?|years?|business|working))|\b\d+ \d+\b"
)
_QUERY = re.compile(
    r"\?.*=|(?:track|order|invoice|ticket|case|confirm|verify|reset|token|unsubscribe|t\.co|bit\.ly)[/=?]|[a-z0-9]*(?:\d[a-z]|[a-z]\d)[a-z0-9]{9,}",
    _I,
)


_TO_A_MACHINE = re.compile(
    r"\b(?:your (?:answers?|responses?|repl(?:y|ies)|outputs?|persona|training)|prompts?|persona|personif\w+|fiction\w*|hypothetical\w*|unfiltered|amoral|"
    r"in character|chat ?bots?|AI|GPT\w*|LLM|language model|role-?play\w*|dialogue|screenplay|story|universe|demon|villain|simulat\w+|scenario|character|master)\b|```",
    _I,
)
_PERSONAL_ASKED = re.compile(
    r"\b(?:name|email|e-mail|address|phone|number|zip|username|id|order|account|membership|dob|birth|password|pin)\b",
    _I,
)
_PERSONAL_SHORT = 8


@dataclass(frozen=True)
class Setting:
    """The context in which a conversation's sentences are checked."""

    house: CompanyVocabulary
    conversation_id: str = ""
    here: frozenset[str] = frozenset()
    """Terms that this conversation vouches for: "=name" of a thing, and the customer's words in lower case."""
    private: frozenset[str] = frozenset()
    """Words that the customer gave when asked for a name, an address or a number."""
    approved: bool = False
    """Whether someone approved the conversation, so that its names need no further evidence."""

    @classmethod
    def of(cls, transcript: Transcript, house: CompanyVocabulary) -> Setting:
        """Build the setting; names said by the bot, or by customer and agent with a "the", belong to things."""
        here: set[str] = set()
        things: dict[str, set[str]] = {}
        for said in transcript.said:
            here |= lower_words(said.text) if said.speaker == "customer" else set()
            for capital in find_capitals(said.text):
                name = f"={capital.word.lower()}"
                if said.speaker == "bot" and not (capital.addressed or capital.first):
                    here.add(name)
                elif capital.determined:
                    things.setdefault(name, set()).add(said.speaker)
        here |= {name for name, speakers in things.items() if len(speakers) > 1}
        return cls(
            house,
            transcript.conversation_id,
            frozenset(here),
            frozenset(_collect_given_details(transcript.said)),
            transcript.approved,
        )

    def knows(self, word: str) -> bool:
        """Whether a word that sounds like a name belongs to the company; many customers are called John."""
        own = is_plain(word) or word in self.house.known or f"={word}" in self.house.known or f"={word}" in self.here
        return self.approved or own or self.house.says(word)

    def vouches(self, name: str) -> bool:
        """Whether every word of a name is known to be no customer's name."""
        words = [word.lower() for word in re.findall(r"\w+", name) if not is_plain(word)]
        return self.approved or all(
            f"={w}" in self.here or self.house.says(f"={w}") or self.house.says(w) for w in words
        )


def find_personal_detail(sentence: str, setting: Setting) -> str | None:
    """Return a description of possible personal data in a text (a name, a number, a link), or None."""
    names = [] if setting.approved else strange_names(sentence, setting.house, setting.here)
    if names:
        return f"a name that few conversations share: {', '.join(names)}"
    if setting.private & {word.lower() for word in re.findall(r"[^\W_]+", sentence)}:
        return "what the customer said of themselves"
    bare = without_links(sentence)
    if found := _SIDE_BY_SIDE.search(bare):
        return f"a number that few conversations share: {found[0]}"
    for code in _CODE.findall(_MEASURED.sub(" ", bare)):
        short = len(code) <= (_LONGEST_NUMBER if code.isdigit() else _LONGEST_MODEL)
        if not short and not setting.house.says(code.lower()):
            return f"a number that few conversations share: {code}"
    unknown = (link for link in find_links(sentence) if not setting.house.says(link.lower()))
    return next((f"a link that may be one customer's: {link}" for link in unknown if _is_personal_link(link)), None)


def _is_personal_link(link: str) -> bool:
    return "@" in link or bool(_QUERY.search(link))


def without_links(text: str) -> str:
    """Remove web and mail addresses."""
    return ADDRESS.sub(" ", text)


def masked_before(text: str) -> bool:
    """Whether the text has masked data, such as "<email>" or "@user"."""
    return bool(_MASKED_BEFORE.search(without_links(text)))


def to_a_machine(text: str) -> bool:
    """Whether somebody instructs an assistant what to be or do."""
    return is_instruction(text) or bool(_TO_A_MACHINE.search(text))


def _collect_given_details(said: Sequence[TranscriptLine]) -> Iterator[str]:
    """Yield the words of short replies to questions for a name, an address or a number."""
    for before, reply in pairwise(said):
        if before.speaker == "agent" and reply.speaker == "customer" and "?" in before.text:
            words = re.findall(r"[^\W_]{3,}", reply.text.lower())
            if _PERSONAL_ASKED.search(before.text) and len(words) <= _PERSONAL_SHORT:
                yield from words
