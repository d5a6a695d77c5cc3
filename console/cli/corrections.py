"""`rejoinder corrections`: list, show, add, approve, reject, undo."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from console.cli.database import opened
from console.cli.options import JsonOption, TenantOption, print_json
from console.cli.tables import print_table

if TYPE_CHECKING:
    from knowledge.curation.corrections.types import Proposal

IdArgument = Annotated[str, typer.Argument(metavar="ID")]
ByOption = Annotated[str, typer.Option("--by", help="Who decides.")]

app = typer.Typer(no_args_is_help=True, help="What the bot should have said: propose, approve, undo.")


@app.command("list")
def list_(
    status: Annotated[str | None, typer.Option(help="proposed, approved, rejected or undone.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000)] = 20,
    as_json: JsonOption = False,
    tenant: TenantOption = None,
) -> None:
    """List corrections, newest first."""
    from knowledge.curation.corrections import queries  # noqa: PLC0415

    with opened(tenant) as (_settings, database, tenant_id), database.session() as session:
        total, found = queries.list_corrections(session, tenant_id, queries.CorrectionFilter(status), limit, 0)
        rows = [queries.describe_correction(session, correction) for correction in found]
    if as_json:
        print_json({"total": total, "items": rows})
        return
    columns = ("id", "status", "category", "question", "answer")
    print_table(columns, [[row[name] for name in columns] for row in rows])
    print(f"{total} in all.")


@app.command()
def show(correction_id: IdArgument, as_json: JsonOption = False, tenant: TenantOption = None) -> None:
    """Show a correction and what became of it."""
    from knowledge.curation.corrections import queries  # noqa: PLC0415

    with opened(tenant) as (_settings, database, tenant_id), database.session() as session:
        shown = queries.describe_correction(session, queries.get_correction(session, tenant_id, correction_id))
    _print_correction(shown, as_json=as_json)


@app.command()
def add(
    answer: Annotated[str, typer.Argument(help="What the bot should have said.")],
    category: Annotated[
        str,
        typer.Option(help="wrong_fact, outdated, incomplete, tone, wrong_intent, should_have_handed_over or policy."),
    ],
    message: Annotated[str | None, typer.Option(help="Id of the bot's message.")] = None,
    question: Annotated[str | None, typer.Option(help="The question, where there is no message.")] = None,
    bot_answer: Annotated[str | None, typer.Option(help="What the bot said, where there is no message.")] = None,
    entry: Annotated[str | None, typer.Option(help="The entry that misled.")] = None,
    action: Annotated[str | None, typer.Option(help="What becomes of that entry: amend, retire or keep.")] = None,
    intent: Annotated[str | None, typer.Option(help="The intent that would have been right.")] = None,
    reason: Annotated[str, typer.Option(help="Why.")] = "",
    quality: Annotated[int | None, typer.Option(min=0, max=5, help="How good the bot's answer was.")] = None,
    author: Annotated[str, typer.Option("--author", help="Who proposes it.")] = "command line",
    as_json: JsonOption = False,
    tenant: TenantOption = None,
) -> None:
    """Propose a correction of an answer."""
    from knowledge.curation.corrections.types import Proposal  # noqa: PLC0415

    proposal = Proposal(
        answer=answer,
        category=category,  # type: ignore[arg-type]  # checked where it is stored
        author=author,
        message_id=message,
        question=question,
        bot_answer=bot_answer,
        reason=reason,
        quality=quality,
        intent=intent,
        entry_id=entry,
        entry_action=action,  # type: ignore[arg-type]
    )
    _print_correction(_propose_correction(tenant, proposal), as_json=as_json)


@app.command()
def approve(
    correction_id: IdArgument, by: ByOption = "command line", as_json: JsonOption = False, tenant: TenantOption = None
) -> None:
    """Publish it: live at once, for every phrasing."""
    _print_correction(_decide_correction(tenant, correction_id, "approve", by), as_json=as_json)


@app.command()
def undo(
    correction_id: IdArgument, by: ByOption = "command line", as_json: JsonOption = False, tenant: TenantOption = None
) -> None:
    """Take back all that its approval did."""
    _print_correction(_decide_correction(tenant, correction_id, "undo", by), as_json=as_json)


@app.command()
def reject(
    correction_id: IdArgument,
    reason: Annotated[str, typer.Option("--reason", help="Why.")] = "",
    by: ByOption = "command line",
    as_json: JsonOption = False,
    tenant: TenantOption = None,
) -> None:
    """Reject a correction, with a reason."""
    from knowledge.curation.corrections import decisions, queries  # noqa: PLC0415

    with opened(tenant) as (_settings, database, tenant_id), database.session() as session:
        shown = queries.describe_correction(
            session, decisions.reject_correction(session, tenant_id, correction_id, by, reason)
        )
    _print_correction(shown, as_json=as_json)


def _propose_correction(tenant: str | None, proposal: Proposal) -> dict[str, Any]:
    from knowledge.curation.corrections import proposals, queries  # noqa: PLC0415

    with opened(tenant) as (_settings, database, tenant_id), database.session() as session:
        return queries.describe_correction(session, proposals.propose_correction(session, tenant_id, proposal))


def _decide_correction(
    tenant: str | None, correction_id: str, how: Literal["approve", "undo"], by: str
) -> dict[str, Any]:
    from core import logs  # noqa: PLC0415
    from knowledge.services import Knowledge  # noqa: PLC0415

    with opened(tenant) as (settings, database, tenant_id):
        logs.configure_logging(settings.log_format, "ERROR")
        corrections = Knowledge(settings, database).corrections
        decide = corrections.approve if how == "approve" else corrections.undo
        try:
            return decide(tenant_id, correction_id, by)
        finally:
            corrections.close()


def _print_correction(shown: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(shown)
        return
    by = f" by {shown['decided_by']}" if shown["decided_by"] else ""
    print(f"{shown['id']} is {shown['status']}{by}.")
    print(f"asked:  {shown['question']}\nbot:    {shown['bot_answer'] or '-'}\nperson: {shown['answer'] or '-'}")
    effects = shown["effects"]
    if effects.get("note"):
        print(f"note: {effects['note']}")
    if asked := effects.get("asked"):
        print_table(("gets now", "question", "answer"), [(a["served"], a["question"], a["answer"]) for a in asked])
