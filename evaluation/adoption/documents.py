"""YAML as Rasa reads it (1.2: yes and no are words), with line numbers; input that Rasa rejects or misreads is an error."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import yaml

from core.errors import InvalidInput

SUFFIXES = (".yml", ".yaml")
_BOOLEAN = re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$")
_LEFT_AS_TEXT = ("tag:yaml.org,2002:bool", "tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:int")
_INTEGER = re.compile(r"^[-+]?(?:0|[1-9][0-9]*|0x[0-9a-fA-F]+)$")


class Mapping(dict[str, Any]):
    """A mapping with its line number."""

    line: int = 0


@dataclass(frozen=True)
class ProjectFile:
    """A file of a project."""

    file: Path
    name: str
    """The file's path in the project."""
    content: Mapping

    def at(self, item: Any) -> str:
        """Return the place of an item in the file, for use in messages."""
        return f"{self.name}:{item.line}" if isinstance(item, Mapping) and item.line else self.name


def read_document(file: Path, name: str = "") -> ProjectFile:
    """Read a file whose content is a mapping.

    Raises:
        InvalidInput: the file cannot be read; the message has file and line.
    """
    name = name or file.name
    try:
        text = file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InvalidInput(f"{name} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{name} is not UTF-8 text: {error.reason} at byte {error.start}") from None
    content = parse_yaml(text, name)
    if not isinstance(content, Mapping | None):
        raise InvalidInput(f"{name} has a {type(content).__name__} where names with values should be")
    return ProjectFile(file, name, content if content is not None else Mapping())


def parse_yaml(text: str, name: str) -> Any:
    """Parse a YAML text.

    Raises:
        InvalidInput: the text is not YAML, has a duplicate key, or contains itself; the message has file and line.
    """
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        _check_node(node, name, ())
        return loader.construct_document(node)
    except yaml.MarkedYAMLError as error:
        line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
        raise InvalidInput(f"{name}{line}: not valid YAML: {error.problem}") from None
    except yaml.YAMLError as error:
        raise InvalidInput(f"{name}: not valid YAML: {' '.join(str(error).split())}") from None
    except RecursionError:
        raise InvalidInput(f"{name}: nested too deep") from None
    finally:
        loader.dispose()


def format_yaml(content: Any, head: str = "") -> str:
    """Format as YAML that both Rasa and this module read; multi-line strings use block style."""
    return head + yaml.dump(content, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=120)


class _Loader(yaml.SafeLoader):
    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        return {str(key): value for key, value in super().construct_mapping(node, deep=deep).items()}


def _build_mapping(loader: _Loader, node: yaml.MappingNode) -> Iterator[Mapping]:
    found = Mapping()
    found.line = node.start_mark.line + 1
    yield found
    found.update(cast("dict[str, Any]", loader.construct_mapping(node)))


_Loader.add_constructor("tag:yaml.org,2002:map", _build_mapping)
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag not in _LEFT_AS_TEXT]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", _BOOLEAN, list("tTfF"))
_Loader.add_implicit_resolver("tag:yaml.org,2002:int", _INTEGER, list("-+0123456789"))


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - signature of the base class
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002 - signature of the base class
        super().increase_indent(flow, indentless=False)


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(Mapping, yaml.SafeDumper.represent_dict)
_Dumper.add_representer(str, _represent_text)


def _check_node(node: yaml.Node, name: str, above: tuple[int, ...]) -> None:
    """Reject duplicate keys in a mapping and recursive aliases."""
    if id(node) in above:
        raise InvalidInput(f"{name}:{node.start_mark.line + 1}: an alias makes this part contain itself")
    inside = (*above, id(node))
    if isinstance(node, yaml.MappingNode):
        seen: dict[str, int] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if key.value in seen and isinstance(key, yaml.ScalarNode) and key.tag != "tag:yaml.org,2002:merge":
                raise InvalidInput(f"{name}:{line}: the key {key.value} is there already, in line {seen[key.value]}")
            seen[str(key.value)] = line
            _check_node(value, name, inside)
    elif isinstance(node, yaml.SequenceNode):
        for each in node.value:
            _check_node(each, name, inside)
