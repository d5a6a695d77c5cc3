# ruff: noqa: RUF001 -- people type these signs
"""The company's vocabulary: names and numbers that several conversations share and that are not personal."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.db.models import EntryQuestion, KnowledgeEntry, Message
from knowledge.curation.harvest.transcript import clean_channel_text
from knowledge.text.facts import ADDRESS, GENERAL
from knowledge.text.names import JOINERS, KIND_WORDS, NEVER_NAMES


def _split_vocabulary(words: str) -> frozenset[str]:
    return frozenset(words.split())


SHARED_BY = 3
"""The number of conversations that must share a name, code or link; rarer ones may be a customer's."""
MESSAGES_READ = 20_000
"""The number of recent messages of agents and the bot that are read."""
LONGEST_ACRONYM = 3
_PLACES = _split_vocabulary(
    "northern southern eastern western central england scotland wales britain uk usa america european europe africa "
    "asia australia arctic atlantic pacific mediterranean channel isle isles islands"
) | _split_vocabulary(
    (Path(__file__).parent / "countries.txt").read_text(encoding="utf-8").lower()
) - _split_vocabulary("jordan georgia chad martin saint san")
"""Words of place names, which are never personal."""
_TOKEN = re.compile(r"[^\W_]+(?:[-'’.&][^\W_]+)*|[^\w\s]", re.UNICODE)
_DETERMINERS = frozenset("the our a an your this these each every any all my".split())  # noqa: SIM905
_BEFORE_PEOPLE = frozenset(
    "i'm am hi hello hey dear thanks mr mrs ms miss dr prof sir madam regards cheers sorry apologies".split()  # noqa: SIM905
)
_INTRODUCED = (["name", "is"], ["this", "is"], ["thank", "you"])
_ENDS = frozenset('.!?:;"“”(•*-–')
_WORD_ENDINGS = ("ing", "ly", "ed", "tion", "tions", "ments", "ment", "ies", "able", "ery", "ance")
_BEGINNINGS = _split_vocabulary(
    "go click tap visit follow try log sign open select choose press check enter type restart reset download "
    "install update uninstall remove delete add use turn switch wait bring send return pay book order members "
    "orders refunds returns items customers delivery prices shipping yes no sure sorry okay ok correct right well "
    "note guests passengers bags seats cards tickets flights accounts typically normally most children adults "
    "students gift payment checkout breakfast parking smoking pets dogs cats animals wifi internet standard "
    "express free half full forms place kindly simply head swipe scroll hold plug unplug connect disconnect "
    "contact call speak submit apply request fill complete print attach upload save close quit exit launch "
    "navigate hover copy paste drag make ensure subject depending according basic economy premium business"
)


@dataclass(frozen=True)
class Capital:
    """A capitalised word and its position."""

    word: str
    first: bool
    """Whether it begins a sentence, where every word is capitalised."""
    addressed: bool
    """Whether somebody is addressed: "Frank, we ..." or "... for you, Frank"."""
    determined: bool
    """Whether it follows "the", "our" or "a" and thus names a thing."""


