"""Token estimates without the vendors' vocabularies, which would have to be downloaded."""

from __future__ import annotations

import re

from core.llm.types import Request

PER_MESSAGE = 4
"""Tokens of a message besides its text."""
SCRIPTS = (
    # characters per token, fitted to OpenAI's o200k
    (re.compile(r"[\u0400-\u04ff]"), 4.5),
    (re.compile(r"[\u0590-\u06ff\u0750-\u077f\ufb50-\ufdff\ufe70-\ufeff]"), 2.8),
    (re.compile(r"[\u0900-\u0dff]"), 2.6),
    (re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]"), 1.3),
    (re.compile(r"[^\x00-\u03ff\u0400-\u04ff\u0590-\u06ff\u0750-\u077f\u0900-\u0dff\u3040-\u9fff\uac00-\ud7ff]"), 1.0),
)
LATIN = 4.4
DIGITS = re.compile(r"\d+")
DIGIT = 1.8


def count_tokens(request: Request) -> int:
    """Estimate the tokens of all messages of a request; see ``estimate_tokens`` for the accuracy."""
    return sum(estimate_tokens(message.text) + PER_MESSAGE for message in request.messages)


def estimate_tokens(text: str) -> int:
    """Estimate the tokens of a text from its characters per script.

    Compared with o200k over 60 English data sets, the median error is +5 %, and 90 % of texts are within -20 % to +35 %. Urdu in
    its own script is within 10 %; Urdu in Latin letters is underestimated by a quarter.
    """
    rest, tokens = len(text), 0.0
    if not text.isascii():
        for script, characters in SCRIPTS:
            count = len(script.findall(text))
            rest, tokens = rest - count, tokens + count / characters
    digits = sum(map(len, DIGITS.findall(text)))
    return round(tokens + (rest - digits) / LATIN + digits / DIGIT + 0.5) if text else 0
