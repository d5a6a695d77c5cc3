"""`rejoinder train --new` and `rejoinder models`: train, evaluate, deploy and roll back models."""

from __future__ import annotations

import getpass
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from console.cli.database import opened
from console.cli.options import JsonOption, TenantOption, print_json
from console.cli.tables import print_table

if TYPE_CHECKING:
    from evaluation.training.service import TrainingService

app = typer.Typer(no_args_is_help=True, help="The trained models: which there are, deploy one, go back.")
AuthorOption = Annotated[str, typer.Option("--author", help="Who does it.", default_factory=getpass.getuser)]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why; kept with the model.")]


@app.callback()
def group() -> None:
    """The trained models: which there are, deploy one, go back."""


@contextmanager
def opened_training(tenant: str | None) -> Iterator[tuple[TrainingService, str]]:
    """Yield the training service and the tenant."""
    from core import logs  # noqa: PLC0415
    from evaluation.training.service import make_training  # noqa: PLC0415

    with opened(tenant) as (settings, database, tenant_id):
        logs.configure_logging(settings.log_format, "ERROR")
        yield make_training(settings, database), tenant_id


def train_new(tenant: str | None, author: str, reason: str, *, deploy: bool) -> dict[str, Any]:
    """Train and evaluate a model, and return the record of the training."""
    from rich.console import Console  # noqa: PLC0415

    waiting = Console(stderr=True).status("checking the training data")
    with opened_training(tenant) as (training, tenant_id), waiting as status:
        session_id = training.start_training(tenant_id, author, reason)
        training.run(
            session_id, deploy=deploy, tell=lambda step, progress: status.update(f"{step} ({progress:.0%} done)")
        )
        return next(row for row in training.listed(tenant_id) if row["id"] == session_id)


@app.command("list")
def list_(as_json: JsonOption = False, tenant: TenantOption = None) -> None:
    """Every training: who, why, what came of it; the newest first."""
    with opened_training(tenant) as (training, tenant_id):
        rows = training.listed(tenant_id)
    if as_json:
        print_json(rows)
        return
    for row in rows:
        print("\n".join(lines_of(row)))


@app.command("deploy")
def deploy(
    training_id: Annotated[str, typer.Argument(metavar="ID", help="As `rejoinder models list` shows it.")],
    author: AuthorOption,
    reason: ReasonOption = "",
    force: Annotated[bool, typer.Option("--force", help="Also one that was refused.")] = False,
    as_json: JsonOption = False,
    tenant: TenantOption = None,
) -> None:
    """Have Rasa understand by this model from now on, without losing a conversation."""
    with opened_training(tenant) as (training, tenant_id):
        serves = training.deploy(tenant_id, training_id, author, reason, force=force)
    _print_deployment(training_id, serves=serves, as_json=as_json)


@app.command("rollback")
def rollback(
    author: AuthorOption, reason: ReasonOption = "", as_json: JsonOption = False, tenant: TenantOption = None
) -> None:
    """Go back to the model before the running one."""
    with opened_training(tenant) as (training, tenant_id):
        back = training.rollback(tenant_id, author, reason)
    _print_deployment(back.id, serves=back.serves, as_json=as_json)


def lines_of(row: dict[str, Any]) -> list[str]:
    """Format a training as lines of text."""
    understood = (row["metrics"] or {}).get("understood") or {}
    figures = f", understood {understood['before']:.1%} -> {understood['after']:.1%}" if understood else ""
    kept = "" if row["kept"] or not row["model"] else ", no longer kept"
    first = f"{row['id']}  {row['status']:9} {row['created_at']:%Y-%m-%d %H:%M}  {row['author']}{figures}{kept}"
    more = [row["reason"], row["step"], *(row["error"] or "").splitlines()]
    more += [f'not learnt: "{text}"' for text in (row["metrics"] or {}).get("new examples not understood", ())]
    return [first, *(f"    {line}" for line in more if line)]


def print_intents(intents: Collection[dict[str, Any]]) -> None:
    """Print each intent's ``IntentFigures``, then the examples that contradict them."""
    if not intents:
        return
    from evaluation.training.intents import NEAR_VERBATIM  # noqa: PLC0415

    columns = ("intent", "messages", "can act", "understood", "acted on", "nearest rival")
    rows = [
        (i["intent"], i["messages"], i["can act"], f"{i['understood']:.0%}", f"{i['acted']:.0%}", i["rival"])
        for i in intents
    ]
    print_table(columns, rows, right=("messages", "understood", "acted on"))
    if any(intent["can act"] == NEAR_VERBATIM for intent in intents):
        print(f"{NEAR_VERBATIM}: acts on what hardly differs from an example; give it more examples for other wordings")
    lines = [f"{intent['intent']}: {line}" for intent in intents for line in intent["contradicting"]]
    if lines:
        print("Held back from training, these examples are misunderstood; the trained bot knows them word for word:")
        print("\n".join(lines))


def _print_deployment(training_id: str, *, serves: bool, as_json: bool) -> None:
    if as_json:
        print_json({"id": training_id, "rasa_loaded": serves})
    elif serves:
        print(f"Rasa understands by the model of {training_id} now")
    else:
        print(f"Rasa does not answer; it loads the model of {training_id} when it starts")
