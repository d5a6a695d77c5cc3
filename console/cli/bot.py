"""`rejoinder bot`: check the bot's forms and action servers, and adopt a bot of your own."""

from __future__ import annotations

import asyncio
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from console.cli.options import JsonOption, TenantOption, print_json
from core.bot.adoption import Adopted
from core.bot.parts import BotParts
from core.errors import NotFound
from core.settings import Settings

app = typer.Typer(no_args_is_help=True, help="The bot itself: check its forms, or take in a Rasa project of your own.")

if TYPE_CHECKING:
    from actions.servers import ActionServer


class PipelineChoice(StrEnum):
    """Which bot's classifier understands the messages of an adopted bot."""

    THEIRS = "theirs"
    OURS = "ours"


@app.callback()
def group() -> None:
    """The bot itself: check its forms, or take in a Rasa project of your own."""


@app.command("adopt")
def adopt(
    project: Annotated[Path, typer.Argument(help="Folder of a Rasa 3 project; it is only read.")],
    domain: Annotated[
        Path | None, typer.Option(help="Its domain, a file or a folder. [default: domain.yml or domain]")
    ] = None,
    config: Annotated[Path | None, typer.Option(help="Its configuration. [default: config.yml]")] = None,
    data: Annotated[
        list[Path] | None, typer.Option(help="Its training data; several are possible. [default: data]")
    ] = None,
    pipeline: Annotated[
        PipelineChoice, typer.Option(help="Who understands messages: its own classifier, or Rejoinder's.")
    ] = PipelineChoice.THEIRS,
    duckling: Annotated[str, typer.Option(help="Another address of Duckling than its configuration has.")] = "",
    their_handoff: Annotated[
        bool, typer.Option("--their-handoff", help="Keep its own rules for who wants a person.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option(help="Where the bot is generated. [default: bot in REJOINDER_HOME]")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the report and write nothing.")] = False,
    as_json: JsonOption = False,
    tenant: TenantOption = None,  # noqa: ARG001 - every command has it
) -> None:
    """Make the bot of your own Rasa project: a report first, then one bot of both, generated beside it.

    Exit code 1, and nothing written, where something in the project has to be changed first. Run it again when the project
    has changed: what was learnt stays. The next start trains the bot; `rejoinder bot forget` goes back.
    """
    from evaluation.adoption.findings import format_findings  # noqa: PLC0415
    from evaluation.adoption.plan import AdoptionRequest, adopt_project, plan_adoption  # noqa: PLC0415

    settings = Settings.load()
    wanted = AdoptionRequest(project, domain, config, tuple(data or ()), pipeline.value, duckling, their_handoff, out)
    read, found = plan_adoption(settings, wanted)
    if not as_json:
        print(format_findings(found.findings))
    adoption = None if dry_run or found.unresolved else adopt_project(settings, wanted, read, found)
    if as_json:
        print_json(
            {"findings": [one.row() for one in found.findings], "written": str(adoption.folder) if adoption else None}
        )
    elif adoption:
        print(f"\nrejoinder: the bot is in {adoption.folder}; `rejoinder start` trains and starts it", file=sys.stderr)
    else:
        print("\nrejoinder: nothing was written", file=sys.stderr)
    raise typer.Exit(int(found.unresolved))


@app.command("forget")
def forget(tenant: TenantOption = None) -> None:  # noqa: ARG001 - every command has it
    """Go back to Rejoinder's own bot with the next start; your project and what was generated stay."""
    if not Adopted(Settings.load().home).forget():
        raise NotFound("No bot was adopted.")


@app.command("check")
def check(as_json: JsonOption = False, tenant: TenantOption = None) -> None:  # noqa: ARG001 - every command has it
    """Play what disturbs a form against every form of the trained model; exit code 1 where one ends badly.

    Its own wish again, corrections, questions, small talk, "I don't have one", a yes in a sentence, stop, another wish.
    What customers say for a form's values comes from the skill's conversation tests. No action that does something is run.
    """
    from console.form_check import action_server  # noqa: PLC0415
    from core import logs  # noqa: PLC0415
    from evaluation.forms import check_forms  # noqa: PLC0415
    from evaluation.training.model import make_model  # noqa: PLC0415

    settings = Settings.load()
    logs.configure_logging(settings.log_format, "ERROR")
    model = make_model(settings)
    release = model.running_release
    if release is None:
        raise NotFound("There is no trained model to check; `rejoinder train` makes one.")
    with action_server(model.parts, settings.own_action_servers()) as server:
        found = check_forms(release, model.parts, server)
    lacking = lacks_of(model.parts)
    print_json(found) if as_json else print(
        "\n".join([*(line for one in found for line in _format_form_result(one)), *lacking])
    )
    raise typer.Exit(1 if any(one["failures"] for one in found) else 0)


@app.command("actions")
def actions(as_json: JsonOption = False, tenant: TenantOption = None) -> None:  # noqa: ARG001 - every command has it
    """What the action servers have; exit code 1 where one does not answer, a name is given twice, or an action is nowhere."""
    settings = Settings.load()
    servers, problems = asyncio.run(_check_action_servers(settings))
    if as_json:
        listed = [
            {"server": each.name, "actions": sorted(each.actions or ()), "problem": each.problem} for each in servers
        ]
        print_json({"servers": listed, "problems": problems})
    else:
        lines = [f"{each.name}: {', '.join(sorted(each.actions or ())) or 'nothing known'}" for each in servers]
        print("\n".join([*lines, *problems] or ["REJOINDER_ACTION_SERVERS names no server."]))
    raise typer.Exit(1 if problems else 0)


async def _check_action_servers(settings: Settings) -> tuple[list[ActionServer], list[str]]:
    from actions.servers import ActionServers  # noqa: PLC0415

    parts = settings.bot()
    servers = ActionServers(settings.own_action_servers(), [name for skill in parts.skills for name in skill.actions()])
    await servers.look_up()
    await servers.close()
    return servers.servers, [*servers.clashes(), *servers.problems(parts.actions())]


def lacks_of(parts: BotParts) -> list[str]:
    """Return a line for each language whose missing texts fall back to English."""
    return [
        f"{code} lacks, and says in English: {', '.join(names)}" for code, names in parts.lacking().items() if names
    ]


def _format_form_result(found: dict[str, Any]) -> list[str]:
    first = f"{found['form']}: {found['tried'] - len(found['failures'])} of {found['tried']} went well"
    missed = [f"    not reached: {', '.join(found['not_reached'])}; its tests have no values that lead there"]
    wrong = [
        f'    {each["slot"]}, {each["disturbance"]} ("{each["said"]}"): {each["wrong"]}' for each in found["failures"]
    ]
    return [first, *(missed if found["not_reached"] else ()), *wrong]
