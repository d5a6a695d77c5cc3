"""The only access to Rasa: messages, tracker, status and model."""

from core.rasa.client import Rasa, RasaItem, escape_commands

__all__ = ["Rasa", "RasaItem", "escape_commands"]
