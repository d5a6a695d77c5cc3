"""Analysis of a conversation: summary, key phrases, intents, outcome, and a success score with its parts."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.db.models import InteractionFeedback, SurveyResponse, Turn
from core.llm.masking import Masker
from knowledge.curation.harvest.transcript import Transcript, TranscriptLine
from knowledge.relevance.extract import sentences_of
from knowledge.text.facts import ADDRESS, GENERAL
from knowledge.text.features import STOPWORDS, content_words
from knowledge.text.question_splitter import ASKS

Outcome = Literal["resolved", "unresolved", "handed_over", "abandoned"]
WEIGHTS = {"rating": 3.0, "outcome": 2.0, "signals": 1.0, "effort": 1.0}
"""The weight of each part in the success score; unknown parts are left out."""
OUTCOMES: dict[Outcome, float] = {"resolved": 1.0, "handed_over": 0.5, "abandoned": 0.25, "unresolved": 0.0}
EFFORTLESS, EXHAUSTING = 3, 12
"""The number of customer messages for the full and for the zero effort score."""
KEY_PHRASES = 6
LONGEST_SUMMARY = 600
NEVER_A_CATEGORY = frozenset({"oos", "nlu_fallback", "greet", "goodbye", "thank", "affirm", "deny"})
_THANKS = re.compile(
    r"\b(?:thanks|thank you|thx|ty|cheers|perfect|great|awesome|brilliant|excellent|that helps|solved|works? now|got it|you're the best|appreciate)\b",
    re.IGNORECASE,
)
_COMPLAINS = re.compile(
    r"\b(?:not help\w*|useless|unhelpful|doesn't work|does not work|didn't work|still (?:not|no|doesn't|broken|waiting)|ridiculous|terrible|worst|unacceptable|"
    r"never (?:again|mind)|waste of|no thanks to|disappoint\w+|angry|complain\w*|wtf|fuck\w*|joke)\b",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*|[^\w\s]|\d+", re.UNICODE)  # noqa: RUF001
_LONGEST_PHRASE = 3


@dataclass(frozen=True)
class AnalysisRecord:
    """The stored data of a conversation beside its messages."""

    outcomes: tuple[str | None, ...] = ()
    """The outcomes of its turns, in order."""
    intents: tuple[str, ...] = ()
    thumbs: tuple[bool, ...] = ()
    csat: int | None = None
    signals: tuple[float, ...] = ()
    """The implicit scores of its answers."""

    @property
    def rating(self) -> float | None:
        """The customer's rating from 0 to 1, or None."""
        marks = [float(thumb) for thumb in self.thumbs] + ([(self.csat - 1) / 4] if self.csat else [])
        return sum(marks) / len(marks) if marks else None

    @property
    def badly_answered(self) -> bool | None:
        """Whether the bot failed, or None if it had no turn."""
        if not self.outcomes:
            return None
        return False in self.thumbs or any(outcome in ("unknown", "handoff", None) for outcome in self.outcomes)


@dataclass(frozen=True)
class Analysis:
    """The result of analysing a conversation."""

    summary: str
    key_phrases: tuple[str, ...]
    intents: tuple[str, ...]
    category: str | None
    outcome: Outcome
    success: float
    success_parts: dict[str, float]


def record_of(session: Session, conversation_id: str) -> AnalysisRecord:
    """Load the stored data of a conversation."""
    turns = session.execute(
        select(Turn.outcome, Turn.intent).where(Turn.conversation_id == conversation_id).order_by(Turn.id)
    ).all()
    feedback = session.execute(
        select(InteractionFeedback.helpful, InteractionFeedback.implicit_score).where(
            InteractionFeedback.conversation_id == conversation_id
        )
    ).all()
    csat = session.scalar(
        select(SurveyResponse.score).where(
            SurveyResponse.conversation_id == conversation_id, SurveyResponse.kind == "csat"
        )
    )
    return AnalysisRecord(
        outcomes=tuple(outcome for outcome, _ in turns),
        intents=tuple(intent for _, intent in turns if intent),
        thumbs=tuple(helpful for helpful, _ in feedback if helpful is not None),
        csat=csat,
        signals=tuple(score for _, score in feedback if score is not None),
    )


