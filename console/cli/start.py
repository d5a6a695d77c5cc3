"""`rejoinder start` and `rejoinder train`."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from console import local_model
from console.cli.bot import lacks_of
from console.cli.models import AuthorOption, ReasonOption, lines_of, print_intents, train_new
from console.cli.options import JsonOption, TenantOption, print_json, tenant_of
from core.bot.parts import BotParts
from core.db import Database
from core.db.upgrade import upgrade_database
from core.secrets import derive_key
from core.settings import Settings
from evaluation.training.model import make_model
from evaluation.training.rasa import ROOT, build_rasa_environment


def start(
    demo: Annotated[
        bool | None,
        typer.Option(help="The demo shop: its help centre, orders and skill. As at the last start; at the first, on."),
    ] = None,
    llm: Annotated[str, typer.Option(help="`local` also serves a small language model on this machine.")] = "",
    tenant: TenantOption = None,
) -> None:
    """Check the machine, train if needed, and run all processes until Ctrl-C."""
    from actions.skills import check_skills  # noqa: PLC0415
    from console import preflight  # noqa: PLC0415
    from console.demo import fill_demo_data  # noqa: PLC0415

    if llm not in {"", "local"}:
        raise typer.BadParameter(f"LLM={llm} is not known; there is LLM=local")
    settings = Settings.load()
    added = local_model.process_environment(settings) if llm else {}
    preflight.check_preconditions(settings, local_model=bool(llm))
    database = Database(settings.database())
    upgrade_database(database)
    tenant_id = tenant_of(settings, tenant)
    if remember_demo(settings, demo):
        fill_demo_data(settings, database, tenant_id, beside=demo is True)
    _switch_demo(database, tenant_id, demo)
    _tell_how_to_sign_in(settings, database, tenant_id)
    model = make_model(settings)
    for problem in check_skills(model.parts.skills, database):
        _print_notice(f"{problem}\n  It is left out: its actions fail, everything else runs.")
    database.close()
    for problem in asyncio.run(_server_problems(settings, model.parts)):
        _print_notice(problem)
    if model.stale():
        _print_notice("training the bot: about a minute; a neural network of your own takes several")
        model.train()
        _print_notice("trained; `rejoinder nlu evaluate` says which intents cannot act, and why")
    _print_notice(f"starting on {settings.public_url}; Ctrl-C stops everything")
    if llm:
        _print_notice(
            f"{local_model.NAME} answers on 127.0.0.1:{local_model.get_model_port(settings)}; it is small: for trying out only"
        )
    honcho = Path(sys.executable).parent / "honcho"
    os.chdir(ROOT)
    command = [str(honcho), "start", "-e", os.devnull, "-c", how_many(settings, local_model=bool(llm))]
    os.execve(honcho, command, {**process_environment(settings), **added})  # noqa: S606


async def _server_problems(settings: Settings, parts: BotParts) -> list[str]:
    from actions.servers import ActionServers  # noqa: PLC0415

    servers = ActionServers(settings.own_action_servers(), [name for skill in parts.skills for name in skill.actions()])
    await servers.look_up()
    await servers.close()
    servers.check()
    return servers.problems(parts.actions())


def train(
    author: AuthorOption,
    new: Annotated[
        bool, typer.Option("--new", help="Try the new model out beside the running one, then swap it in.")
    ] = False,
    reason: ReasonOption = "",
    deploy: Annotated[bool, typer.Option(help="With --new: swap it in where it is not worse.")] = True,
    force: Annotated[bool, typer.Option(help="Train even if nothing changed.")] = False,
    report: Annotated[
        bool,
        typer.Option(help="Say of each intent whether it can act, how well it is understood, and what contradicts."),
    ] = True,
    as_json: JsonOption = False,
    tenant: TenantOption = None,
) -> None:
    """Train the bot from config.yml, domain.yml and the training data; exit code 1 where the new model was refused."""
    from evaluation.training.trials import held_back  # noqa: PLC0415

    if new:
        row = train_new(tenant, author, reason, deploy=deploy)
        if as_json:
            print_json(row)
        else:
            print_intents((row["metrics"] or {}).get("each intent", ()) if report else ())
            print("\n".join(lines_of(row)))
        raise typer.Exit(1 if row["status"] == "refused" else 0)
    settings = Settings.load()
    model = make_model(settings)
    trained = force or model.stale()
    release = model.train() if trained else None
    intents = [one.figures() for one in held_back(release, model.parts)] if release and report else []
    if as_json:
        found = {"trained": trained, "models": str(model.folder), "tenant": tenant_of(settings, tenant)}
        print_json({**found, "intents": intents})
    else:
        print_intents(intents)
        _print_notice(
            "\n".join([f"model in {model.deployed}" if trained else "the model is up to date", *lacks_of(model.parts)])
        )


def remember_demo(settings: Settings, wanted: bool | None) -> bool:
    """Return whether the demo shop is on, stored in the home folder for every process of the instance."""
    mark = settings.demo_mark
    on = (settings.demo or not (mark.exists() or settings.adoption)) if wanted is None else wanted
    settings.home.mkdir(parents=True, exist_ok=True)
    mark.write_text("on" if on else "off")
    return on


def _switch_demo(database: Database, tenant_id: str, wanted: bool | None) -> None:
    """Retire or restore the demo help centre when the demo shop is switched off or on."""
    from console.demo import restore_help_centre, retire_help_centre  # noqa: PLC0415

    if wanted is False and (count := retire_help_centre(database, tenant_id)):
        _print_notice(f"the demo shop's {count} entries are taken out; `rejoinder start --demo` brings them back")
    if wanted and (count := restore_help_centre(database, tenant_id)):
        _print_notice(f"the demo shop's {count} entries are back")


def how_many(settings: Settings, *, local_model: bool) -> str:
    """Return how many of each Procfile process honcho runs: none where an external server replaces it."""
    here = {"llm": local_model, "rasa": not settings.rasa_url, "chroma": not settings.chroma_url}
    return ",".join(f"{name}={int(on)}" for name, on in here.items())


def process_environment(settings: Settings) -> dict[str, str]:
    """Return the environment of the Procfile's commands: addresses, secrets and folders of this instance."""
    secret, adoption = settings.secret_key(), settings.adoption
    return {
        **build_rasa_environment(),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
        "PYTHONUNBUFFERED": "1",
        "OMP_NUM_THREADS": "1",
        "PYTHONWARNINGS": "ignore::DeprecationWarning",
        "ANONYMIZED_TELEMETRY": "false",
        "RUST_LOG": "warn",
        "REJOINDER_HOME": str(settings.home),
        "REJOINDER_HOST": settings.host,
        "REJOINDER_PORT": str(settings.port),
        "REJOINDER_SECRET": secret,
        "RASA_PORT": str(settings.port + 1),
        "RASA_TOKEN": derive_key(secret, "rasa"),
        "RASA_ENDPOINTS": str(adoption.endpoints if adoption else ROOT / "bot/endpoints.yml"),
        "RASA_PYTHONPATH": build_rasa_environment(adoption.project if adoption else None)["PYTHONPATH"],
        "CHROMA_PORT": str(settings.port + 2),
        "REJOINDER_ACTION_URL": f"http://127.0.0.1:{settings.port}/webhook",
        "REJOINDER_ACTION_SECRET": derive_key(secret, "actions"),
        "REJOINDER_TRACKER_DB": str(settings.home / "tracker.db"),
    }


def _tell_how_to_sign_in(settings: Settings, database: Database, tenant_id: str) -> None:
    """Print how to create the first account; there is no default password."""
    from console.auth import users  # noqa: PLC0415

    with database.session() as session:
        nobody = not users.count_users(session, tenant_id)
    if nobody:
        _print_notice(
            f"the console is at {settings.public_url}/console/ and nobody can sign in yet; "
            "make the first account with: .venv/bin/rejoinder users add you@example.com --role admin"
        )


def _print_notice(text: str) -> None:
    print(f"rejoinder: {text}", file=sys.stderr, flush=True)
