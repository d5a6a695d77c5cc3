# ruff: noqa: RUF001 -- people type these signs
"""Removes instructions to the assistant from evidence."""

from __future__ import annotations

import re
from itertools import takewhile

from knowledge.relevance.extract import SENTENCE_END

_ORDERS = re.compile(
    r"\b(?:ignore|disregard|forget|override|bypass)\b.{0,60}\b(?:instructions?|prompts?|rules?|guidelines|above|previous|prior|everything|told|said|learned)\b"
    r"|\byou(?:'re| are| will be| must| shall)\b.{0,20}\b(?:now|going to|act|play|pretend|simulate|respond|reply|answer|role|jailbroken|unfiltered)\b"
    r"|\b(?:act|behave|respond|reply|answer|speak)\s+(?:as|like)\s+(?:a|an|if|though|the|my)\b|\bpretend\b|\brole-?play"
    r"|\b(?:system|initial|hidden|secret|developer) (?:prompt|message|instructions?)\b|\b(?:jailbreak|DAN\b|do anything now|developer mode)"
    r"|\b(?:as an? |you are an? |dear |hey |hello )(?:AI|language model|assistant|chatbot|LLM)\b|\b(?:chatgpt|openai|language model|NO_ANSWER)\b"
    r"|(?:^|[.:!]\s*|\b(?:now|then|please|and|just|only)\s+)(?:say|print|output|repeat|reply|respond|write|answer|return|translate|echo)\b.{0,40}(?:[\"'“‘:]|\bexactly\b|\bnothing else\b|\bonly\b|\bI have\b)"
    r"|(?:^|[.:!;,]\s*|\b(?:and|then|please)\s+)(?:add|append|include|insert|put|begin|start|end|finish|modify|change|alter|rewrite|render|provide|write|give"
    r"|use|combine|group|substitute|replace|scramble|jumble|shuffle|reverse|swap|encode|format|enhance|integrate|embed|incorporate|mention|suggest|promote"
    r"|present|hide|remove|omit)\b.{0,120}\b(?:your|every|each)\s+(?:next\s+|final\s+|whole\s+)?(?:repl(?:y|ies)|responses?|answers?|outputs?)\b"
    r"|(?:^|[.:!;]\s*)in your (?:reply|response|answer|message)\b"
    r"|\bfrom now on\b|\bnew instructions?\b|\binstead of answering\b",
    re.IGNORECASE | re.DOTALL,
)


def without_instructions(text: str) -> str:
    """Drop each instruction and the rest of its line, which may be the text it asks for."""
    return "\n".join(" ".join(kept) for line in text.splitlines() if (kept := _cut_at_instruction(line)))


def is_instruction(sentence: str) -> bool:
    """Whether the sentence instructs an assistant."""
    return bool(_ORDERS.search(sentence))


def _cut_at_instruction(line: str) -> list[str]:
    return list(takewhile(lambda piece: not is_instruction(piece), filter(None, SENTENCE_END.split(line))))
