"""Every table; each row belongs to a tenant."""

from core.db.models.base import Base, generate_id, get_current_time
from core.db.models.conversations import Conversation, Message, Turn
from core.db.models.curation import (
    ConversationAnalysis,
    HumanCorrection,
    InteractionFeedback,
    LearningSettings,
    PerformanceDay,
    RegressionCase,
    ReuseObservation,
    ReviewItem,
    SurveyResponse,
    TrainingExample,
    TrainingSession,
)
from core.db.models.customers import Address, Customer
from core.db.models.deliveries import Delivery
from core.db.models.generation import LlmCall, LlmDay, LlmHealth, Money, Routing
from core.db.models.handoffs import (
    CannedReply,
    DeskThread,
    Handoff,
    HandoffNote,
    HandoffSettings,
    HandoffTransition,
)
from core.db.models.knowledge import (
    EntryConflict,
    EntryQuestion,
    EntryVersion,
    ImportLease,
    KnowledgeEntry,
    KnowledgeRevision,
    KnowledgeSource,
    SourceDocument,
)
from core.db.models.operations import Heartbeat
from core.db.models.orders import Order
from core.db.models.staff import AuditEvent, User, UserSession

__all__ = [
    "Address",
    "AuditEvent",
    "Base",
    "CannedReply",
    "Conversation",
    "ConversationAnalysis",
    "Customer",
    "Delivery",
    "DeskThread",
    "EntryConflict",
    "EntryQuestion",
    "EntryVersion",
    "Handoff",
    "HandoffNote",
    "HandoffSettings",
    "HandoffTransition",
    "Heartbeat",
    "HumanCorrection",
    "ImportLease",
    "InteractionFeedback",
    "KnowledgeEntry",
    "KnowledgeRevision",
    "KnowledgeSource",
    "LearningSettings",
    "LlmCall",
    "LlmDay",
    "LlmHealth",
    "Message",
    "Money",
    "Order",
    "PerformanceDay",
    "RegressionCase",
    "ReuseObservation",
    "ReviewItem",
    "Routing",
    "SourceDocument",
    "SurveyResponse",
    "TrainingExample",
    "TrainingSession",
    "Turn",
    "User",
    "UserSession",
    "generate_id",
    "get_current_time",
]
