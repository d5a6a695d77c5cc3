"""The doors to Rasa, and no other: say, tracker, status, model."""

from core.rasa.client import Rasa, RasaItem, as_text

__all__ = ["Rasa", "RasaItem", "as_text"]
