"""The allowed values of columns with a fixed set of values."""

from __future__ import annotations

from typing import Literal

Speaker = Literal["customer", "bot", "agent"]
Feeling = Literal["positive", "neutral", "negative", "angry"]
Urgency = Literal["low", "normal", "high"]
TurnStatus = Literal["waiting", "answered", "failed", "person"]
Outcome = Literal["answered", "suggested", "clarified", "unknown", "handoff", "action", "failed"]
MessageKind = Literal["delay_apology", "empathy", "contact_request", "file_receipt"]
HandoffState = Literal[
    "requested", "claimed", "with_person", "returned", "closed", "timed_out", "customer_left", "nobody_there"
]
DeliveryKind = Literal["message", "alert", "update"]
DeliveryState = Literal["queued", "sending", "sent", "delivered", "read", "failed", "dead"]
EntryKind = Literal["faq", "passage"]
EntryStatus = Literal["draft", "approved", "retired"]
