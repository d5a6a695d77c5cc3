"""The way of one message: stored, answered by Rasa, stored again, told to the watchers."""

from core.turns.inbox import Inbound, Press, Received, Sender
from core.turns.service import Turns

__all__ = ["Inbound", "Press", "Received", "Sender", "Turns"]
