"""`rejoinder route`: explain which model a message goes to; manage a tenant's rules."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from console.cli.options import JsonOption, TenantOption, print_json, tenant_of
from console.cli.staff import ask
from core.db import Database
from core.db.upgrade import upgrade_database
from core.errors import InvalidInput
from core.settings import Settings

if TYPE_CHECKING:
    from core.llm.router.store import RoutingStore

app = typer.Typer(
    no_args_is_help=True, help="Which model a message goes to, and why; a tenant's rules, limits and budgets."
)


@app.command()
def explain(
    text: Annotated[str, typer.Argument(help="What a customer would write.")],
    as_json: JsonOption = False,
    tenant: TenantOption = None,
) -> None:
    """Explain how the running instance would route a message; no model is asked."""
    settings = Settings.load()
    found = ask(settings, "POST", "/v1/routing/explain", {"text": text, "tenant": tenant_of(settings, tenant)})
    if as_json:
        print_json(found)
        return
    complexity = found["complexity"]
    parts = ", ".join(f"{name} {value:g}" for name, value in complexity["parts"].items() if value)
    print(f"approved answer  {'yes' if found['approved'] else 'no'}")
    print(f"evidence         {len(found['evidence'])} entries, nearness {found['retrieval_confidence']:.2f}")
    print(f"complexity       {complexity['score']:.2f}" + (f"  ({parts})" if parts else ""))
    print(f"rule             {found['rule']}: {found['reason']}")
    print(f"models           {', '.join(found['models']) or 'none is asked'}")
    print(f"spent today      {found['budget']['spent_today']} of {_format_limit(found['budget'])}")


def _format_limit(budget: dict[str, Any]) -> str:
    limit = budget["tenant_per_day"]
    return "no limit" if limit is None else f"{limit} ({budget['state']})"


@app.command()
def show(as_json: JsonOption = True, tenant: TenantOption = None) -> None:  # noqa: ARG001 - as all commands have it
    """Print the tenant's routing as JSON: rules, limits, budget, and how answers are written."""
    with _open_routing_store(tenant) as (store, tenant_id):
        print_json(store.get(tenant_id).model_dump(mode="json", exclude_none=True))


@app.command("set")
def set_(
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="JSON, as `show` prints it.")
    ],
    as_json: JsonOption = False,
    tenant: TenantOption = None,
) -> None:
    """Replace the tenant's routing; what the file leaves out gets its default. A wrong one changes nothing."""
    try:
        document: Any = json.loads(file.read_text(encoding="utf-8-sig"))
    except ValueError as error:
        raise InvalidInput(f"{file} is no JSON: {error}") from None
    if not isinstance(document, dict):
        raise InvalidInput(f"{file} is no JSON object.")
    with _open_routing_store(tenant) as (store, tenant_id):
        stored = store.put(tenant_id, document, "command line")
    if as_json:
        print_json(stored.model_dump(mode="json", exclude_none=True))
    else:
        print(f"The routing of tenant {tenant_id} is set; a running instance knows it within seconds.")


@app.command()
def reset(as_json: JsonOption = False, tenant: TenantOption = None) -> None:
    """Go back to the default routing."""
    with _open_routing_store(tenant) as (store, tenant_id):
        default = store.reset(tenant_id)
    if as_json:
        print_json(default.model_dump(mode="json", exclude_none=True))
    else:
        print(f"The routing of tenant {tenant_id} is the default one.")


@contextmanager
def _open_routing_store(tenant: str | None) -> Iterator[tuple[RoutingStore, str]]:
    from core.llm.factory import make_routing_store  # noqa: PLC0415

    settings = Settings.load()
    database = Database(settings.database())
    upgrade_database(database)
    try:
        yield make_routing_store(settings, database), tenant_of(settings, tenant)
    finally:
        database.close()
