"""Builds fine-tuning from the settings."""

from __future__ import annotations

from core.db import Database
from core.settings import Settings
from evaluation.tuning.models import TunedModels
from evaluation.tuning.service import Tuning
from evaluation.tuning.trainer import packaged_base
from knowledge.wiring import make_knowledge


def make_tuning(settings: Settings, database: Database) -> Tuning:
    """Trains and deploys on this machine; nothing is connected or loaded before it is used."""
    base = settings.embedding_model or packaged_base()
    return Tuning(make_knowledge(settings, database), TunedModels(settings.home), base)
