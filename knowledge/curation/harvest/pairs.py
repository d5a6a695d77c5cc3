"""Question and answer pairs in a conversation: agents' sentences, verbatim, if they hold for every customer."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import dropwhile, takewhile

from core.language import language_of
from core.llm.masking import Masker
from knowledge.answers.injection import OrderDetector
from knowledge.curation.harvest.llm_reader import ModelProposal
from knowledge.curation.harvest.name_classifier import NameSense
from knowledge.curation.harvest.privacy import Setting, find_personal_detail, to_a_machine
from knowledge.curation.harvest.questions import is_question_or_wish, needs_context, not_askable, stands_alone
from knowledge.curation.harvest.specificity import follows_on, not_general
from knowledge.curation.harvest.temporal import without_salutation
from knowledge.curation.harvest.transcript import Exchange, Transcript, TranscriptLine
from knowledge.curation.harvest.vocabulary import CompanyVocabulary
from knowledge.relevance.extract import sentences_of
from knowledge.text.facts import extract_facts, extract_proper_names
from knowledge.text.features import content_words
from knowledge.text.names import SERVICES, mask_names
from knowledge.text.names import matches_name as is_named
from knowledge.text.topic import VENUE, subject_of
from knowledge.types import Embeds, Utterance

LANGUAGE = "en"
"""The only language that the rules support; other conversations yield no pairs."""
LONGEST_ANSWER = 600
LONGEST_QUESTION = 240
FEWEST_WORDS = 2
"""The minimum number of content words of an answer; "Yes." answers nothing by itself."""
NEAREST = 0.45
"""The minimum cosine similarity of question and answer."""
NEAREST_APPROVED = 0.2
"""The same for conversations that someone approved."""
ABOUT, ABOUT_THE_SAME = 0.3, 0.45
"""The minimum similarity of a sentence to the question, or to the sentence nearest to it, to join the answer."""
REPEATED = 0.8
"""The similarity from which the customer's next message repeats the question."""
TURNS_KEPT = 4
_YES_NO = re.compile(r"(?:yes|no|correct|exactly|absolutely|certainly)\b", re.IGNORECASE)
_REFUSED = re.compile(
    r"^\W*(?:no\b(?! (?:problem|worries|thanks|thank|more|need))|nope|wrong|not (?:true|helpful|really|what|good|an? answer|correct|acceptable)|that(?:'|’)?s not|that is not|that does(?:n't| not)|"  # noqa: RUF001
    r"(?:still|already|it) (?:doesn't|does not|didn't|not|tried|did|done)|(?:i )?(?:tried|did) that|but\b|you (?:didn't|did not|don't|are not|aren't|clearly|guys)|are you (?:serious|kidding)|seriously|"
    r"so (?:you|why|what)|why\b|wow\b|lol\b|really\?|i (?:already|don't want|just told|asked|did))",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class QuestionAnswerPair:
    """A question that others may ask, with an agent's answer."""

    question: str
    answer: str
    conversation_id: str
    message_id: str
    """The first of the agent's messages in the answer."""
    subject: str | None = None
    context: tuple[Utterance, ...] = ()
    language: str = LANGUAGE


@dataclass
class PairFinder:
    """Finds the pairs of a conversation; ``refused`` counts the reasons for rejected sentences and pairs."""

    embedder: Embeds
    masker: Masker
    orders: OrderDetector
    refused: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._sense = NameSense(self.embedder)

    def pairs(
        self,
        transcript: Transcript,
        house: CompanyVocabulary,
        subjects: Sequence[str] = (),
        proposals: Sequence[ModelProposal] | None = None,
    ) -> list[QuestionAnswerPair]:
        """Return at most one pair per exchange, or, with a model's ``proposals``, only those that pass the checks."""
        exchanges = list(transcript.exchanges())
        said = " ".join(each.text for exchange in exchanges for each in exchange.answered)
        if not exchanges or language_of(said) != LANGUAGE:
            return []
        setting = Setting.of(transcript, house)
        found = (
            [self._build_pair(exchange, setting, subjects) for exchange in exchanges]
            if proposals is None
            else [self._build_pair(exchanges[p.exchange], setting, subjects, p) for p in proposals]
        )
        if transcript.approved and not any(found[-1:]):
            found[-1:] = [self._as_approved(exchanges[-1], setting, subjects)]
        return [pair for pair in found if pair]

    def _build_pair(
        self, exchange: Exchange, setting: Setting, subjects: Sequence[str], proposal: ModelProposal | None = None
    ) -> QuestionAnswerPair | None:
        answered = [s for s in exchange.answered if not self.masker.found(s.text)]
        if not answered or any(s.cut_off for s in exchange.answered) or _is_refused(exchange.after):
            return self._refuse_pair("broken off, personal or refused")
        if any(to_a_machine(s.text) for s in exchange.answered):
            return self._refuse_pair("gives orders")
        kept = self._select_general_sentences(answered, setting)
        if proposal:
            chosen = set(map(without_salutation, proposal.sentences))
            kept = [sentence for sentence in kept if sentence in chosen]
            questions = self._check_proposed_question(proposal.question, exchange, setting)
        else:
            questions = self._list_candidate_questions(exchange, setting)
        if not kept or not questions:
            return self._refuse_pair("nothing general answered" if questions else "nothing asked")
        subject = self._find_subject(exchange, kept, setting, subjects)
        question, answer, near = self._match_answer(questions, kept, subject)
        if (
            near < (NEAREST_APPROVED if setting.approved else NEAREST)
            or self._compute_similarity(question, exchange.after) >= REPEATED
        ):
            return self._refuse_pair("question and answer do not belong together")
        pair = self._place_pair((question, answer), exchange, setting, subject)
        if pair is None or not self._is_clean(pair, answered, exchange, setting):
            return self._refuse_pair("not understood alone, personal, or gives orders")
        return pair

    def _as_approved(self, exchange: Exchange, setting: Setting, subjects: Sequence[str]) -> QuestionAnswerPair | None:
        """Build a pair from an approved exchange, verbatim, without later questions, personal data or instructions."""
        question = without_salutation(exchange.asked[-1].text)
        sentences = [s for each in exchange.answered for s in sentences_of(each.text)]
        kept = [s for n, s in enumerate(sentences) if n == 0 or not s.endswith("?")]
        answer = " ".join(kept)
        if not question or len(question) > LONGEST_QUESTION or len(answer) > LONGEST_ANSWER:
            return None
        subject = self._find_subject(exchange, kept, setting, subjects)
        pair = self._place_pair((question, answer), exchange, setting, subject)
        return pair if pair and self._is_clean(pair, exchange.answered, exchange, setting) else None

    def _select_general_sentences(self, answered: Sequence[TranscriptLine], setting: Setting) -> list[str]:
        """Return the sentences that hold for every customer; a sentence that continues another is kept with it."""
        kept: list[str] = []
        before_kept = False
        for sentence in (without_salutation(s) for each in answered for s in sentences_of(each.text)):
            if len(sentence.split()) < FEWEST_WORDS and not _YES_NO.match(sentence):
                before_kept = False  # "Mark." remains of "Hi, Mark."
                continue
            why = not_general(sentence, setting) or (None if before_kept or not follows_on(sentence) else "follows on")
            before_kept = why is None
            if why:
                self.refused[why.partition(":")[0]] += 1
            else:
                kept.append(sentence)
        return kept

    def _list_candidate_questions(self, exchange: Exchange, setting: Setting) -> list[str]:
        """Return candidate questions; those asked before the bot spoke count only if there are none since."""
        last = _last_run(exchange)
        asked = [s for s in exchange.asked if not to_a_machine(s.text)]
        newest = list(self._extract_questions([s for s in asked if s in last], setting))
        if newest or setting.approved:
            return [question for question in newest if question]
        return [
            question for question in self._extract_questions([s for s in asked if s not in last], setting) if question
        ]

    def _check_proposed_question(self, question: str, exchange: Exchange, setting: Setting) -> list[str]:
        """Accept a model's wording if it is similar to the customer's messages and adds no facts or names."""
        spoken = " ".join(said.text for said in (*exchange.before, *exchange.answered))
        said, stated = extract_facts(spoken), extract_facts(question)
        added = stated.numbers - said.numbers or stated.addresses - said.addresses
        long = len(question) > LONGEST_QUESTION or len(sentences_of(question)) > 1
        why = not_askable(question, setting) or ("too long" if long else None)
        if (
            why
            or added
            or not set(extract_proper_names(question)) <= set(extract_proper_names(spoken))
            or not is_question_or_wish(question)
        ):
            self.refused[f"a model's question: {(why or 'adds something').partition(':')[0]}"] += 1
            return []
        return [question] if self._compute_similarity(question, exchange.asked) >= NEAREST else []

    def _extract_questions(self, asked: Sequence[TranscriptLine], setting: Setting) -> Iterator[str | None]:
        """Yield each question with its context, newest message first; None for one that applies to this customer only."""
        for said in reversed(asked):
            sentences = [s for s in map(without_salutation, sentences_of(said.text)) if s]
            for n, sentence in enumerate(sentences):
                if not is_question_or_wish(sentence):
                    continue
                whole = " ".join(sentences[max(0, n - 1) : n + 1]) if needs_context(sentence) else sentence
                why = not_askable(whole, setting) or ("too long" if len(whole) > LONGEST_QUESTION else None)
                if why:
                    self.refused[f"question: {why.partition(':')[0]}"] += 1
                if why != "asks nothing":
                    yield None if why else whole

    def _match_answer(
        self, questions: Sequence[str], kept: Sequence[str], subject: str | None
    ) -> tuple[str, str, float]:
        """Return the best-matching question, the sentences that answer it and their similarity."""
        answer = " ".join(kept)
        # mask the subject: a shared name would make any texts similar
        vectors = self.embedder.embed([mask_names(text, [subject]) for text in (answer, *questions, *kept)])
        asked, sentences = vectors[1 : len(questions) + 1], vectors[len(questions) + 1 :]
        best = int((asked @ vectors[0]).argmax())
        near = sentences @ asked[best]
        beside = sentences @ sentences[int(near.argmax())]
        chosen = [
            n for n in range(len(kept)) if near[n] >= ABOUT or beside[n] >= ABOUT_THE_SAME or _YES_NO.match(kept[n])
        ]
        while sum(len(kept[n]) + 1 for n in chosen) > LONGEST_ANSWER:
            chosen.remove(min(chosen, key=lambda n: near[n]))
        chosen = [n for n in chosen if n - 1 in chosen or not follows_on(kept[n])]
        return questions[best], " ".join(kept[n] for n in chosen), float(max(asked[best] @ vectors[0], near.max()))

    def _compute_similarity(self, question: str, said: Sequence[TranscriptLine]) -> float:
        """Return the highest cosine similarity of a question to a message, or 0."""
        vectors = self.embedder.embed([question, *(s.text for s in said)])
        return float((vectors[1:] @ vectors[0]).max(initial=0.0))

    def _place_pair(
        self, texts: tuple[str, str], exchange: Exchange, setting: Setting, subject: str | None
    ) -> QuestionAnswerPair | None:
        """Build the pair, with its subject and the turns before if it needs them to be understood."""
        question, answer = texts
        alone = stands_alone(question)
        needed = not alone or bool(VENUE.search(f"{question} {answer}"))
        if needed and subject is None:
            return None
        named = bool(subject) and subject not in SERVICES.values() and is_named(f"{question} {answer}", subject or "")
        about = subject if needed or named or setting.approved else None
        context = tuple(self._collect_context(question, exchange, setting)) if about else ()
        if len(content_words(answer)) < FEWEST_WORDS:
            return None
        begins = sentences_of(answer)[0][1:40]
        first = next(s for s in exchange.answered if begins in " ".join(s.text.split()))
        return QuestionAnswerPair(question, answer, setting.conversation_id, first.message_id, about, context)

    def _find_subject(
        self, exchange: Exchange, kept: Sequence[str], setting: Setting, subjects: Sequence[str]
    ) -> str | None:
        """Return the subject named before the answer, if others than this customer use it or the conversation is approved."""
        turns = [
            Utterance(s.speaker, s.text)
            for s in exchange.before
            if setting.approved or not self._is_private(s, setting)
        ]
        subject = subject_of([*turns, Utterance("agent", " ".join(kept))], subjects)
        said = setting.approved or any(is_named(turn.text, subject) for turn in turns if subject)
        return subject if said and subject and setting.vouches(subject) else None

    def _collect_context(self, question: str, exchange: Exchange, setting: Setting) -> Iterator[Utterance]:
        """Yield the turns before the question, without private messages and instructions."""
        asks_it = (
            n for n, s in enumerate(exchange.before) if sentences_of(question)[-1][1:] in " ".join(s.text.split())
        )
        at = max(asks_it, default=len(exchange.before))
        for said in exchange.before[max(0, at - TURNS_KEPT) : at]:
            if not self._is_private(said, setting) and not self._gives_orders(said.text):
                yield Utterance(said.speaker, said.text)

    def _is_private(self, said: TranscriptLine, setting: Setting) -> bool:
        """Whether a message may contain personal data of one customer."""
        return bool(
            self.masker.found(said.text)
            or find_personal_detail(said.text, setting)
            or self._has_unknown_name(said.text, setting)
        )

    def _is_clean(
        self, pair: QuestionAnswerPair, answered: Sequence[TranscriptLine], exchange: Exchange, setting: Setting
    ) -> bool:
        """Whether a pair has no personal data and no instructions, and the agent said every fact in it."""
        texts = [pair.question, pair.answer, pair.subject or ""]
        spoken = " ".join(s.text for s in answered)
        asked = " ".join(s.text for s in exchange.asked)
        if any(self.masker.found(text) for text in texts) or self._gives_orders(
            pair.question, pair.answer, spoken, asked
        ):
            return False
        if self._has_unknown_name(" ".join(texts), setting):
            return False
        said, stated = extract_facts(spoken), extract_facts(pair.answer)
        return (
            stated.numbers <= said.numbers
            and stated.addresses <= said.addresses
            and stated.words <= said.words
            and set(extract_proper_names(pair.answer)) <= set(extract_proper_names(spoken))
            and all(sentence[1:] in " ".join(spoken.split()) for sentence in sentences_of(pair.answer))
        )

    def _has_unknown_name(self, text: str, setting: Setting) -> bool:
        """Whether a text has a word that sounds like a name and is not the company's."""
        return not all(setting.knows(name) for name in self._sense.names(text))

    def _gives_orders(self, *texts: str) -> bool:
        return any(self.orders.gives_orders(text) for text in texts)

    def _refuse_pair(self, why: str) -> QuestionAnswerPair | None:
        self.refused[why] += 1
        return None


def _last_run(exchange: Exchange) -> list[TranscriptLine]:
    """Return the customer's last messages before the answer; the bot may have answered earlier ones."""
    before = list(dropwhile(lambda s: s.speaker != "customer", reversed(exchange.before)))
    return list(takewhile(lambda s: s.speaker == "customer", before))[::-1]


def _is_refused(after: Sequence[TranscriptLine]) -> bool:
    return bool(after and _REFUSED.search(after[0].text))
