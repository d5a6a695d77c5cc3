"""`rejoinder nlu`: how messages are understood, and the examples to learn from."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from console.cli.database import opened
from console.cli.models import AuthorOption, print_intents
from console.cli.options import JsonOption, TenantOption, print_json
from core.settings import Settings

app = typer.Typer(no_args_is_help=True, help="How messages are understood: measure it, and teach it.")
IdsArgument = Annotated[list[str], typer.Argument(metavar="ID ...", help="As `rejoinder nlu examples` shows them.")]


@app.callback()
def group() -> None:
    """How messages are understood: measure it, and teach it."""


@app.command("evaluate")
def evaluate(
    train: Annotated[Path, typer.Option(exists=True, dir_okay=False, help='One {"text", "intent"} a line.')],
    test: Annotated[Path, typer.Option(exists=True, dir_okay=False, help='The same; "oos" is out of scope.')],
    predictions: Annotated[Path | None, typer.Option(help="Write what was predicted here, one a line.")] = None,
    as_json: JsonOption = False,
    tenant: TenantOption = None,  # noqa: ARG001 - every command has it; this one reads files alone
) -> None:
    """Train the bot's pipeline inside Rasa on one file and test it on another.

    Each intent's figures come first: whether it can act, its nearest rival, and what is taken for another.
    A message in scope that the thresholds of config.yml reject or ask back counts as wrong, one out of scope as found.
    """
    from evaluation.nlu import evaluate_nlu  # noqa: PLC0415
    from evaluation.training.intents import intent_figures  # noqa: PLC0415

    with TemporaryDirectory() as folder:
        written = predictions or Path(folder) / "predictions.jsonl"
        parts = Settings.load().bot()
        figures = evaluate_nlu(train, test, parts.config, written, parts.project)
        rows = [json.loads(line) for line in written.read_text(encoding="utf-8").splitlines()]
    intents = [one.figures() for one in intent_figures(rows)]
    if as_json:
        print_json({**figures, "each_intent": intents})
        return
    print_intents(intents)
    for name, value in figures.items():
        print(f"{name:30} {'-' if value is None else value}")


@app.command("examples")
def examples(
    status: Annotated[str | None, typer.Option(help="proposed, approved, exported, rejected or undone")] = None,
    as_json: JsonOption = False,
    tenant: TenantOption = None,
) -> None:
    """What customers wrote, with the intent that it should have been understood as."""
    from evaluation.training.examples import list_examples  # noqa: PLC0415

    with opened(tenant) as (_, database, tenant_id), database.session() as session:
        names = ("id", "status", "intent", "text", "source", "author")
        rows = [{n: getattr(row, n) for n in names} for row in list_examples(session, tenant_id, status)]
    if as_json:
        print_json(rows)
        return
    for row in rows:
        print(f"{row['id']}  {row['status']:8} {row['intent']:24} {row['text']}")


@app.command("add")
def add(
    text: Annotated[str, typer.Argument(help="A message.")],
    intent: Annotated[str, typer.Argument(help="What it should be understood as.")],
    author: AuthorOption,
    as_json: JsonOption = False,
    tenant: TenantOption = None,
) -> None:
    """Propose an example; `nlu approve` approves it."""
    from evaluation.training.data import Example  # noqa: PLC0415
    from evaluation.training.examples import propose_example  # noqa: PLC0415

    with opened(tenant) as (_, database, tenant_id), database.session() as session:
        example = propose_example(session, tenant_id, Example(text, intent), author).id
    print_json({"id": example}) if as_json else print(example)


@app.command("approve")
def approve(
    ids: IdsArgument,
    author: AuthorOption,
    intent: Annotated[str, typer.Option(help="Another intent than the proposed one.")] = "",
    tenant: TenantOption = None,
) -> None:
    """Let the next export take these examples."""
    _decide_examples(ids, "approved", author, tenant, intent)


@app.command("reject")
def reject(ids: IdsArgument, author: AuthorOption, tenant: TenantOption = None) -> None:
    """Keep these examples out of the export, and do not propose them again."""
    _decide_examples(ids, "rejected", author, tenant)


@app.command("suggest")
def suggest(
    days: Annotated[int, typer.Option(min=1, help="How far back to look.")] = 30,
    as_json: JsonOption = False,
    tenant: TenantOption = None,
) -> None:
    """Propose examples and new intents from messages that nobody understood."""
    from evaluation.training.suggestions import suggest_examples as proposed  # noqa: PLC0415
    from knowledge.services import make_embedder  # noqa: PLC0415

    with opened(tenant) as (settings, database, tenant_id), database.session() as session:
        clusters = proposed(session, tenant_id, settings.bot(), make_embedder(settings), days)
    if as_json:
        print_json([{"intent": c.intent, "known": c.known, "texts": list(c.texts)} for c in clusters])
        return
    for cluster in clusters:
        print(f"{cluster.intent}{'' if cluster.known else ' (new)'}: {len(cluster.texts)} messages")
        print("\n".join(f"    {text}" for text in cluster.texts[:5]))
    if not clusters:
        print("no three messages that were not understood are alike", file=sys.stderr)


@app.command("export")
def export(
    author: AuthorOption,
    write: Annotated[bool, typer.Option("--write", help="Write it; otherwise only the diff is shown.")] = False,
    digest: Annotated[str, typer.Option(help="Write only the change with this digest (see --json).")] = "",
    as_json: JsonOption = False,
    tenant: TenantOption = None,
) -> None:
    """Show what approved examples change in the training data, as a diff; with --write, change it."""
    from core.llm.masking import make_masker  # noqa: PLC0415
    from evaluation.training import examples as learnt  # noqa: PLC0415

    with opened(tenant) as (settings, database, tenant_id), database.session() as session:
        parts, masker = settings.bot(), make_masker()
        found = (
            learnt.export_examples(session, tenant_id, parts, masker, author, digest)
            if write
            else learnt.preview_export(session, tenant_id, parts, masker)
        )
    if as_json:
        print_json({"diff": found.diff, "digest": found.digest, "examples": list(found.added), "written": write})
        return
    print(found.diff or "nothing to change", end="" if found.diff else "\n")
    if found.diff and write:
        print("written; `rejoinder train --new` learns it", file=sys.stderr)
    elif found.diff:
        print("not written; --write does it", file=sys.stderr)


def _decide_examples(ids: list[str], status: str, author: str, tenant: str | None, intent: str = "") -> None:
    """Apply the decision to all examples, or to none."""
    from evaluation.training.examples import decide_example  # noqa: PLC0415

    with opened(tenant) as (_, database, tenant_id), database.session() as session:
        for example_id in ids:
            decide_example(session, tenant_id, example_id, status, author, intent=intent)
