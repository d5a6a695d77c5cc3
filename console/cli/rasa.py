"""`rejoinder rasa`: the configuration of an external Rasa server."""

from __future__ import annotations

from typing import Annotated

import typer

from console.cli.options import JsonOption, TenantOption, print_json
from core.secrets import derive_key
from core.settings import Settings

app = typer.Typer(no_args_is_help=True, help="A Rasa server that somebody else runs.")


@app.callback()
def group() -> None:
    """A Rasa server that somebody else runs."""


@app.command("endpoint")
def endpoint(
    address: Annotated[
        str, typer.Option(help="Where that Rasa reaches Rejoinder. [default: the address on this machine]")
    ] = "",
    as_json: JsonOption = False,
    tenant: TenantOption = None,  # noqa: ARG001 - every command has it
) -> None:
    """Print the action endpoint for its endpoints.yml, with the secret, and the options that it has to be started with."""
    settings = Settings.load()
    secret = settings.secret_key()
    found = {
        "url": f"{(address or settings.public_url).rstrip('/')}/webhook",
        "secret": derive_key(secret, "actions"),
        "token": derive_key(secret, "rasa"),
    }
    if as_json:
        print_json(found)
        return
    print(
        f"# endpoints.yml\n"
        f"action_endpoint:\n"
        f"  url: {found['url']}\n"
        f"  headers:\n"
        f"    Authorization: Bearer {found['secret']}\n"
        f"  enable_selective_domain: true\n\n"
        f"# credentials.yml; with `rest:` in its place no `channel:` of a response applies\n"
        f"bot.components.channel.RestChannel:\n\n"
        f"# started with: rasa run --enable-api --auth-token {found['token']}\n"
        f"# and Rejoinder with: REJOINDER_RASA_URL=http://ITS-ADDRESS:5005"
    )
