"""`rejoinder conversations`: list, show, summarise, import."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session, selectinload

from console.cli.database import opened
from console.cli.options import JsonOption, TenantOption, print_json
from core.db import Database
from core.db.models import Conversation, Message, Turn
from core.errors import InvalidInput, NotFound
from core.settings import Settings

if TYPE_CHECKING:
    from knowledge.curation.conversation_import import Learnt

ANSWER = (
    "outcome",
    "intent",
    "confidence",
    "written_by",
    "route",
    "complexity",
    "cost",
    "groundedness",
    "prompt_version",
    "entries",
    "total_ms",
    "error",
)
"""Columns of a turn that explain its answer."""

app = typer.Typer(no_args_is_help=True, help="What was said: look at conversations, import others, learn from them.")


@app.command("list")
def list_(
    limit: Annotated[int, typer.Option(min=1, max=100_000)] = 20,
    as_json: JsonOption = False,
    tenant: TenantOption = None,
) -> None:
    """List conversations, the last one that was written in first."""
    with opened(tenant) as (_settings, database, tenant_id), database.session() as session:
        said = select(func.count()).where(Message.conversation_id == Conversation.id).scalar_subquery()
        query = select(Conversation, said).where(Conversation.tenant_id == tenant_id)
        found = session.execute(query.order_by(Conversation.updated_at.desc(), Conversation.id.desc()).limit(limit))
        rows = [{**_describe_conversation(conversation), "messages": count} for conversation, count in found]
    if as_json:
        print_json(rows)
        return
    for row in rows:
        print("  ".join(f"{row[name]}" for name in ("id", "updated_at", "channel", "status", "messages")))
    if not rows:
        print("There are no conversations.")


@app.command()
def show(
    conversation_id: Annotated[str, typer.Argument(metavar="ID", help="Its id, or its id where it was imported from.")],
    as_json: JsonOption = False,
    tenant: TenantOption = None,
) -> None:
    """Show what was said in a conversation."""
    with opened(tenant) as (_settings, database, tenant_id), database.session() as session:
        conversation = _get_conversation(session, tenant_id, conversation_id)
        made = {turn.id: turn for turn in session.scalars(select(Turn).filter_by(conversation_id=conversation.id))}
        turns = [_describe_message(message, made.get(message.turn_id or "")) for message in conversation.messages]
        shown = {**_describe_conversation(conversation), "turns": turns}
    if as_json:
        print_json(shown)
        return
    for turn in turns:
        print(f"{turn['speaker']}: {turn['text']}")
        if why := turn.get("answer"):
            print("    " + ", ".join(f"{name} {value}" for name, value in why.items() if value not in (None, [])))


@app.command()
def summarise(
    conversation_id: Annotated[str, typer.Argument(metavar="ID", help="Its id, or its id where it was imported from.")],
    as_json: JsonOption = False,
    tenant: TenantOption = None,
) -> None:
    """Sum up a conversation for a colleague, in a few lines by a model."""
    with opened(tenant) as (settings, database, tenant_id):
        with database.session() as session:
            conversation = _get_conversation(session, tenant_id, conversation_id)
            said = [(message.speaker, message.text) for message in conversation.messages]
        summary = asyncio.run(_summarise_conversation(settings, database, conversation, said))
    if as_json:
        print_json({"id": conversation.id, "summary": summary})
    else:
        print(summary)


async def _summarise_conversation(
    settings: Settings, database: Database, conversation: Conversation, said: Sequence[tuple[str, str]]
) -> str:
    from core import logs  # noqa: PLC0415
    from core.llm.factory import make_router  # noqa: PLC0415
    from core.llm.types import Request, RequestOrigin  # noqa: PLC0415
    from knowledge.answers.prompt_texts import Prompts  # noqa: PLC0415
    from knowledge.types import SPEAKERS, Utterance  # noqa: PLC0415

    logs.configure_logging(settings.log_format, "ERROR")
    prompts, router = Prompts.load(), make_router(settings, database)
    utterances = [Utterance(SPEAKERS[speaker], text) for speaker, text in said]
    caller = RequestOrigin(conversation.tenant_id, conversation.id, purpose="summary", prompt_version=prompts.version)
    await router.start()
    try:
        completion = await router.complete(Request(prompts.summary(utterances), caller))
    finally:
        await router.close()
    return completion.text.strip()


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="One conversation a line.")],
    approve: Annotated[
        bool, typer.Option("--approve", help="Make an approved entry of each conversation that is approved.")
    ] = False,
    author: Annotated[str, typer.Option("--author", help="Who approves; kept with every version.")] = "import",
    as_json: JsonOption = False,
    tenant: TenantOption = None,
) -> None:
    """Import conversations as JSON lines.

    A line: {"conversation_id", "turns": [{"speaker", "text"}], "approved"}. One that is here already is left as it
    is. Exit code 1 when a line was wrong; the others are imported all the same.
    """
    with opened(tenant) as (settings, database, tenant_id):
        learnt = _store_conversations(database, tenant_id, file, author, approve=approve)
        late = _sync_index(settings, database, tenant_id) if learnt.entries else None
    if as_json:
        print_json({**asdict(learnt), "indexed": late is None})
    else:
        print(f"{learnt.added} added, {learnt.unchanged} unchanged, {learnt.entries} entries learnt, ", end="")
        print(f"{len(learnt.failed)} failed")
    for failure in () if as_json else learnt.failed:
        print(f"failed: {failure.uri}: {failure.reason}", file=sys.stderr)
    if late is not None:
        print(f"warning: {late} Everything is stored, and is indexed when it is back.", file=sys.stderr)
    if learnt.failed:
        raise typer.Exit(1)


def _store_conversations(database: Database, tenant_id: str, file: Path, author: str, *, approve: bool) -> Learnt:
    from dataclasses import replace  # noqa: PLC0415

    from knowledge.curation.conversation_import import parse_conversations, store_conversations  # noqa: PLC0415
    from knowledge.entries.editor import Change  # noqa: PLC0415

    try:
        lines = file.read_text(encoding="utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{file} is no text in UTF-8.") from error
    conversations, failed = parse_conversations(lines)
    if not conversations and not failed:
        raise InvalidInput(f"There are no conversations in {file}.")
    learnt = store_conversations(
        database, tenant_id, conversations, Change(author, f"approved in {file.name}"), approve=approve
    )
    return replace(learnt, failed=(*failed, *learnt.failed))


def _sync_index(settings: Settings, database: Database, tenant_id: str) -> Exception | None:
    from knowledge.index.synchroniser import sync_quietly  # noqa: PLC0415
    from knowledge.services import Knowledge  # noqa: PLC0415

    knowledge = Knowledge(settings, database)
    try:
        return sync_quietly(knowledge.synchroniser, tenant_id)
    finally:
        knowledge.close()


def _get_conversation(session: Session, tenant_id: str, conversation_id: str) -> Conversation:
    named = or_(Conversation.id == conversation_id, Conversation.external_id == conversation_id)
    query = select(Conversation).where(Conversation.tenant_id == tenant_id, named)
    conversation = session.scalar(query.options(selectinload(Conversation.messages)))
    if conversation is None:
        raise NotFound(f"There is no conversation {conversation_id!r}.")
    return conversation


def _describe_conversation(conversation: Conversation) -> dict[str, Any]:
    return {
        "id": conversation.id,
        "external_id": conversation.external_id,
        "channel": conversation.channel,
        "status": conversation.status,
        "approved": conversation.approved,
        "created_at": _format_time(conversation.created_at),
        "updated_at": _format_time(conversation.updated_at),
    }


def _describe_message(message: Message, turn: Turn | None) -> dict[str, Any]:
    """Describe a message; for a bot's answer also how it came about."""
    said = {"speaker": message.speaker, "text": message.text, "at": _format_time(message.created_at)}
    return {**said, "answer": {name: getattr(turn, name) for name in ANSWER}} if turn else said


def _format_time(moment: Any) -> str:
    return str(moment.isoformat(timespec="seconds"))
