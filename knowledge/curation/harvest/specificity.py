# ruff: noqa: RUF001 -- people type these signs
"""Rules for English that separate general knowledge from small talk and from one customer's case."""

from __future__ import annotations

import re
from collections.abc import Callable

from knowledge.curation.harvest.privacy import Setting, find_personal_detail, masked_before, to_a_machine, without_links
from knowledge.curation.harvest.temporal import MOMENT

_I = re.IGNORECASE
_THINGS = (
    r"(?:order|booking|reservation|parcel|package|shipment|delivery|refund|return|flight|ticket|case|claim|complaint|payment|account|"
    r"card|bag|bags|luggage|baggage|seat|purchase|item|product|subscription|membership|invoice|bill|request|details|information|"
    r"message|tweet|email|e-mail|name|address|username|password|phone|number|device|connection|plane|trip|journey|concern|concerns|"
    r"experience|feedback|issue|problem|question|query|reservation|confirmation|record locator|visit|stay|time|day|upgrade)"
)
_SMALL_TALK = re.compile(
    r"\b(?:thank(?:s| you)|you(?:'|’)?re (?:very |most )?welcome|appreciat\w+|my pleasure|pleasure|happy to (?:help|assist|hear)|glad|"
    r"delighted|hope(?: this| that| you| we|fully)?|enjoy|have a (?:nice|great|good|lovely|wonderful|safe)|take care|see you|bye|cheers|"
    r"good (?:morning|afternoon|evening|day)|hello|hear (?:that|this|from you|about)|frustrat\w+|inconvenience|patience|"
    r"disappoint\w+|upset\w*|congrat\w*|awesome|great to|love to|love that|nice to|loyalty|kind words|assure|strive|"
    r"we (?:do |completely |totally |fully )?(?:understand|agree|hear you|get it)|understandabl[ey]|feel free|welcome (?:to|aboard|back)|"
    r"anything else|(?:great|good|excellent) question|here to (?:help|answer|assist|support)|happy to|good luck|fingers crossed|apolog\w+|regret|rest assured|safe travels|best wishes|ha(?:ha)+|lol|wow|oh no|uh+ ?oh)\b|[❤😊🙂👍✈😉🎉]",
    _I,
)
_SORRY_BUT = re.compile(r"\b(?:sorry|apolog\w+|afraid|unfortunately)\b.*?(?:,|\bbut\b|\bhowever\b|\bthat\b)\s*\w+", _I)
_SORRY = re.compile(r"\bsorry\b", _I)
_SPEAKER = re.compile(r"\b(?:i|i'm|i’m|i'll|i’ll|i've|i’ve|i'd|i’d|im|ive|me|my|mine|myself)\b", _I)
_ADVISES = re.compile(
    r"\b(?:i(?:'d|’d| would)? (?:\w+ )?(?:recommend|suggest|advise)|i(?:'m|’m| am) (?:afraid\b|sorry\b(?:,| but| to say)))",
    _I,
)
_DONE = re.compile(
    r"\bwe(?:'ve|’ve| have| just| had)\s+(?:\w+ly |just |already |now |also )?(?:\w{3,}ed|sent|made|put|found|got|seen|had|begun|let|shown|forwarded)\b"
    r"|\b(?:we(?:'re|’re| are)|they(?:'re|’re| are)|they(?:'ll|’ll))\s+(?:\w+ly |now |still |always )?\w{2,}ing\b|\bhave you\b|\bas \w+ as (?:we|they|he|she) can\b|\bthey(?:'ll|’ll| will)\b"
    r"|\bwe(?:'ll|’ll| will| can| need to| may)\s+(?:\w+ly |now |also |then |certainly |gladly )?(?:look|check|escalate|investigate|get back|be in touch|pass|forward|see what|share|"
    r"have (?:a|someone)|make sure|let|follow|do (?:our|all)|update you|keep you|contact you|dig|take a|help|assist|get (?:this|that|you)|confirm|rebook|refund you|be there|be on|know|work|try)\b"
    r"|\bwe(?:'d|’d| would| will|'ll|’ll)? (?:love|like|need|want) (?:you|to (?:know|see|hear|help|look|learn|assist|take|get|check|make|speak|talk)|some|more|a (?:few|little|bit))\b"
    r"|\bwe (?:see|show|saw|know|think|believe|don't see|didn't|did|were|was|sent|made|tried|checked|looked|found|do not see|don’t see|noticed|missed|want|wish|try|look)\b"
    r"|\b(?:looks|look|seems|appears|sounds|sound|showing) (?:like|as|to)\b|\blooks\b|\bsounds\b|\bit(?:'s| is| does)? (?:seems?|appears?|looks?|showing)\b|\b(?:our|the) (?:team|teams|crew|agents?|staff|folks|colleagues?|pilots?|manager|supervisor|mechanics?|engineers|developers)\b"
    r"|\b(?:check|look|sent|send|pass|forward|shar|work|investigat|escalat|process|review|updat|cancel|hop|doubl)\w*(?:ing|ed)? (?:on )?(?:this|that|it) (?:now|for you|over|along|with|into)\b|\bgate is\b|\bon it\b|\bas we speak\b|\bshortly\b|\bbear with\b|\bhang (?:on|in|tight)\b|\bstand ?by\b|\bstay tuned\b",
    _I,
)
_YOURS = re.compile(
    rf"\b(?:your|ur|his|her) (?:\w+ )?{_THINGS}s?(?:'s|’s)? (?:\w+ )?(?:is|was|has|have|had|are|were|will|would|should|did|does|doesn't|isn't|got|shows?|number is|left|arriv\w+|departed|shipped|looks?|'s)\b"
    rf"|\b(?:for|about|regarding|with|on|of|in|to|into|check(?:ed)?|cancel(?:led)?|see|from|at) your (?:\w+ )?(?:order|booking|reservation|flight|parcel|package|shipment|claim|complaint|case|trip|journey|experience|feedback|issue|concern|concerns|delay|connection|visit|refund request|request|inquiry|enquiry|tweet|message|team)\b",
    _I,
)
_YOU_DID = re.compile(
    r"\byou(?:'ve|’ve| have| had|'d|’d)\s+(?:\w+ly |just |already |now |also |not |been )?\w{3,}(?:ed|en|t|id|ght|me)\b"
    r"|\byou (?:were|was|did|didn't|ordered|bought|paid|placed|sent|mentioned|said|told|received|got|made|requested|purchased|booked|called|wanted|chose|asked|provided|could have|should have|still)\b|\byou(?:'re|’re| are) (?!able|required|allowed|free to|entitled|welcome to)\w|\b(?:that|the) \w+ you (?:have|had|got|are|were)\b",
    _I,
)
_CONDITIONAL = re.compile(
    r"\b(?:if|once|when|whenever|after|until|unless|before|as soon as|in case|should you|where)\b", _I
)
_PAST = re.compile(
    r"\b(?:was|were|wasn't|weren't|had been|has been|have been|has not|hasn't|haven't|did|didn't|had|happened|went|came|arrived|left|got)\b",
    _I,
)
_WANTS_DETAILS = re.compile(
    r"\b(?:dm|d\.m\.|pm us|private message|direct message|message us|tweet|twitter|follow us|inbox|send (?:us|me|over)|provide|share|"
    r"let (?:us|me)|advise us|tell (?:us|me)|reply|confirm|verify|get back to us|reach out to us here|please (?:wait|hold|allow me|stand|remain|bear)|"
    r"one moment|give (?:me|us)|may (?:i|we)|can (?:i|we)|could (?:i|we)|need your|your (?:full )?(?:name|username|email|phone|confirmation|record)|"
    r"show (?:us|me)|the (?:steps|troubleshooting) you|screenshot|which (?:platform|device)|more (?:details|info)|(?:here|below|back) (?:with|in) (?:this|your|the))\b",
    _I,
)
_OPENS = re.compile(
    r"^(?:however|but|so|then|otherwise|and|or|also|if so|if not|instead|therefore|thus|plus|even|still|because|which|as such|that way|after that|"
    r"in addition|in this case|in that case|alternatively|once done|once that|having said|again|he|she|they|these|those|such|same|both|neither|either|another|other)\b|\b(?:either|the latter|the former|as well|too|also)\b(?! or )",
    _I,
)


