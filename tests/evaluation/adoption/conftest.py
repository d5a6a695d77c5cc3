"""The two bots of docs/your-own-bot.md, and what comes of a change to one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evaluation.adoption.documents import read_document
from evaluation.adoption.merge import Merge, merge_project
from evaluation.adoption.pipeline import Recipe
from evaluation.adoption.project import Project, read_project
from knowledge.embeddings.embedder import Embedder
from testing.instance import ROOT
from tests.guides import write_files

ENDPOINTS: dict[str, Any] = read_document(ROOT / "bot/endpoints.yml").content
Merging = Callable[..., Merge]


@pytest.fixture
def projects(tmp_path: Path) -> Path:
    assert len(write_files(ROOT / "docs/your-own-bot.md", tmp_path)) == 10
    return tmp_path


@pytest.fixture
def bikes(projects: Path) -> Path:
    return projects / "bikes"


@pytest.fixture(scope="session")
def embedder() -> Embedder:
    return Embedder()


@pytest.fixture
def merged(embedder: Embedder) -> Merging:
    """Without a look at the components, which takes Rasa's environment."""

    def merging(folder: Path, *, their_handoff: bool = False, patterns: dict[str, str] | None = None) -> Merge:
        project: Project = read_project(folder)
        recipe = Recipe(dict(project.config.content), [], patterns or {})
        return merge_project(project, recipe, embedder, ENDPOINTS, their_handoff=their_handoff)

    return merging
