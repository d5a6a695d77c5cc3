"""Builds training from the settings."""

from __future__ import annotations

from core.db import Database
from core.rasa import Rasa
from core.secrets import derive_key
from core.settings import Settings
from evaluation.training.model import BotModel
from evaluation.training.service import Training


def make_model(settings: Settings) -> BotModel:
    """The models below the home folder, made from the data and the skills that the settings name."""
    return BotModel(settings.home, settings.bot())


def make_training(settings: Settings, database: Database) -> Training:
    """Trains and deploys on this machine."""
    return Training(
        database, make_model(settings), lambda: Rasa(settings.rasa(), derive_key(settings.secret_key(), "rasa"))
    )
