"""Decides how to answer: as sure, as likely with alternatives, by asking back, or not at all."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from knowledge.answers.reasons import Exact, Explanation, Guard, Guarded, Reasons, Talk
from knowledge.answers.reuse.contrast_guards import find_difference
from knowledge.answers.reuse.decision import Reuse
from knowledge.entries.rivals import answers_disagree, differ_in_figures, extract_figures
from knowledge.relevance.bars import BarsOf, shipped_bars
from knowledge.relevance.matcher import Match, Matcher
from knowledge.relevance.ranker import Ranked, Ranker, Ranking
from knowledge.text import topic
from knowledge.text.features import content_words, has_contradiction, has_opposite_terms, normalise_text
from knowledge.text.question_splitter import parts_of
from knowledge.types import (
    Answer,
    AnswerOutcome,
    AnswerPart,
    Candidate,
    Choice,
    Entry,
    Question,
    Retriever,
    Source,
    UsedEntry,
    Utterance,
)

LONGEST_QUESTION = 1000
CHOICES = 3
LONGEST_TITLE = 160
"""Maximum characters of a question or heading shown to a customer."""
RIVALS = 6
"""Number of nearest entries searched for conflicting figures."""
JUST_BELOW = 0.001
BY_READING = 3
"""Number of best-ranked entries shown to a model; the nearest of the others follow."""
TALKED = 0.28
"""Minimum probability for sending an answer learnt from a conversation."""
BARE = re.compile(r"(?:and )?how (much|long)\W*")
FIGURES_OF = {
    "much": {"GBP", "EUR", "USD", "%"},
    "long": {"second", "minute", "hour", "day", "night", "week", "month", "year"},
}
"""Units that answer a bare "how much" or "how long"."""
ASKED_OF_ALL = content_words(
    "how much many long often soon far old big late price cost costs time times date open closed free"
)
"""Words that can be asked about anything and need not occur in the answer."""
COVERED = 0.6
"""Share of a question's content words that a sent text must contain to count as its answer."""
YES_OR_NO = re.compile(r"(?:yes|no|ja|nein|oui|non|sí|sì|si|sim|não)\b\s*[,.;:!-]", re.IGNORECASE)
LIFT: dict[topic.Standing, float] = {"same": 0.15, "older": 0.02, "other": -0.06, "unnamed": 0.0, "general": 0.0}
"""Added to the nearness by the subject's standing when the candidates to match are chosen."""
GIVEN: tuple[AnswerOutcome, ...] = ("answered", "suggested")
GRADES: dict[str, int] = {"answered": 3, "suggested": 2, "clarified": 1, "unknown": 0}


@dataclass(frozen=True)
class AnswerLimits:
    """Limits on the number of entries considered."""

    retrieved: int = 40
    matched: int = 12
    near: float = 0.15
    """Minimum cosine for an entry to be offered or shown to a model."""
    shown: int = 5
    """Maximum number of entries shown to a model."""


@dataclass(frozen=True)
class Spent:
    """Milliseconds spent on one part."""

    retrieval: float
    generation: float


