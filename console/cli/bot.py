"""`rejoinder bot`: whether the bot's forms stand what customers say, and what its action servers have."""

from __future__ import annotations

import asyncio
from typing import Any

import typer

from actions.servers import ActionServer, ActionServers
from console.cli.options import JsonOption, TenantOption, print_json
from core.bot_parts import BotParts
from core.errors import NotFound
from core.settings import Settings

app = typer.Typer(no_args_is_help=True, help="The bot itself: whether its forms stand what customers say.")


@app.callback()
def group() -> None:
    """The bot itself: whether its forms stand what customers say."""


@app.command("check")
def check(as_json: JsonOption = False, tenant: TenantOption = None) -> None:  # noqa: ARG001 - every command has it
    """Play what disturbs a form against every form of the trained model; exit code 1 where one ends badly.

    Its own wish again, corrections, questions, small talk, "I don't have one", a yes in a sentence, stop, another wish.
    What customers say for a form's values comes from the skill's conversation tests. No action that does something is run.
    """
    from console.form_check import action_server  # noqa: PLC0415
    from core import logs  # noqa: PLC0415
    from evaluation.forms import check_forms  # noqa: PLC0415
    from evaluation.training.wiring import make_model  # noqa: PLC0415

    settings = Settings.load()
    logs.set_up(settings.log_format, "ERROR")
    model = make_model(settings)
    release = model.running_release
    if release is None:
        raise NotFound("There is no trained model to check; `rejoinder train` makes one.")
    with action_server(model.parts, settings.action_servers) as server:
        found = check_forms(release, model.parts, server)
    lacking = lacks_of(model.parts)
    print_json(found) if as_json else print("\n".join([*(line for one in found for line in _lines(one)), *lacking]))
    raise typer.Exit(1 if any(one["failures"] for one in found) else 0)


@app.command("actions")
def actions(as_json: JsonOption = False, tenant: TenantOption = None) -> None:  # noqa: ARG001 - every command has it
    """What the action servers have; exit code 1 where one does not answer, a name is given twice, or an action is nowhere."""
    settings = Settings.load()
    servers, problems = asyncio.run(_asked(settings))
    if as_json:
        listed = [
            {"server": each.name, "actions": sorted(each.actions or ()), "problem": each.problem} for each in servers
        ]
        print_json({"servers": listed, "problems": problems})
    else:
        lines = [f"{each.name}: {', '.join(sorted(each.actions or ())) or 'nothing known'}" for each in servers]
        print("\n".join([*lines, *problems] or ["REJOINDER_ACTION_SERVERS names no server."]))
    raise typer.Exit(1 if problems else 0)


async def _asked(settings: Settings) -> tuple[list[ActionServer], list[str]]:
    parts = settings.bot()
    servers = ActionServers(settings.action_servers, [name for skill in parts.skills for name in skill.actions()])
    await servers.look_up()
    await servers.close()
    return servers.servers, [*servers.clashes(), *servers.problems(parts.actions())]


def lacks_of(parts: BotParts) -> list[str]:
    """A line for each language in which something is said in English."""
    return [
        f"{code} lacks, and says in English: {', '.join(names)}" for code, names in parts.lacking().items() if names
    ]


def _lines(found: dict[str, Any]) -> list[str]:
    first = f"{found['form']}: {found['tried'] - len(found['failures'])} of {found['tried']} went well"
    missed = [f"    not reached: {', '.join(found['not_reached'])}; its tests have no values that lead there"]
    wrong = [
        f'    {each["slot"]}, {each["disturbance"]} ("{each["said"]}"): {each["wrong"]}' for each in found["failures"]
    ]
    return [first, *(missed if found["not_reached"] else ()), *wrong]