@dataclass
class CompanyVocabulary:
    """Counts in how many conversations a term occurs; ``known`` holds the terms of approved entries."""

    known: set[str] = field(default_factory=set)
    _counts: dict[str, tuple[int, str]] = field(default_factory=dict)

    @classmethod
    def of(cls, session: Session, tenant_id: str) -> CompanyVocabulary:
        """Build the vocabulary from a tenant's approved entries and its last messages."""
        house = cls()
        entry = (KnowledgeEntry.tenant_id == tenant_id, KnowledgeEntry.status == "approved")
        for row in session.execute(
            select(KnowledgeEntry.answer, KnowledgeEntry.title, KnowledgeEntry.subject).where(*entry)
        ):
            house.learn(text for text in row if text)
        house.learn(session.scalars(select(EntryQuestion.text).join(EntryQuestion.entry).where(*entry)))
        last = (
            select(Message.conversation_id, Message.text, Message.id)
            .where(Message.tenant_id == tenant_id, Message.speaker.in_(("agent", "bot")))
            .order_by(Message.id.desc())
            .limit(MESSAGES_READ)
            .subquery()
        )
        said = select(last.c.conversation_id, last.c.text).order_by(last.c.conversation_id)
        for conversation_id, text in session.execute(said.execution_options(yield_per=1000)):
            house.hear(conversation_id, clean_channel_text(text))
        return house

    def learn(self, texts: Iterable[str]) -> None:
        """Add the terms of approved entries."""
        for text in texts:
            self.known.update(_collect_vocabulary(text))

    def hear(self, conversation_id: str, text: str) -> None:
        """Count the terms of a message by an agent or the bot; messages must come grouped by conversation."""
        for word in _collect_vocabulary(text):
            count, last = self._counts.get(word, (0, ""))
            if last != conversation_id:
                self._counts[word] = (count + 1, conversation_id)

    def says(self, word: str) -> bool:
        """Whether a name, number, link or word is the company's own."""
        return word in self.known or self._counts.get(word, (0, ""))[0] >= SHARED_BY


def find_capitals(text: str) -> list[Capital]:
    """Return the capitalised words that may be names."""
    tokens = _TOKEN.findall(ADDRESS.sub(" ", text))
    found: list[Capital] = []
    determined = False
    for n, token in enumerate(tokens):
        before = tokens[n - 1] if n else "."
        after = tokens[n + 1] if n + 1 < len(tokens) else "."
        if not token[0].isupper():
            determined = token.lower() in _DETERMINERS or (determined and token.lower() in JOINERS)
            continue
        first = before in _ENDS
        addressed = (first and after == ",") or (before == "," and after in ".!?") or before.lower() in _BEFORE_PEOPLE
        addressed = addressed or [t.lower() for t in tokens[max(0, n - 2) : n]] in _INTRODUCED
        if not is_plain(token):
            found.append(Capital(token, first, addressed, determined))
    return found


def strange_names(text: str, house: CompanyVocabulary, here: frozenset[str] = frozenset()) -> list[str]:
    """Return names that may be a person's; ``here`` holds the terms that this conversation vouches for."""
    return [c.word for c in find_capitals(text) if _is_strange(c, house, here)]


def find_links(text: str) -> list[str]:
    """Return web and mail addresses."""
    return [found.rstrip(".,;:!?)") for found in ADDRESS.findall(text)]


def _is_strange(capital: Capital, house: CompanyVocabulary, here: frozenset[str]) -> bool:
    word = capital.word.lower()
    if capital.first and not capital.addressed:
        return not (_may_begin(word) or any(house.says(w) or w in here for w in (word, f"={word}")))
    if capital.addressed:
        return not (word in house.known or (capital.first and (word.endswith("ly") or word in _BEGINNINGS)))
    return not (house.says(f"={word}") or f"={word}" in here)


def is_plain(token: str) -> bool:
    """Whether a capitalised word is no name: a country, a month, "Hotel"."""
    lower = token.lower().replace("’", "'")
    known = lower in NEVER_NAMES or lower in GENERAL or lower in KIND_WORDS or lower in _PLACES
    return known or (token.isupper() and len(token) <= LONGEST_ACRONYM) or any(c.isdigit() for c in token)


def _may_begin(word: str) -> bool:
    return word in _BEGINNINGS or word.endswith(_WORD_ENDINGS)


def lower_words(text: str) -> set[str]:
    """Return lower-case words and numbers."""
    return {t.lower() for t in _TOKEN.findall(ADDRESS.sub(" ", text)) if t.islower() or any(c.isdigit() for c in t)}


def _collect_vocabulary(text: str) -> set[str]:
    """Return lower-case words, numbers and links as they are, and names as "=name"."""
    named = {f"={c.word.lower()}" for c in find_capitals(text) if not (c.first or c.addressed)}
    return lower_words(text) | named | {link.lower() for link in find_links(text)}
