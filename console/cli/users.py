"""`rejoinder users`: the members of staff who sign in to the console."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from console.cli.database import opened
from console.cli.options import JsonOption, TenantOption, print_json

app = typer.Typer(no_args_is_help=True, help="Who signs in to the console.")
BY = "command line"
EmailArgument = Annotated[str, typer.Argument(metavar="EMAIL", help="Their e-mail address.")]
StdinOption = Annotated[bool, typer.Option("--password-stdin", help="Read the password from standard input.")]


@app.command("add")
def add(
    email: EmailArgument,
    role: Annotated[str, typer.Option(help="viewer, agent, reviewer, builder or admin")] = "viewer",
    name: Annotated[str, typer.Option(help="Their name.")] = "",
    password_stdin: StdinOption = False,
    tenant: TenantOption = None,
) -> None:
    """Add somebody; asks for the password."""
    from console.auth import users  # noqa: PLC0415
    from console.auth.passwords import hash_password  # noqa: PLC0415

    stored = hash_password(_read_password(password_stdin), email)
    with opened(tenant) as (settings, database, tenant_id), database.session() as session:
        user = users.add_user(session, tenant_id, email, role, stored, BY, name)
        print(f"{user.email} may sign in as {user.role} at {settings.public_url}/console/")


@app.command("list")
def list_(as_json: JsonOption = False, tenant: TenantOption = None) -> None:
    """Everybody with an account."""
    from console.auth import users  # noqa: PLC0415
    from console.cli.tables import print_table  # noqa: PLC0415

    names = ("email", "name", "role", "active", "last_seen_at")
    with opened(tenant) as (_, database, tenant_id), database.session() as session:
        rows = [{n: getattr(u, n) for n in names} for u in users.list_users(session, tenant_id)]
    if as_json:
        print_json(rows)
        return
    print_table(names, [[row[name] for name in names] for row in rows])


@app.command("disable")
def disable(email: EmailArgument, tenant: TenantOption = None) -> None:
    """Sign somebody out and let them in no more; `users enable` takes it back."""
    _set_active(email, tenant, active=False)


@app.command("enable")
def enable(email: EmailArgument, tenant: TenantOption = None) -> None:
    """Let somebody in again."""
    _set_active(email, tenant, active=True)


@app.command("password")
def password(email: EmailArgument, password_stdin: StdinOption = False, tenant: TenantOption = None) -> None:
    """Set a new password; their sessions end."""
    from console.auth import users  # noqa: PLC0415
    from console.auth.passwords import hash_password  # noqa: PLC0415

    stored = hash_password(_read_password(password_stdin), email)
    with opened(tenant) as (_, database, tenant_id), database.session() as session:
        users.set_password(session, users.get_user(session, tenant_id, email), stored, BY)


def _set_active(email: str, tenant: str | None, *, active: bool) -> None:
    from console.auth import users  # noqa: PLC0415

    with opened(tenant) as (_, database, tenant_id), database.session() as session:
        user = users.get_user(session, tenant_id, email)
        users.update_user(session, user, BY, active=active)


def _read_password(from_stdin: bool) -> str:
    if from_stdin or not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    found: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    return found