class Answering:
    """Answers questions from approved entries."""

    def __init__(
        self,
        retriever: Retriever,
        matcher: Matcher,
        ranker: Ranker,
        *,
        bars: BarsOf = lambda _tenant: shipped_bars(),
        reuse: Reuse | None = None,
        limits: AnswerLimits | None = None,
        mend: Callable[[str, str], str] = lambda _tenant, text: text,
    ) -> None:
        """``mend`` corrects typos in a tenant's question."""
        self._retriever = retriever
        self._matcher = matcher
        self._ranker = ranker
        self._bars = bars
        self._reuse = reuse or Reuse.shipped()
        self._limits = limits or AnswerLimits()
        self._mend = mend

    def answer(self, question: Question) -> Answer:
        """Answer a customer's message part by part; the caller words the reply to unknown parts.

        Raises:
            KnowledgeUnavailable: the index cannot be reached.
        """
        return self._explain_question(question).answer

    def explain(self, question: Question) -> Explanation:
        """Answer with full reasons; records nothing, and ranks the entries even if the decision did not need it.

        Raises:
            KnowledgeUnavailable: the index cannot be reached.
        """
        explained = self._explain_question(replace(question, turn_id=None))
        return replace(explained, reasons=tuple(map(self._complete_reasons, explained.reasons)))

    def rivals(self, question: Question) -> tuple[Entry, Entry] | None:
        """Return two entries that would each be sent as sure but state different figures, or None.

        Raises:
            KnowledgeUnavailable: the index cannot be reached.
        """
        found = self._retriever.candidates(question.tenant_id, [question.text], self._limits.retrieved)
        readable = [c for c in found if not _needs_talk(c.entry)]
        nearest = sorted(readable, key=lambda c: c.dense, reverse=True)[:RIVALS]
        if not any(differ_in_figures(a.entry.answer, b.entry.answer) for a, b in combinations(nearest, 2)):
            return None
        ranking = self._ranker.rank(question, [question.text], readable)
        second = self._find_rival(question, ranking)
        if second is None or not differ_in_figures(ranking.ranked[0].unit, second.unit):
            return None
        return ranking.ranked[0].entry, second.entry

    def _find_rival(self, question: Question, ranking: Ranking) -> Ranked | None:
        """Return the runner-up if it would be sent as sure without the first; a translation is no rival."""
        bars = self._bars(question.tenant_id)
        if bars.outcome(ranking) != "answered":
            return None
        rest = self._ranker.without_first(question, ranking)
        if not rest.ranked or bars.outcome(rest) != "answered":
            return None
        is_translated = rest.ranked[0].entry.language != ranking.ranked[0].entry.language
        return None if is_translated else rest.ranked[0]

    def _explain_question(self, question: Question) -> Explanation:
        written = question.text.strip()[:LONGEST_QUESTION]
        asked = replace(question, text=self._mend(question.tenant_id, written))
        texts = parts_of(asked.text) if normalise_text(asked.text) else []
        if len(texts) > 1 and self._is_known(asked):
            texts = [asked.text]
        reasons: list[Reasons] = []
        spent: list[Spent] = []
        said: tuple[Utterance, ...] = ()
        for text in texts:
            before = (*asked.history, *said) if topic.is_dependent(text) else asked.history
            decided, took = self._explained_part(replace(asked, text=text, history=before))
            reasons.append(decided)
            spent.append(took)
            said = (*said, *_build_utterances(decided.part))
        reasons = reasons or [Reasons(asked, _build_unknown_part(asked.text))]
        if asked.text != written:
            reasons[0] = replace(reasons[0], read_as=asked.text)
        retrieval, generation = sum(s.retrieval for s in spent), sum(s.generation for s in spent)
        parts = _each_once([r.part for r in reasons])
        return Explanation(question, merge_answer_parts(parts, retrieval, generation), tuple(reasons))

    def _is_known(self, question: Question) -> bool:
        """Whether the whole question matches an entry word for word."""
        return bool(self._retriever.named(question.tenant_id, question.text))

    def _explained_part(self, question: Question) -> tuple[Reasons, Spent]:
        """Decide one part; an exact match skips the search unless its subject may be another."""
        started = time.perf_counter()
        reasons = Reasons(question, _build_unknown_part(question.text))
        same = self._retriever.named(question.tenant_id, question.text)
        reasons = replace(reasons, exact=_find_exact_entry(question, same))
        if not reasons.exact.chosen:
            reasons = self._retrieve_candidates(reasons)
            reasons = replace(reasons, exact=_find_exact_entry(question, same, reasons.found))
        retrieved = time.perf_counter()
        reasons = self._decide_answer(reasons)
        ended = time.perf_counter()
        return reasons, Spent((retrieved - started) * 1000, (ended - retrieved) * 1000)

    def _retrieve_candidates(self, reasons: Reasons) -> Reasons:
        texts = build_search_texts(reasons.asked)
        found = self._retriever.candidates(reasons.asked.tenant_id, texts, self._limits.retrieved)
        return replace(reasons, texts=tuple(texts), found=tuple(found))

    def _decide_answer(self, reasons: Reasons) -> Reasons:
        question, entry = reasons.asked, reasons.exact.chosen
        if entry:
            self._reuse.book.confirm(question, entry.id)
            return replace(reasons, rule="exact", part=replace(build_verbatim_part(question, entry, 1.0), exact=True))
        reasons = self._match_candidates(reasons)
        decision = self._reuse.decide(question, reasons.matches)
        reasons = replace(reasons, reuse=decision)
        if decision.verdict == "verbatim":
            part = build_verbatim_part(question, reasons.matches[0].candidate.entry, decision.score)
            return replace(reasons, rule="reused", part=part)
        return self._not_verbatim(reasons)

    def _not_verbatim(self, reasons: Reasons) -> Reasons:
        """Match entries learnt from conversations by their context; rank everything else by reading."""
        question, matches, talk = reasons.asked, reasons.usable_matches, _find_talk(reasons.usable_matches)
        ranking = self._rank_candidates(reasons)
        reasons = replace(reasons, ranking=ranking, talk=talk)
        if talk and talk.probability >= TALKED and talk.match.probability >= ranking.first:
            entry = talk.match.candidate.entry
            part = _build_answered_part(question, entry, entry.answer, talk.match.probability)
            reasons = replace(reasons, rule="talk", part=part)
        else:
            reasons = replace(reasons, rule="ranking", part=self._grade_ranking(reasons, ranking))
        said = [m.candidate for m in matches if _needs_talk(m.candidate.entry)]
        return replace(reasons, part=self._with_evidence(reasons.part, ranking, said))

    def _match_candidates(self, reasons: Reasons) -> Reasons:
        """Add the matches, likeliest first, split by whether a guard stops them."""
        chosen = select_shortlist(reasons.asked, reasons.found, self._limits.matched)
        usable = [c for c in chosen if c.entry.kind == "faq" and not c.entry.disputed]
        ranked = [(m, _find_guard(reasons.asked, m)) for m in self._matcher.ranked(reasons.asked, usable)]
        return replace(
            reasons,
            matches=tuple(m for m, guard in ranked if not guard),
            guarded=tuple(Guarded(m, guard) for m, guard in ranked if guard),
        )

    def _rank_candidates(self, reasons: Reasons) -> Ranking:
        """Rank an independent question alone, and with the previous turns only if it finds nothing alone.

        An entry found only with the previous turns is never sent as sure, since the customer may have changed the topic.
        """
        question, bars = reasons.asked, self._bars(reasons.asked.tenant_id)
        if not question.history or topic.needs_previous_turns(question.text) or topic.is_dependent(question.text):
            return self._ranking_with_turns(reasons)
        held = reasons.held_out
        found = self._retriever.candidates(question.tenant_id, [question.text], self._limits.retrieved)
        readable = [c for c in found if not _needs_talk(c.entry) and not (held and c.entry.id == held.entry.id)]
        alone = self._ranker.rank(replace(question, history=()), [question.text], readable)
        if bars.outcome(alone) != "unknown":
            return alone
        whole_ = self._ranking_with_turns(reasons)
        if whole_.first < bars.answered:
            return alone
        return replace(whole_, first=bars.answered - JUST_BELOW)

    def _ranking_with_turns(self, reasons: Reasons) -> Ranking:
        """Rank with the previous turns; a text just sent is never sure, and only a follow-up prefers it to others."""
        bars, asked = self._bars(reasons.asked.tenant_id), _made_whole(reasons.asked)
        leans = asked is not reasons.asked
        texts = [asked.text] if leans else reasons.texts
        readable = [c for c in reasons.usable if not _needs_talk(c.entry)]
        ranking = self._ranker.rank(asked, texts, readable)
        if not ranking.ranked or not _was_just_said(asked, ranking.ranked[0]):
            return ranking
        says_other = _says_other(reasons.asked, ranking.ranked[0])
        if not leans or says_other:
            said = ranking.ranked[0].entry.id
            others = self._ranker.rank(asked, texts, [c for c in readable if c.entry.id != said])
            is_given = bars.outcome(others) in GIVEN
            if says_other and not is_given:
                return Ranking()
            ranking = others if is_given and not leans else ranking
        return replace(ranking, first=min(ranking.first, bars.answered - JUST_BELOW))

    def _complete_reasons(self, reasons: Reasons) -> Reasons:
        """Add what the deciding rule did not need, and the thresholds."""
        reasons = reasons if reasons.texts else self._retrieve_candidates(reasons)
        if reasons.found and not (reasons.matches or reasons.guarded):
            reasons = self._match_candidates(reasons)
        talk, ranking = (
            reasons.talk or _find_talk(reasons.usable_matches),
            reasons.ranking or self._rank_candidates(reasons),
        )
        bars = self._bars(reasons.asked.tenant_id)
        return replace(reasons, talk=talk, ranking=ranking, bars=bars, near=self._limits.near, talked=TALKED)

    def _grade_ranking(self, reasons: Reasons, ranking: Ranking) -> AnswerPart:
        """Build the answer part for a ranking; an entry that customers judged wrong is only offered."""
        question = reasons.asked
        near = [r for r in ranking.ranked if r.candidate.dense >= self._limits.near]
        outcome = self._bars(question.tenant_id).outcome(ranking) if near else "unknown"
        if outcome == "unknown":
            return replace(_build_unknown_part(question.text), confidence=ranking.first)
        best = ranking.ranked[0]
        sides = _list_conflicting_entries(best.entry, reasons.usable) if best.entry.disputed else []
        if len(sides) > 1:
            return _build_disputed_part(question, ranking, sides)
        is_only_offered = _is_opposite_request(question, best) or self._reuse.is_distrusted(
            question.tenant_id, best.entry.id
        )
        says_little = outcome == "suggested" and _says_little(question, best)
        if outcome == "clarified" or is_only_offered or says_little:
            return AnswerPart(question.text, "clarified", "", ranking.first, choices=_list_choices(near))
        part = _build_answered_part(question, best.entry, best.unit, ranking.first)
        rival = self._find_rival(question, ranking)
        is_rivalled = best.entry.disputed or (rival is not None and _states_otherwise(best, rival))
        is_doubtful = is_rivalled or reasons.exact.is_ambiguous or _is_about_another(question, best)
        if outcome == "answered" and not is_doubtful:
            return replace(part, written_by="approved") if best.entry.kind == "faq" else part
        others = [r for r in near if r is not best]
        choices = _list_choices(others, best)
        return replace(part, outcome="suggested", title=title_of(best.entry), choices=choices, rivalled=is_rivalled)

    def _with_evidence(self, part: AnswerPart, ranking: Ranking, talked: list[Candidate]) -> AnswerPart:
        """Add the entries a model may answer from: used ones first, then those from conversations, then the rest."""
        fitting = [r.candidate for r in ranking.ranked if r.candidate.dense >= self._limits.near]
        nearest = sorted(fitting, key=lambda c: c.dense, reverse=True)
        read = [c.entry for c in dict.fromkeys((*fitting[:BY_READING], *nearest, *fitting))]
        said = sorted((c for c in talked if c.dense >= self._limits.near), key=lambda c: c.dense, reverse=True)
        used = [e.id for e in part.entries]
        near = sorted((*(c.entry for c in said), *read), key=lambda entry: entry.id not in used)
        if not near:
            return part
        nearness = max((r.candidate.dense for r in ranking.ranked[:1]), default=0.0)
        nearness = max(nearness, *(c.dense for c in said[:1]), 0.0)
        return replace(part, evidence=tuple(near[: self._limits.shown]), nearness=min(1.0, nearness))


