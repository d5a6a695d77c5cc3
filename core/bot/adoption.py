"""An external Rasa project that the bot is built from, as written by `rejoinder bot adopt`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from core.errors import SettingsInvalid

RECORD = "adoption.json"


@dataclass(frozen=True)
class Adoption:
    """The generated folder, and what it was made from."""

    folder: Path
    project: Path
    """The team's own project; only ever read."""
    names: Mapping[str, str] = field(default_factory=dict)
    """Maps names of the base that the project already uses to the names that replace them."""
    action_servers: tuple[str, ...] = ()
    """URLs of the servers that run the project's own actions."""

    @property
    def domain(self) -> Path:
        """The merged domain of both."""
        return self.folder / "domain.yml"

    @property
    def config(self) -> Path:
        return self.folder / "config.yml"

    @property
    def endpoints(self) -> Path:
        """The file with Rasa's endpoint configuration."""
        return self.folder / "endpoints.yml"

    @property
    def data(self) -> Path:
        """Examples, rules and stories of both, and learnt examples."""
        return self.folder / "data"

    def write(self) -> None:
        """Write the record next to the generated files."""
        content = {"project": str(self.project), "names": dict(self.names), "action_servers": list(self.action_servers)}
        (self.folder / RECORD).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> Adoption:
        """Read the record from a generated folder.

        Raises:
            SettingsInvalid: there is none.
        """
        try:
            found = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            raise SettingsInvalid(
                f"The bot was adopted into {folder}, which is gone: `rejoinder bot adopt` makes it anew, "
                "`rejoinder bot forget` goes back to the bot without it."
            ) from None
        return cls(folder, Path(found["project"]), found["names"], tuple(found["action_servers"]))


@dataclass(frozen=True)
class Adopted:
    """The adoption of an instance, stored as a file in its home folder that names the generated folder."""

    home: Path

    @property
    def mark(self) -> Path:
        return self.home / "adopted"

    @property
    def adoption(self) -> Adoption | None:
        """The adoption, or None for Rejoinder's own bot.

        Raises:
            SettingsInvalid: the generated folder is gone.
        """
        return Adoption.read(Path(self.mark.read_text(encoding="utf-8").strip())) if self.mark.is_file() else None

    def remember(self, adoption: Adoption) -> None:
        """Use this adoption from now on."""
        self.home.mkdir(parents=True, exist_ok=True)
        self.mark.write_text(f"{adoption.folder}\n", encoding="utf-8")

    def forget(self) -> bool:
        """Return to Rejoinder's own bot, keeping the generated files; return whether there was an adoption."""
        there = self.mark.is_file()
        self.mark.unlink(missing_ok=True)
        return there
