"""``knowledge-base/``: entries, their history and their use."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from console.api.errors import Reviewer, Viewer
from console.api.page_query import Limit, Offset
from console.api.services import LearningServices
from core.audit import add_audit_event
from core.db.models import ReuseObservation
from knowledge.curation.review import entry_changes, entry_queries
from knowledge.curation.review.entry_changes import Outcome
from knowledge.curation.review.types import LONGEST, MOST_QUESTIONS, Editor, ItemEvidence
from knowledge.entries import editor as entries
from knowledge.entries.content import Content
from knowledge.imports import catalogue

TAG = "knowledge base"
Text = Annotated[str, Field(max_length=LONGEST)]


class _EntryBody(BaseModel):
    model_config = ConfigDict(extra="forbid")


class EntryBody(_EntryBody):
    """Content of a new entry."""

    questions: Annotated[list[Text], Field(min_length=1, max_length=MOST_QUESTIONS)]
    answer: Text
    subject: Annotated[str, Field(max_length=200)] | None = None
    title: Annotated[str, Field(max_length=500)] | None = None
    language: Annotated[str, Field(max_length=8)] = "en"
    reason: Annotated[str, Field(max_length=500)] = ""


class VersionBody(_EntryBody):
    """The version that the change is based on; if it is outdated, the response is 409."""

    version: Annotated[int, Field(ge=1)]
    reason: Annotated[str, Field(max_length=500)] = ""


class ChangeBody(VersionBody):
    """Values to change; omitted ones stay unchanged."""

    questions: Annotated[list[Text], Field(max_length=MOST_QUESTIONS)] | None = None
    answer: Text | None = None
    subject: Annotated[str, Field(max_length=200)] | None = None
    title: Annotated[str, Field(max_length=500)] | None = None


class RestoreBody(VersionBody):
    old: Annotated[int, Field(ge=1)]


class UsageBody(_EntryBody):
    """Use of the entry by another system."""

    text: Annotated[str, Field(min_length=1, max_length=LONGEST)]
    """The question as it was asked."""
    turn_id: Annotated[str, Field(max_length=26)] | None = None
    correct: bool | None = None
    """Whether the answer was right, if known."""


class EntryItem(BaseModel):
    """The current state of an entry."""

    id: str
    kind: str
    status: str
    questions: list[str]
    answer: str
    title: str | None
    subject: str | None
    language: str
    context: list[dict[str, Any]]
    version: int
    author: str
    source: str | None
    url: str | None
    external_id: str | None
    live: bool
    """Whether the search index holds this version."""
    created_at: datetime
    updated_at: datetime


class VersionItem(BaseModel):
    """An entry as it was at one version."""

    version: int
    author: str
    reason: str
    content: dict[str, Any]
    created_at: datetime


class EntryWithHistory(EntryItem):
    """An entry with its versions, oldest first, and its use."""

    versions: list[VersionItem]
    use: dict[str, int]


class EntryPage(BaseModel):
    """One page of matching entries."""

    total: int
    limit: int
    offset: int
    items: list[EntryItem]


class EntryOutcome(BaseModel):
    """The entry after the change; with four eyes, the review item that a second person must approve."""

    entry: EntryItem | None
    review_item: str | None


class SourceItem(BaseModel):
    """A source of imported entries."""

    name: str
    place: str
    base_url: str | None
    documents: int
    entries: int
    """Number of served entries."""
    drafts: int
    failed: int
    """Documents and rows that could not be used at the last import."""
    failures: list[dict[str, str]]
    """The first of the failures."""
    passed_over: int
    created_at: datetime
    imported_at: datetime
    forgotten_at: datetime | None


class UsedEntryResponse(BaseModel):
    """An entry and the number of answers that used it."""

    entry: EntryItem
    answers: int


def add_routes(routes: APIRouter, services: LearningServices) -> None:
    """Add the routes of entries."""

    @routes.get("/knowledge-base/", tags=[TAG])
    async def list_entries(
        _: Viewer,
        status: Literal["draft", "approved", "retired"] | None = None,
        kind: Literal["faq", "passage"] | None = None,
        search: Annotated[str | None, Query(max_length=200)] = None,
        limit: Limit = 50,
        offset: Offset = 0,
    ) -> EntryPage:
        """List entries, the last changed first."""

        def load_entries(session: Session) -> EntryPage:
            wanted = entry_queries.EntryFilter(status, kind, search)
            total, found = entry_queries.search_entries(session, services.tenant, wanted, limit, offset)
            items = [EntryItem(**entry_queries.describe_knowledge_entry(session, entry)) for entry in found]
            return EntryPage(total=total, limit=limit, offset=offset, items=items)

        return await services.database.run(load_entries)

    @routes.get("/knowledge-base/search_by_intent/", tags=[TAG])
    async def search_by_intent(
        intent: Annotated[str, Query(min_length=1, max_length=100)], _: Viewer, limit: Limit = 20
    ) -> list[UsedEntryResponse]:
        """The entries that answered messages of this intent in the last 90 days, the most used first."""

        def load_used_entries(session: Session) -> list[UsedEntryResponse]:
            found = entry_queries.by_intent(session, services.tenant, intent, limit)
            return [
                UsedEntryResponse(entry=EntryItem(**entry_queries.describe_knowledge_entry(session, e)), answers=n)
                for e, n in found
            ]

        return await services.database.run(load_used_entries)

    @routes.get("/knowledge-base/sources/", tags=[TAG])
    async def list_sources(_: Viewer, *, forgotten: bool = False) -> list[SourceItem]:
        """What was imported, by name; those that were forgotten where they are asked for."""

        def load_sources(session: Session) -> list[SourceItem]:
            found = catalogue.list_source_counts(session, services.tenant, forgotten=forgotten)
            return [SourceItem(**vars(source)) for source in found]

        return await services.database.run(load_sources)

    @routes.get("/knowledge-base/{entry_id}/", tags=[TAG])
    async def get_entry(entry_id: str, _: Viewer) -> EntryWithHistory:
        """Get an entry with all its versions."""

        def load_entry(session: Session) -> EntryWithHistory:
            entry = entries.get_entry(session, services.tenant, entry_id)
            versions = [
                VersionItem(**_extract_version(version)) for version in entries.list_entry_versions(session, entry)
            ]
            use = entry_queries.count_entry_uses(session, services.tenant, entry_id)
            return EntryWithHistory(
                **entry_queries.describe_knowledge_entry(session, entry), versions=versions, use=use
            )

        return await services.database.run(load_entry)

    _add_changes(routes, services)
    _add_usage(routes, services)


def _add_changes(routes: APIRouter, services: LearningServices) -> None:
    async def apply_change(work: Callable[[Session], Outcome]) -> EntryOutcome:
        outcome = await services.desk.decide(services.tenant, work)

        def load_outcome(session: Session) -> EntryOutcome:
            entry = entries.get_entry(session, services.tenant, outcome.entry_id) if outcome.entry_id else None
            item = EntryItem(**entry_queries.describe_knowledge_entry(session, entry)) if entry else None
            return EntryOutcome(entry=item, review_item=outcome.item_id)

        return await services.database.run(load_outcome)

    @routes.post("/knowledge-base/", tags=[TAG], status_code=201)
    async def create_entry(body: EntryBody, person: Reviewer) -> EntryOutcome:
        """A new entry, live at once unless a second person must approve."""
        content = Content(
            "faq", body.answer, tuple(body.questions), title=body.title, subject=body.subject, language=body.language
        )
        hand = Editor(services.tenant, person.email, body.reason)
        return await apply_change(lambda session: entry_changes.create_entry(session, hand, content))

    @routes.patch("/knowledge-base/{entry_id}/", tags=[TAG])
    async def update_entry(entry_id: str, body: ChangeBody, person: Reviewer) -> EntryOutcome:
        """The entry's next version."""

        def store_update(session: Session) -> Outcome:
            before = entries.content_of(entries.get_entry(session, services.tenant, entry_id))
            given = body.model_dump(exclude_unset=True, exclude={"version", "reason"})
            values = {**vars(before), **{name: v for name, v in given.items() if v is not None}}
            content = Content(**{**values, "questions": tuple(values["questions"])})
            hand = Editor(services.tenant, person.email, body.reason)
            return entry_changes.change_entry(session, hand, ItemEvidence(entry_id, body.version), content)

        return await apply_change(store_update)

    @routes.post("/knowledge-base/{entry_id}/retire/", tags=[TAG])
    async def retire_entry(entry_id: str, body: VersionBody, person: Reviewer) -> EntryOutcome:
        """Serve it no longer; its history stays."""
        hand = Editor(services.tenant, person.email, body.reason)
        return await apply_change(
            lambda session: entry_changes.retire_entry(session, hand, ItemEvidence(entry_id, body.version))
        )

    @routes.post("/knowledge-base/{entry_id}/approve/", tags=[TAG])
    async def approve_entry(entry_id: str, body: VersionBody, person: Reviewer) -> EntryOutcome:
        """Serve a draft, or a retired entry again."""
        hand = Editor(services.tenant, person.email, body.reason)
        return await apply_change(
            lambda session: entry_changes.approve_entry(session, hand, ItemEvidence(entry_id, body.version))
        )

    @routes.post("/knowledge-base/{entry_id}/restore/", tags=[TAG])
    async def restore_entry(entry_id: str, body: RestoreBody, person: Reviewer) -> EntryOutcome:
        """What it said at an earlier version, as a new one."""
        hand = Editor(services.tenant, person.email, body.reason)
        return await apply_change(
            lambda session: entry_changes.restore_version(session, hand, ItemEvidence(entry_id, body.version), body.old)
        )


def _add_usage(routes: APIRouter, services: LearningServices) -> None:
    @routes.post("/knowledge-base/{entry_id}/record_usage/", tags=[TAG], status_code=201)
    async def record_usage(entry_id: str, body: UsageBody, person: Reviewer) -> dict[str, str]:
        """Another system sent this answer; what came of it counts for its safe reuse."""

        def store_usage(session: Session) -> str:
            entries.get_entry(session, services.tenant, entry_id)
            judged = "reviewer" if body.correct is not None else None
            row = ReuseObservation(
                tenant_id=services.tenant,
                entry_id=entry_id,
                score=1.0,
                reused=True,
                judged_by=judged,
                **body.model_dump(),
            )
            session.add(row)
            session.flush()
            add_audit_event(session, services.tenant, "entry", entry_id, "used", person.email, correct=body.correct)
            return row.id

        return {"id": await services.database.run(store_usage)}


def _extract_version(version: Any) -> dict[str, Any]:
    return {name: getattr(version, name) for name in ("version", "author", "reason", "content", "created_at")}
