"""`rejoinder slack`: check the setup of the Slack desk."""

from __future__ import annotations

import asyncio

import typer

from console.cli.tables import print_table
from core.errors import InvalidInput
from core.settings import Settings

app = typer.Typer(no_args_is_help=True, help="The desk in Slack.")


@app.callback()
def slack() -> None:
    """The desk in Slack."""


@app.command()
def test() -> None:
    """Ask Slack about each workspace, and say how to mend what is wrong; needs no running instance."""
    from connectors.slack.diagnostics import find_setup_problem  # noqa: PLC0415
    from connectors.slack.service import make_connections  # noqa: PLC0415

    workspaces = make_connections(Settings.load()).all
    if not workspaces:
        raise InvalidInput("No Slack workspace is set up; see docs/slack.md.")
    found = [
        (each.workspace.tenant, team, each.workspace.channel, asyncio.run(find_setup_problem(each)))
        for team, each in workspaces.items()
    ]
    print_table(["tenant", "workspace", "channel", "result"], [(*row[:3], row[3] or "ok") for row in found])
    if any(row[3] for row in found):
        raise typer.Exit(1)
