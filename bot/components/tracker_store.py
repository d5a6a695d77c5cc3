"""Rasa's SQL tracker store, optimised for SQLite: pooled connections, write-ahead log, and cached trackers."""

from __future__ import annotations

import itertools
from collections import OrderedDict
from typing import Any, Iterator, NamedTuple, Optional

import sqlalchemy as sa
from rasa.core.tracker_store import SQLTrackerStore
from rasa.shared.core.constants import REQUESTED_SLOT
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActiveLoop, SlotSet
from rasa.shared.core.trackers import DialogueStateTracker
from sqlalchemy import event
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.pool import QueuePool

from bot.components import action_results, forms

TRACKERS_KEPT = 200


class _CachedTracker(NamedTuple):
    tracker: DialogueStateTracker
    saved: int
    """Number of its events that are in the database."""
    domain: Optional[Domain]


class TrackerStore(SQLTrackerStore):
    """Works like Rasa's own on PostgreSQL, where several Rasa servers may share it; SQLite allows only one.

    A cached tracker is handed out only once and returns with the next ``save``, so a tracker that was changed but not saved is read
    from the database again.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        action_results.check_schema_once()
        self._kept: OrderedDict[str, _CachedTracker] = OrderedDict()
        self._out: dict[str, _CachedTracker] = {}
        self._alone = self.engine.dialect.name == "sqlite"
        if self._alone:
            url, options = self.engine.url, {"check_same_thread": False}
            self.engine.dispose()
            self.engine = sa.create_engine(url, poolclass=QueuePool, connect_args=options)
            event.listen(self.engine, "connect", _set_pragmas)
            self.sessionmaker = sessionmaker(bind=self.engine)

    async def retrieve(self, sender_id: str) -> Optional[DialogueStateTracker]:
        """Return the conversation as last saved, and remember it for the pipeline."""
        tracker = await self._find_tracker(sender_id)
        forms.remember_tracker(tracker, self.domain)
        return tracker

    async def _find_tracker(self, sender_id: str) -> Optional[DialogueStateTracker]:
        kept = self._kept.pop(sender_id, None)
        if kept is None or kept.domain is not self.domain:
            self._out.pop(sender_id, None)
            return _without_lost_form(await super().retrieve(sender_id), self.domain)
        self._out[sender_id] = kept
        return kept.tracker

    async def save(self, tracker: DialogueStateTracker) -> None:
        """Store new events, and cache the tracker for the next message."""
        await super().save(tracker)
        self._out.pop(tracker.sender_id, None)
        if self._alone:
            self._kept[tracker.sender_id] = _CachedTracker(tracker, len(tracker.events), self.domain)
            while len(self._kept) > TRACKERS_KEPT:
                self._kept.popitem(last=False)

    def _additional_events(self, session: Session, tracker: DialogueStateTracker) -> Iterator[Any]:
        out = self._out.get(tracker.sender_id)
        if out is None or out.tracker is not tracker:
            return super()._additional_events(session, tracker)
        return itertools.islice(tracker.events, out.saved, None)


def _without_lost_form(tracker: Optional[DialogueStateTracker], domain: Domain) -> Optional[DialogueStateTracker]:
    """Deactivate a form whose skill was disabled in the meantime."""
    if tracker is not None and tracker.active_loop_name and tracker.active_loop_name not in domain.form_names:
        tracker.update(ActiveLoop(None), domain)
        tracker.update(SlotSet(REQUESTED_SLOT, None), domain)
    return tracker


def _set_pragmas(connection: Any, _record: Any) -> None:
    """Set pragmas: a power failure may lose the last turns, which `app` has stored, but corrupts nothing."""
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
