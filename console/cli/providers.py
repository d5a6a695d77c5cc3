"""`rejoinder providers`: list language models, test whether they answer, show their health."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from console.cli.options import JsonOption, print_json
from console.cli.staff import ask
from console.cli.tables import print_table
from core.errors import InvalidInput
from core.settings import Settings

if TYPE_CHECKING:
    from core.llm.router.probe import TestReport

MOST_ROLES = 3
"""A model with more roles is listed as asked for everything."""

app = typer.Typer(no_args_is_help=True, help="Language models: which there are, whether they answer, how they do.")


@app.command("list")
def list_(as_json: JsonOption = False) -> None:
    """List the models of models.yml, with prices and what each is asked for; needs no running instance."""
    from core.llm.catalogue import Catalogue  # noqa: PLC0415
    from core.llm.providers.factory import list_configured_providers  # noqa: PLC0415
    from core.llm.router.probe import SETUP  # noqa: PLC0415

    settings = Settings.load()
    catalogue, there = Catalogue.load(settings.models), list_configured_providers(settings)
    rows: list[dict[str, Any]] = [
        {
            "id": id_,
            "provider": model.provider,
            "configured": model.provider in there,
            "setting": SETUP.get(model.provider),
            "roles": [role for role, ids in catalogue.roles.items() if id_ in ids],
            "price": model.price and model.price.model_dump(mode="json", exclude_none=True),
            "context_window": model.context_window,
        }
        for id_, model in catalogue.models.items()
    ]
    if as_json:
        print_json(rows)
        return
    for provider in dict.fromkeys(model.provider for model in catalogue.models.values()):
        print(provider if provider in there else f"{provider}: not set up ({SETUP.get(provider)})")
        print_table(
            ("model", "asked for", "in", "cached", "out", "context"),
            [
                (row["id"], _asked_for(row["roles"]), *_format_prices(row["price"]), row["context_window"])
                for row in rows
                if row["provider"] == provider
            ],
            right=("in", "cached", "out", "context"),
        )
    print("Prices are for a million tokens; models.yml has their date.")


@app.command("test")
def try_out(
    provider: Annotated[str | None, typer.Argument(help="Only this one, such as openai.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Make one small real call to each provider that is set up. Exit code 1 when one fails."""
    from core.llm.providers.factory import list_configured_providers  # noqa: PLC0415

    settings = Settings.load()
    names = [provider] if provider else sorted(list_configured_providers(settings))
    if not names:
        raise InvalidInput(
            "No provider is set up. Set a key or an address in .env; `rejoinder providers list` names them."
        )
    reports = asyncio.run(_test_providers(settings, names))
    if as_json:
        print_json([asdict(report) for report in reports])
    for report in () if as_json else reports:
        _print_report(report)
    if not all(report.ok for report in reports):
        raise typer.Exit(1)


@app.command()
def stats(as_json: JsonOption = False) -> None:
    """Show the models' health over the last hour, and the caches, in the running instance."""
    found = ask(Settings.load(), "GET", "/v1/providers")
    if as_json:
        print_json(found)
        return
    models = [model for each in found["providers"] for model in each["models"] if model["health"]]
    if not models:
        print("No provider is set up: answers are approved ones and extracts.")
    else:
        print_table(
            ("model", "state", "calls", "failures", "p50 ms", "p95 ms", "open for"),
            [(model["id"], *_format_health(model["health"])) for model in models],
            right=("calls", "failures", "p50 ms", "p95 ms"),
        )
    for name in ("decisions", "answers"):
        counts = found["stats"][name]
        print(f"cache of {name}: {counts['hits']} hits, {counts['misses']} misses, {counts['entries']} kept")


@app.command()
def reset(
    model: Annotated[str | None, typer.Argument(help="Only this model, such as openai/gpt-4o.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Forget the models' failures in the running instance, so that they are asked again at once."""
    found = ask(Settings.load(), "POST", "/v1/providers/reset", {"model": model})
    if as_json:
        print_json(found)
    else:
        print(f"reset: {found['reset']}")


async def _test_providers(settings: Settings, names: list[str]) -> list[TestReport]:
    from core import logs  # noqa: PLC0415
    from core.db import Database  # noqa: PLC0415
    from core.db.upgrade import upgrade_database  # noqa: PLC0415
    from core.llm.factory import make_router  # noqa: PLC0415

    logs.configure_logging(settings.log_format, "CRITICAL")  # the report contains it all
    database = Database(settings.database())
    upgrade_database(database)
    router = make_router(settings, database)
    await router.start()
    try:
        return [await router.test(name) for name in names]
    finally:
        await router.close()
        database.close()


def _print_report(report: TestReport) -> None:
    if report.ok:
        cost = "" if report.cost is None else f", cost {report.cost:.8f}"
        print(f"{report.provider}: ok, {report.model}, {report.latency_ms:.0f} ms{cost}")
    else:
        print(f"{report.provider}: FAILED {report.model}")
    for name, words in (("cause", report.cause), ("mend", report.mend)):
        if words:
            print(f"  {name}: {words}")


def _asked_for(roles: list[str]) -> str:
    return "everything" if len(roles) > MOST_ROLES else ", ".join(roles).replace("_", " ") or "-"


def _format_prices(price: dict[str, Any] | None) -> tuple[Any, ...]:
    return tuple(price[name] for name in ("input", "cached_input", "output")) if price else (None,) * 3


def _format_health(health: dict[str, Any]) -> tuple[Any, ...]:
    opened = f"{health['open_for_seconds']:.0f} s ({health['error_kind']})" if health["state"] == "open" else None
    times = (health[name] and round(health[name]) for name in ("latency_p50_ms", "latency_p95_ms"))
    return health["state"], health["calls"], health["failures"], *times, opened