def build_search_texts(question: Question) -> list[str]:
    """Return the retrieval queries: the question alone, made self-contained, and with previous turns."""
    whole_, resolved = topic.made_whole(question), topic.resolve_references(question)
    texts = [question.text, whole_, resolved, topic.with_last_turn(question), topic.with_turns(question)]
    return list(dict.fromkeys(texts))


def retrieve_shortlist(question: Question, retriever: Retriever, limits: AnswerLimits | None = None) -> list[Candidate]:
    """Retrieve the candidates that the matcher sees."""
    limits = limits or AnswerLimits()
    found = retriever.candidates(question.tenant_id, build_search_texts(question), limits.retrieved)
    return select_shortlist(question, found, limits.matched)


def select_shortlist(question: Question, candidates: Sequence[Candidate], size: int) -> list[Candidate]:
    """Return the candidates worth matching: near in meaning and about the current subject."""
    standings = topic.compute_standings((c.entry.subject for c in candidates if c.entry.subject), question)
    return sorted(candidates, key=lambda c: c.dense + LIFT[standings[c.entry.subject or None]], reverse=True)[:size]


def _made_whole(question: Question) -> Question:
    whole_ = topic.made_whole(question)
    return question if whole_ == question.text else replace(question, text=whole_)


def title_of(entry: Entry) -> str:
    """Return the title shown to a customer: the entry's question, else its heading."""
    if entry.questions:
        return _shorten_title(entry.questions[0])
    path = [part.strip() for part in (entry.title or "").split(" > ") if part.strip()]
    return _shorten_title(" > ".join(path[-2:]))


