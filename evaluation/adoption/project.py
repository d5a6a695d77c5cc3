"""A Rasa 3 project on disk, which is never modified."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.errors import InvalidInput
from evaluation.adoption.documents import SUFFIXES, Mapping, ProjectFile, read_document

LISTS = ("intents", "entities", "actions", "e2e_actions")
DICTIONARIES = ("slots", "forms", "responses", "session_config", "config")


@dataclass(frozen=True)
class Project:
    """The content of a project's files."""

    folder: Path
    domains: list[ProjectFile]
    config: ProjectFile
    data: list[ProjectFile]
    endpoints: ProjectFile | None = None
    credentials: ProjectFile | None = None
    domain: dict[str, Any] = field(default_factory=dict)
    """All domain files, merged as Rasa does."""

    @property
    def name(self) -> str:
        """The name of its folder."""
        return self.folder.name

    @property
    def language(self) -> str:
        """The language in the configuration, by default "en"."""
        return str(self.config.content.get("language") or "en")

    @property
    def intents(self) -> list[str]:
        """The intents of the domain."""
        return [get_item_name(each) for each in self.domain["intents"]]

    @property
    def actions(self) -> list[str]:
        """The actions that an action server runs."""
        own = (get_item_name(each) for each in self.domain["actions"])
        return [name for name in own if name not in self.domain["responses"] and not name.startswith("utter_")]

    def examples(self) -> Iterator[tuple[ProjectFile, Mapping]]:
        """Yield the ``nlu:`` items with examples of an intent, each with its file."""
        for document in self.data:
            for part in document.content.get("nlu") or ():
                if isinstance(part, Mapping) and "intent" in part:
                    yield document, part

    def paths(self, kind: str) -> Iterator[tuple[ProjectFile, Mapping]]:
        """Yield the rules or stories, each with its file."""
        for document in self.data:
            for path in document.content.get(kind) or ():
                yield document, path

    def responses(self) -> dict[str, Any]:
        """Return the responses of the domain and the training data."""
        in_data = (document.content.get("responses") or {} for document in self.data)
        return {name: texts for part in (self.domain["responses"], *in_data) for name, texts in part.items()}


def read_project(
    folder: Path, domain: Path | None = None, config: Path | None = None, data: Sequence[Path] = ()
) -> Project:
    """Read a project; relative paths are resolved against its folder.

    Raises:
        InvalidInput: a file is missing or cannot be used; the message has file and line.
    """
    if not folder.is_dir():
        kind = "is a file; give the project's folder" if folder.exists() else "does not exist"
        raise InvalidInput(f"{folder} {kind}.")
    place = folder.resolve()
    domains = _domain_files(place, domain)
    recipe = place / (config or "config.yml")
    if not recipe.is_file():
        raise InvalidInput(f"There is no {config or 'config.yml'} in {place}; --config names another file.")
    read = [read_document(file, _get_relative_name(file, place)) for file in domains]
    files = [file for each in (data or [Path("data")]) for file in _list_data_files(place / each)]
    documents = [read_document(file, _get_relative_name(file, place)) for file in files]
    for document in documents:
        _check_data(document)
    return Project(
        place,
        read,
        read_document(recipe, _get_relative_name(recipe, place)),
        documents,
        _read_optional_document(place / "endpoints.yml", place),
        _read_optional_document(place / "credentials.yml", place),
        _merge_documents(read),
    )


def get_item_name(item: Any) -> str:
    """Return the name of an intent, entity or action, which may have settings."""
    return str(next(iter(item)) if isinstance(item, dict) else item)


def ensure_list(value: Any) -> list[Any]:
    """Return the value as a list; None becomes an empty list."""
    return [] if value is None else list(value) if isinstance(value, list | tuple) else [value]


