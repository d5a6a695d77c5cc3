"""What staff start from a page or through the API, and what takes longer than a request."""

from __future__ import annotations

from dataclasses import asdict
from functools import cache
from typing import Any

from console.api.services import LearningServices
from console.auth.gate import Gate
from core.db import Database
from core.errors import InvalidInput
from core.jobs.queue import make_queue
from core.settings import Settings
from evaluation.training.wiring import make_training
from knowledge.review.desk import Desk


def make_learning(settings: Settings, database: Database, gate: Gate, desk: Desk) -> LearningServices:
    """The learning API; what is heavy is loaded when it is first asked for, what is long is left to the worker."""
    queue = make_queue(settings.broker_url, settings.home)
    training = make_training(settings, database)

    @cache
    def harvester() -> Any:
        from knowledge.harvest.wiring import make_harvest  # noqa: PLC0415 - seconds, and only for who asks for it

        return make_harvest(settings, database).harvester

    def harvest(tenant_id: str, conversation_id: str) -> dict[str, Any]:
        return asdict(harvester().process_conversation(tenant_id, conversation_id))

    def harvest_all(_tenant_id: str) -> dict[str, Any]:
        queue.send_task("harvest")
        return {"status": "started"}

    def start_training(tenant_id: str, kind: str, by: str, reason: str) -> str:
        if kind != "nlu":
            raise InvalidInput("Only nlu can be trained from here; the embedding is trained by command.")
        session_id = training.start_training(tenant_id, by, reason)
        queue.send_task("train_nlu", [session_id])
        return session_id

    return LearningServices(gate, database, settings.tenant, desk, harvest, harvest_all, start_training)
