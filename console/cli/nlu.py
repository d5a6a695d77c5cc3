"""`rejoinder nlu`: placeholder until evaluation/nlu.py is in."""

import typer

app = typer.Typer()