def _domain_files(folder: Path, given: Path | None) -> list[Path]:
    for place in [folder / given] if given else [folder / "domain.yml", folder / "domain.yaml", folder / "domain"]:
        if place.is_file():
            return [place]
        if place.is_dir() and (files := _list_data_files(place)):
            return files
    raise InvalidInput(
        f"There is no {given} with a domain in {folder}."
        if given
        else f"There is neither a domain.yml nor a folder domain in {folder}; --domain names another file or folder."
    )


def _list_data_files(place: Path) -> list[Path]:
    if place.is_file():
        return [place]
    if not place.is_dir():
        raise InvalidInput(f"There is no {place} with training data; --data names another file or folder.")
    if other := next(
        (file for file in sorted(place.rglob("*")) if file.suffix in {".md", ".json"} and _is_old_nlu_file(file)), None
    ):
        raise InvalidInput(f"{other} is in an older format: `rasa data convert` makes YAML of it.")
    return sorted(file for file in place.rglob("*") if file.suffix in SUFFIXES and file.is_file())


def _is_old_nlu_file(file: Path) -> bool:
    head = file.read_text(encoding="utf-8", errors="replace")[:2000]
    return "rasa_nlu_data" in head or "## intent:" in head


def _get_relative_name(file: Path, folder: Path) -> str:
    return str(file.relative_to(folder)) if file.is_relative_to(folder) else str(file)


def _read_optional_document(file: Path, folder: Path) -> ProjectFile | None:
    return read_document(file, _get_relative_name(file, folder)) if file.is_file() else None


def _merge_documents(documents: list[ProjectFile]) -> dict[str, Any]:
    """Merge the domain files; later files override earlier ones, as in Rasa."""
    merged: dict[str, Any] = {}
    for document in documents:
        for part, value in document.content.items():
            if part in LISTS:
                _check_kind(document, part, value, list)
                known = {get_item_name(each): each for each in merged.get(part, ())}
                merged[part] = [*({**known, **{get_item_name(each): each for each in value or ()}}).values()]
            elif part in DICTIONARIES:
                _check_kind(document, part, value, dict)
                merged[part] = {**merged.get(part, {}), **(value or {})}
            else:
                merged[part] = value
    for part in LISTS[:3]:
        merged.setdefault(part, [])
    for part in DICTIONARIES[:3]:
        merged.setdefault(part, {})
    _check_domain(documents, merged)
    return merged


def _check_kind(document: ProjectFile, part: str, value: Any, kind: type) -> None:
    if value is not None and not isinstance(value, kind):
        wanted = "a list" if kind is list else "names with values"
        raise InvalidInput(f"{document.name}: {part} must be {wanted}")


def _check_domain(documents: list[ProjectFile], domain: dict[str, Any]) -> None:
    name = documents[0].name if len(documents) == 1 else str(documents[0].file.parent)
    for slot, value in domain["slots"].items():
        if not isinstance(value, dict) or any(not isinstance(m, dict) for m in ensure_list(value.get("mappings"))):
            raise InvalidInput(f"{name}: the slot {slot} needs a type and mappings")
    for response, texts in domain["responses"].items():
        if not isinstance(texts, list) or any(not isinstance(text, dict) for text in texts):
            raise InvalidInput(f"{name}: the response {response} needs a list of variations")
    for form, value in domain["forms"].items():
        if not isinstance(value, dict | None):
            raise InvalidInput(f"{name}: the form {form} needs required_slots")


def _check_data(document: ProjectFile) -> None:
    for part in ("nlu", "rules", "stories"):
        items = document.content.get(part)
        if items is not None and (not isinstance(items, list) or any(not isinstance(i, Mapping) for i in items)):
            raise InvalidInput(f"{document.name}: {part} must be a list of parts with names")
    for part in ("rules", "stories"):
        for path in document.content.get(part) or ():
            steps = path.get("steps")
            if not isinstance(steps, list) or any(not isinstance(step, dict) for step in steps):
                raise InvalidInput(f"{document.at(path)}: {part[:-1]} without a list of steps")
