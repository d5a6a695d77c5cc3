"""``training-sessions/``: trainings of the NLU and embedding models."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from console.api.errors import Builder, Viewer
from console.api.page_query import Limit, Offset
from console.api.services import LearningServices, ModelManager
from core.db.models import TrainingSession
from core.errors import NotFound, Unavailable

TAG = "training sessions"
FIELDS = (
    "id", "kind", "status", "step", "progress", "model", "metrics", "error", "author", "reason", "created_at",
    "finished_at", "deployed_at",
)  # fmt: skip
TrainingKind = Literal["nlu", "embedding"]
Reason = Annotated[str, Field(min_length=1, max_length=500)]
TrainingStatus = Literal["waiting", "training", "evaluating", "refused", "ready", "deployed", "replaced", "failed"]


class StartBody(BaseModel):
    """The kind of model to train, and the reason."""

    model_config = ConfigDict(extra="forbid")

    kind: TrainingKind = "nlu"
    reason: Annotated[str, Field(max_length=500)] = ""


class DeployBody(BaseModel):
    """The reason, and whether to deploy a model that the comparison refused (NLU only)."""

    model_config = ConfigDict(extra="forbid")

    reason: Reason
    force: bool = False


class RollbackBody(BaseModel):
    """The kind of model to roll back, and the reason."""

    model_config = ConfigDict(extra="forbid")

    kind: TrainingKind = "nlu"
    reason: Reason


class TrainingResponse(BaseModel):
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
    """One page of matching trainings."""

    total: int
    limit: int
    offset: int
    items: list[TrainingResponse]


def add_routes(routes: APIRouter, services: LearningServices) -> None:
    """Add the routes of trainings."""

    async def read_training(session_id: str) -> TrainingResponse:
        return await services.database.run(lambda session: _load_training(session, services.tenant, session_id))

    @routes.get("/training-sessions/", tags=[TAG])
    async def list_trainings(
        _: Viewer,
        kind: TrainingKind | None = None,
        status: TrainingStatus | None = None,
        limit: Limit = 50,
        offset: Offset = 0,
    ) -> TrainingPage:
        """List trainings, the newest first."""
        wanted = {name: value for name, value in (("kind", kind), ("status", status)) if value}

        def load_trainings(session: Session) -> TrainingPage:
            query = select(TrainingSession).filter_by(tenant_id=services.tenant, **wanted)
            total = session.scalar(select(func.count()).select_from(query.subquery())) or 0
            rows = session.scalars(query.order_by(TrainingSession.id.desc()).limit(limit).offset(offset))
            return TrainingPage(total=total, limit=limit, offset=offset, items=[_to_training(row) for row in rows])

        return await services.database.run(load_trainings)

    @routes.get("/training-sessions/{session_id}/", tags=[TAG])
    async def get_training(session_id: str, _: Viewer) -> TrainingResponse:
        """How far it is, and what was measured."""
        return await read_training(session_id)

    @routes.post("/training-sessions/start_training/", tags=[TAG], status_code=202)
    async def start_training(body: StartBody, person: Builder) -> TrainingResponse:
        """Begin a training; the worker does it."""
        if services.start_training is None:
            raise Unavailable("Training from here is not part of this installation: use `rejoinder train`.")
        begin, values = services.start_training, (services.tenant, body.kind, person.email, body.reason)
        session_id = await asyncio.to_thread(begin, *values)
        return await read_training(session_id)

    _add_models(routes, services, read_training)


def _add_models(
    routes: APIRouter, services: LearningServices, found: Callable[[str], Awaitable[TrainingResponse]]
) -> None:
    def require_models() -> ModelManager:
        if services.models is None:
            raise Unavailable("Deploying from here is not part of this installation: use `rejoinder models`.")
        return services.models

    @routes.post("/training-sessions/{session_id}/deploy/", tags=[TAG], status_code=202)
    async def deploy_model(session_id: str, body: DeployBody, person: Builder) -> TrainingResponse:
        """Put its model in force; an embedding serves once the worker has made its vectors (see ``step``)."""
        kind = (await found(session_id)).kind
        put, who = require_models().deploy, (services.tenant, (session_id, kind), person.email, body.reason)
        await asyncio.to_thread(put, *who, force=body.force)
        return await found(session_id)

    @routes.post("/training-sessions/rollback/", tags=[TAG], status_code=202)
    async def roll_back_model(body: RollbackBody, person: Builder) -> TrainingResponse | None:
        """Go back to the model that served before; again: one further back. ``null``: to the base model of embedding."""
        back = await asyncio.to_thread(require_models().rollback, services.tenant, body.kind, person.email, body.reason)
        return await found(back) if back else None


def _load_training(session: Session, tenant_id: str, session_id: str) -> TrainingResponse:
    row = session.get(TrainingSession, session_id)
    if row is None or row.tenant_id != tenant_id:
        raise NotFound(f"There is no training {session_id!r}.")
    return _to_training(row)


def _to_training(row: TrainingSession) -> TrainingResponse:
    return TrainingResponse(**{name: getattr(row, name) for name in FIELDS})
