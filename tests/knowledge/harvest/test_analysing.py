"""How a conversation went."""

from __future__ import annotations

import pytest

from core.llm.masking import Masker
from knowledge.curation.harvest.analysis import AnalysisRecord, analyse_transcript, outcome_of
from knowledge.curation.harvest.transcript import Transcript, TranscriptLine
from knowledge.types import SPEAKERS


def transcript(*lines: str) -> Transcript:
    return Transcript("c", tuple(TranscriptLine(SPEAKERS[s], t) for s, t in (line.split(": ", 1) for line in lines)))


@pytest.mark.parametrize(
    ("lines", "record", "outcome"),
    [
        (("customer: Is it open?", "agent: Yes.", "customer: Thanks!"), AnalysisRecord(), "resolved"),
        (("customer: Is it open?", "agent: Yes."), AnalysisRecord(), "resolved"),
        (("customer: Is it open?", "agent: Yes.", "customer: That is useless."), AnalysisRecord(), "unresolved"),
        (("customer: Is it open?", "agent: Yes."), AnalysisRecord(csat=1), "unresolved"),
        (("customer: Is it open?", "bot: I don't know."), AnalysisRecord(outcomes=("unknown",)), "unresolved"),
        (("customer: A person!", "bot: One moment."), AnalysisRecord(outcomes=("handoff",)), "handed_over"),
        (("customer: Is it open?", "agent: Which shop?"), AnalysisRecord(), "abandoned"),
        (("customer: Is it open?",), AnalysisRecord(), "abandoned"),
        (("agent: Hello?",), AnalysisRecord(), "abandoned"),
    ],
)
def test_the_outcome(lines: tuple[str, ...], record: AnalysisRecord, outcome: str) -> None:
    assert outcome_of(transcript(*lines), record) == outcome


def test_the_success_score_has_its_parts(masker: Masker) -> None:
    said = transcript("customer: Is it open?", "agent: Yes.", "customer: Thanks!")
    rated = analyse_transcript(said, AnalysisRecord(thumbs=(True,), csat=3, signals=(0.5,)), masker)
    assert rated.success_parts == {"outcome": 1.0, "effort": 1.0, "rating": 0.75, "signals": 0.5}
    assert rated.success == pytest.approx((2 * 1 + 1 * 1 + 3 * 0.75 + 1 * 0.5) / 7, abs=1e-4)


def test_summary_and_phrases_are_taken_from_it_without_personal_data(masker: Masker) -> None:
    said = transcript(
        "customer: Hello! Can I return a brass lamp? Write to jo@example.com",
        "agent: Hi! A brass lamp can be returned within 30 days.",
        "customer: Thank you",
    )
    analysis = analyse_transcript(said, AnalysisRecord(intents=("greet", "return_item")), masker)
    assert analysis.summary.splitlines() == [
        "Customer: Can I return a brass lamp?",
        "Agent: A brass lamp can be returned within 30 days.",
        "Customer, last: Thank you",
    ]
    assert "brass lamp" in analysis.key_phrases
    assert analysis.category == "return_item"
    assert "jo@example.com" not in str(analysis)
