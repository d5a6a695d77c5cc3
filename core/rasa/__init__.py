"""The doors to Rasa, and no other: say, tracker, status, model."""

from core.rasa.client import INFORM, Rasa, RasaItem, as_text

__all__ = ["INFORM", "Rasa", "RasaItem", "as_text"]