def analyse_transcript(transcript: Transcript, record: AnalysisRecord, masker: Masker) -> Analysis:
    """Analyse a transcript by rules; personal data such as e-mail addresses and numbers is masked in the texts."""
    outcome = outcome_of(transcript, record)
    parts = success_parts(transcript, record, outcome)
    total = sum(WEIGHTS[name] for name in parts)
    intents = tuple(dict.fromkeys(record.intents))
    telling = [intent for intent in record.intents if intent not in NEVER_A_CATEGORY]
    return Analysis(
        summary=_mask_personal_data(summary_of(transcript), masker),
        key_phrases=tuple(p for p in key_phrases(transcript) if not masker.found(p)),
        intents=intents,
        category=Counter(telling).most_common(1)[0][0] if telling else None,
        outcome=outcome,
        success=round(sum(WEIGHTS[name] * value for name, value in parts.items()) / total, 4),
        success_parts=parts,
    )


def outcome_of(transcript: Transcript, record: AnalysisRecord) -> Outcome:  # noqa: PLR0911 -- one line an outcome
    """Determine how a conversation ended, by its last messages, its last turn and its rating."""
    customer, people = transcript.by("customer"), transcript.by("agent")
    if not customer:
        return "abandoned"
    if "handoff" in record.outcomes and not people:
        return "handed_over"
    last, closing = transcript.said[-1], customer[-1].text
    if _COMPLAINS.search(closing) or (record.rating is not None and record.rating < 0.5):  # noqa: PLR2004 -- half
        return "unresolved"
    if _THANKS.search(closing) or (record.rating is not None and last.speaker != "customer"):
        return "resolved"
    if last.speaker == "customer" or (last.speaker == "agent" and last.text.rstrip().endswith("?")):
        return "abandoned"
    if record.outcomes and last.speaker == "bot":
        return "resolved" if record.outcomes[-1] in ("answered", "suggested", "action") else "unresolved"
    return "resolved"


def success_parts(transcript: Transcript, record: AnalysisRecord, outcome: Outcome) -> dict[str, float]:
    """Return the known parts of the success score, each from 0 to 1."""
    wrote = len(transcript.by("customer"))
    parts = {
        "outcome": OUTCOMES[outcome],
        "effort": min(1.0, max(0.0, (EXHAUSTING - wrote) / (EXHAUSTING - EFFORTLESS))),
    }
    if record.rating is not None:
        parts["rating"] = record.rating
    if record.signals:
        parts["signals"] = sum(record.signals) / len(record.signals)
    return {name: round(value, 4) for name, value in parts.items()}


def summary_of(transcript: Transcript) -> str:
    """Summarise request, answer and ending in at most three quotes."""
    spoken = Counter(word for each in transcript.said for word in content_words(each.text))
    asked = _select_best_sentence(transcript.by("customer"), spoken, asks=True)
    answered = _select_best_sentence(transcript.by("agent") or transcript.by("bot"), spoken, asks=False)
    closing = transcript.said[-1] if transcript.said else None
    lines = [f"Customer: {asked}"] if asked else []
    lines += [f"{'Agent' if transcript.by('agent') else 'Bot'}: {answered}"] if answered else []
    if closing and closing.speaker == "customer" and closing.text != asked and len(transcript.said) > 1:
        lines.append(f"Customer, last: {closing.text}")
    return "\n".join(line[: LONGEST_SUMMARY // 3] for line in lines)


def key_phrases(transcript: Transcript) -> list[str]:
    """Return runs of up to three significant words, ranked by frequency and length."""
    counts = Counter[str]()
    for said in transcript.said:
        counts.update(phrase for phrase in _split_phrases(said.text))
    ranked = sorted(counts, key=lambda p: (-counts[p] * (1 + p.count(" ")), p))
    return ranked[:KEY_PHRASES]


def _split_phrases(text: str) -> list[str]:
    found: list[list[str]] = [[]]
    for word in _WORD.findall(ADDRESS.sub(" . ", text.lower())):
        if not word[0].isalpha() or word in STOPWORDS or word in GENERAL or len(word) < 3:  # noqa: PLR2004 -- "ok"
            found.append([])
        else:
            found[-1].append(word)
    return [" ".join(run[:_LONGEST_PHRASE]) for run in found if run]


def _select_best_sentence(said: Sequence[TranscriptLine], spoken: Counter[str], *, asks: bool) -> str:
    """Return the sentence with the most frequent words; with ``asks``, questions take precedence."""
    sentences = [s for each in said for s in sentences_of(each.text)]
    if asks:
        sentences = [s for s in sentences if s.endswith("?") or ASKS.match(s)] or sentences
    return max(sentences, key=lambda s: sum(spoken[w] for w in content_words(s)), default="")


def _mask_personal_data(text: str, masker: Masker) -> str:
    for found in reversed(masker.found(text)):
        text = f"{text[: found.start]}<{found.kind}>{text[found.end :]}"
    return text
