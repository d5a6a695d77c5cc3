"""`rejoinder handoffs canned`: texts that staff keep ready for replies."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from console.cli.database import opened
from console.cli.options import JsonOption, TenantOption, print_json
from core.errors import NotFound

app = typer.Typer(no_args_is_help=True, help="Texts that staff keep ready for their replies.")
BY = "command line"
NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="What staff find it by.")]


@app.command("list")
def list_(as_json: JsonOption = False, tenant: TenantOption = None) -> None:
    """All of them, by name."""
    from console.cli.tables import print_table  # noqa: PLC0415
    from core.handoffs.staff import canned_replies  # noqa: PLC0415

    with opened(tenant) as (_, database, tenant_id), database.session() as session:
        ready = canned_replies.list_canned_replies(session, tenant_id)
    if as_json:
        print_json([asdict(each) for each in ready])
        return
    print_table(["name", "text", "by"], [(each.name, each.text, each.updated_by) for each in ready])


@app.command()
def add(
    name: NameArgument,
    text: Annotated[
        str, typer.Argument(help="{name} and {first_name} become the customer's, {agent} the member of staff's.")
    ],
    tenant: TenantOption = None,
) -> None:
    """Write a new one."""
    from core.handoffs.staff import canned_replies  # noqa: PLC0415

    with opened(tenant) as (_, database, tenant_id), database.session() as session:
        print(f"added “{canned_replies.add_canned_reply(session, tenant_id, name, text, BY).name}”")


@app.command()
def remove(name: NameArgument, tenant: TenantOption = None) -> None:
    """Delete one; what was sent with it stays."""
    from core.handoffs.staff import canned_replies  # noqa: PLC0415

    with opened(tenant) as (_, database, tenant_id), database.session() as session:
        found = [
            each.id
            for each in canned_replies.list_canned_replies(session, tenant_id)
            if each.name == " ".join(name.split())
        ]
        if not found:
            raise NotFound(f"There is no canned reply of the name “{name}”.")
        canned_replies.delete_canned_reply(session, tenant_id, found[0], BY)
    print(f"removed “{name}”")