def _shorten_title(title: str) -> str:
    return title if len(title) <= LONGEST_TITLE else f"{title[: LONGEST_TITLE - 1].rstrip()}…"


def _find_exact_entry(question: Question, same: Sequence[Entry], found: Sequence[Candidate] | None = None) -> Exact:
    """Return the exact matches and the one to send, if the conversation cannot change the meaning.

    Entries with the same answer count as one. The other possible subjects are only known from ``found``.
    """
    if any(entry.disputed for entry in same) or len({normalise_text(entry.answer) for entry in same}) != 1:
        return Exact(tuple(same))
    subject = same[0].subject
    if subject and found is None:
        return Exact(tuple(same))
    standing = topic.get_subject_standing(subject, question, [c.entry.subject for c in found or () if c.entry.subject])
    clear = standing == "same" or (
        standing == "general" and not (question.history and topic.is_dependent(question.text))
    )
    return Exact(tuple(same), same[0] if clear else None)


def _find_guard(question: Question, match: Match) -> Guard | None:
    """Return the guard that rules out a match, or None."""
    if match.standing == "other":
        return "subject"
    return "contradiction" if has_contradiction(question.text, match.phrasing) else None


def _needs_talk(entry: Entry) -> bool:
    """Whether the question is only clear within a conversation; if so, it cannot be a button."""
    return bool(entry.context or entry.subject)


