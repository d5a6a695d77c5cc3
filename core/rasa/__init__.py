"""The doors to Rasa, and no other: say, tracker, status, model."""

from core.rasa.client import Rasa, RasaItem, escape_commands

__all__ = ["Rasa", "RasaItem", "escape_commands"]
