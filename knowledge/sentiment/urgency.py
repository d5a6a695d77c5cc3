"""Detects urgency by phrases in English, Roman Urdu and Urdu: danger, fraud, being stranded, a deadline today."""

from __future__ import annotations

import re

from core.db.models.statuses import Urgency

_HIGH = (
    # danger
    r"emergency|life[- ]threatening|in danger|unsafe|not safe|ambulance|hospital|injur(?:y|ed|ies)|bleeding|on fire|caught fire|smoke",
    r"burn(?:ed|t|ing) (?:me|my)|gas leak|electric shock|suicid\w*|kill myself|allergic reaction|overheat\w*|explod\w*|medication|insulin",
    r"threaten\w* me|being followed",
    # fraud and theft
    r"fraud\w*|scammed|hacked|stolen|robbed|unauthori[sz]ed|identity theft|phish\w*|compromised",
    r"(?:did ?n[o']?t|never|not) (?:make|made|authori[sz]ed?|recogni[sz]ed?) (?:this|that|the|a|any) (?:payment|charge|transaction|withdrawal|transfer|purchase)",
    r"someone (?:else )?(?:is using|used|has|got into|took) my|block my (?:card|account)|freeze my (?:card|account)",
    # stranded
    r"stranded|locked out|stuck (?:at|in|on) (?:the |an? )?(?:airport|plane|runway|tarmac|station|road|elevator|lift|abroad|foreign)",
    r"(?:no|without) (?:money|a place to sleep|anywhere to stay)|(?:miss|missing|missed|make) (?:my|our|the) (?:connection|flight|train)",
    # now
    r"urgent\w*|as soon as possible|a\.?s\.?a\.?p\.?|immediate(?:ly)?|right (?:now|away)|this instant|can(?:no|')?t wait any",
    r"(?:in|within) (?:the next )?(?:\d{1,2}|one|two|three|a few|an?|half an) ?(?:hours?|hrs?|minutes?|mins?)\b",
    r"(?:by|before|until) (?:the end of (?:the )?day|tonight|today|noon|midnight|\d{1,2} ?(?:am|pm|o'clock))",
    r"(?:leav|board|depart|fly)(?:e|es|s|ing) (?:today|tonight|soon|in)|(?:deadline|due|expires?|wedding|funeral|surgery|exam|interview|flight) (?:is )?(?:today|tonight|tomorrow)",
    r"last chance|running out of time",
    # Roman Urdu
    r"foran|fauran|fori|jaldi (?:karo|karein|kijiye|se|batao)|abhi ke abhi|chori|hack ho|dhoka|khatra|khatray|aag lag|haspatal|hadsa|phans gay\w+|phansa hu\w+|aaj hi|card block",
    # Urdu
    r"فوراً|فورا|فوری|جلدی|ابھی کے ابھی|چوری|ہیک|فراڈ|خطرہ|خطرے|ہسپتال|حادثہ|آگ لگ|پھنس|آج ہی|کارڈ بلاک|ہنگامی",
)
_LOW = re.compile(
    r"no (?:rush|hurry)|whenever you (?:can|have time)|when you (?:get a chance|have (?:a|some) (?:time|moment|minute))|not urgent|just (?:curious|wondering)|take your time|"
    r"koi jaldi nahi|جلدی نہیں",
    re.IGNORECASE,
)
_HIGH_WORDS = re.compile(rf"(?<!\w)(?:{'|'.join(_HIGH)})(?!\w)", re.IGNORECASE)
_DENIED = re.compile(r"(?:\bnot|\bno|n't|\bisn.t|\bnothing)\s+(?:\w+\s+)?$", re.IGNORECASE)


def detect_urgency(text: str) -> Urgency:
    """Return high for phrases that cannot wait, low if the customer says that it can."""
    if _LOW.search(text):
        return "low"
    said = (found for found in _HIGH_WORDS.finditer(text) if not _DENIED.search(text[: found.start()]))
    return "high" if next(said, None) else "normal"