def _is_of_one_case(sentence: str) -> bool:
    general = _CONDITIONAL.search(sentence)
    return any(
        found and not (general and general.start() < found.start())
        for found in (pattern.search(sentence) for pattern in (_YOURS, _YOU_DID, _PAST))
    )


_CHECKS: tuple[tuple[str, Callable[[str], object]], ...] = (
    ("a question", lambda s: s.rstrip().endswith("?")),
    ("masked before", masked_before),
    ("asks for details", lambda s: _WANTS_DETAILS.search(without_links(s))),
    ("this moment", lambda s: MOMENT.search(without_links(s))),
    ("what was done", lambda s: _DONE.search(without_links(s))),
    ("small talk", lambda s: _SMALL_TALK.search(s) or (_SORRY.search(s) and not _SORRY_BUT.search(s))),
    ("speaks of the speaker", lambda s: _SPEAKER.search(without_links(s)) and not _ADVISES.search(s)),
    ("one customer's case", _is_of_one_case),
    ("gives orders", to_a_machine),
)


def not_general(sentence: str, setting: Setting) -> str | None:
    """Return why an agent's sentence is not general knowledge, or None if it is."""
    return next((why for why, is_so in _CHECKS if is_so(sentence)), None) or find_personal_detail(sentence, setting)


def follows_on(sentence: str) -> bool:
    """Whether a sentence makes sense only after the one before it."""
    return bool(_OPENS.search(sentence))
