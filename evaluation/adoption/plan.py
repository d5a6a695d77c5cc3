"""Plan and run an adoption, based on the settings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from core.bot.adoption import Adopted, Adoption
from core.bot.parts import ROOT
from core.settings import Settings
from evaluation.adoption.documents import read_document
from evaluation.adoption.merge import Merge, merge_project
from evaluation.adoption.output import check_place, write_adoption
from evaluation.adoption.pipeline import Choice, make_recipe
from evaluation.adoption.project import Project, read_project
from knowledge.services import make_embedder

OWN_PORTS = 4
"""Number of ports in use, starting at REJOINDER_PORT."""


@dataclass(frozen=True)
class AdoptionRequest:
    """The arguments of the command."""

    project: Path
    domain: Path | None = None
    config: Path | None = None
    data: Sequence[Path] = ()
    pipeline: Choice = "theirs"
    duckling: str = ""
    their_handoff: bool = False
    out: Path | None = None


def plan_adoption(settings: Settings, wanted: AdoptionRequest) -> tuple[Project, Merge]:
    """Read a project and return the planned merge; nothing is written.

    Raises:
        InvalidInput: a file cannot be used; the message names it.
        Unavailable: the Rasa environment is not set up.
    """
    project = read_project(wanted.project, wanted.domain, wanted.config, wanted.data)
    check_place(project.folder, place_of(settings, wanted))
    recipe = make_recipe(project, wanted.pipeline, wanted.duckling, range(settings.port, settings.port + OWN_PORTS))
    endpoints = read_document(ROOT / "bot/endpoints.yml").content
    found = merge_project(project, recipe, make_embedder(settings), endpoints, their_handoff=wanted.their_handoff)
    return project, found


def adopt_project(settings: Settings, wanted: AdoptionRequest, project: Project, found: Merge) -> Adoption:
    """Write the merge and make it the active bot."""
    adoption = write_adoption(found, project, place_of(settings, wanted))
    Adopted(settings.home).remember(adoption)
    return adoption


def place_of(settings: Settings, wanted: AdoptionRequest) -> Path:
    """Return the folder to which the bot is written."""
    return (wanted.out or settings.home / "bot").resolve()
