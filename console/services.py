"""Operations that staff start from a page or through the API, including those that outlast a request."""

from __future__ import annotations

import asyncio
from asyncio import AbstractEventLoop
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

from celery import Celery

from console.api.services import LearningServices
from console.auth.gate import Gate
from core.db import Database
from core.jobs.queue import make_queue
from core.llm.client import Asking
from core.llm.router.router import Router
from core.settings import Settings
from evaluation.training.service import TrainingService
from evaluation.training.suggestions import Cluster, suggest_examples
from evaluation.tuning.service import Tuning
from knowledge.curation.review.service import ReviewService
from knowledge.types import Embeds

StartTraining = Callable[[str, str, str, str], str]


def make_learning(
    settings: Settings,
    database: Database,
    gate: Gate,
    desk: ReviewService,
    *,
    start_training: StartTraining,
    models: ModelDeployments,
    router: Router,
) -> LearningServices:
    """Make the services of the learning API; heavy parts load on first use, long work is left to the worker."""
    queue = make_queue(settings.broker_url, settings.home)

    @cache
    def build_harvester(loop: AbstractEventLoop) -> Any:
        from knowledge.jobs import make_harvest  # noqa: PLC0415 - seconds, and only for who asks for it

        return make_harvest(settings, database, Asking(router, loop)).harvester

    async def harvest_conversation(tenant_id: str, conversation_id: str) -> dict[str, Any]:
        loop = asyncio.get_running_loop()
        done = await asyncio.to_thread(lambda: build_harvester(loop).process_conversation(tenant_id, conversation_id))
        return asdict(done)

    def harvest_all(_tenant_id: str) -> dict[str, Any]:
        queue.send_task("harvest")
        return {"status": "started"}

    return LearningServices(
        gate, database, settings.tenant, desk, harvest_conversation, harvest_all, start_training, models
    )


def make_start_training(settings: Settings, training: TrainingService, tuning: Tuning) -> StartTraining:
    """Make the function that records a training of kind "nlu" or "embedding" and queues it for the worker."""
    queue = make_queue(settings.broker_url, settings.home)

    def start_training(tenant_id: str, kind: str, by: str, reason: str) -> str:
        desk, task = (tuning, "tune_embedding") if kind == "embedding" else (training, "train_nlu")
        session_id = desk.start_training(tenant_id, by, reason)
        queue.send_task(task, [session_id])
        return session_id

    return start_training


@dataclass(frozen=True)
class ModelDeployments:
    """Deploys and rolls back trained models: Rasa's at once, embedding models once the worker has computed their vectors."""

    training: TrainingService
    tuning: Tuning
    queue: Celery

    def deploy(self, tenant_id: str, training: tuple[str, str], by: str, reason: str, *, force: bool) -> None:
        session_id, kind = training
        if kind == "embedding":
            self.tuning.deployable(tenant_id, session_id)
            self.queue.send_task("deploy_embedding", [tenant_id, session_id, by, reason])
        else:
            self.training.deploy(tenant_id, session_id, by, reason, force=force)

    def rollback(self, tenant_id: str, kind: str, by: str, reason: str) -> str | None:
        if kind != "embedding":
            return self.training.rollback(tenant_id, by, reason).id
        earlier = self.tuning.earlier(tenant_id)
        self.queue.send_task("roll_back_embedding", [tenant_id, by, reason])
        return earlier.id if earlier else None


def make_models(settings: Settings, training: TrainingService, tuning: Tuning) -> ModelDeployments:
    """Make the service with which the API deploys and rolls back models."""
    return ModelDeployments(training, tuning, make_queue(settings.broker_url, settings.home))


def make_clusters(
    database: Database, training: TrainingService, embedder: Embeds
) -> Callable[[str], Sequence[Cluster]]:
    """Make the function that proposes clusters of messages not understood as examples; a thousand messages take some seconds."""

    def suggest_clusters(tenant_id: str) -> Sequence[Cluster]:
        with database.session() as session:
            return suggest_examples(session, tenant_id, training.model.parts, embedder)

    return suggest_clusters
