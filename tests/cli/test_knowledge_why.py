"""`rejoinder knowledge why` as it is typed. What is tested holds for any weights of the reader."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from core.db import Database
from core.db.models import Conversation, Message, Turn
from core.settings import PREFIX, Settings
from tests.cli.test_knowledge import CommandLine, faq, rejoinder  # noqa: F401 - fixtures


@pytest.fixture
def knowing(rejoinder: CommandLine, faq: str) -> CommandLine:  # noqa: F811
    assert rejoinder("knowledge", "import", faq).code == 0
    return rejoinder


def test_own_words_are_said_to_be_the_reason(knowing: CommandLine) -> None:
    ran = knowing("knowledge", "why", "do you repair chairs")
    assert ran.code == 0
    assert "Sent as it is: these are the very words of a question that the knowledge has." in ran.out
    assert "Rasa does not say" in ran.out
    assert all(word in ran.out for word in ("Do you repair chairs?", "Do you ship to Ireland?", "cosine", "reader"))


def test_the_sentence_says_which_bar_decided(knowing: CommandLine) -> None:
    part = knowing("knowledge", "why", "Is a wobbly chair something that you mend?", "--json").json["parts"][0]
    assert part["why"].startswith(
        {
            "answered": "Sent as sure",
            "suggested": "Sent as likely",
            "clarified": "Asked back",
            "unknown": "Not answered",
        }[part["outcome"]]
    )
    bars, probability = part["bars"], part["probability"]
    assert bars["suggested"] <= bars["answered"]
    assert f"{bars['answered']:.2f}" in part["why"] or f"{bars['clarified']:.2f}" in part["why"]
    assert (part["outcome"] == "answered") == (probability["first"] >= bars["answered"])
    best = part["candidates"][0]
    assert {"cosine", "words", "reader", "share", "unit", "title", "source", "kind"} <= set(best)
    assert best["unit"] == "Yes."


def test_a_guard_that_stopped_a_reuse_is_named(rejoinder: CommandLine, tmp_path: Path) -> None:  # noqa: F811
    (tmp_path / "faq.csv").write_text("question,answer\nHow do I turn on order e-mails?,In your account.\n")
    rejoinder("knowledge", "import", str(tmp_path / "faq.csv"))
    part = rejoinder("knowledge", "why", "How do I turn off order e-mails?", "--json").json["parts"][0]
    assert part["guarded"][0]["guard"] == "contradiction" or part["reuse"]["guard"] == "opposite"
    assert any("How do I turn on order e-mails?" in note for note in part["notes"])


def test_entries_that_contradict_each_other_are_the_reason(rejoinder: CommandLine, tmp_path: Path) -> None:  # noqa: F811
    (tmp_path / "a.csv").write_text("question,answer\nHow long is the guarantee?,Two years.\n")
    (tmp_path / "b.csv").write_text("question,answer\nHow long is the guarantee?,Five years.\n")
    rejoinder("knowledge", "import", str(tmp_path / "a.csv"), str(tmp_path / "b.csv"))
    part = rejoinder("knowledge", "why", "How long is the guarantee?", "--json").json["parts"][0]
    assert any("2 entries with different answers" in note for note in part["notes"])
    assert part["rule"] != "exact"
    assert all(candidate["disputed"] for candidate in part["candidates"])


def test_what_was_said_before_is_looked_up_too(knowing: CommandLine) -> None:
    ran = knowing(
        "knowledge", "why", "And to France?", "--history", "Do you ship to Ireland?", "--history", "bot: Yes."
    )
    assert "customer: Do you ship to Ireland?\nbot: Yes.\nQuestion: And to France?" in ran.out
    assert "“Do you ship to Ireland? And to France?”" in " ".join(ran.out.split())


def test_parts_are_explained_one_by_one(knowing: CommandLine) -> None:
    shown = knowing("knowledge", "why", "Do you repair chairs? Do you ship to Ireland?", "--json").json
    assert [part["rule"] for part in shown["parts"]] == ["exact", "exact"]
    assert shown["level"] == "exact"


def test_a_stored_turn_is_explained_again_beside_its_record(knowing: CommandLine, settings: Settings) -> None:
    tenant = os.environ[f"{PREFIX}TENANT"]
    entry = knowing("knowledge", "search", "repair chairs", "--json").json[0]
    turn, conversation = _store(settings, tenant, entry["id"])
    ran = knowing("knowledge", "why", "--turn", turn)
    assert "customer: Hello" in ran.out and "Question: Do you repair chairs?" in ran.out
    assert "outcome answered" in ran.out and "Reply: We did." in ran.out
    assert "Sent as it is" in ran.out
    assert f"Entry {entry['id']} was at version 7, and is at 1 now." in ran.out
    shown = knowing("knowledge", "why", "--conversation", conversation, "--json").json
    assert shown["then"]["id"] == turn
    assert shown["then"]["facts"]["intent"] == "ask_knowledge"


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("why",), 2, "give a TEXT"),
        (("why", "Hi", "--turn", "x"), 2, "give a TEXT"),
        (("why", "--turn", "nope"), 1, "There is no turn 'nope'"),
        (("why", "--conversation", "nope"), 1, "There is no conversation 'nope'"),
    ],
)
def test_mistakes_are_explained(rejoinder: CommandLine, words: tuple[str, ...], code: int, says: str) -> None:  # noqa: F811
    ran = rejoinder("knowledge", *words)
    assert (ran.code, ran.out) == (code, "")
    assert says in ran.err


def _store(settings: Settings, tenant: str, entry_id: str) -> tuple[str, str]:
    database = Database(settings.database())
    with database.session() as session:
        talk = Conversation(tenant_id=tenant, channel="web", last_seq=3)
        session.add(talk)
        session.flush()
        said = [("customer", "Hello"), ("customer", "Do you repair chairs?"), ("bot", "We did.")]
        messages = [
            Message(tenant_id=tenant, conversation_id=talk.id, seq=seq, speaker=speaker, text=text)
            for seq, (speaker, text) in enumerate(said, 1)
        ]
        session.add_all(messages)
        session.flush()
        turn = Turn(tenant_id=tenant, conversation_id=talk.id, message_id=messages[1].id, channel="web")
        turn.status, turn.outcome, turn.intent = "answered", "answered", "ask_knowledge"
        turn.entries = [{"id": entry_id, "version": 7, "score": 1.0, "external_id": None}]
        session.add(turn)
        session.flush()
        messages[2].turn_id = turn.id
        made = turn.id, talk.id
    database.close()
    return made
