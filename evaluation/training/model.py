"""The trained Rasa models of an instance: how one is made, which one Rasa loads, which are kept.

Below ``home``/models: ``releases/NAME/`` has a model with the examples and the recipe it was made from;
``deployed/`` holds a copy of the one that Rasa loads, also after a restart; ``made-from`` says which files the last
training saw.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import yaml

from core.bot.parts import BotParts
from core.errors import InvalidInput, NotFound
from core.settings import Settings
from evaluation.training.data import LEARNT, format_examples, is_learnt, read_parts, write_rows
from evaluation.training.lock import hold_folder_lock
from evaluation.training.rasa import ROOT, run_rasa

MADE_FROM = ("bot/components", "knowledge/embeddings/embedder.py")
"""Beside the domain, the training data and the recipe."""
KEPT = 3


@dataclass(frozen=True)
class Release:
    """One trained model, in its folder."""

    folder: Path

    @property
    def name(self) -> str:
        """Sorts by the time it was made."""
        return self.folder.name

    @property
    def archive(self) -> Path:
        return self.folder / f"{self.name}.tar.gz"

    @property
    def rows(self) -> Path:
        """The examples it was made from, one ``{"text", "intent"}`` a line."""
        return self.folder / "nlu.jsonl"

    @property
    def config(self) -> Path:
        """The recipe it was made by."""
        return self.folder / "config.yml"

    @property
    def domain(self) -> Path:
        """What it understands, remembers and says."""
        return self.folder / "domain.yml"

    @property
    def served(self) -> Path:
        """Touched when it is deployed."""
        return self.folder / "served"


@dataclass(frozen=True)
class BotModel:
    """Where the models lie and how one is made."""

    home: Path
    parts: BotParts = field(default_factory=BotParts)

    @property
    def folder(self) -> Path:
        return self.home / "models"

    @property
    def deployed(self) -> Path:
        """Rasa loads the model in it."""
        return self.folder / "deployed"

    @property
    def running(self) -> str | None:
        """Name of the deployed model; None where there is none."""
        archives = sorted(self.deployed.glob("*.tar.gz"), key=lambda path: path.stat().st_mtime)
        return archives[-1].name.removesuffix(".tar.gz") if archives else None

    @property
    def running_release(self) -> Release | None:
        """The deployed model with what it was made from; None where somebody took that away."""
        release = Release(self.folder / "releases" / (self.running or "none"))
        return release if release.archive.is_file() else None

    def release(self, name: str) -> Release:
        """A kept model.

        Raises:
            NotFound: it is not, or no longer, on the disk.
        """
        found = Release(self.folder / "releases" / name)
        if not found.archive.is_file():
            raise NotFound(f"The model {name} is no longer kept.")
        return found

    def stale(self) -> bool:
        """Is there no model, or did the files change since the last training saw them?"""
        stamp = self.folder / "made-from"
        return not (self.running and stamp.is_file() and stamp.read_text() == self.fingerprint())

    def train(self) -> Release:
        """Train and put in place, without comparing: for a new checkout.

        Raises:
            Unavailable: the Rasa environment is not set up.
            InvalidInput: Rasa refused the training data.
            Conflict: a training is running.
        """
        with self.locked():
            release = self.make()
            self.put_in_place(release)
            release.served.touch()
            self.clean_up()
        return release

    @contextmanager
    def locked(self, what: str = "training") -> Iterator[None]:
        """One training at a time, and one deployment; the lock of a process that died is free.

        Raises:
            Conflict: somebody else has it.
        """
        with hold_folder_lock(self.folder, what):
            yield

    def make(self) -> Release:
        """A new model from the files as they are; what Rasa says goes to `train.log` beside it.

        Raises:
            Unavailable: the Rasa environment is not set up.
            InvalidInput: Rasa refused the training data.
        """
        made_from = self.fingerprint()
        name = f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
        release = Release(self.folder / "releases" / name)
        release.folder.mkdir(parents=True)
        write_rows(release.rows, read_parts(self.parts))
        shutil.copyfile(self.parts.config, release.config)
        self.parts.write_domain(release.domain)
        command = ["train", "--domain", str(release.domain), "--data", *map(str, self._data_files(release))]
        command += ["--config", str(release.config), "--out", str(release.folder), "--fixed-model-name", name]
        try:
            run_rasa(command, release.folder / "train.log", project=self.parts.project)
        except InvalidInput as error:
            raise InvalidInput(f"training failed: {error}") from None
        (self.folder / "made-from").write_text(made_from)
        return release

    def put_in_place(self, release: Release) -> None:
        """From now on Rasa loads this one when it starts."""
        self.deployed.mkdir(parents=True, exist_ok=True)
        new, copied = self.deployed / release.archive.name, self.deployed / "copying"
        shutil.copyfile(release.archive, copied)
        os.utime(copied)  # Rasa takes the newest, were it to look while there are two
        copied.replace(new)
        for old in self.deployed.glob("*.tar.gz"):
            if old != new:
                old.unlink()

    def clean_up(self) -> None:
        """Keep the last three that served, and the newest of those that did not; the running one always."""
        releases = [Release(folder) for folder in sorted((self.folder / "releases").glob("*/"))]
        served = sorted((r for r in releases if r.served.exists()), key=lambda r: r.served.stat().st_mtime)
        others = [r for r in releases if not r.served.exists()]
        for old in [*served[:-KEPT], *others[:-1]]:
            if old.name != self.running:
                shutil.rmtree(old.folder)

    def _data_files(self, release: Release) -> list[Path]:
        """All of them; of the learnt examples only those whose skill is on."""
        learnt = self.parts.data / "nlu" / LEARNT
        files = [file for folder in self.parts.data_folders for file in sorted(folder.rglob("*.yml")) if file != learnt]
        if learnt.exists():
            kept = release.folder / LEARNT
            kept.write_text(format_examples([e for e in read_parts(self.parts) if is_learnt(e)]), encoding="utf-8")
            files.append(kept)
        intents = set(self.parts.intents())
        for code, found in self.parts.language_files().items():
            nlu = [part for file in found for part in file.nlu if part.get("intent") in intents]
            if nlu:
                files.append(release.folder / f"examples-{code}.yml")
                files[-1].write_text(
                    yaml.safe_dump({"version": "3.1", "nlu": nlu}, allow_unicode=True), encoding="utf-8"
                )
        return files

    def fingerprint(self) -> str:
        """A hash of everything that a model is made from, but for learnt examples: these come in by a tried training."""
        digest = hashlib.sha256(repr(self.parts.domain()).encode())
        in_languages = [each.file for files in self.parts.language_files().values() for each in files if each.nlu]
        for path in (*self.parts.data_folders, self.parts.config, *in_languages, *(ROOT / name for name in MADE_FROM)):
            files = sorted(path.rglob("*")) if path.is_dir() else [path]
            for file in (f for f in files if f.suffix in {".yml", ".py"} and f.name != LEARNT):
                digest.update(str(file.relative_to(path.parent)).encode() + file.read_bytes())
        return digest.hexdigest()


def make_model(settings: Settings) -> BotModel:
    """The models below the home folder, made from the data and the skills that the settings name."""
    return BotModel(settings.home, settings.bot())
