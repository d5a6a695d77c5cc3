"""Checks which components of a recipe can be used in this environment.

Run ``python -m bot.available --config FILE --out FILE`` in the bot environment. It writes one line of JSON for each component of
``pipeline`` and ``policies``: ``name``, ``kinds`` (as registered in Rasa) and ``problem``, or None.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
from pathlib import Path
from typing import Any, Dict, List, Optional, Text, Type

from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.shared.utils.io import read_yaml_file


def main() -> None:
    """Parse the arguments and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("config", "out"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    given = parser.parse_args()
    config = read_yaml_file(given.config)
    found = [
        row
        for part in ("pipeline", "policies")
        for row in check_recipe_components(config.get(part) or [], config.get("language"))
    ]
    given.out.write_text("".join(json.dumps(row) + "\n" for row in found), encoding="utf-8")


def check_recipe_components(components: List[Dict[Text, Any]], language: Optional[Text]) -> List[Dict[Text, Any]]:
    """Return one row per component, in their order."""
    rows: List[Dict[Text, Any]] = []
    usable: List[Type] = []
    for component in components:
        name = str(component.get("name"))
        row: Dict[Text, Any] = {"name": name, "kinds": [], "problem": None}
        try:
            registered = DefaultV1Recipe._from_registry(name)  # noqa: SLF001 - by it Rasa finds them
        except Exception as error:  # noqa: BLE001 - whatever a component's own module does when it is imported
            row["problem"] = f"it cannot be loaded: {error}".splitlines()[0]
        else:
            row["kinds"] = sorted(kind.name for kind in registered.types)
            row["problem"] = _find_problem(registered.clazz, component, language, usable)
            usable += [] if row["problem"] else [registered.clazz]
        rows.append(row)
    return rows


def _find_problem(
    kind: Type, component: Dict[Text, Any], language: Optional[Text], usable: List[Type]
) -> Optional[Text]:
    missing = [package for package in kind.required_packages() if importlib.util.find_spec(package) is None]
    if missing:
        return f"the package {', '.join(missing)} is not installed in .venv-bot"
    model = component.get("model")
    if kind.__name__ == "SpacyNLP" and model and importlib.util.find_spec(str(model)) is None:
        return f"spaCy's model {model} is not installed in .venv-bot"
    allowed, refused = kind.supported_languages(), kind.not_supported_languages()
    if language and (language in (refused or ()) or (allowed is not None and language not in allowed)):
        return f"it does not work for the language {language}"
    for needed in kind.required_components():
        if not any(issubclass(one, needed) for one in usable):
            return f"it needs a {needed.__name__} before it"
    return None


if __name__ == "__main__":
    main()
