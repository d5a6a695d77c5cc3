"""Checks each sentence of an answer against the evidence and says what is unsupported."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.language import language_of
from knowledge.answers.grounding.gate import DraftGate
from knowledge.answers.grounding.head import Evidence, Head, compute_head_features
from knowledge.answers.grounding.instructions import without_instructions
from knowledge.text.facts import Facts, extract_facts, extract_proper_names, stem_token, strip_markup
from knowledge.text.sentences import split_sentences
from knowledge.types import Embeds

_POLITE = frozenset(
    stem_token(word)
    for word in [
        "hello",
        "hi",
        "dear",
        "thank",
        "thanks",
        "hope",
        "feel",
        "free",
        "help",
        "helps",
        "assist",
        "assistance",
        "anything",
        "else",
        "please",
        "pleasure",
        "glad",
        "happy",
        "sorry",
        "apologise",
        "apologize",
        "apologies",
        "inconvenience",
        "patience",
        "understand",
        "frustrating",
        "worry",
        "nice",
        "day",
        "hear",
        "wonderful",
        "welcome",
        "goodbye",
        "course",
        "certainly",
        "absolutely",
        "reach",
    ]
)
_CAPITALISED_NOUNS = frozenset({"de"})
LEAST_COVERED = 0.34
"""Minimum share of a sentence's words found in the evidence, whatever the head says; the question's words do not count."""


@dataclass(frozen=True)
class CheckedSentence:
    """A sentence with its leading white space."""

    text: str
    score: float
    """Probability that the evidence supports it, 0 to 1; 1 if it states nothing."""
    supported: bool
    reasons: tuple[str, ...] = ()
    """Why it is unsupported, in words."""
    neutral: bool = False
    """It states nothing, such as a greeting or an offer of help."""


@dataclass(frozen=True)
class Grounded:
    score: float
    """Mean over the sentences that state something, 0 to 1; 1 if there are none."""
    sentences: tuple[CheckedSentence, ...]

    def kept(self) -> str:
        """Return the supported sentences only; empty if they are mere politeness."""
        if not any(s.supported and not s.neutral for s in self.sentences):
            return ""
        return "".join(s.text for s in self.sentences if s.supported)


class Grounding:
    """Checks answers against their evidence."""

    def __init__(self, embedder: Embeds, head: Head | None = None) -> None:
        self._embedder = embedder
        self._head = head or Head.load()

    def check(self, answer: str, evidence: Sequence[str], question: str) -> Grounded:
        """Check all sentences of a whole answer; takes some ms per sentence, so keep it off the event loop."""
        against = _Against(evidence, question, answer)
        found = tuple(self._check_sentence(s, against, self._embedder) for s in split_sentences(answer))
        scores = [s.score if s.supported else min(s.score, 0.5) for s in found if not s.neutral]
        return Grounded(round(sum(scores) / len(scores), 4) if scores else 1.0, found)

    def gate(self, evidence: Sequence[str], question: str) -> DraftGate:
        """Return a gate for a streamed answer; it checks words only, which takes no time."""
        kept = [without_instructions(text) for text in evidence]
        return DraftGate(
            kept, lambda sentence: self._check_sentence(sentence, _Against(evidence, question, sentence)).supported
        )

    def _check_sentence(self, sentence: str, against: _Against, embedder: Embeds | None = None) -> CheckedSentence:
        said = extract_facts(sentence)
        if not said.numbers and not said.addresses and said.words <= _POLITE:
            return CheckedSentence(sentence, 1.0, supported=True, neutral=True)
        reasons = against.reasons(sentence, said)
        if against.translated:
            return CheckedSentence(sentence, float(not reasons), not reasons, tuple(reasons))
        kind = "whole" if embedder else "coming"
        measured = compute_head_features(sentence, against.evidence, against.asked, embedder)
        score = round(self._head.probability(measured, kind), 4)
        if not reasons and (score < self._head.thresholds[kind] or measured[0] < LEAST_COVERED):
            reasons = [f'the evidence does not say "{strip_markup(sentence).strip()}"']
        return CheckedSentence(sentence, score, not reasons, tuple(reasons))


class _Against:
    """The context that the sentences of one answer are checked against."""

    def __init__(self, evidence: Sequence[str], question: str, answer: str) -> None:
        kept = [without_instructions(text) for text in evidence]
        self.evidence, self.asked = Evidence.of(kept), extract_facts(question)
        known = language_of(" ".join(kept))
        self._language = language_of(answer)
        self._in_english = known == "en"
        asked = language_of(question)
        # An answer in another language is only expected if the customer writes in it.
        self.translated = self._language not in ("en", known) and self._language == asked
        self._asked_names = frozenset(stem_token(n) for n in extract_proper_names(f". {question}"))

    def reasons(self, sentence: str, said: Facts) -> list[str]:
        """Describe the facts that are neither in the evidence nor in the question."""
        known = self.evidence.facts
        found = [
            f"the number {n} is not in the evidence" for n in sorted(said.numbers - known.numbers - self.asked.numbers)
        ]
        if self._in_english:
            strange = said.measures - known.measures - self.asked.measures
            found += [f"{m} is not in the evidence" for m in sorted(strange) if m.split()[0] in known.numbers]
        found += [f"the address {a} is not in the evidence" for a in sorted(said.addresses - known.addresses)]
        if not (self.translated and self._language in _CAPITALISED_NOUNS):
            unknown = [
                n for n in extract_proper_names(sentence) if stem_token(n) not in self.evidence.raw | self._asked_names
            ]
            found += [f"the name {n} is not in the evidence" for n in dict.fromkeys(unknown)]
        if said.negated and not known.negated and not self.asked.negated:
            found.append("the evidence does not deny anything")
        return found
