"""`rejoinder nlu`: measures how messages are understood."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from console.cli.options import JsonOption, TenantOption, print_json

app = typer.Typer(no_args_is_help=True, help="Measure how messages are understood.")


@app.callback()
def group() -> None:
    """Measure how messages are understood."""


@app.command("evaluate")
def evaluate(
    train: Annotated[Path, typer.Option(exists=True, dir_okay=False, help='One {"text", "intent"} a line.')],
    test: Annotated[Path, typer.Option(exists=True, dir_okay=False, help='The same; "oos" is out of scope.')],
    predictions: Annotated[Path | None, typer.Option(help="Write what was predicted here, one a line.")] = None,
    as_json: JsonOption = False,
    tenant: TenantOption = None,  # noqa: ARG001 - every command has it; this one reads files alone
) -> None:
    """Train the shipped pipeline inside Rasa on one file and test it on another.

    A message in scope that the thresholds of config.yml reject or ask back counts as wrong, one out of scope as found.
    """
    from evaluation.nlu import measure  # noqa: PLC0415

    figures = measure(train, test, predictions=predictions)
    if as_json:
        print_json(figures)
        return
    for name, value in figures.items():
        print(f"{name:30} {'-' if value is None else value}")
