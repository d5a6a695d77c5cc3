"""`rejoinder harvest`: suggest entries from finished conversations and transcripts."""

from __future__ import annotations

import sys
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from sqlalchemy import select

from console.cli.database import opened
from console.cli.options import JsonOption, TenantOption, print_json
from core.db import Database
from core.db.models import Conversation, get_current_time
from core.errors import InvalidInput

if TYPE_CHECKING:
    from knowledge.curation.harvest import Harvested, Run
    from knowledge.imports.sources.document import Failure
    from knowledge.jobs import Harvest


def harvest(
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[FILE ...]",
            exists=True,
            dir_okay=False,
            readable=True,
            help='Transcripts to read first: JSON lines with "turns", or text with "Customer: ..." and "Agent: ...".',
        ),
    ] = None,
    conversation: Annotated[
        str | None, typer.Option("--conversation", metavar="ID", help="Only this one, again if it was done before.")
    ] = None,
    since: Annotated[
        int | None, typer.Option("--since", metavar="DAYS", min=1, help="Only what was said in the last days.")
    ] = None,
    as_json: JsonOption = False,
    tenant: TenantOption = None,
) -> None:
    """Look through finished conversations for questions that a person answered, and for what nobody answered.

    What is found waits in the review queue. A run that was stopped goes on where it was. Exit code 1 when something
    in a file was no conversation; the rest is harvested all the same.
    """
    from core import logs  # noqa: PLC0415
    from core.llm.client import own_router  # noqa: PLC0415
    from knowledge.jobs import make_harvest  # noqa: PLC0415

    failed: list[Failure] = []
    with opened(tenant) as (settings, database, tenant_id):
        logs.configure_logging(settings.log_format, "ERROR")
        for file in files or ():
            failed += _store_conversations(database, tenant_id, file)
        with own_router(settings, database) as ask:
            made = make_harvest(settings, database, ask)
            if conversation:
                done = made.harvester.process_conversation(
                    tenant_id, _get_conversation_id(database, tenant_id, conversation)
                )
                report, lines = _format_harvested(done)
            else:
                report, lines = _run_harvest(made, tenant_id, since)
    if as_json:
        print_json({**report, "failures": [asdict(failure) for failure in failed]})
    else:
        print("\n".join(lines))
    for failure in failed:
        print(f"failed: {failure.uri}: {failure.reason}", file=sys.stderr)
    if failed:
        raise typer.Exit(1)


def _store_conversations(database: Database, tenant_id: str, file: Path) -> list[Failure]:
    """Store a file's conversations; those already stored stay unchanged."""
    from dataclasses import replace  # noqa: PLC0415

    from knowledge.curation.conversation_import import store_conversations  # noqa: PLC0415
    from knowledge.curation.harvest.files import read_conversation_file  # noqa: PLC0415
    from knowledge.entries.editor import Change  # noqa: PLC0415

    found, failed = 0, list[Any]()
    for some, wrong in read_conversation_file(file):
        store_conversations(database, tenant_id, some, Change("harvest", f"read from {file.name}"), approve=False)
        found += len(some)
        failed += [replace(failure, uri=f"{file.name} {failure.uri}") for failure in wrong]
    if not found and not failed:
        raise InvalidInput(f"There are no conversations in {file}.")
    return failed


def _get_conversation_id(database: Database, tenant_id: str, name: str) -> str:
    with database.session() as session:
        imported = select(Conversation.id).where(Conversation.tenant_id == tenant_id, Conversation.external_id == name)
        return session.scalar(imported) or name


def _format_harvested(done: Harvested) -> tuple[dict[str, Any], list[str]]:
    analysis = done.analysis
    lines = [
        f"{analysis.outcome}, success {analysis.success}",
        analysis.summary,
        *(f"- {pair.question}\n  {pair.answer}" for pair in done.pairs),
        f"{len(done.pairs)} candidates: {done.new} new in the queue, {done.grown} more evidence for one in it",
    ]
    return asdict(done), lines


def _run_harvest(made: Harvest, tenant_id: str, since: int | None) -> tuple[dict[str, Any], list[str]]:
    from rich.console import Console  # noqa: PLC0415

    with Console(stderr=True).status("reading ...") as status:

        def update_status(run: Run) -> None:
            status.update(f"{run.conversations} conversations, {run.new} suggestions")

        run = made.harvester.process(
            tenant_id, get_current_time() - timedelta(days=since) if since else None, update_status
        )
        suggested = made.faq.suggest(tenant_id)
    lines = [
        f"{run.conversations} conversations, {run.candidates} candidates: {run.new} new in the queue, {run.grown} more evidence for one in it",
        f"{suggested} questions that nobody answered are new in the queue or grew",
    ]
    if run.failed:
        lines.append(f"{run.failed} conversations failed; the log says why")
    return {**asdict(run), "suggested_faq": suggested}, lines
