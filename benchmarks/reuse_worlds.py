"""Developer data as worlds of entries and new phrasings, half of which (by hash) train what decides about reuse."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Literal

from benchmarks.public_data import read_rows
from benchmarks.split import part_of
from knowledge.curation.conversation_import import content_of, parse_conversations
from knowledge.text.features import normalise_text
from knowledge.text.topic import subjects_of
from knowledge.types import SPEAKERS, Entry, Question, Utterance

Part = Literal["train", "report"]
SMALL_TALK = frozenset(["affirm", "deny", "greet", "goodbye", "goodbyes", "thank", "thankyou", "inform"])
ANSWERED = {
    "financial_demo": "check_human ask_transfer_charge check_balance check_recipients help human_handoff pay_cc check_earnings",
    "helpdesk_assistant": "password_reset open_incident problem_email incident_status bot_challenge human_handoff help",
    "nlu_training_data": "show_accounts show_credit_cards show_statement interest_rate lost_card change_pin retirement_plan "
    "online_banking locate_car_dealer internet_is_slow_fixing_internet no_internet_fixing_internet no_wifi_fixing_internet "
    "need_new_router_fixing_internet locate_restaurant table_reservation show_my_order_status bot_challenge "
    "ask_forecast_weather",
}
"""Intents of Rasa's bots that one answer can serve."""
PHRASINGS = 3
UNANSWERED = 10
"""So many messages of each other intent are asked, too."""
SEED = 7


@dataclass(frozen=True)
class Ask:
    """A new phrasing with the entries that answer it; none: nobody knows."""

    question: Question
    right: frozenset[str]
    part: Part


@dataclass(frozen=True)
class World:
    """One knowledge base with what is asked of it."""

    name: str
    entries: tuple[Entry, ...]
    asks: tuple[Ask, ...]


def worlds(data: Path) -> Iterator[World]:
    """The sets that are reported on. StackFAQ trains nothing (its text is CC BY-SA)."""
    yield _new_phrasings(_stackfaq(data / "stackfaq"))
    yield _new_phrasings(_faq_similarity(data / "faq_similarity" / "dev.jsonl"))
    for name, intents in ANSWERED.items():
        yield _new_phrasings(_bot(name, data / "rasa_bots" / f"{name}.jsonl", frozenset(intents.split())))
    yield _new_phrasings(_growth(data / "kb_growth"))


def training_worlds(data: Path) -> Iterator[World]:
    """Sets that only train: finely parted intents, some with an entry and some without."""
    yield _new_phrasings(_intents("banking77", data / "banking77" / "train.jsonl", 65, 800))
    yield _new_phrasings(_intents("clinc150", data / "clinc150" / "train.jsonl", 110, 600))


def _new_phrasings(world: World) -> World:
    """Without what is asked in an entry's own words, or is put under two answers."""
    known = {normalise_text(question) for entry in world.entries for question in entry.questions}
    asks = [ask for ask in world.asks if normalise_text(ask.question.text) not in known]
    return World(world.name, world.entries, tuple(asks))


def _part(*key: str) -> Part:
    return "train" if int(sha256("|".join(key).encode()).hexdigest(), 16) % 2 else "report"


def _ask(text: str, right: Sequence[str], part: Part) -> Ask:
    return Ask(Question("world", text), frozenset(right), part)


def _entry(name: str, questions: Sequence[str], answer: str) -> Entry:
    return Entry(name, 1, "faq", tuple(questions), answer)


def _stackfaq(folder: Path) -> World:
    entries = [_entry(row["doc_id"], [row["question"]], row["answers"][0]) for row in read_rows(folder / "faq.jsonl")]
    asks = [_ask(row["query"], row["target_doc_ids"], "report") for row in read_rows(folder / "queries_dev.jsonl")]
    return World("stackfaq", tuple(entries), tuple(asks))


def _faq_similarity(file: Path) -> World:
    rows = read_rows(file)
    right: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        right[row["question_2"]] += [row["question_1"]] if row["similar"] else []
    entries = [_entry(text, [text], f"({text})") for text in dict.fromkeys(row["question_1"] for row in rows)]
    asks = [_ask(text, known, _part("faq", min(known, default=text))) for text, known in right.items()]
    return World("faq_similarity", tuple(entries), tuple(asks))


def _bot(name: str, file: Path, answered: frozenset[str]) -> World:
    by_intent: dict[str, list[str]] = defaultdict(list)
    intents_of: dict[str, set[str]] = defaultdict(set)
    for row in read_rows(file):
        by_intent[row["intent"]].append(row["text"])
        intents_of[row["text"]].add(row["intent"])
    entries, asks = [], []
    for intent, said in by_intent.items():
        texts = [text for text in dict.fromkeys(said) if len(intents_of[text]) == 1]
        random.Random(SEED).shuffle(texts)
        if intent in answered:
            entries.append(_entry(intent, texts[:PHRASINGS], f"({intent})"))
            asks += [_ask(text, [intent], _part(name, intent)) for text in texts[PHRASINGS:]]
        elif intent.removesuffix("_smalltalk") not in SMALL_TALK:
            asks += [_ask(text, [], _part(name, intent)) for text in texts[:UNANSWERED]]
    return World(name, tuple(entries), tuple(asks))


def _growth(folder: Path) -> World:
    seeds = folder / "seed_conversations.jsonl"
    conversations, _ = parse_conversations(seeds.read_text(encoding="utf-8").splitlines())
    subjects = subjects_of([conversation.turns for conversation in conversations])
    entries = []
    for conversation, subject, row in zip(conversations, subjects, read_rows(seeds), strict=True):
        content = content_of(conversation, subject)
        entries.append(
            Entry(row["doc_id"], 1, "faq", content.questions, content.answer, subject=subject, context=content.context)
        )
    asks = []
    for probe in read_rows(folder / "probes.jsonl"):
        part = part_of(probe["dialogue_id"], probe["target_doc_ids"][0])
        if part == "train":  # the matcher learnt from these, so it is surer of them than of others
            continue
        turns = tuple(Utterance(SPEAKERS[turn["speaker"]], turn["text"]) for turn in probe["turns"])
        right = [probe["seed_doc_id"]] if probe["expect"] == "answer" else []
        part_here: Part = "train" if part == "tune" else "report"
        asks.append(Ask(Question("world", turns[-1].text, turns[:-1]), frozenset(right), part_here))
    return World("kb_growth", tuple(entries), tuple(asks))


def _intents(name: str, file: Path, known: int, asked: int) -> World:
    draw = random.Random(SEED)
    by_intent: dict[str, list[str]] = defaultdict(list)
    for row in read_rows(file):
        by_intent[row["intent"]].append(row["text"])
    order = sorted(intent for intent in by_intent if intent != "oos")
    draw.shuffle(order)
    entries, asks = [], []
    for place, intent in enumerate(order):
        texts = list(dict.fromkeys(by_intent[intent]))
        draw.shuffle(texts)
        own = draw.choice([1, 1, 2, 3])
        if place < known:
            entries.append(_entry(intent, texts[:own], f"({intent})"))
            asks += [_ask(text, [intent], "train") for text in texts[own : own + 14]]
        else:
            asks += [_ask(text, [], "train") for text in texts[:8]]
    draw.shuffle(asks)
    return World(name, tuple(entries), tuple(asks[:asked]))
