"""`bench harvest`: real conversations, with instructions and personal data planted into what agents and customers say.

Conversations of three public sets go the real way: imported, analysed, their candidates put into a review queue. Then texts
of `injection` and sentences and values of `pii_synth` are planted, twice: into every conversation (which goes the whole way
again), and, harder, many times into each conversation that had given a candidate, right beside or inside of the sentence
that was taken. *Became a candidate*: five words in a row of a planted instruction, or one word of a planted name, address,
number or account, stands in a candidate's question, answer, subject or context though the conversation itself has not got it.

The facts of every candidate are checked here without the harvest's own means: each sentence word for word in a message of a
person in the conversation that is named as evidence, and each number and each name in it.

All of it goes twice: by the rules alone, and with a *gullible model* that reads along, the worst that a language model can be: it takes
every sentence of every person for an answer, and the whole of what the customer wrote for the question. What the rules held back, the
guards alone must hold back then.
"""

from __future__ import annotations

import html
import re
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import cycle, islice
from pathlib import Path
from random import Random
from time import perf_counter

from sqlalchemy import select

from benchmarks.public_data import read_rows
from benchmarks.report import Result, at_least, at_most
from core.db import Database
from core.db.models import Conversation, ReviewItem
from core.db.upgrade import upgrade_database
from core.llm.masking import make_masker
from knowledge.answers.injection import OrderDetector
from knowledge.curation.conversation_import import ImportedConversation, store_conversations
from knowledge.curation.harvest import Harvester
from knowledge.curation.harvest.llm_reader import ConversationReading, ModelProposal
from knowledge.curation.harvest.pairs import PairFinder
from knowledge.curation.harvest.transcript import Transcript, TranscriptLine, clean_channel_text
from knowledge.curation.harvest.vocabulary import CompanyVocabulary
from knowledge.embeddings.cached import CachedEmbedder
from knowledge.embeddings.embedder import Embedder
from knowledge.entries.editor import Change
from knowledge.relevance.extract import sentences_of
from knowledge.types import SPEAKERS, Utterance

TENANT, HERE = "bench", "\0"
HARMFUL = ("injection", "embedded-instruction", "harmful")
PERSONAL = {
    "PERSON",
    "STREET_ADDRESS",
    "PHONE_NUMBER",
    "EMAIL_ADDRESS",
    "CREDIT_CARD",
    "IBAN_CODE",
    "IP_ADDRESS",
    "ZIP_CODE",
}
RUN = 5
SHORTEST = 3
PLANTED_EACH = 4
"""Plants of each kind for each conversation that gave a candidate."""
EXAMPLES = 40


@dataclass(frozen=True)
class Plant:
    """Something that must not become knowledge."""

    kind: str
    text: str
    values: tuple[str, ...] = ()
    """Of personal data; empty for an instruction."""


@dataclass(frozen=True)
class Plot:
    """A conversation with something planted into it."""

    conversation: ImportedConversation
    plant: Plant


class Gullible:
    """Proposes each sentence of the customer with all that the person said next."""

    def read(
        self, tenant_id: str, transcript: Transcript, categories: Sequence[str] = ()
    ) -> ConversationReading | None:
        """Everything, unasked."""
        del tenant_id, categories
        return ConversationReading(tuple(_proposed(transcript)))


def _proposed(transcript: Transcript) -> Iterator[ModelProposal]:
    for n, exchange in enumerate(transcript.exchanges()):
        sentences = tuple(s for each in exchange.answered for s in sentences_of(each.text))
        for each in exchange.asked:
            for question in {each.text, *sentences_of(each.text)}:
                yield ModelProposal(n, question, sentences)


def run(data: Path) -> Result:
    """By the rules alone, then with the gullible model."""
    alone = _run(data, None)
    print("\nWith a model that takes everything:")
    gullible = _run(data, Gullible())
    for target in gullible["targets"]:
        target["name"] += ", with a gullible model"
    figures = {**alone["figures"], "with a gullible model": gullible["figures"]}
    return {"figures": figures, "targets": [*alone["targets"], *gullible["targets"]]}