def _find_talk(matches: Sequence[Match]) -> Talk | None:
    """Return the best match if it was learnt from a conversation."""
    first = matches[0] if matches else None
    return Talk(first, _with_twins(first, matches)) if first and _needs_talk(first.candidate.entry) else None


def _with_twins(best: Match, ranked: Sequence[Match]) -> float:
    """Sum the probabilities of the best match and of entries with the same answer and subject."""
    entry = best.candidate.entry
    answer = normalise_text(entry.answer)
    twins = [
        m
        for m in ranked
        if m.candidate.entry.subject == entry.subject and normalise_text(m.candidate.entry.answer) == answer
    ]
    return sum(m.probability for m in twins)


def _list_choices(ranked: Sequence[Ranked], shown: Ranked | None = None) -> tuple[Choice, ...]:
    """Return the likeliest choices with distinct titles; equal titles are told apart by their source."""
    titles = Counter(title_of(each.entry) for each in ([shown] if shown else []) + list(ranked))
    known = {title_of(shown.entry)} if shown else set()
    choices: list[Choice] = []
    for each in ranked:
        title = title_of(each.entry)
        place = each.entry.source.title if each.entry.source else ""
        if titles[title] > 1 and place and place != title:
            title = f"{title} ({place})"
        if title and title not in known:
            known.add(title)
            choices.append(Choice(each.entry.id, title))
    return tuple(choices[:CHOICES])


def build_verbatim_part(question: Question, entry: Entry, confidence: float) -> AnswerPart:
    """Build a part with the entry's approved answer, verbatim."""
    part = replace(_build_answered_part(question, entry, entry.answer, confidence), written_by="approved")
    return replace(part, evidence=(entry,), nearness=min(1.0, confidence))


def _build_answered_part(question: Question, entry: Entry, text: str, confidence: float) -> AnswerPart:
    used = UsedEntry(entry.id, entry.version, round(confidence, 4), entry.external_id)
    sources: tuple[Source, ...] = (entry.source,) if entry.source else ()
    return AnswerPart(question.text, "answered", text, confidence, (used,), sources, written_by="extract")


def _was_just_said(question: Question, ranked: Ranked) -> bool:
    """Whether the bot's last message contains the whole unit."""
    last = next((turn.text for turn in reversed(question.history) if turn.speaker != "customer"), "")
    unit = normalise_text(ranked.unit)
    return bool(unit) and unit in normalise_text(last)


def _says_other(question: Question, ranked: Ranked) -> bool:
    """Whether a follow-up has words of its own ("zorgle"), none of which occur in the entry."""
    own = content_words(question.text) - ASKED_OF_ALL
    return bool(own) and not own & content_words(f"{title_of(ranked.entry)}\n{ranked.entry.answer}")


def _is_opposite_request(question: Question, ranked: Ranked) -> bool:
    """Whether the question asks for the opposite of the entry ("turn off", "turn on") and the text lacks it."""
    title = title_of(ranked.entry)
    return has_opposite_terms(question.text, title) and has_opposite_terms(question.text, f"{title}\n{ranked.unit}")


