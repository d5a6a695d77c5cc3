"""Explains an answer in words and numbers, for the command line, the API and the console."""

from __future__ import annotations

from typing import Any

from knowledge.answers.decision import title_of
from knowledge.answers.lookup import level_of
from knowledge.answers.reasons import Explanation, Reasons
from knowledge.relevance.bars import Bars
from knowledge.relevance.ranker import Ranked, Ranking
from knowledge.relevance.units import units_of
from knowledge.types import AnswerOutcome, Candidate, Entry

APART = {
    "opposite": "the two say opposite things",
    "number": "their numbers differ",
    "unit": "their units differ",
    "date": "their dates differ",
    "name": "they name different things",
    "direction": "they go in opposite directions",
    "thing": "they ask the same of different things",
    "language": "they are in different languages",
    "subject": "the conversation is about another subject",
    "contradiction": "their numbers differ, or one says the opposite of the other",
}
"""Descriptions of the guards' findings."""
HEAD = {"answered": "Sent as sure", "suggested": "Sent as likely", "clarified": "Asked back", "unknown": "Not answered"}


def describe_explanation(explanation: Explanation) -> dict[str, Any]:
    """Return the full explanation, ready for JSON."""
    answer = explanation.answer
    return {
        "question": explanation.question.text,
        "history": [{"speaker": turn.speaker, "text": turn.text} for turn in explanation.question.history],
        "outcome": answer.outcome,
        "level": level_of(answer.parts),
        "confidence": _round_number(answer.confidence),
        "parts": [_describe_part(reasons) for reasons in explanation.reasons],
    }


def sentence_of(reasons: Reasons) -> str:
    """Return the outcome and its reason in one sentence."""
    if reasons.rule == "nothing":
        return "Not answered: the message has no words."
    if reasons.rule == "exact" and reasons.exact.chosen:
        entry = reasons.exact.chosen
        what = "the very words of a question" if entry.questions else "the heading of a section"
        return f"Sent as it is: these are {what} that the knowledge has."
    if reasons.rule == "reused":
        score, bound = reasons.reuse.score, reasons.reuse.bound or 0.0
        return f"Sent as it is: its reuse score, {score:.2f}, is at or above the entry's bound, {bound:.2f}."
    if reasons.rule == "talk" and reasons.talk:
        return (
            f"Sent as sure: what was learnt from a conversation fits with {reasons.talk.probability:.2f}, at or above "
            f"{reasons.talked:.2f}, and better than what was read."
        )
    return _sentence_of_ranking(reasons)


def notes_of(reasons: Reasons) -> list[str]:
    """Return notes on typo correction, an unused exact match or reuse, and matches stopped by a guard."""
    notes = [
        f"Read as “{reasons.read_as}”." if reasons.read_as else "",
        _note_of_exact(reasons),
        _note_of_reuse(reasons),
    ]
    notes += [f"“{guarded.match.phrasing}” was left out: {APART[guarded.guard]}." for guarded in reasons.guarded]
    return [note for note in notes if note]


def _sentence_of_ranking(reasons: Reasons) -> str:
    ranking, bars, outcome = reasons.ranking, reasons.bars, reasons.part.outcome
    if ranking is None or bars is None or not ranking.ranked:
        return "Not answered: nothing was found."
    first, head = f"{ranking.first:.2f}", HEAD[outcome]
    nearest = max(ranked.candidate.dense for ranked in ranking.ranked)
    if nearest < reasons.near:
        return f"{head}: nothing comes near; the nearest entry has a cosine of {nearest:.2f}, below {reasons.near:.2f}."
    if reasons.part.disputed:
        return f"{head}: approved entries answer this differently, so none of their answers is sent as the right one."
    if outcome != bars.outcome(ranking):
        if outcome == "suggested":
            return f"{head}: {first} would do to send it as sure, but {_explain_doubt(reasons)}."
        why = "it is about the opposite of what was asked, shares nothing with its one word, or customers said that it was wrong"
        return f"{head}: {first} would do to send it, but {why}."
    return f"{head}: {_against_bars(outcome, ranking, bars)}."


def _explain_doubt(reasons: Reasons) -> str:
    """Explain why the likeliest entry is not sent as sure although its probability would do."""
    if reasons.part.rivalled:
        return "another entry that answers it as well says something else"
    if reasons.exact.is_ambiguous:
        return "what the entry answers is one of several with these words"
    return "what the entry answers asks of something else"


def _against_bars(outcome: AnswerOutcome, ranking: Ranking, bars: Bars) -> str:
    """Compare the answer's probability with the thresholds."""
    first, known = f"{ranking.first:.2f}", f"that it is answered at all, {ranking.known:.2f},"
    likely, asked_back = (
        f"the bar for likely answers, {bars.suggested:.2f}",
        f"the bar for asking back, {bars.asking_back(ranking):.2f}",
    )
    if outcome == "answered":
        return f"{first} is at or above the bar for sure answers, {bars.answered:.2f}"
    if outcome == "suggested":
        return f"{first} is at or above {likely}, and below the bar for sure ones, {bars.answered:.2f}"
    if outcome == "clarified":
        return f"{first} is below {likely}; {known} is at or above {asked_back}"
    return f"{known} is below {asked_back}"