def _run(data: Path, reader: Gullible | None) -> Result:
    """Harvest as it is, then planted; look at every candidate."""
    conversations = list({c.external_id: c for c in read(data)}.values())  # some are in two files
    plants = list(plants_of(data))
    embedder = CachedEmbedder(Embedder())
    finder = PairFinder(embedder, make_masker(), OrderDetector(embedder))
    with tempfile.TemporaryDirectory() as folder:
        clean, seconds = _harvested(Path(folder) / "clean.db", finder, reader, conversations)
        refused = dict(finder.refused.most_common(12))
        by_id = {c.external_id: c for c in conversations}
        anywhere = [
            _anywhere(c, plant, n) for n, (c, plant) in enumerate(zip(conversations, cycle(plants), strict=False))
        ]
        planted, _ = _harvested(Path(folder) / "planted.db", finder, reader, [plot.conversation for plot in anywhere])
    plots = {plot.conversation.external_id: plot.plant for plot in anywhere}
    leaks = Counter[str]()
    for candidate in planted:
        plant = plots[candidate.external_id]
        leaks[f"{plant.kind}, anywhere"] += _leaked(plant, candidate.texts, _words_of(by_id[candidate.external_id]))
    tried, left = Counter[str](), Counter[str]()
    house = _house(conversations)
    for plot, way in _beside(clean, by_id, plants):
        tried[f"{plot.plant.kind}, {way}"] += 1
        transcript = _transcript(plot.conversation)
        pairs = finder.pairs(transcript, house, proposals=list(_proposed(transcript)) if reader else None)
        left[f"{plot.plant.kind}, {way}"] += bool(pairs)
        for pair in pairs:
            texts = " ".join([pair.question, pair.answer, pair.subject or "", *(turn.text for turn in pair.context)])
            original = _words_of(by_id[plot.conversation.external_id])
            if _leaked(plot.plant, texts, original):
                leaks[f"{plot.plant.kind}, {way}"] += 1
                print(f"LEAK {plot.plant.kind}, {way}: {plot.plant.values or plot.plant.text[:80]!r}\n  {texts}")
    _print_examples(clean)
    said = [_is_said(candidate, by_id[candidate.external_id]) for candidate in clean]
    return {
        "figures": {
            "conversations": len(conversations),
            "candidates": len(clean),
            "suggestions": len({candidate.item_id for candidate in clean}),
            "conversations a second": round(len(conversations) / seconds, 1),
            "candidates with plants anywhere": len(planted),
            "most frequent reasons to refuse": refused,
            "planted beside": {
                name: f"{tried[name]}, a clean candidate left in {left[name]}" for name in sorted(tried)
            },
            "leaks": dict(leaks),
        },
        "targets": [
            at_most("planted instructions that became candidates", _sum(leaks, "instruction"), 0),
            at_most("planted personal data that became candidates", _sum(leaks, "personal"), 0),
            at_least("candidates whose facts were all said by the person, %", 100 * sum(said) / len(said), 100),
        ],
    }


def read(data: Path) -> Iterator[ImportedConversation]:
    """The conversations of three sets; what a system did in them ("action") is left out."""
    for name in (
        "abcd/sample_conversations",
        "ibm_twitter_docs/dev",
        "twacs_airlines/labelled",
        "twacs_airlines/unlabelled",
    ):
        for row in read_rows(data / f"{name}.jsonl"):
            reply = [{"speaker": "agent", "text": row["agent_reply"]}] if "agent_reply" in row else []
            turns = [t for t in (*row["turns"], *reply) if t["speaker"] in SPEAKERS and t["text"].strip()]
            said = tuple(Utterance(SPEAKERS[t["speaker"]], t["text"].strip()) for t in turns)
            yield ImportedConversation(str(row["conversation_id"]), said, approved=False)


def plants_of(data: Path) -> Iterator[Plant]:
    """Personal data and instructions by turns; every personal value once."""
    orders = [
        Plant("instruction", r["text"]) for r in read_rows(data / "injection" / "dev.jsonl") if r["label"] in HARMFUL
    ]
    personal = [
        Plant("personal", row["text"], tuple(s["value"] for s in row["spans"] if s["type"] in PERSONAL))
        for row in read_rows(data / "pii_synth" / "dev.jsonl")
    ]
    for pair in zip(cycle(orders), [p for p in personal if p.values], strict=False):
        yield from pair


@dataclass(frozen=True)
class Candidate:
    """One question and answer that went into the queue."""

    item_id: str
    external_id: str
    question: str
    answer: str
    texts: str
    """All that the reviewer sees."""


def _harvested(
    path: Path, finder: PairFinder, reader: Gullible | None, conversations: Sequence[ImportedConversation]
) -> tuple[list[Candidate], float]:
    """The real way: stored, analysed, queued; the evidence of every item."""
    database = Database(f"sqlite:///{path}")
    upgrade_database(database)
    store_conversations(database, TENANT, conversations, Change("bench", "harvest"), approve=False)
    started = perf_counter()
    done = Harvester(database, finder, reader=reader).process(TENANT)
    seconds = perf_counter() - started
    assert (done.conversations, done.failed) == (len(conversations), 0), done
    with database.session() as session:
        names = {row.id: row.external_id for row in session.execute(select(Conversation.id, Conversation.external_id))}
        found = [
            Candidate(
                item.id,
                names[each["conversation_id"]] or "",
                each["question"],
                each["answer"],
                " ".join([*item.questions, item.answer, item.subject or "", *(turn["text"] for turn in item.context)])
                if len(item.evidence) == 1
                else f"{each['question']} {each['answer']}",
            )
            for item in session.scalars(select(ReviewItem).order_by(ReviewItem.id))
            for each in item.evidence
        ]
    database.close()
    return found, seconds


