"""A Rasa project of somebody's own that the bot is made of, as `rejoinder bot adopt` left it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from core.errors import SettingsInvalid

RECORD = "adoption.json"


@dataclass(frozen=True)
class Adoption:
    """The folder that was generated, and what it was made from."""

    folder: Path
    project: Path
    """Theirs; only ever read."""
    names: Mapping[str, str] = field(default_factory=dict)
    """Names of the base that are taken in the project, with those that it goes by instead."""
    action_servers: tuple[str, ...] = ()
    """Where the project's own actions are run."""

    @property
    def domain(self) -> Path:
        """Both domains as one."""
        return self.folder / "domain.yml"

    @property
    def config(self) -> Path:
        return self.folder / "config.yml"

    @property
    def endpoints(self) -> Path:
        """What Rasa speaks to."""
        return self.folder / "endpoints.yml"

    @property
    def data(self) -> Path:
        """Examples, rules and stories of both, and what is learnt."""
        return self.folder / "data"

    def write(self) -> None:
        """Beside what was generated."""
        content = {"project": str(self.project), "names": dict(self.names), "action_servers": list(self.action_servers)}
        (self.folder / RECORD).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> Adoption:
        """As it was written.

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
    """What an instance remembers: a file in its home folder that names the generated one."""

    home: Path

    @property
    def mark(self) -> Path:
        return self.home / "adopted"

    @property
    def adoption(self) -> Adoption | None:
        """None where the bot is Rejoinder's own.

        Raises:
            SettingsInvalid: what it names is gone.
        """
        return Adoption.read(Path(self.mark.read_text(encoding="utf-8").strip())) if self.mark.is_file() else None

    def remember(self, adoption: Adoption) -> None:
        """From now on the bot is made of this."""
        self.home.mkdir(parents=True, exist_ok=True)
        self.mark.write_text(f"{adoption.folder}\n", encoding="utf-8")

    def forget(self) -> bool:
        """From now on it is Rejoinder's own; was it another? What was generated stays where it is."""
        there = self.mark.is_file()
        self.mark.unlink(missing_ok=True)
        return there
