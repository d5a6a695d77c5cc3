"""Does the evidence support an answer? Sentence by sentence when it is whole, word by word while it comes."""

from knowledge.answers.grounding.check import CheckedSentence, Grounded, Grounding
from knowledge.answers.grounding.gate import DraftGate

__all__ = ["CheckedSentence", "DraftGate", "Grounded", "Grounding"]
