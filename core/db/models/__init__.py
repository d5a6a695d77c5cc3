"""Every table; each one has a tenant."""

from core.db.models.base import Base, new_id, now
from core.db.models.conversations import Conversation, Feedback, Message, Turn
from core.db.models.generation import LlmCall, LlmDay, LlmHealth, Money, Routing
from core.db.models.knowledge import (
    EntryQuestion,
    EntryVersion,
    KnowledgeEntry,
    KnowledgeRevision,
    SourceDocument,
)
from core.db.models.operations import Heartbeat
from core.db.models.orders import Order

__all__ = [
    "Base",
    "Conversation",
    "EntryQuestion",
    "EntryVersion",
    "Feedback",
    "Heartbeat",
    "KnowledgeEntry",
    "KnowledgeRevision",
    "LlmCall",
    "LlmDay",
    "LlmHealth",
    "Message",
    "Money",
    "Order",
    "Routing",
    "SourceDocument",
    "Turn",
    "new_id",
    "now",
]
