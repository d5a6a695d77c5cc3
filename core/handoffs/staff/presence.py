"""Presence of agents: who views which handoff, and who is typing. Kept for seconds, in this process only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic

from core.events import AgentTyping, DraftViewer, Hub, Present, inbox_of
from core.handoffs.staff.views import HandoffView
from core.handoffs.states import PERSON

LOOKING_SECONDS = 30.0
"""How long a viewer counts as present; pages report every ten seconds."""
TYPING_SECONDS = 6.0
"""How long a viewer counts as typing; pages report every three seconds meanwhile."""


@dataclass
class _Seen:
    name: str
    looks_until: float
    types_until: float


@dataclass(frozen=True)
class Presence:
    """Tracks presence, and notifies the inbox and the customer."""

    hub: Hub
    clock: Callable[[], float] = monotonic
    _seen: dict[str, dict[str, _Seen]] = field(default_factory=lambda: defaultdict(dict))

    def beat(self, handoff: HandoffView, email: str, name: str, *, typing: bool) -> tuple[DraftViewer, ...]:
        """Record that an agent views a handoff and may be typing; return the current viewers.

        The customer is told about typing while an agent owns the conversation.
        """
        before, at = self.viewers(handoff.id), self.clock()
        until = at + TYPING_SECONDS if typing else 0.0
        self._seen[handoff.id][email] = _Seen(name, at + LOOKING_SECONDS, until)
        if typing and handoff.state in PERSON:
            self.hub.publish(handoff.conversation_id, AgentTyping())
        return self._publish_viewers(handoff, before)

    def leave(self, handoff: HandoffView, email: str) -> None:
        """Record that an agent no longer views a handoff."""
        before = self.viewers(handoff.id)
        self._seen[handoff.id].pop(email, None)
        self._publish_viewers(handoff, before)

    def viewers(self, handoff_id: str) -> tuple[DraftViewer, ...]:
        """Return the current viewers of a handoff, sorted by name."""
        at = self.clock()
        here = {email: seen for email, seen in self._seen.get(handoff_id, {}).items() if seen.looks_until > at}
        found = [DraftViewer(email, seen.name, typing=seen.types_until > at) for email, seen in here.items()]
        return tuple(sorted(found, key=lambda viewer: (viewer.name, viewer.email)))

    def _publish_viewers(self, handoff: HandoffView, before: tuple[DraftViewer, ...]) -> tuple[DraftViewer, ...]:
        now = self.viewers(handoff.id)
        kept = {viewer.email for viewer in now}
        for email in [email for email in self._seen[handoff.id] if email not in kept]:
            del self._seen[handoff.id][email]
        if not self._seen[handoff.id]:
            del self._seen[handoff.id]
        if now != before:
            self.hub.publish(inbox_of(handoff.tenant_id), Present(handoff.id, now))
        return now
