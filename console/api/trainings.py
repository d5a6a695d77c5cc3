"""``training-sessions/``: trainings of the models that understand and find."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from console.api.edge import Builder, Viewer
from console.api.paging import Limit, Offset
from console.api.services import LearningServices
from core.db.models import TrainingSession
from core.errors import NotFound, Unavailable

TAG = "training sessions"
FIELDS = (
    "id", "kind", "status", "step", "progress", "model", "metrics", "error", "author", "reason", "created_at",
    "finished_at", "deployed_at",
)  # fmt: skip
TrainingKind = Literal["nlu", "embedding"]
TrainingStatus = Literal["waiting", "training", "evaluating", "refused", "ready", "deployed", "replaced", "failed"]


class StartBody(BaseModel):
    """What to train, and why."""

    model_config = ConfigDict(extra="forbid")

    kind: TrainingKind = "nlu"
    reason: Annotated[str, Field(max_length=500)] = ""


class Training(BaseModel):
    """One training."""

    id: str
    kind: str
    status: str
    step: str
    progress: float
    model: str | None
    metrics: dict[str, Any]
    error: str | None
    author: str
    reason: str
    created_at: datetime
    finished_at: datetime | None
    deployed_at: datetime | None


class TrainingPage(BaseModel):
    """Some of all that fit."""

    total: int
    limit: int
    offset: int
    items: list[Training]


def add_to(routes: APIRouter, services: LearningServices) -> None:
    """The routes of trainings."""

    def found(session: Session, session_id: str) -> Training:
        row = session.get(TrainingSession, session_id)
        if row is None or row.tenant_id != services.tenant:
            raise NotFound(f"There is no training {session_id!r}.")
        return _shown(row)

    @routes.get("/training-sessions/", tags=[TAG])
    async def listed(
        _: Viewer,
        kind: TrainingKind | None = None,
        status: TrainingStatus | None = None,
        limit: Limit = 50,
        offset: Offset = 0,
    ) -> TrainingPage:
        """Newest first."""
        wanted = {name: value for name, value in (("kind", kind), ("status", status)) if value}

        def work(session: Session) -> TrainingPage:
            query = select(TrainingSession).filter_by(tenant_id=services.tenant, **wanted)
            total = session.scalar(select(func.count()).select_from(query.subquery())) or 0
            rows = session.scalars(query.order_by(TrainingSession.id.desc()).limit(limit).offset(offset))
            return TrainingPage(total=total, limit=limit, offset=offset, items=[_shown(row) for row in rows])

        return await services.database.run(work)

    @routes.get("/training-sessions/{session_id}/", tags=[TAG])
    async def one(session_id: str, _: Viewer) -> Training:
        """How far it is, and what was measured."""
        return await services.database.run(lambda session: found(session, session_id))

    @routes.post("/training-sessions/start_training/", tags=[TAG], status_code=202)
    async def start(body: StartBody, person: Builder) -> Training:
        """Begin a training; the worker does it."""
        if services.start_training is None:
            raise Unavailable("Training from here is not part of this installation: use `rejoinder train`.")
        begin, values = services.start_training, (services.tenant, body.kind, person.email, body.reason)
        session_id = await asyncio.to_thread(begin, *values)
        return await services.database.run(lambda session: found(session, session_id))


def _shown(row: TrainingSession) -> Training:
    return Training(**{name: getattr(row, name) for name in FIELDS})
