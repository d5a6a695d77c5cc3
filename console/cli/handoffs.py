"""`rejoinder handoffs`: list handoffs and answer customers from the command line of a running instance."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from console.cli import canned
from console.cli.options import JsonOption, print_json
from console.cli.staff import ask
from console.cli.tables import print_table
from core.errors import InvalidInput
from core.settings import Settings

app = typer.Typer(no_args_is_help=True, help="Customers who wait for a person: list, take, answer, give back, close.")
app.add_typer(canned.app, name="canned")
HandoffId = Annotated[str, typer.Argument(metavar="ID", help="As `rejoinder handoffs list` shows it.")]
PATH = "/v1/bot/handoffs"


@app.command("list")
def list_(
    state: Annotated[str, typer.Option(help="A state, or open for all that have not ended.")] = "open",
    as_json: JsonOption = False,
) -> None:
    """The urgent first, then who waits longest."""
    page = ask(Settings.load(), "GET", f"{PATH}?state={state}&limit=200")
    if as_json:
        print_json(page)
        return
    rows = [
        (h["id"], h["state"], h["urgency"], h["channel"], h["requested_at"][:16], h["claimed_by"], h["reason"])
        for h in page["items"]
    ]
    print_table(["id", "state", "urgency", "channel", "since (UTC)", "who", "why"], rows)


@app.command()
def show(handoff_id: HandoffId, as_json: JsonOption = False) -> None:
    """One with the conversation and all that happened."""
    found = ask(Settings.load(), "GET", f"{PATH}/{handoff_id}")
    if as_json:
        print_json(found)
        return
    handoff = found["handoff"]
    print(f"{handoff['state']}, {handoff['urgency']}: {handoff['reason']}\n{handoff['summary']}\n")
    for message in found["messages"]:
        print(f"{message['author'] or message['speaker']}: {message['text']}")
    for each in found["transitions"]:
        print(f"  {each['at'][:19]}  {each['from_state']} -> {each['to_state']}  {each['event']} by {each['by']}")


@app.command()
def claim(handoff_id: HandoffId, as_json: JsonOption = False) -> None:
    """Take a handoff, so that you answer it."""
    _print_handoff(ask(Settings.load(), "POST", f"{PATH}/{handoff_id}/claim"), as_json=as_json)


@app.command()
def reply(
    handoff_id: HandoffId,
    text: Annotated[str, typer.Argument(help="What the customer reads.")],
    as_json: JsonOption = False,
) -> None:
    """Answer the customer, wherever they are."""
    said = ask(Settings.load(), "POST", f"{PATH}/{handoff_id}/replies", {"text": text})
    if as_json:
        print_json(said)
    else:
        print("on its way to the customer")


@app.command("return")
def return_(handoff_id: HandoffId, as_json: JsonOption = False) -> None:
    """Let the bot go on."""
    _print_handoff(ask(Settings.load(), "POST", f"{PATH}/{handoff_id}/return"), as_json=as_json)


@app.command()
def close(
    handoff_id: HandoffId,
    resolved: Annotated[bool | None, typer.Option("--resolved/--not-resolved", help="Whether it helped.")] = None,
    as_json: JsonOption = False,
) -> None:
    """It is done, and so is the conversation."""
    _print_handoff(
        ask(Settings.load(), "POST", f"{PATH}/{handoff_id}/closure", {"resolved": resolved}), as_json=as_json
    )


@app.command("take-over")
def take_over(
    conversation_id: Annotated[str, typer.Argument(metavar="CONVERSATION")], as_json: JsonOption = False
) -> None:
    """Step into a conversation without having been asked."""
    _print_handoff(ask(Settings.load(), "POST", f"/v1/bot/conversations/{conversation_id}/takeover"), as_json=as_json)


@app.command()
def settings(
    changes: Annotated[list[str] | None, typer.Argument(metavar="NAME=VALUE", help="As JSON, or a word.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Show when the bot steps back and who is there, or change some of it, such as office_hours='{"mon": ["09:00-17:00"]}'."""
    path, loaded = "/v1/bot/handoff-settings", Settings.load()
    wanted = dict(_parse_change(change) for change in changes or ())
    found = ask(loaded, "PATCH", path, wanted) if wanted else ask(loaded, "GET", path)
    if as_json:
        print_json(found)
    else:
        print_table(["setting", "value"], [(name, json.dumps(value)) for name, value in found.items()])


def _parse_change(change: str) -> tuple[str, Any]:
    name, equals, value = change.partition("=")
    if not equals:
        raise InvalidInput(f"{change!r} is not NAME=VALUE.")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def _print_handoff(handoff: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(handoff)
    else:
        by = f" by {handoff['claimed_by']}" if handoff["claimed_by"] else ""
        print(f"{handoff['state'].replace('_', ' ')}{by}")