def _note_of_exact(reasons: Reasons) -> str:
    same = reasons.exact.same
    if not same or reasons.exact.chosen:
        return ""
    if any(each.disputed for each in same) or reasons.exact.is_ambiguous:
        count = len({each.answer for each in same})
        said = f"{count} entries with different answers" if count > 1 else "an entry that another one contradicts"
        return f"The very words belong to {said}, so none was sent for its words alone."
    return "An entry has these very words, but what was said before may change what is meant."


def _note_of_reuse(reasons: Reasons) -> str:
    decision = reasons.reuse
    if decision.guard:
        asked = reasons.matches[0].phrasing
        return f"The answer to “{asked}” was not reused word for word: {APART[decision.guard]}."
    if decision.verdict == "near" and decision.bound is not None:
        asked = reasons.matches[0].phrasing
        return (
            f"The answer to “{asked}” was not reused word for word: its score, {decision.score:.2f}, is below the "
            f"entry's bound, {decision.bound:.2f}."
            if decision.bound <= 1
            else f"The answer to “{asked}” was not reused word for word: too little is known of how well it does."
        )
    if decision.verdict == "held_out":
        return f"The answer to “{reasons.matches[0].phrasing}” is held out of this conversation, to measure its worth."
    return ""


def _describe_part(reasons: Reasons) -> dict[str, Any]:
    part = reasons.part
    return {
        "question": part.question,
        "outcome": part.outcome,
        "why": sentence_of(reasons),
        "notes": notes_of(reasons),
        "rule": reasons.rule,
        "confidence": _round_number(part.confidence),
        "text": part.text,
        "title": part.title,
        "choices": [{"entry_id": choice.entry_id, "title": choice.title} for choice in part.choices],
        "entries": [{"id": used.id, "version": used.version} for used in part.entries],
        "looked_up": list(reasons.texts),
        "candidates": _list_candidates(reasons),
        "found": len(reasons.found),
        "probability": _describe_probability(reasons),
        "bars": _describe_thresholds(reasons),
        "exact": _describe_exact_match(reasons),
        "reuse": _describe_reuse(reasons),
        "talk": _describe_talk(reasons),
        "guarded": [
            {**_identify_entry(each.match.candidate.entry), "phrasing": each.match.phrasing, "guard": each.guard}
            for each in reasons.guarded
        ],
    }


def _list_candidates(reasons: Reasons) -> list[dict[str, Any]]:
    """List the ranked entries, best first, then those only retrieved."""
    ranked = reasons.ranking.ranked if reasons.ranking else ()
    read = {each.entry.id for each in ranked}
    return [
        *({**_describe_candidate(each.candidate), **_describe_reading(each)} for each in ranked),
        *(_describe_candidate(candidate) for candidate in reasons.found if candidate.entry.id not in read),
    ]


def _describe_candidate(candidate: Candidate) -> dict[str, Any]:
    entry = candidate.entry
    return {
        **_identify_entry(entry),
        "cosine": _round_number(candidate.dense),
        "words": _round_number(candidate.lexical),
        "reader": None,
        "share": None,
        "unit": None,
        "cut": False,
    }


def _describe_reading(ranked: Ranked) -> dict[str, Any]:
    cut = len(units_of(ranked.entry.answer)) > 1
    numbers = {"reader": _round_number(ranked.logit), "share": _round_number(ranked.share)}
    return {**numbers, "unit": ranked.unit, "cut": cut}


def _identify_entry(entry: Entry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "version": entry.version,
        "kind": entry.kind,
        "title": title_of(entry),
        "subject": entry.subject,
        "source": entry.source.title if entry.source else None,
        "url": entry.source.url if entry.source else None,
        "disputed": entry.disputed,
    }


def _describe_probability(reasons: Reasons) -> dict[str, Any] | None:
    ranking = reasons.ranking
    return {"first": _round_number(ranking.first), "known": _round_number(ranking.known)} if ranking else None


def _describe_thresholds(reasons: Reasons) -> dict[str, Any] | None:
    bars = reasons.bars
    if bars is None:
        return None
    asking_back = bars.asking_back(reasons.ranking) if reasons.ranking else bars.clarified
    return {"answered": bars.answered, "suggested": bars.suggested, "clarified": asking_back, "near": reasons.near}


def _describe_exact_match(reasons: Reasons) -> dict[str, Any]:
    chosen = reasons.exact.chosen
    return {"same": [entry.id for entry in reasons.exact.same], "chosen": chosen.id if chosen else None}


def _describe_reuse(reasons: Reasons) -> dict[str, Any]:
    decision, best = reasons.reuse, reasons.matches[0] if reasons.matches else None
    return {
        "verdict": decision.verdict,
        "score": _round_number(decision.score),
        "bound": None if decision.bound is None else _round_number(decision.bound),
        "guard": decision.guard,
        "entry_id": best.candidate.entry.id if best else None,
        "phrasing": best.phrasing if best else None,
    }


def _describe_talk(reasons: Reasons) -> dict[str, Any]:
    """Describe the matches learnt from conversations."""
    said = [match for match in reasons.matches if match.candidate.entry.context or match.candidate.entry.subject]
    return {
        "bar": reasons.talked,
        "probability": _round_number(reasons.talk.probability) if reasons.talk else None,
        "matches": [
            {
                **_identify_entry(each.candidate.entry),
                "phrasing": each.phrasing,
                "probability": _round_number(each.probability),
            }
            for each in said
        ],
    }


def _round_number(value: float) -> float:
    return round(float(value), 4)
