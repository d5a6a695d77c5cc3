"""A model that finds more serves everywhere from the next question on; any other leaves everything as it was."""

from __future__ import annotations

import logging

import pytest
from sqlalchemy import select

from core.db.models import AuditEvent
from core.errors import Conflict, InvalidInput, KnowledgeUnavailable, NotFound
from evaluation.tuning.swap import Swap
from knowledge.entries import editor as entries
from knowledge.entries.content import Content
from knowledge.entries.editor import Change, EntryEditor
from knowledge.services import Knowledge
from tests.evaluation.tuning.conftest import World
from tests.evaluation.tuning.doubles import Base, answer, phrasing, store


def best(knowledge: Knowledge, world: World, text: str) -> str:
    found = knowledge.retriever.candidates(world.tenant, [text], 3)
    return found[0].entry.answer if found else ""


def cosine(knowledge: Knowledge, world: World, text: str) -> float:
    return knowledge.retriever.candidates(world.tenant, [text], 1)[0].dense


def test_a_better_model_serves_in_every_process_without_a_restart(both: World) -> None:
    running = both.other_process()
    assert cosine(running, both, "t5-99") < 0.5
    session_id = both.trained("weekly")
    assert best(running, both, "t5-99") == answer(5) and cosine(running, both, "t5-99") > 0.75
    shown = both.row(session_id)
    assert (shown["status"], shown["author"], shown["reason"], shown["step"]) == ("deployed", "ana", "weekly", "")
    figures = shown["metrics"]
    assert figures["after"]["recall@1"] == 1.0 > figures["before"]["recall@1"]
    assert figures["difference"]["mrr"][0] > 0 and figures["compared with"] == "base"
    assert figures["questions"] == 4 * figures["held-back entries"]
    with both.database.session() as session:
        actions = list(session.scalars(select(AuditEvent.action).filter_by(subject_id=session_id)))
        revision = entries.revision_of(session, both.tenant)
    assert actions == ["asked", "ready", "deployed"]
    assert revision and revision.indexed == revision.number
    assert both.tuning.knowledge.synchroniser.rebuild(both.tenant).agree
    assert best(running, both, "t6-99") == answer(6)


def test_a_model_that_is_not_better_is_refused_with_its_figures(world: World) -> None:
    world.model = Base()
    session_id = world.trained()
    shown = world.row(session_id)
    assert shown["status"] == "refused" and not shown["kept"]
    assert "not better" in shown["error"] and "mrr" in shown["error"] and "+0.000" in shown["error"]
    assert Swap(world.tuning.knowledge).in_force(world.tenant) is None
    assert not [path for path in world.tuning.models.folder.iterdir() if path.is_dir()]
    with pytest.raises(Conflict, match="refused"):
        world.tuning.deploy(world.tenant, session_id, "bob")


def test_too_little_to_learn_from_says_what_is_there_and_what_is_needed(world: World) -> None:
    small = f"{world.tenant}-small"
    store(world.database, small, topics=4)
    with pytest.raises(InvalidInput, match=r"pairs to learn from \(100 are needed\).* evaluate on \(20 are needed\)"):
        world.tuning.start_training(small, "ana")
    assert world.tuning.listed(small) == []


def test_what_customers_wrote_does_not_stay_beside_the_model(world: World) -> None:
    world.trained()
    assert [path.name for path in world.tuning.models.folder.glob("*/*")] == ["model.onnx"]


