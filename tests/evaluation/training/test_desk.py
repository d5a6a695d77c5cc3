"""A training ends deployed, ready, refused or failed, with its cause; the running model changes only where it may."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from core.db.models import AuditEvent, TrainingSession
from core.errors import Conflict, InvalidInput, NotFound, Unavailable
from evaluation.training.service import TrainingService
from tests.evaluation.training.conftest import Trials, WiredRasa

T = "shop"


def trained(training: TrainingService, reason: str = "") -> str:
    training_id = training.start_training(T, "ana", reason)
    training.run(training_id)
    return training_id


def row(training: TrainingService, training_id: str) -> dict[str, object]:
    return next(row for row in training.listed(T) if row["id"] == training_id)


def test_what_is_not_worse_serves_and_is_there_after_a_restart(training: TrainingService, rasa: WiredRasa) -> None:
    steps: list[float] = []
    training_id = training.start_training(T, "ana", "weekly")
    assert training.run(training_id, tell=lambda _, progress: steps.append(progress)) == "deployed"
    assert steps == sorted(steps) and steps
    assert rasa.loaded == "model-01.tar.gz"
    assert training.model.running == "model-01"
    assert not training.model.stale()
    shown = row(training, training_id)
    assert (shown["status"], shown["author"], shown["reason"]) == ("deployed", "ana", "weekly")
    assert shown["deployed_at"] and shown["metrics"] == {"examples": 4, "reasons": []}
    with training.database.session() as session:
        actions = list(session.scalars(select(AuditEvent.action).filter_by(subject_id=training_id)))
    assert actions == ["asked", "ready", "deployed"]


def test_a_worse_model_is_refused_and_can_be_forced(training: TrainingService, rasa: WiredRasa, trials: Trials) -> None:
    trained(training)
    trials.reasons = ["greet is understood less often"]
    refused = trained(training)
    shown = row(training, refused)
    assert (shown["status"], shown["error"]) == ("refused", "greet is understood less often")
    assert rasa.loaded == "model-01.tar.gz"
    with pytest.raises(Conflict, match="forced"):
        training.deploy(T, refused, "bob")
    assert training.deploy(T, refused, "bob", "known and wanted", force=True)
    assert rasa.loaded == "model-02.tar.gz"


def test_rollback_goes_one_back_each_time_and_the_last_three_are_kept(
    training: TrainingService, rasa: WiredRasa
) -> None:
    ids = [trained(training) for _ in range(5)]
    assert [row(training, i)["kept"] for i in ids] == [False, False, True, True, True]
    assert training.rollback(T, "bob", "it was better").id == ids[3]
    assert (rasa.loaded, training.model.running) == ("model-04.tar.gz", "model-04")
    assert training.rollback(T, "bob").id == ids[2]
    assert [row(training, i)["status"] for i in ids[2:]] == ["deployed", "replaced", "replaced"]
    with pytest.raises(NotFound, match="no earlier model"):
        training.rollback(T, "bob")
    with pytest.raises(NotFound, match="no longer kept"):
        training.deploy(T, ids[0], "bob")
    assert training.deploy(T, ids[4], "bob")
    assert not training.model.stale()


def test_refused_models_do_not_push_out_what_served(training: TrainingService, trials: Trials) -> None:
    ids = [trained(training), trained(training)]
    trials.reasons = ["worse"]
    for _ in range(4):
        trained(training)
    assert training.rollback(T, "bob").id == ids[0]


def test_a_model_that_rasa_cannot_load_leaves_the_running_one(training: TrainingService, rasa: WiredRasa) -> None:
    trained(training)
    rasa.refuses = True
    with pytest.raises(Unavailable, match="could not load model-02"):
        trained(training)
    assert training.model.running == "model-01"
    latest = training.listed(T)[0]
    assert latest["status"] == "ready" and "could not load" in latest["error"]


def test_when_rasa_is_away_the_model_waits_for_its_start(training: TrainingService, rasa: WiredRasa) -> None:
    rasa.away = True
    trained(training)
    assert training.model.running == "model-01"


def test_a_crash_leaves_the_cause_and_the_running_model(
    training: TrainingService, rasa: WiredRasa, trials: Trials
) -> None:
    trained(training)
    trials.error = KeyboardInterrupt()
    broken = training.start_training(T, "ana")
    with pytest.raises(KeyboardInterrupt):
        training.run(broken)
    assert row(training, broken)["status"] == "failed"
    assert (rasa.loaded, training.model.running) == ("model-01.tar.gz", "model-01")


def test_what_a_killed_process_left_is_failed_and_the_next_may_begin(training: TrainingService, trials: Trials) -> None:
    killed = training.start_training(T, "ana")
    with training.database.session() as session:
        session.get_one(TrainingSession, killed).status = "evaluating"
    training.give_up_broken()
    assert row(training, killed)["status"] == "failed"
    assert "ended in the middle" in str(row(training, killed)["error"])
    trained(training)


def test_there_is_one_training_at_a_time(training: TrainingService) -> None:
    waiting = training.start_training(T, "ana")
    with pytest.raises(Conflict, match="asked for by ana"):
        training.start_training(T, "bob")
    with training.model.locked():
        with pytest.raises(Conflict, match="one at a time"):
            training.start_training(T, "bob")
        with pytest.raises(Conflict):
            training.run(waiting)
        training.give_up_broken()
    assert row(training, waiting)["status"] == "failed"


def test_a_task_that_comes_twice_trains_once(training: TrainingService) -> None:
    done = trained(training)
    with pytest.raises(Conflict, match="deployed already"):
        training.run(done)
    assert row(training, done)["status"] == "deployed"
    with pytest.raises(NotFound):
        training.run("no-such-training")


def test_bad_data_is_refused_before_anything_begins(training: TrainingService, data: Path) -> None:
    (data / "nlu/more.yml").write_text("nlu:\n  - intent: refund\n    examples: |\n      - Hello\n")
    with pytest.raises(InvalidInput, match="several intents"):
        training.start_training(T, "ana")
    assert training.listed(T) == []


def test_a_model_made_by_start_is_in_the_list_and_can_be_gone_back_to(
    training: TrainingService, rasa: WiredRasa
) -> None:
    training.model.train()
    (first,) = training.listed(T)
    assert (first["status"], first["author"], first["model"]) == ("deployed", "rejoinder start", "model-01")
    trained(training)
    assert training.rollback(T, "bob").id == first["id"]
    assert rasa.loaded == "model-01.tar.gz"


def test_only_what_changed_by_hand_is_trained_at_the_next_start(training: TrainingService, data: Path) -> None:
    trained(training)
    (data / "nlu/learnt.yml").write_text("nlu:\n  - intent: refund\n    examples: |\n      - cash back\n")
    assert not training.model.stale()
    (data / "nlu/topic.yml").write_text((data / "nlu/topic.yml").read_text() + "      - shade\n")
    assert training.model.stale()


def test_a_deployment_in_between_makes_the_comparison_void(training: TrainingService, trials: Trials) -> None:
    first, second = trained(training), trained(training)
    verdict = trials.__call__

    def meanwhile(*given: object) -> object:
        training.deploy(T, first, "bob")
        return verdict(*given)

    object.__setattr__(training, "trials", meanwhile)
    with pytest.raises(Conflict, match="void"):
        trained(training)
    assert training.model.running == "model-01"
    assert row(training, second)["status"] == "replaced"
