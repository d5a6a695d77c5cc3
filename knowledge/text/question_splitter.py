"""Splits a message with several questions into its parts."""

from __future__ import annotations

import re

MOST_PARTS = 4
SHORTEST_PART = 2
"""Minimum words of a part; "and?" is not a question of its own."""

PREPOSITION = "at|by|for|from|in|on|since|till|to|until|up to|with"
OPENER = (
    r"(?:(?:please )?(?:can|could|do|does|did|is|are|am|was|were|will|would|should|may|must|has|have)\s+"
    r"(?:i|you|we|it|they|he|she|there|this|that|these|those|the|my|your|our|their|a|an|any|some)\b"
    rf"|(?:(?:{PREPOSITION})\s+)?(?:what|how|when|where|which|who|why)(?:'s)?\b)"
)
OF_THAT = r"(?:is|are|was|were|does|do|will|would|can|could)\s+(?:that|this|it|they|those|these)\b"
SENTENCE = re.compile(r"[^?!.\n]*(?:[.](?=\S)[^?!.\n]*)*[?!.\n]*")
ALSO = re.compile(
    rf"(?:,|;)?\s+(?:and|but|plus)(?:,?\s+also,?)?,?\s+(?={OPENER})|[;,]\s+(?:also,?\s+)?(?={OPENER})(?!{OF_THAT})",
    re.IGNORECASE,
)
WHETHER = re.compile(r",?\s+and\s+(?:also\s+)?(?=(?:whether|if)\s)", re.IGNORECASE)
TAIL = re.compile(
    r"(?:is|would|was) (?:that|this|it)(?: be)? (?:possible|ok(?:ay)?|all ?right|allowed|fine|correct|true)\b",
    re.IGNORECASE,
)
ELLIPTIC = re.compile(rf"(?:{PREPOSITION})\s+\S+(?:\s+\S+){{0,2}}$", re.IGNORECASE)
"""Fragments that need the preceding text to be understood ("until when?")."""
KNOWING = r"(?:i'?d|i would|i) (?:like|want|need) to know\b|(?:can|could) you tell me\b|(?:please )?(?:tell me|let me know)\b|i wonder\b"
ASKS = re.compile(
    rf"(?:^|:)\s*(?:(?:and|but|also|so|or|then|yes|no|ok|okay|hi|hello|thanks)\b[\s,]*)*(?:{OPENER}|(?:{KNOWING})(?:\s+\w+){{2}})",
    re.IGNORECASE,
)
WISH = re.compile(r"\b(?:i want|i need|i'?d like|i would like|please)\b", re.IGNORECASE)
GOES_ON = re.compile(r"^(?:and|also|besides)\b[\s,]", re.IGNORECASE)


def parts_of(text: str) -> list[str]:
    """Return the questions in a message, in order; a message with one question is returned whole.

    Statements stay with the question that follows: "I have a dog. Can it come?" is one part. A wish is a separate part if
    it is followed by "And what ...?".
    """
    pieces = [piece for sentence in _split_into_sentences(text) for piece in _split_sentence(sentence)]
    parts: list[str] = []
    lead = ""
    for piece in pieces:
        if not _is_question(piece):
            lead = f"{lead} {piece}".strip()
            continue
        if WISH.search(lead) and GOES_ON.match(piece):
            parts.append(lead)
            lead = ""
        parts.append(f"{lead} {piece}".strip())
        lead = ""
    return [p.strip() for p in parts] if 1 < len(parts) <= MOST_PARTS else [text.strip()]


def _split_into_sentences(text: str) -> list[str]:
    return [s.strip() for s in SENTENCE.findall(text) if s.strip()]


def _split_sentence(sentence: str) -> list[str]:
    pieces: list[str] = []
    for piece in (p.strip() for split in ALSO.split(sentence) if split for p in _whether_pieces(split)):
        if pieces and (len(pieces[-1].split()) < SHORTEST_PART or TAIL.match(piece) or ELLIPTIC.match(piece)):
            pieces[-1] = f"{pieces[-1]}, {piece}"
        else:
            pieces.append(piece)
    whole = any(len(p.split()) < SHORTEST_PART for p in pieces) or not _is_question(pieces[0] if pieces else "")
    return [sentence] if whole else pieces


def _whether_pieces(text: str) -> list[str]:
    pieces = WHETHER.split(text)
    return [pieces[0], *(re.sub(r"^(?:whether|if)\s+", "", p, flags=re.IGNORECASE) + "?" for p in pieces[1:])]


def _is_question(piece: str) -> bool:
    return len(piece.split()) >= SHORTEST_PART and (piece.rstrip().endswith("?") or bool(ASKS.search(piece)))