def _says_little(question: Question, ranked: Ranked) -> bool:
    """Whether the question has at most one content word ("purple", "and where is it now") and the entry lacks it."""
    asked = content_words(topic.made_whole(question))
    return len(asked) <= 1 and not asked & content_words(f"{title_of(ranked.entry)}\n{ranked.unit}")


def _is_about_another(question: Question, ranked: Ranked) -> bool:
    """Whether the question replaces a word of the entry's question ("fill", "store") and the text does not cover it.

    A text that begins with yes or no only answers its own question.
    """
    title = title_of(ranked.entry)
    left = content_words(question.text) - content_words(f"{title}\n{ranked.unit}")
    return bool(left) and (bool(YES_OR_NO.match(ranked.unit)) or find_difference(question.text, [title]) is not None)


def _states_otherwise(best: Ranked, rival: Ranked) -> bool:
    """Whether the rival states something else; passages of one document only conflict if their figures differ."""
    if differ_in_figures(best.unit, rival.unit):
        return True
    return best.entry.source != rival.entry.source and answers_disagree(best.unit, rival.unit)


def _list_conflicting_entries(best: Entry, candidates: Sequence[Candidate]) -> list[Entry]:
    """Return the disputed entries that share a question with ``best``."""
    asked = {normalise_text(text) for text in best.questions}
    return [c.entry for c in candidates if c.entry.disputed and asked & {normalise_text(q) for q in c.entry.questions}]


def _build_disputed_part(question: Question, ranking: Ranking, sides: Sequence[Entry]) -> AnswerPart:
    """Build a part that lists all answers to a disputed question and marks none as right."""
    best = ranking.ranked[0].entry
    part = _build_answered_part(question, best, "\n".join(f"- {side.answer}" for side in sides), ranking.first)
    used = tuple(UsedEntry(e.id, e.version, round(ranking.first, 4), e.external_id) for e in sides)
    return replace(part, outcome="suggested", title=title_of(best), entries=used, disputed=True)


def _each_once(parts: Sequence[AnswerPart]) -> list[AnswerPart]:
    """Drop repeated answers; where a repeat is only a likely answer, leave that part unknown."""
    sent: list[str] = []
    kept: list[AnswerPart] = []
    for part in parts:
        again = bool(part.text) and part.text in sent
        is_given = part.outcome != "answered" and any(_has_part_answer(text, part) for text in sent)
        sent += [part.text] if part.text else []
        if not (again or is_given):
            kept.append(part)
        elif part.outcome != "answered" and not is_given:
            kept.append(replace(_build_unknown_part(part.question), confidence=part.confidence, choices=part.choices))
    return kept


def _has_part_answer(text: str, part: AnswerPart) -> bool:
    """Whether a sent text answers this part: a figure for "how much", or the same text with most of its words."""
    if bare := BARE.fullmatch(part.question.strip().lower()):
        return not FIGURES_OF[bare[1]].isdisjoint(extract_figures(text))
    asked = content_words(part.question)
    return text == part.text and len(asked & content_words(f"{part.title}\n{text}")) >= COVERED * max(len(asked), 1)


def _build_unknown_part(text: str) -> AnswerPart:
    return AnswerPart(text, "unknown", "", 0.0)


def _build_utterances(part: AnswerPart) -> list[Utterance]:
    said = [Utterance("customer", part.question)]
    return [*said, Utterance("bot", part.text)] if part.text else said


def merge_answer_parts(parts: Sequence[AnswerPart], retrieval_ms: float = 0.0, generation_ms: float = 0.0) -> Answer:
    """Merge parts into one answer, as sure as the least sure part with a text, else the best of the others."""
    worded = [p for p in parts if p.text]
    grades = [p.outcome for p in worded] or [max((p.outcome for p in parts), key=GRADES.__getitem__)]
    outcome: AnswerOutcome = min(grades, key=GRADES.__getitem__)
    return Answer(
        outcome=outcome,
        parts=tuple(parts),
        confidence=min((p.confidence for p in worded), default=0.0),
        retrieval_ms=retrieval_ms,
        generation_ms=generation_ms,
        entries=tuple(dict.fromkeys(e for p in worded for e in p.entries)),
        sources=tuple(dict.fromkeys(s for p in worded for s in p.sources)),
    )
