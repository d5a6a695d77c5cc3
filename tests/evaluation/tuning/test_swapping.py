"""While a model's vectors are made customers are answered, and knowledge changes; a kill in the middle loses nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

import pytest

from core.errors import Conflict
from evaluation.tuning.service import INDEXING
from evaluation.tuning.swap import Swap
from knowledge.entries.content import Content
from testing.instance import ROOT
from tests.evaluation.tuning.conftest import World
from tests.evaluation.tuning.doubles import ENTRIES, Tuned, answer, phrasing, store
from tests.evaluation.tuning.test_desk import best, cosine, edit


@pytest.fixture(autouse=True)
def small_batches(monkeypatch) -> None:
    monkeypatch.setattr("knowledge.index.indexer.BATCH", 25)


def test_no_question_fails_during_the_swap_and_what_changes_meanwhile_is_known_after_it(both: World) -> None:
    running, over, wrong, asked = both.other_process(), threading.Event(), [], []

    def customer() -> None:
        while not over.is_set():
            topic = len(asked) % ENTRIES
            asked.append(topic)
            try:
                found = [c.entry.answer for c in running.retriever.candidates(both.tenant, [phrasing(topic, 1)], 3)]
            except Exception as error:  # noqa: BLE001 - whatever it is, a customer met it
                found = [repr(error)]
            if answer(topic) not in found and topic not in {3, 4}:
                wrong.append((topic, found))

    model, changed = Tuned(), []

    def change(embedded: int) -> None:
        """In the middle of the swap the knowledge goes on."""
        if both.row(session_id)["step"] == INDEXING and embedded > 100 and not changed:
            changed.append(embedded)
            store(both.database, both.tenant, topics=1, first=300)
            edit(both, both.ids[3], Content("faq", "Something else.", ("t3-0",)))
            edit(both, both.ids[4], None)
            both.other_process().synchroniser.sync(both.tenant)

    both.model, model.before_each = model, change
    asking = threading.Thread(target=customer)
    session_id = both.tuning.start_training(both.tenant, "ana")
    asking.start()
    try:
        assert both.tuning.run(session_id) == "deployed"
        before = len(asked)
        while len(asked) < before + 20:
            pass
    finally:
        over.set()
        asking.join()
    assert changed and wrong == []
    assert best(running, both, phrasing(300, 9)) == answer(300) and cosine(running, both, phrasing(300, 9)) > 0.75
    assert best(running, both, "t3-9") == "Something else."
    assert best(running, both, "t4-9") != answer(4)
    assert both.tuning.knowledge.synchroniser.rebuild(both.tenant).agree


def test_a_killed_deployment_goes_on_where_it_was(world: World, monkeypatch) -> None:
    session_id = world.tuning.start_training(world.tenant, "ana")
    world.tuning.run(session_id, deploy=False)
    assert world.row(session_id)["status"] == "ready"
    words = [
        str(world.settings.home),
        world.settings.chroma(),
        str(world.database.engine.url),
        world.tenant,
        session_id,
    ]
    with subprocess.Popen(
        [sys.executable, "-m", "tests.evaluation.tuning.slow_deployment", *words],
        cwd=ROOT, stdout=subprocess.PIPE, text=True,
    ) as deploying:  # fmt: skip
        assert deploying.stdout
        assert deploying.stdout.readline() == "half\n"
        os.kill(deploying.pid, signal.SIGKILL)
    assert Swap(world.tuning.knowledge).in_force(world.tenant) is None
    assert world.row(session_id)["step"] == INDEXING
    running = world.other_process()
    assert best(running, world, phrasing(5, 1)) == answer(5)
    world.model = Tuned()
    world.restarted().resume()
    assert world.row(session_id)["status"] == "deployed"
    assert 0 < world.model.embedded < 4 * ENTRIES
    assert cosine(running, world, "t5-99") > 0.75
    assert (
        len(world.tuning.knowledge.spaces.of(str(model_of(world))).index.entry_ids(world.tenant, epoch(world)))
        == ENTRIES
    )


def test_a_training_that_was_killed_is_failed_and_the_next_may_begin(world: World) -> None:
    from core.db.models import TrainingSession

    killed = world.tuning.start_training(world.tenant, "ana")
    with world.database.session() as session:
        session.get_one(TrainingSession, killed).status = "training"
    world.restarted().resume()
    assert world.row(killed)["status"] == "failed" and "ended in the middle" in str(world.row(killed)["error"])
    assert world.row(world.trained())["status"] == "deployed"


def test_two_deployments_at_once_are_refused(world: World) -> None:
    session_id = world.tuning.start_training(world.tenant, "ana")
    world.tuning.run(session_id, deploy=False)
    model, refused = Tuned(), []

    def second(_embedded: int) -> None:
        if not refused:
            with pytest.raises(Conflict, match="deployment is running") as met:
                world.tuning.deploy(world.tenant, session_id, "bob")
            refused.append(met)

    world.model, model.before_each = model, second
    world.restarted().deploy(world.tenant, session_id, "ana")
    assert refused and world.row(session_id)["status"] == "deployed"


def model_of(world: World) -> str | None:
    return Swap(world.tuning.knowledge).in_force(world.tenant)


def epoch(world: World) -> str:
    from knowledge.entries import editor

    with world.database.session() as session:
        revision = editor.revision_of(session, world.tenant)
    assert revision
    return revision.epoch
