"""`bench house`: can a newcomer find their way? Names, rooms and docstrings of the product's code, by its syntax trees.

A one-word name says too little for a search; a module named by a gerund says what is done and not what is there; a type name
with two meanings sends a reader to the wrong file. What the app process builds is counted in a real container.
"""

from __future__ import annotations

import ast
import gc
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from statistics import mean
from typing import NamedTuple

from benchmarks.report import Result, at_least, at_most
from connectors.http.limits import RateLimits
from console.container import Container
from core.settings import Settings
from knowledge.index.retriever import HybridRetriever
from knowledge.index.spaces import Spaces
from testing.instance import ROOT

PRODUCT = ("actions", "bot", "connectors", "console", "core", "evaluation", "knowledge")
ROOMS = ("knowledge", "core/handoffs")
SHORT = 3
"""A docstring of so many words repeats the name."""
MADE_ONCE = (HybridRetriever, Spaces, RateLimits)


class Source(NamedTuple):
    """A module of the product."""

    path: Path
    tree: ast.Module

    @property
    def name(self) -> str:
        """As it is imported."""
        return ".".join(self.path.with_suffix("").parts).removesuffix(".__init__")


def run(data: Path) -> Result:  # noqa: ARG001 - it needs none
    """Count everything."""
    sources = list(read_sources())
    functions = [name.strip("_") for source in sources for name in list_functions(source.tree)]
    one_word = [name for name in functions if "_" not in name]
    shared = find_shared_types(sources)
    short = [f"{source.path}: {text}" for source in sources for text in list_short_docstrings(source.tree)]
    gerunds = [str(source.path) for source in sources if source.path.stem.endswith("ing") and source.tree.body]
    loose = sum(source.path.read_text(encoding="utf-8").count("dict[str, Any]") for source in sources)
    figures = {
        "modules": len(sources),
        "functions": len(functions),
        "commonest one-word names": dict(Counter(one_word).most_common(10)),
        "modules named by a gerund": gerunds,
        "type names with several meanings": shared,
        "short docstrings": short,
    }
    targets = [
        *(at_most(f"modules flat in {room}", count_modules(room), 12) for room in ROOMS),
        at_most("modules named by a gerund", len(gerunds), 4),
        at_least("mean length of a function's name, letters", round(mean(map(len, functions)), 1), 11),
        at_most("one-word names of functions", round(len(one_word) / len(functions), 2), 0.35),
        at_most("type names with several meanings", len(shared), 9),
        at_most("package circles", len(find_circles(sources)), 0),
        *(at_most(f"{name} in one app process", count, 1) for name, count in count_made().items()),
        at_most("dict[str, Any]", loose, 79),
        at_most(f"docstrings of {SHORT} words or fewer", len(short), 0),
    ]
    return {
        "figures": figures,
        "targets": targets,
        "notes": ["the path of one message and the API's fields are not counted"],
    }


def read_sources() -> Iterator[Source]:
    """Every module, but for migrations, whose names are dates of a kind."""
    for root in PRODUCT:
        for file in sorted((ROOT / root).rglob("*.py")):
            if "migrations" not in file.parts:
                yield Source(file.relative_to(ROOT), ast.parse(file.read_text(encoding="utf-8")))


def list_functions(tree: ast.Module) -> Iterator[str]:
    """Names of functions and methods, but for those that Python gives."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.endswith("__"):
            yield node.name


def list_short_docstrings(tree: ast.Module) -> Iterator[str]:
    """Those that say no more than a name could."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            text = ast.get_docstring(node)
            if text and len(text.split()) <= SHORT:
                yield f"{getattr(node, 'name', 'module')}: {text}"


def find_shared_types(sources: list[Source]) -> dict[str, list[str]]:
    """Class names that stand in several modules, with these."""
    places: dict[str, list[str]] = defaultdict(list)
    for source in sources:
        for node in ast.walk(source.tree):
            if isinstance(node, ast.ClassDef):
                places[node.name].append(source.name)
    return {name: where for name, where in sorted(places.items()) if len(where) > 1}


def find_circles(sources: list[Source]) -> list[tuple[str, str]]:
    """Pairs of rooms of one root that import each other."""
    known = {source.name for source in sources}
    imports: dict[str, set[str]] = defaultdict(set)
    for source in sources:
        for node in ast.walk(source.tree):
            if isinstance(node, ast.ImportFrom) and node.module:
                named = [f"{node.module}.{alias.name}" for alias in node.names]
                found = {name if name in known else node.module for name in named}
                imports[_name_room(source.name)] |= {_name_room(name) for name in found}
    return [
        (one, other)
        for one in sorted(imports)
        for other in imports[one]
        if one < other and one in imports.get(other, ())
    ]


def _name_room(module: str) -> str:
    """A folder of a root, or the root itself for what stands at its top."""
    parts = module.split(".")
    is_folder = len(parts) > 1 and (ROOT / parts[0] / parts[1]).is_dir()
    return ".".join(parts[:2]) if is_folder else module


def count_modules(folder: str) -> int:
    """Those that stand in the folder itself, and its rooms."""
    inside = [path for path in (ROOT / folder).iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file()]
    return sum(path.name != "__init__.py" for path in inside)


def count_made() -> dict[str, int]:
    """How many of each a container makes that serves every route."""
    with tempfile.TemporaryDirectory() as home:
        container = Container(Settings(home=Path(home), _env_file=None))
        routers = list(container.list_routers())  # kept, so that nothing of it is collected
        made = {kind.__name__: sum(type(one) is kind for one in gc.get_objects()) for kind in MADE_ONCE}
        container.knowledge.close()
        container.database.close()
        del routers
        return made
