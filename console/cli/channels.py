"""`rejoinder channels`: channel vendors, and the templates that WhatsApp must approve."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from console.cli.options import JsonOption, print_json
from console.cli.tables import print_table
from core.errors import InvalidInput
from core.settings import Settings

if TYPE_CHECKING:
    from connectors.twilio.templates import Contents

app = typer.Typer(no_args_is_help=True, help="WhatsApp and SMS: whether they are set up, and WhatsApp's templates.")
templates = typer.Typer(no_args_is_help=True, help="Messages that may go out after 24 hours of silence.")
app.add_typer(templates, name="templates")
HOOK = "/channels/twilio/messages"


@app.command()
def show(as_json: JsonOption = False) -> None:
    """Each channel with its number, and the address that Twilio has to call."""
    from connectors.twilio.service import twilio_config  # noqa: PLC0415 - seconds, for these commands alone

    config = twilio_config(Settings.load())
    numbers = config.numbers if config else {}
    hook = f"{config.public_address}{HOOK}" if config and config.public_address else None
    rows = [{"channel": name, "number": numbers.get(name), "webhook": hook} for name in ("whatsapp", "sms")]
    if as_json:
        print_json(rows)
    else:
        print_table(["channel", "number", "webhook"], [tuple(row.values()) for row in rows])


@templates.command("create")
def create(
    name: Annotated[
        str | None, typer.Argument(help="As `rejoinder channels templates list` shows it; none: all.")
    ] = None,
) -> None:
    """Make them at Twilio, and ask WhatsApp for approval; what is there already stays."""
    from connectors.twilio.templates import TEMPLATES  # noqa: PLC0415 - see above

    contents = _make_contents()

    async def create_templates() -> None:
        for each in [name] if name else TEMPLATES:
            print(f"{each}: {await contents.create(each)}")

    asyncio.run(create_templates())


@templates.command("list")
def list_(as_json: JsonOption = False) -> None:
    """What WhatsApp says of each."""
    found = asyncio.run(_make_contents().templates())
    if as_json:
        print_json(found)
    else:
        print_table(["name", "sid", "status", "reason"], [tuple(each.values()) for each in found])


def _make_contents() -> Contents:
    from connectors.twilio.client import Twilio  # noqa: PLC0415 - see above
    from connectors.twilio.service import twilio_config  # noqa: PLC0415 - see above
    from connectors.twilio.templates import Contents  # noqa: PLC0415 - see above

    config = twilio_config(Settings.load())
    if config is None:
        raise InvalidInput("Twilio is not set up: see docs/whatsapp.md.")
    return Contents(Twilio(config))