def test_going_back_finds_what_changed_meanwhile(world: World) -> None:
    session_id = world.trained()
    store(world.database, world.tenant, topics=1, first=200)
    edit(world, world.ids[3], Content("faq", "Something else.", ("t3-0", "pelican")))
    world.tuning.knowledge.synchroniser.sync(world.tenant)
    assert world.tuning.rollback(world.tenant, "bob", "odd answers") == "base"
    running = world.other_process()
    assert best(running, world, "pelican") == "Something else." and cosine(running, world, "pelican") > 0.75
    assert best(running, world, phrasing(200, 2)) == answer(200)
    assert cosine(running, world, "t5-99") < 0.5
    assert world.row(session_id)["status"] == "replaced"
    with world.database.session() as session:
        event = session.scalars(select(AuditEvent).filter_by(action="rolled_back")).one()
    assert (event.by, event.details["reason"], event.subject_id) == ("bob", "odd answers", "base")
    with pytest.raises(NotFound, match="base model serves"):
        world.tuning.rollback(world.tenant, "bob")
    world.tuning.deploy(world.tenant, session_id, "bob")
    assert cosine(running, world, "t5-99") > 0.75


def test_rollback_goes_one_back_each_time_and_the_last_three_are_kept(world: World, monkeypatch) -> None:
    monkeypatch.setattr("evaluation.tuning.measures._compute_interval", lambda *_: (0.1, 0.2))  # each is better
    ids = [world.trained() for _ in range(4)]
    assert [world.row(i)["kept"] for i in ids] == [False, True, True, True]
    assert [world.row(i)["status"] for i in ids] == ["replaced", "replaced", "replaced", "deployed"]
    assert [world.tuning.rollback(world.tenant, "bob") for _ in range(3)] == [ids[2], ids[1], "base"]
    with pytest.raises(NotFound, match="no longer kept"):
        world.tuning.deploy(world.tenant, ids[0], "bob")


def test_without_the_models_files_the_base_model_answers_and_the_operator_is_told(world: World, caplog) -> None:
    world.trained()
    neighbour = f"{world.tenant}-neighbour"
    store(world.database, neighbour, topics=1)

    def gone(_folder: object) -> object:
        raise KnowledgeUnavailable("The embedding model cannot be loaded.")

    running = world.other_process()
    running.spaces._load = gone
    with caplog.at_level(logging.ERROR):
        assert best(running, world, phrasing(5, 1)) == answer(5)
    assert "the base embedding model answers instead: The embedding model cannot be loaded." in caplog.text
    with pytest.raises(KnowledgeUnavailable, match="cannot be loaded"):
        running.synchroniser.sync_all()
    with world.database.session() as session:
        revision = entries.revision_of(session, neighbour)
    assert revision and revision.indexed == revision.number


def test_while_chroma_is_away_nothing_is_put_in_force_and_it_can_be_tried_again(world: World, monkeypatch) -> None:
    index = world.tuning.knowledge.spaces.of("models/embeddings/x").index
    with monkeypatch.context() as away:

        def refuse(*_: object) -> None:
            raise KnowledgeUnavailable

        away.setattr(type(index), "push", refuse)
        session_id = world.tuning.start_training(world.tenant, "ana")
        with pytest.raises(KnowledgeUnavailable):
            world.tuning.run(session_id)
    shown = world.row(session_id)
    assert (shown["status"], shown["step"]) == ("ready", "") and "not deployed" in shown["error"]
    world.tuning.deploy(world.tenant, session_id, "bob")
    assert world.row(session_id)["status"] == "deployed" and world.row(session_id)["error"] is None


def test_there_is_one_at_a_time_and_a_task_that_comes_twice_runs_once(world: World) -> None:
    waiting = world.tuning.start_training(world.tenant, "ana")
    with pytest.raises(Conflict, match="asked for by ana"):
        world.tuning.start_training(world.tenant, "bob")
    world.tuning.run(waiting)
    with pytest.raises(Conflict, match="deployed already"):
        world.tuning.run(waiting)


def edit(world: World, entry_id: str, content: Content | None) -> None:
    with world.database.session() as session:
        editor = EntryEditor(session, world.tenant, Change("tester", "test"))
        entry = entries.get_entry(session, world.tenant, entry_id)
        if content is None:
            editor.retire(entry)
        else:
            editor.amend(entry, content)