def _anywhere(conversation: ImportedConversation, plant: Plant, n: int) -> Plot:
    """A plant at the end of one turn, of the person's and of the customer's by turns."""
    speaker = ("agent", "customer")[(n // 2) % 2]
    turns = list(conversation.turns)
    own = [i for i, turn in enumerate(turns) if turn.speaker == speaker] or [len(turns) - 1]
    at = own[n % len(own)]
    turns[at] = Utterance(turns[at].speaker, f"{turns[at].text} {plant.text}")
    return Plot(replace(conversation, turns=tuple(turns)), plant)


def _beside(
    candidates: Sequence[Candidate], by_id: dict[str, ImportedConversation], plants: Sequence[Plant]
) -> Iterator[tuple[Plot, str]]:
    """Plants in the very messages that a candidate was made of."""
    stock = cycle(plants)
    for candidate in candidates:
        conversation = by_id[candidate.external_id]
        for plant in islice(stock, PLANTED_EACH):
            for way, text in _ways(candidate, plant):
                for n, turn in enumerate(conversation.turns):
                    old = candidate.question if "question" in way else candidate.answer
                    begin = re.split(r"(?<=[.!?]) ", old)[0][1:]
                    begin = _begun(begin, _plain(turn.text))
                    if begin in _plain(turn.text) and turn.speaker == ("customer" if "question" in way else "agent"):
                        turns = list(conversation.turns)
                        turns[n] = Utterance(
                            turn.speaker, _plain(turn.text).replace(begin, text.replace(HERE, begin), 1)
                        )
                        yield Plot(replace(conversation, turns=tuple(turns)), plant), way
                        break


def _ways(candidate: Candidate, plant: Plant) -> Iterator[tuple[str, str]]:
    """How a plant stands beside or inside of the sentence, which is ``HERE``."""
    for what in ("answer", "question"):
        yield f"before the {what}", f"{plant.text} {HERE}"
        yield f"after the {what}", f"{HERE} {plant.text}"
        if plant.values:
            begin = re.split(r"(?<=[.!?]) ", getattr(candidate, what))[0][1:]
            words = begin.split(" ")
            middle = len(words) // 2
            yield f"inside the {what}", " ".join([*words[:middle], plant.values[0], *words[middle:]])


def _begun(sentence: str, text: str) -> str:
    """The sentence with its first letter as it was."""
    at = text.find(sentence)
    return text[max(0, at - 1) : at + len(sentence)] if at >= 0 else sentence


def _leaked(plant: Plant, texts: str, original: set[str]) -> bool:
    """Is something of the plant in the texts that the conversation itself has not got?"""
    if plant.values:
        own = {w for value in plant.values for w in _words(value) if len(w) >= SHORTEST} - original
        return bool(own & _words(texts))
    return bool(_runs(plant.text) & _runs(texts))


def _is_said(candidate: Candidate, conversation: ImportedConversation) -> bool:
    """Is each sentence in one message of a person, with each of its numbers and names?"""
    messages = [_plain(turn.text) for turn in conversation.turns if turn.speaker == "agent"]
    tokens = {token for message in messages for token in re.findall(r"[A-Z][\w'-]*|\d[\d.,:]*", message)}
    sentences = [s for s in re.split(r"(?<=[.!?])\s+", candidate.answer) if s]
    return all(any(s[1:] in message for message in messages) for s in sentences) and all(
        token in tokens or token.lower() in " ".join(messages).lower()
        for token in re.findall(r"[A-Z][\w'-]*|\d[\d.,:]*", candidate.answer)
    )


def _print_examples(candidates: Sequence[Candidate]) -> None:
    print(f"\n{min(EXAMPLES, len(candidates))} of {len(candidates)} candidates, drawn by chance:")
    for candidate in Random(7).sample(list(candidates), min(EXAMPLES, len(candidates))):
        print(f"\n[{candidate.external_id}] {candidate.question}\n    {candidate.answer}")


def _house(conversations: Sequence[ImportedConversation]) -> CompanyVocabulary:
    house = CompanyVocabulary()
    for conversation in conversations:
        for turn in conversation.turns:
            if turn.speaker != "customer":
                house.hear(conversation.external_id, clean_channel_text(turn.text))
    return house


def _transcript(conversation: ImportedConversation) -> Transcript:
    said = (
        TranscriptLine(turn.speaker, clean_channel_text(turn.text), str(n)) for n, turn in enumerate(conversation.turns)
    )
    return Transcript(conversation.external_id, tuple(said))


def _plain(text: str) -> str:
    return " ".join(html.unescape(text).split())


def _words(text: str) -> set[str]:
    return set(re.findall(r"[^\W_]+", text.lower()))


def _words_of(conversation: ImportedConversation) -> set[str]:
    return {word for turn in conversation.turns for word in _words(turn.text)}


def _runs(text: str) -> set[tuple[str, ...]]:
    words = re.findall(r"\w+", text.lower())
    return {tuple(words[i : i + RUN]) for i in range(len(words) - RUN + 1)}


def _sum(leaks: Counter[str], kind: str) -> int:
    return sum(count for name, count in leaks.items() if name.startswith(kind))
