"""The record of trainings: queued, running and finished, synchronised with the models on disk."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core import audit
from core.db.models import HumanCorrection, RegressionCase, TrainingSession, get_current_time
from core.errors import Conflict, InvalidInput, NotFound
from evaluation.training.model import BotModel
from evaluation.training.trials import Case

KIND = "nlu"
WAITING = timedelta(minutes=15)
"""A training that has waited this long counts as abandoned."""
PLAIN = "trained from the files without a comparison"


def enqueue_training(session: Session, tenant_id: str, by: str, reason: str, kind: str = KIND) -> TrainingSession:
    """Queue a training.

    Raises:
        Conflict: another training is waiting.
        InvalidInput: the reason is too long.
    """
    if len(reason) > TrainingSession.reason.type.length:
        raise InvalidInput("The reason may have 500 characters.")
    waiting = session.scalar(select(TrainingSession).filter_by(kind=kind, status="waiting").limit(1))
    if waiting is not None and waiting.created_at > get_current_time() - WAITING:
        raise Conflict(f"A training waits already, asked for by {waiting.author}.")
    if waiting is not None:
        end_training(session, waiting, "failed", error="No worker took it. Does the worker run?")
    row = TrainingSession(tenant_id=tenant_id, kind=kind, author=by, reason=reason)
    session.add(row)
    session.flush()
    audit.add_audit_event(session, tenant_id, "model", row.id, "asked", by, reason=reason)
    return row


def claim_training(session: Session, session_id: str, step: str) -> TrainingSession:
    """Claim a waiting training with an update, so that a task delivered twice runs once.

    Raises:
        NotFound: there is no such training.
        Conflict: the training was claimed already.
    """
    waiting = update(TrainingSession).filter_by(id=session_id, status="waiting")
    claimed = session.execute(waiting.values(status="training", step=step))
    row = session.get(TrainingSession, session_id)
    if row is None:
        raise NotFound(f"There is no training {session_id}.")
    if not claimed.rowcount:  # type: ignore[attr-defined]
        raise Conflict(f"The training {session_id} is {row.status} already.")
    return row


def end_training(session: Session, row: TrainingSession, status: str, *, error: str | None = None) -> None:
    """Finish a training with its final status: ready, refused or failed."""
    row.status, row.error, row.finished_at = status, error, get_current_time()
    row.step, row.progress = "", 1.0 if status in {"ready", "refused"} else row.progress
    audit.add_audit_event(session, row.tenant_id, "model", row.id, status, row.author, model=row.model, cause=error)


def give_up_broken(session: Session, kind: str = KIND) -> None:
    """Mark interrupted trainings as failed; call it with the lock held, when no other process can be training."""
    for row in session.scalars(
        select(TrainingSession).where(
            TrainingSession.kind == kind, TrainingSession.status.in_(["training", "evaluating"])
        )
    ):
        end_training(session, row, "failed", error=f"The process ended in the middle ({row.step}).")


def get_training(session: Session, tenant_id: str, session_id: str, kind: str = KIND) -> TrainingSession:
    """Return a training.

    Raises:
        NotFound: there is no such training.
    """
    row = session.scalar(select(TrainingSession).filter_by(tenant_id=tenant_id, kind=kind, id=session_id))
    if row is None:
        raise NotFound(f"There is no training {session_id}.")
    return row


def list_trainings(session: Session, tenant_id: str, kind: str = KIND) -> list[TrainingSession]:
    rows = select(TrainingSession).filter_by(tenant_id=tenant_id, kind=kind)
    return list(session.scalars(rows.order_by(TrainingSession.created_at.desc())))


def follow_disk(session: Session, tenant_id: str, model: BotModel) -> TrainingSession | None:
    """Return the training of the deployed model; create its row if `rejoinder start` made the model."""
    running = None
    for row in list_trainings(session, tenant_id):
        if row.model and model.running == get_model_name(row):
            running = row
        elif row.status == "deployed":
            row.status = "replaced"
    if model.running and running is None:
        made = datetime.fromtimestamp((model.deployed / f"{model.running}.tar.gz").stat().st_mtime, UTC)
        running = TrainingSession(
            tenant_id=tenant_id, kind=KIND, author="rejoinder start", reason=PLAIN, model=get_model_path(model.running),
            progress=1.0, created_at=made, finished_at=made, deployed_at=made,
        )  # fmt: skip
        session.add(running)
    if running is not None and running.status != "deployed":
        running.status, running.deployed_at = "deployed", running.deployed_at or get_current_time()
    session.flush()
    return running


def list_regression_cases(session: Session, tenant_id: str) -> list[Case]:
    """Return the corrected messages that must still be understood."""
    rows = session.execute(
        select(RegressionCase.question, HumanCorrection.intent)
        .outerjoin(HumanCorrection, HumanCorrection.id == RegressionCase.correction_id)
        .where(RegressionCase.tenant_id == tenant_id, RegressionCase.active)
    )
    return [Case(question, intent) for question, intent in rows]


def get_model_path(name: str) -> str:
    return f"models/releases/{name}"


def get_model_name(row: TrainingSession) -> str:
    """Return the name of the training's model.

    Raises:
        NotFound: the training made no model.
    """
    if not row.model:
        raise NotFound(f"The training {row.id} made no model.")
    return Path(row.model).name


def describe_training(row: TrainingSession) -> dict[str, Any]:
    names = ("id", "status", "step", "progress", "author", "reason", "metrics", "error")
    times = ("created_at", "finished_at", "deployed_at")
    return {name: getattr(row, name) for name in (*names, *times)} | {"model": row.model and Path(row.model).name}
