"""The command line `rejoinder`."""

from __future__ import annotations

import sys

import typer

from console.cli import (
    ask,
    bot,
    channels,
    conversations,
    corrections,
    costs,
    embeddings,
    feedback,
    handoffs,
    harvest,
    knowledge,
    models,
    nlu,
    providers,
    rasa,
    replay,
    route,
    slack,
    start,
    token,
    users,
)
from core.errors import RejoinderError

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    help="Rejoinder: a self-hosted customer-service assistant.",
)
app.command("start")(start.start)
app.command("train")(start.train)
app.command("ask")(ask.ask)
app.command("replay")(replay.replay)
app.command("costs")(costs.costs)
app.command("harvest")(harvest.harvest)
app.command("token")(token.token)
app.add_typer(knowledge.app, name="knowledge")
app.add_typer(conversations.app, name="conversations")
app.add_typer(feedback.app, name="feedback")
app.add_typer(channels.app, name="channels")
app.add_typer(handoffs.app, name="handoffs")
app.add_typer(corrections.app, name="corrections")
app.add_typer(bot.app, name="bot")
app.add_typer(nlu.app, name="nlu")
app.add_typer(rasa.app, name="rasa")
app.add_typer(models.app, name="models")
app.add_typer(embeddings.app, name="embeddings")
app.add_typer(providers.app, name="providers")
app.add_typer(route.app, name="route")
app.add_typer(slack.app, name="slack")
app.add_typer(users.app, name="users")


def main() -> None:
    """Run a command; an expected error prints one line on standard error and exits with code 1."""
    try:
        app()
    except RejoinderError as error:
        print(f"rejoinder: {error}", file=sys.stderr)
        sys.exit(1)
