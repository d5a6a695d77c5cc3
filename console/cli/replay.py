"""`rejoinder replay`: ask the bot or the knowledge base recorded questions."""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import uuid4

import typer

from console.cli.options import JsonOption, TenantOption, print_json, tenant_of
from core.settings import Settings

if TYPE_CHECKING:
    from evaluation.replay import Probe, ReplayTarget


class TargetName(StrEnum):
    """Target of a replay: the running bot, or the knowledge base alone."""

    BOT = "bot"
    ANSWERING = "answering"


def replay(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="One probe a line (JSONL).")],
    target: Annotated[TargetName, typer.Option(help="The running bot, or the answering alone.")] = TargetName.ANSWERING,
    out: Annotated[Path, typer.Option(help="Where the results go, one a line.")] = Path("replay.jsonl"),
    as_json: JsonOption = False,
    tenant: TenantOption = None,
) -> None:
    """Ask every probe of a file and write one result a line."""
    from evaluation.replay import read_probes  # noqa: PLC0415

    settings = Settings.load()
    probes = list(read_probes(file))
    outcomes = asyncio.run(_ask_probes(settings, target, tenant_of(settings, tenant), probes, out))
    if as_json:
        print_json({"probes": len(probes), "out": str(out), "outcomes": outcomes})
        return
    print(f"{len(probes)} probes -> {out}")
    for outcome, count in outcomes.most_common():
        print(f"  {outcome:10} {count:6} {count / max(len(probes), 1):6.1%}")


async def _ask_probes(
    settings: Settings, name: TargetName, tenant_id: str, probes: list[Probe], out: Path
) -> Counter[str]:
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import track  # noqa: PLC0415

    target = _make_target(settings, name, tenant_id)
    outcomes: Counter[str] = Counter()
    bar = Console(stderr=True)
    with out.open("w", encoding="utf-8") as lines:
        for probe in track(probes, "asking", console=bar, transient=True, disable=not sys.stderr.isatty()):
            result = await target.ask(probe)
            outcomes[result.outcome] += 1
            lines.write(json.dumps(asdict(result), ensure_ascii=False) + "\n")
    return outcomes


def _make_target(settings: Settings, name: TargetName, tenant_id: str) -> ReplayTarget:
    if name is TargetName.BOT:
        from core.rasa import Rasa  # noqa: PLC0415
        from core.secrets import derive_key  # noqa: PLC0415
        from evaluation.replay import BotTarget, Door  # noqa: PLC0415

        rasa = Rasa(settings.rasa(), token=derive_key(settings.secret_key(), "rasa"))
        door = Door(f"http://127.0.0.1:{settings.port}", derive_key(settings.secret_key(), "actions"))
        return BotTarget(rasa, tenant_id, uuid4().hex[:8], door)
    from core.db import Database  # noqa: PLC0415
    from evaluation.replay import AnsweringTarget  # noqa: PLC0415
    from knowledge.services import Knowledge  # noqa: PLC0415

    return AnsweringTarget(Knowledge(settings, Database(settings.database())).answering, tenant_id)
