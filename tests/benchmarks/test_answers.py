"""What customers get who ask the demo's help centre, held by floors; and that the scorer says what it should."""

from __future__ import annotations

import importlib.util
import json
from dataclasses import replace
from itertools import product
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from benchmarks.answers import evidence, floors, running
from benchmarks.answers.figures import Asked, line, misses, shares
from benchmarks.answers.own import OwnQuestion
from benchmarks.answers.score import Case, Reply, facts_met, is_captured, is_shown, verdict
from benchmarks.answers.worlds import DEMO_QUESTIONS, PARAPHRASES, REPORTED, TUNED, demo_world, read_cases
from console.demo import HELP_CENTRE
from knowledge.text.features import content_words
from knowledge.types import Entry
from testing.instance import Instance

PUBLIC = Path(__file__).parents[3] / "shared/data/help_centres"
OUTCOMES = ("answered", "suggested", "clarified", "unknown", "handoff", "action")
DELIVERY = Case(
    "1",
    (("customer", "when will it be here"),),
    expects_answer=True,
    facts=(("3 ?(-|to) ?5",),),
    never=("7 days",),
    heading="How long does delivery take?",
)
NOWHERE = Case("2", (("customer", "do you sell cars"),), expects_answer=False)


def test_customers_of_the_demo_shop_get_right_answers(bot: Instance) -> None:
    world = demo_world()
    cases = floors.fixed_part(world)
    assert len(cases) == floors.ANSWERABLE + floors.UNANSWERABLE
    with running.opened(bot) as asked_bot:
        asked = [Asked(world, case, asked_bot.ask(case)) for case in cases]
    figures = shares(asked)
    seen = f"{line(asked)}\n" + "\n".join(json.dumps(row, ensure_ascii=False) for row in misses(asked))
    assert figures["right %"] >= floors.RIGHT, seen
    assert figures["right or shown %"] >= floors.RIGHT_OR_SHOWN, seen
    assert figures["honest %"] >= floors.HONEST, seen
    assert figures["wrong and sure %"] <= floors.WRONG_AND_SURE, seen
    assert figures["invented and sure %"] <= floors.INVENTED_AND_SURE, seen
    assert figures["captured by a skill %"] <= floors.CAPTURED, seen


def test_a_question_may_lean_on_those_before_it(bot: Instance) -> None:
    world = demo_world()
    with running.opened(bot) as asked_bot:
        asked = [Asked(world, case, asked_bot.talk(case)) for case in floors.fixed_conversations(world)]
    figures = shares(asked)
    seen = f"{line(asked)}\n" + "\n".join(json.dumps(row, ensure_ascii=False) for row in misses(asked))
    assert len(asked) == floors.CONVERSATIONS
    assert figures["right %"] >= floors.RIGHT_AT_THE_END, seen
    assert figures["right or shown %"] >= floors.RIGHT_OR_SHOWN_AT_THE_END, seen


@pytest.mark.parametrize(
    ("text", "outcome", "expected"),
    [
        ("It takes **3** to 5 working days.", "answered", "right"),
        ("3\u20135 days", "suggested", "right"),
        ("It costs £3.95.", "answered", "wrong"),
        ("It costs £3.95.", "suggested", "wrong_hedged"),
        ("3 to 5, or 7 days abroad", "answered", "wrong"),
        ("Is it one of these?", "clarified", "list"),
        ("I don't know", "unknown", "unknown_wrong"),
        ("What is your order number?", "action", "other"),
    ],
)
def test_an_answer_is_right_when_it_says_the_facts(text: str, outcome: str, expected: str) -> None:
    assert verdict(DELIVERY, Reply(text, outcome)) == expected


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        ("unknown", "unknown_right"),
        ("answered", "answered_unanswerable"),
        ("suggested", "hedged_unanswerable"),
        ("clarified", "list_unanswerable"),
        ("handoff", "other_unanswerable"),
    ],
)
def test_what_has_no_answer_is_to_be_admitted(outcome: str, expected: str) -> None:
    assert verdict(NOWHERE, Reply("We sell things for the home.", outcome)) == expected


def test_a_choice_that_names_the_question_shows_it() -> None:
    assert is_shown(DELIVERY, Reply("One of these?", "clarified", ("Gift cards", "How long does the delivery take?")))
    assert not is_shown(DELIVERY, Reply("One of these?", "clarified", ("Gift cards",)))
    assert not is_shown(DELIVERY, Reply("3 to 5 days", "answered", ("How long does delivery take?",)))


def test_half_of_the_facts_is_half_an_answer() -> None:
    both = Case("3", (("customer", "?"),), expects_answer=True, facts=(("3 to 5",), ("£3",)))
    assert verdict(both, Reply("3 to 5 days", "answered")) == "partly"


