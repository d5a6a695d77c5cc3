"""Storage and retention of tuned embedding models."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import structlog

from core.db.models import TrainingSession
from core.errors import KnowledgeUnavailable
from knowledge.services import Knowledge

log = structlog.get_logger()

FOLDER = Path("models/embeddings")
KEPT = 3


@dataclass(frozen=True)
class TunedModels:
    """The models of all tenants, below ``home``; each is a folder with `model.onnx` and `tokenizer.json`."""

    home: Path

    @property
    def folder(self) -> Path:
        return self.home / FOLDER

    def new(self) -> str:
        """Create an empty folder for a model and return its path below ``home``."""
        name = f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
        (self.folder / name).mkdir(parents=True)
        return str(FOLDER / name)

    def kept(self, row: TrainingSession) -> bool:
        """Whether the model of this training still exists."""
        return bool(row.model) and (self.home / str(row.model) / "model.onnx").is_file()

    def forget(self, model: str) -> None:
        shutil.rmtree(self.home / model, ignore_errors=True)

    def clean_up(self, knowledge: Knowledge, tenant_id: str, rows: Sequence[TrainingSession]) -> None:
        """Keep the deployed model and the newest others of a tenant's trainings (newest first); delete the rest."""
        there = sorted(filter(self.kept, rows), key=lambda row: row.status != "deployed")
        for model in [str(row.model) for row in there[KEPT:]]:
            try:
                knowledge.spaces.of(model).index.drop(tenant_id)
            except KnowledgeUnavailable as error:
                log.warning("a deleted model's vectors stay in Chroma", model=model, error=str(error))
            self.forget(model)
