"""Checks whether the evidence supports an answer: a whole answer by sentence, a streamed one by word."""

from knowledge.answers.grounding.check import CheckedSentence, Grounded, Grounding
from knowledge.answers.grounding.gate import DraftGate

__all__ = ["CheckedSentence", "DraftGate", "Grounded", "Grounding"]