def test_a_skill_that_takes_the_message_has_captured_it() -> None:
    assert is_captured(DELIVERY, Reply("What is your order number?", "action"))
    assert is_captured(DELIVERY, Reply("Is it one of these?", "clarified", skill="track_order"))
    assert not is_captured(DELIVERY, Reply("Is it one of these?", "clarified"))
    passed_on = Reply("A person will be with you.", "handoff", skill="handoff")
    assert is_captured(DELIVERY, passed_on)
    assert not is_captured(replace(DELIVERY, style="angry"), passed_on)


def test_shares_are_of_what_can_be_answered() -> None:
    replies = (
        (DELIVERY, Reply("3 to 5", "answered")),
        (DELIVERY, Reply("", "unknown")),
        (NOWHERE, Reply("", "unknown")),
    )
    figures = shares([Asked(demo_world(), case, reply) for case, reply in replies])
    assert (figures["right %"], figures["unknown %"], figures["honest %"]) == (50.0, 50.0, 100.0)


def test_a_teams_own_question_is_answered_whole() -> None:
    own = OwnQuestion("How long?", ("It takes **3 days**.\n\n* or 4",), ("e1",))
    assert own.is_answered(Reply("It takes 3 days.\n\n* or 4\n\nAnything else?", "answered"))
    assert not own.is_answered(Reply("It takes 3 days.", "answered"))
    assert not own.is_answered(Reply("It takes 3 days.\n\n* or 4", "suggested"))


def test_evidence_is_the_entry_with_the_quote() -> None:
    case = Case("4", (("customer", "ram?"),), True, facts=(("4 ?GB",),), quote="**4GB RAM** is the required minimum.")
    other, right = (
        Entry(str(n), 1, "passage", (), text) for n, text in enumerate(("No.", "A 4GB RAM is the\nrequired minimum!"))
    )
    assert evidence.place([other, right], case) == 2
    assert evidence.place([other], case) is None


@pytest.mark.parametrize("path", [DEMO_QUESTIONS, PARAPHRASES], ids=lambda path: path.stem)
def test_every_question_of_ours_has_facts_that_its_article_says(path: Path) -> None:
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert len({row["id"] for row in rows}) == len(rows)
    for row in rows:
        case = Case.of(row)
        if case.expects_answer:
            places = [row, *row.get("also", ()), *row.get("more", ())]
            said = "\n".join(_article(place["file"]) for place in places)
            assert case.facts and facts_met(case, said)[0] == len(case.facts), row
            assert not facts_met(case, case.quote)[1], row


def test_every_conversation_ends_in_what_the_articles_say() -> None:
    cases = demo_world().conversations
    said = "\n".join(file.read_text(encoding="utf-8") for file in sorted(HELP_CENTRE.glob("*.md")))
    assert len({case.id for case in cases}) == len(cases) > floors.CONVERSATIONS
    for case in cases:
        assert len(case.turns) > 1 and facts_met(case, said)[0] == len(case.facts) > 0, case


def test_a_paraphrase_shares_about_half_of_its_words() -> None:
    cases = read_cases(PARAPHRASES)
    words = [(content_words(case.text), content_words(case.heading)) for case in cases]
    shared = [len(asked & own) / len(asked) for asked, own in words]
    assert len(cases) >= 80
    assert 0.45 <= sum(shared) / len(shared) <= 0.55
    assert max(shared) <= 0.75


def test_the_public_script_gives_the_same_verdicts() -> None:
    script = _public_script()
    for name in (*TUNED, *REPORTED):
        lines = (PUBLIC / name / "questions.jsonl").read_text(encoding="utf-8").splitlines()
        rows = [json.loads(line) for line in lines]
        for row, other in zip(rows, [*rows[1:], rows[0]], strict=True):
            texts = (
                row.get("quote") or "",
                other.get("quote") or "",
                f"{row.get('quote')} {' '.join(row['never'])}",
                "",
            )
            for text, outcome in product(texts, OUTCOMES):
                for choices in ((row.get("heading") or "",), (other.get("heading") or "", "x"), ()):
                    _compare(script, row, Reply(text, outcome, choices))


def _article(name: str) -> str:
    text = (HELP_CENTRE / name).read_text(encoding="utf-8")
    return text.replace('""', '"') if name.endswith(".csv") else text


def _compare(script: ModuleType, row: dict[str, Any], reply: Reply) -> None:
    answer = {"dialogue_id": row["id"], "reply": reply.text, "outcome": reply.outcome, "choices": list(reply.choices)}
    counts = script.score([row], [answer])
    case = Case.of(row)
    assert verdict(case, reply) == counts["verdicts"][row["id"]], (row, reply)
    assert is_shown(case, reply) == bool(counts["list_hit"]), (row, reply)


def _public_script() -> ModuleType:
    if not PUBLIC.is_dir():
        pytest.skip("the public help centres are not here")
    spec = importlib.util.spec_from_file_location("public_score", PUBLIC / "score.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
