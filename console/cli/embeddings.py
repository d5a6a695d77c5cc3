"""`rejoinder embeddings`: fine-tune the embedding model, deploy one, roll back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from console.cli.database import opened
from console.cli.models import AuthorOption, ReasonOption
from console.cli.options import JsonOption, TenantOption, print_json

if TYPE_CHECKING:
    from evaluation.tuning.service import Tell, Tuning

app = typer.Typer(no_args_is_help=True, help="The models that find entries by meaning: fine-tune, deploy, go back.")


@app.command("tune")
def tune(
    author: AuthorOption,
    reason: ReasonOption = "",
    deploy: Annotated[bool, typer.Option("--deploy/--no-deploy", help="Put it in force if it is better.")] = True,
    as_json: JsonOption = False,
    tenant: TenantOption = None,
) -> None:
    """Train on this tenant's phrasings, evaluate on held-back entries, and deploy only what is better.

    Exit code 1 when it was not better.
    """
    with _open_tuning(tenant) as (tuning, tenant_id, tell):
        session_id = tuning.start_training(tenant_id, author, reason)
        status = tuning.run(session_id, deploy=deploy, tell=tell)
        row = next(row for row in tuning.listed(tenant_id) if row["id"] == session_id)
    _print_trainings([row], row, as_json=as_json)
    if status == "refused":
        raise typer.Exit(1)


@app.command("list")
def list_(as_json: JsonOption = False, tenant: TenantOption = None) -> None:
    """Every training: who, why, figures, what came of it; the newest first."""
    with _open_tuning(tenant) as (tuning, tenant_id, _):
        rows = tuning.listed(tenant_id)
    _print_trainings(rows, rows, as_json=as_json)
    if not as_json and not any(row["status"] == "deployed" for row in rows):
        print("The base model serves.")


@app.command("deploy")
def deploy(
    training_id: Annotated[str, typer.Argument(metavar="ID", help="As `rejoinder embeddings list` shows it.")],
    author: AuthorOption,
    reason: ReasonOption = "",
    as_json: JsonOption = False,
    tenant: TenantOption = None,
) -> None:
    """Make the model's vectors while the other one serves, then search by it; broken off, it goes on where it was."""
    with _open_tuning(tenant) as (tuning, tenant_id, tell):
        tuning.deploy(tenant_id, training_id, author, reason, tell=tell)
    _print_deployment(training_id, as_json=as_json)


@app.command("rollback")
def rollback(
    author: AuthorOption, reason: ReasonOption = "", as_json: JsonOption = False, tenant: TenantOption = None
) -> None:
    """Go back to the model before the one in force; again: one further back, at last the base model."""
    with _open_tuning(tenant) as (tuning, tenant_id, tell):
        back = tuning.rollback(tenant_id, author, reason, tell=tell)
    _print_deployment(back, as_json=as_json)


@contextmanager
def _open_tuning(tenant: str | None) -> Iterator[tuple[Tuning, str, Tell]]:
    from rich.console import Console  # noqa: PLC0415

    from core import logs  # noqa: PLC0415
    from evaluation.tuning.service import make_tuning  # noqa: PLC0415
    from knowledge.services import Knowledge  # noqa: PLC0415

    with opened(tenant) as (settings, database, tenant_id), Console(stderr=True).status("") as status:
        logs.configure_logging(settings.log_format, "ERROR")
        tuning = make_tuning(settings, Knowledge(settings, database))
        with closing(tuning.knowledge):
            yield tuning, tenant_id, lambda step, progress: status.update(f"{step} ({progress:.0%} done)")


def _print_trainings(rows: list[dict[str, Any]], data: Any, *, as_json: bool) -> None:
    if as_json:
        print_json(data)
        return
    for row in rows:
        print("\n".join(lines_of(row)))


def lines_of(row: dict[str, Any]) -> list[str]:
    """Format a training as lines of text."""
    kept = "" if row["kept"] or not row["model"] else f", {row['model']} is missing"
    first = f"{row['id']}  {row['status']:9} {row['created_at']:%Y-%m-%d %H:%M}  {row['author']}{kept}"
    figures = row["metrics"] or {}
    measured = []
    if "before" in figures:
        shown = (f"{name} {old:.3f} -> {figures['after'][name]:.3f}" for name, old in figures["before"].items())
        low, high = figures["difference"]["mrr"]
        measured = [f"{', '.join(shown)} (MRR {low:+.3f} to {high:+.3f}) on {figures['questions']} questions"]
    return [first, *(f"    {line}" for line in (row["reason"], row["step"], *measured, row["error"]) if line)]


def _print_deployment(training_id: str, *, as_json: bool) -> None:
    if as_json:
        print_json({"id": training_id})
    elif training_id == "base":
        print("The base model serves from the next question on")
    else:
        print(f"The model of {training_id} serves from the next question on")
